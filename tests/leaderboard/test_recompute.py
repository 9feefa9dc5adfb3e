"""The example that recomputes boards from exported episodes: it agrees to rounding, and tells what was altered."""

import json
import shutil
import sqlite3
import subprocess
import sys
import zlib
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crossplay.benchmark.config import build
from crossplay.leaderboard import export, publish
from crossplay.leaderboard.identity import identity
from crossplay.leaderboard.run import STORE
from crossplay.leaderboard.site import sites
from crossplay.leaderboard.suite import Suite
from crossplay.populations.bounds import Bound, Bounds
from crossplay.populations.population import load_population
from tests.leaderboard.shelf import GAMES, filled

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPT = EXAMPLES / "recompute.py"
ONE = "ego = 'mixed-1' and partner = 'shaker' and seat = 1 and game = 'matrix/volunteer-v1'"


def plan():
    """Two families and three partners, of which one is random, met with trembling hands as well."""
    giver, taker = ({"name": name, "maker": {"kind": "constant", "action": i}} for i, name in enumerate(("on", "off")))
    shaker = {"name": "shaker", "maker": {"kind": "uniform"}}
    table = {
        "name": "shelf",
        "episodes": 7,
        "noise": [0.2],
        "games": [{"game": {"kind": "matrix", "game": game}} for game in GAMES],
        "held_out": [
            {"kind": "scripted", "partners": [giver, shaker]},
            {"kind": "scripted", "family": "other", "partners": [taker]},
        ],
        "entries": [
            {"name": "mixed", "seeds": 3, "trainer": {"kind": "ippo"}},
            {"name": "mixed-2", "seeds": 1, "trainer": {"kind": "ippo"}},
        ],
    }
    return build(Suite, table)


def bounds(held_out):
    """Made up: one seat of one partner has no best response."""
    rows = [
        Bound(
            partner=m.name,
            digest=m.digest,
            seat=s,
            low=0.1 + s,
            **({"unmeasured": "it diverged"} if bad else {"high": 2.7}),
        )
        for m in sorted(held_out, key=lambda member: member.name)
        for s in (0, 1)
        for bad in [(m.name, s) == ("shaker", 0)]
    ]
    return Bounds(trainer={}, seed=0, episodes=7, rows=tuple(rows))


def publish_board(out):
    parts = list(publish.played(out))
    export.save(publish.boards(out), out / "board.json", identity(parts[0].site.suite, parts))


def off(out):
    """What the script says: the largest difference."""
    episodes = out / "episodes.parquet"
    with publish.store(out) as results:
        results.export(episodes)
    done = subprocess.run([sys.executable, SCRIPT, out, episodes], capture_output=True, text=True, check=True)
    return float(done.stdout.removeprefix("largest difference: "))


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A results folder with bounds, so with scores; its board is in board.json."""
    out = filled(tmp_path_factory.mktemp("recompute") / "shelf", plan(), [[0, 1, 0], [1]])
    for place in sites(plan(), out):
        population = load_population(place.root)
        replace(population, bounds=bounds(population.held_out)).save(place.root)
    publish_board(out)
    return out


@pytest.fixture
def copy(measured, tmp_path):
    return shutil.copytree(measured, tmp_path / "shelf")


def test_it_finds_what_the_board_says(measured):
    scores = [row.score for board in publish.boards(measured) for row in board.rows]
    assert len(scores) == 6
    assert None not in scores
    assert off(measured) < 1e-9


def headline(out):
    """The table that the short script prints."""
    episodes = out / "episodes.parquet"
    with publish.store(out) as results:
        results.export(episodes)
    said = subprocess.check_output([sys.executable, EXAMPLES / "headline.py", out, episodes], text=True)
    return pd.read_csv(StringIO(said), header=[0, 1], index_col=[0, 1])


def test_the_short_script_leaves_an_entry_out_that_lacks_a_match(copy):
    with sqlite3.connect(copy / STORE) as database:
        assert database.execute(f"delete from matches where {ONE}").rowcount == 1
    found = headline(copy)
    assert ("matrix/volunteer-v1", "mixed") not in found.index
    assert len(found) == 3


def test_a_few_lines_of_pandas_find_means_and_scores(measured):
    found = headline(measured)
    rows = [(board.game, row) for board in publish.boards(measured)[:-1] for row in board.rows]
    assert len(rows) == len(found) == 4
    for game, row in rows:
        mine = found.loc[game, row.entry]
        assert mine["mean", "all"] == pytest.approx(row.mean, abs=1e-12)
        assert mine["score", "all"] == pytest.approx(row.score, abs=1e-12)
        assert {name: mine["mean", name] for name in row.families} == pytest.approx(row.families, abs=1e-12)
        assert {name: mine["score", name] for name in row.family_scores} == pytest.approx(row.family_scores, abs=1e-12)


def test_boards_without_scores_too(copy):
    for place in sites(plan(), copy):
        replace(load_population(place.root), bounds=None).save(place.root)
    publish_board(copy)
    assert off(copy) < 1e-9


@pytest.mark.parametrize(
    "path", ["cvar20", "iqm", "families:other", "retention:0.2", "intervals:mean", "intervals:score"]
)
def test_an_altered_board_is_told(copy, path):
    board = json.loads((copy / "board.json").read_text())
    group, _, name = path.partition(":")
    row = board["boards"][0]["rows"][0]
    if group == "intervals":
        row[group][name][1] += 1e-3
    elif name:
        row[group][name] += 1e-3
    else:
        row[group] += 1e-3
    (copy / "board.json").write_text(json.dumps(board))
    assert off(copy) == pytest.approx(1e-3)


def test_an_altered_return_is_told(copy):
    with sqlite3.connect(copy / STORE) as database:
        (packed,) = database.execute(f"select returns from matches where {ONE}").fetchone()
        values = np.frombuffer(zlib.decompress(packed), dtype="<f8").copy()
        values[3] += 1e-3
        database.execute(f"update matches set returns = ? where {ONE}", (zlib.compress(values.tobytes()),))
    assert off(copy) > 1e-6


def test_a_missing_match_is_null_in_both_or_told(copy):
    with sqlite3.connect(copy / STORE) as database:
        assert database.execute(f"delete from matches where {ONE}").rowcount == 1
    assert off(copy) == float("inf")
    publish_board(copy)
    assert off(copy) < 1e-9
