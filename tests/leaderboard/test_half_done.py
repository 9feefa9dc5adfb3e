"""Results that are half done: what is missing is said, ranks nothing it should not, and costs nobody else anything."""

import json
import shutil
from dataclasses import replace

import pytest

from crossplay.agents.divergence import Diverged
from crossplay.benchmark.config import build
from crossplay.benchmark.errors import Refused
from crossplay.leaderboard import console, publish
from crossplay.leaderboard.lost import LOST
from crossplay.leaderboard.report import pages
from crossplay.leaderboard.run import run, train
from crossplay.leaderboard.site import sites
from crossplay.leaderboard.suite import Suite

PPO = {"ppo": {"rollout": 5}, "budget": {"steps": 400, "games": 8}}
SUITE = {
    "name": "half",
    "episodes": 4,
    "games": [
        {"game": {"kind": "matrix", "game": "stag_hunt"}, "training": PPO},
        {"game": {"kind": "matrix"}, "training": PPO},
    ],
    "held_out": [{"kind": "scripted"}],
    "entries": [
        {"name": "ippo", "seeds": 3, "trainer": {"kind": "ippo"}},
        {"name": "other", "seeds": 3, "trainer": {"kind": "ippo", "shared": False}},
    ],
}
WILD = {"kind": "ippo", "ppo": {"learning_rate": 1e38}}


def suite(**changes):
    return build(Suite, {**SUITE, **changes})


def carry(plan, out, games=()):
    run(plan, out, games=games, jobs=1, device="cpu", tell=lambda progress: None)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Everything, done and published."""
    out = tmp_path_factory.mktemp("whole") / "half"
    carry(suite(), out)
    publish.write(out)
    return out


@pytest.fixture
def lacking(whole, tmp_path):
    """A copy in which cards may be taken away."""
    shutil.copytree(whole, tmp_path / "half")
    return tmp_path / "half"


def rows(folder):
    return {board.game: {row.entry: row for row in board.rows} for board in publish.boards(folder)}


def numbers(row):
    return [row.mean, row.low, row.score, row.iqm, row.worst_partner, row.self_play, *row.families.values()]


def test_one_game_after_the_other_is_both_at_once(whole, tmp_path, capsys):
    carry(suite(), tmp_path, ["volunteer"])
    assert [board.game for board in publish.boards(tmp_path)] == ["matrix/volunteer-v1"]
    carry(suite(), tmp_path, ["stag_hunt"])
    publish.write(tmp_path)
    assert json.loads((tmp_path / "board.json").read_text()) == json.loads((whole / "board.json").read_text())
    assert publish.waiting(tmp_path) == []


def test_a_game_that_has_not_been_begun_is_named_and_nothing_is_ranked_over_it(whole, tmp_path, capsys):
    carry(suite(), tmp_path, ["volunteer"])
    shutil.copyfile(whole / "suite.toml", tmp_path / "suite.toml")
    boards = publish.boards(tmp_path)
    assert [board.game for board in boards] == ["matrix/volunteer-v1"], "no overall board"
    console.show_boards(boards, publish.waiting(tmp_path))
    assert "No overall board yet: stag_hunt not begun" in capsys.readouterr().out
    pages.write(tmp_path, tmp_path / "site", 1, lambda line: None)
    shutil.rmtree(tmp_path / "matrix-volunteer-v1")
    with pytest.raises(Refused, match="no partners yet of stag_hunt, volunteer; `crossplay run` makes them"):
        publish.boards(tmp_path)


def test_a_seed_that_is_not_trained_yet_leaves_its_row_without_numbers(whole, lacking):
    place = sites(suite(), lacking)[0]
    shutil.rmtree(place.cards / "ippo-1")
    before, after = rows(whole), rows(lacking)
    row = after["matrix/stag_hunt-v1"]["ippo"]
    assert (row.status, row.rank, row.n_seeds) == ("incomplete", None, 2)
    assert not any(value is not None for value in numbers(row)), "two of three seeds may be the luckier ones"
    assert "no agent for matrix/stag_hunt-v1 of 1 seeds (ippo-1: not trained yet); not ranked" in " ".join(row.notes)
    assert after["overall"]["ippo"].status == "incomplete"
    assert after["overall"]["ippo"].mean is None
    assert after["matrix/volunteer-v1"] == before["matrix/volunteer-v1"], "the other game has all it needs"
    other = after["matrix/stag_hunt-v1"]["other"]
    assert replace(other, rank=None, rank_low=None, rank_high=None) == replace(
        before["matrix/stag_hunt-v1"]["other"], rank=None, rank_low=None, rank_high=None
    )
    pages.write(lacking, lacking / "site", 1, lambda line: None)


def test_an_entry_nobody_has_trained_has_a_row_that_says_so(lacking):
    place = sites(suite(), lacking)[1]
    for card in place.cards.glob("ippo-*"):
        shutil.rmtree(card)
    row = rows(lacking)["matrix/volunteer-v1"]["ippo"]
    assert (row.status, row.n_seeds, row.mean) == ("incomplete", 0, None)
    publish.write(lacking)
    pages.write(lacking, lacking / "site", 1, lambda line: None)


def test_a_training_that_comes_to_nothing_costs_its_own_row_only(whole, tmp_path):
    games = [SUITE["games"][1]]
    plan = suite(games=games, entries=[*SUITE["entries"], {"name": "wild", "seeds": 2, "trainer": WILD}])
    carry(plan, tmp_path)
    publish.write(tmp_path)
    found = rows(tmp_path)["matrix/volunteer-v1"]
    assert (found["wild"].status, found["wild"].n_seeds) == ("incomplete", 0)
    assert "wild-0: stopped at step" in " ".join(found["wild"].notes)
    assert found["ippo"].mean == rows(whole)["matrix/volunteer-v1"]["ippo"].mean
    assert {found["ippo"].rank, found["other"].rank} <= {1, 2}
    (place,) = sites(plan, tmp_path)
    carry(suite(games=games), tmp_path)
    assert not (place.root / LOST).exists(), "whoever is no longer asked for is no longer lost"


def test_a_board_without_one_of_its_partners_is_refused(tmp_path):
    stranger = {"kind": "self_play", "name": "stranger", "seeds": 1, "trainer": {"ppo": WILD["ppo"]}}
    plan = suite(games=[SUITE["games"][1]], held_out=[{"kind": "scripted"}, stranger])
    (place,) = sites(plan, tmp_path)
    with pytest.raises(Diverged, match="stranger-0: stopped at step"):
        train([place], 1, lambda progress: None)
    assert (place.cards / "ippo-0").is_dir(), "the others were made first"
