"""The main job: a whole board in one command; again it does nothing; killed at any moment it ends the same."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch

from crossplay.agents.networks import WEIGHTS
from crossplay.benchmark.errors import Refused
from crossplay.leaderboard import publish
from crossplay.leaderboard.run import STORE, run
from crossplay.leaderboard.site import sites
from crossplay.leaderboard.store import ResultStore
from crossplay.leaderboard.suite import load_suite, shipped, trainer_for
from crossplay.leaderboard.work import Progress
from crossplay.populations import population
from crossplay.populations.fingerprint import thin

TINY = Path(__file__).with_name("tiny.toml")
EXAMPLES = Path(__file__).parents[2] / "examples"


def carry_out(out, jobs=2):
    seen: list[Progress] = []
    run(load_suite(str(TINY)), out, jobs=jobs, device="cpu", tell=seen.append)
    return seen


def carry(suite, out):
    run(suite, out, jobs=1, device="cpu", tell=lambda progress: None)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run, published."""
    out = tmp_path_factory.mktemp("whole") / "tiny"
    carry_out(out)
    publish.write(out)
    return out


def content(out):
    """All that was played, without when and where."""
    with ResultStore(out / STORE, create=False) as store:
        return {key: [array.tolist() for array in result.returns] for key, result in store.load().items()}


def test_everybody_is_played_with_everybody_held_out(whole):
    for part in publish.played(whole):
        assert len(part.results) == len(part.fixtures)
        egos, held_out = part.roster.egos, part.roster.held_out
        assert len(egos) == 8
        assert {card.family for card in held_out} == {"scripted", "self_play"}
        assert len(part.roster.train) == 6
        met = {digest for card in egos for digest in card.trained_with}
        assert not met & {card.digest for card in held_out}
        assert {card.digest for card in part.roster.train} <= met


def test_the_board_is_complete_and_on_disk(whole):
    boards = json.loads((whole / "board.json").read_text())["boards"]
    assert [board["game"] for board in boards] == ["collab-grid/h20-v1", "matrix/volunteer-v1", "overall"]
    for board in boards:
        assert {row["entry"] for row in board["rows"]} == {"ippo", "ippo-per-seat", "fcp-br"}
        assert all(row["rank"] and row["low"] <= row["mean"] <= row["high"] for row in board["rows"])
        assert any("fewer than 3 trained seeds (2)" in note for row in board["rows"] for note in row["notes"])
    names = {path.name for path in whole.iterdir() if path.is_file()}
    assert {"board.md", "board.csv", "suite.toml", STORE, "heatmap-collab-grid-h20-v1.png"} <= names


def test_a_second_run_plays_and_trains_nothing(whole):
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("weights.safetensors")}
    content_before = content(whole)
    seen = carry_out(whole)
    matches = [progress for progress in seen if progress.stage == "matches"]
    assert len(matches) == 1
    assert matches[0].done == matches[0].total > 0
    assert {path: path.stat().st_mtime_ns for path in whole.rglob("weights.safetensors")} == before
    assert content(whole) == content_before


def test_one_process_plays_what_two_play(whole, tmp_path):
    carry_out(tmp_path / "tiny", jobs=1)
    assert content(tmp_path / "tiny") == content(whole)


def command(out):
    return [sys.executable, "-m", "crossplay.leaderboard.cli", "run", str(TINY), "--out", str(out), "--jobs", "2"]


def kill_when(out, reached, patience=120.0):
    """Starts the run and kills it and its workers with SIGKILL as soon as `reached(out)`."""
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(command(out), stdout=nowhere, stderr=nowhere, start_new_session=True)
    end = time.monotonic() + patience
    while process.poll() is None and not reached(out):
        assert time.monotonic() < end
        time.sleep(0.01)
    alive = process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return alive


def matches(out):
    try:
        with ResultStore(out / STORE, create=False) as store:
            return len(store.keys())
    except Refused:
        return 0


def test_killed_at_any_moment_and_rerun_ends_the_same(whole, tmp_path):
    out = tmp_path / "tiny"
    moments = [
        lambda out: len(list(out.rglob("card.toml"))) >= 3,
        lambda out: len(list(out.rglob("card.toml"))) >= 20,
        lambda out: matches(out) >= 1,
    ]
    assert sum([kill_when(out, moment) for moment in moments]) >= 2, "the run was over before it could be killed"
    last = subprocess.run(command(out), capture_output=True, timeout=180, check=False)
    assert last.returncode == 0, last.stderr.decode()
    assert content(out) == content(whole)
    assert (out / "board.json").read_text() == (whole / "board.json").read_text()


def test_missing_matches_are_holes_not_averages(whole, tmp_path):
    """A store with one match taken out: its row is null and unranked, the others stand."""
    import shutil
    import sqlite3

    out = tmp_path / "tiny"
    shutil.copytree(whole, out)
    with sqlite3.connect(out / STORE) as database:
        (key,) = database.execute(
            "select key from matches"
            " where ego = 'ippo-1' and partner = 'stranger-0' and game like 'collab%' and seat = 1"
        ).fetchone()
        database.execute("delete from matches where key = ?", (key,))
    rows = {row.entry: row for row in publish.boards(out)[0].rows}
    assert (rows["ippo"].rank, rows["ippo"].mean, rows["ippo"].holes) == (None, None, 1)
    assert {rows["fcp-br"].rank, rows["ippo-per-seat"].rank} == {1, 2}
    table = publish.played(out)
    part = next(iter(table))
    from crossplay.leaderboard.heatmap import matrix

    found = matrix(part.results, part.roster, part.fixtures)
    assert np.isnan(found.values).sum() == 1


@pytest.mark.parametrize("jobs", [0, -2])
def test_jobs_have_to_be_positive(jobs, tmp_path):
    with pytest.raises(Refused, match=f"jobs must be at least 1; given {jobs}"):
        carry_out(tmp_path, jobs)


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(Refused, match="cannot write to"):
        carry_out(tmp_path / "file" / "tiny")


@pytest.mark.parametrize("name", shipped())
def test_shipped_suites_can_be_carried_out(name):
    suite = load_suite(name)
    assert suite.about
    assert all(entry.seeds >= 3 for entry in suite.entries)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('kind = "fcp"', 'kind = "fcpp"', "unknown generator 'fcpp'; did you mean 'fcp'"),
        ("snapshots = 5", "snapshot = 5", "did you mean 'snapshots'"),
        ('partners = "fcp"', 'partners = "fpc"', "unknown population 'fpc'; did you mean 'fcp'"),
        ('kind = "best_response"', 'kind = "best_respose"', "unknown trainer 'best_respose'; did you mean"),
        ("episodes = 6", "episodes = 0", "greater than 0, given 0"),
        ("episodes = 6", "episods = 6", "did you mean 'episodes'"),
        ("episodes = 6", "episodes = ", r"tiny.toml: not valid TOML.*line 4"),
        ("rollout = 20", "rolout = 20", "did you mean 'rollout'"),
        ('kind = "matrix"', 'kind = "matrx"', "unknown game 'matrx'; did you mean 'matrix'"),
        ('name = "fcp-br"', 'name = "ippo"', "the name 'ippo' is given twice"),
        ('partners = "fcp"', 'stages = ["half"]', "entry fcp-br: `stages` given without `partners`"),
        ('partners = "fcp"', 'partners = "fcp"\nstages = ["haff"]', "stages"),
    ],
)
def test_faults_in_a_suite_are_named_before_any_work(old, new, words, tmp_path):
    path = tmp_path / "tiny.toml"
    text = TINY.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(Refused, match=words):
        load_suite(str(path))


def test_an_entry_may_train_several_times_as_long():
    suite = load_suite("quick")
    steps = {entry.name: suite.trainer(entry, suite.games[0]).budget.steps for entry in suite.entries}
    assert steps == {"ippo": 500_000, "fcp-br": 1_000_000}
    order = load_suite("order")
    budgets = {entry.name: order.trainer(entry, order.games[1]).budget for entry in order.entries}
    assert (budgets["e3t"].steps, budgets["e3t"].shaping_steps) == (3_000_000, 2_000_000)
    assert (budgets["fcp-br"].steps, budgets["fcp-br"].shaping_steps) == (6_000_000, 4_000_000)


def test_an_entry_may_train_with_some_stages_of_its_partners(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(TINY.read_text().replace('partners = "fcp"', 'partners = "fcp"\nstages = ["half", "last"]'))
    suite = load_suite(str(path)).only(["volunteer"])
    carry(suite, tmp_path / "out")
    (place,) = sites(suite, tmp_path / "out")
    roster = place.roster()
    met = {card.name for card in roster.train if card.digest in roster.entries["fcp-br"][0].trained_with}
    assert met == {f"fcp-{seed}-{stage}" for seed in range(2) for stage in ("half", "last")}


def test_a_layout_may_have_settings_of_its_own_over_its_kinds():
    both = [trainer_for("ippo", f"overcooked:{name}", [])[1] for name in ("cramped_room", "counter_circuit_o_1order")]
    assert [one.architecture.view for one in both] == ["", "varying"]
    assert [one.budget.games for one in both] == [16, 128]
    assert both[0].architecture.hidden == both[1].architecture.hidden


def test_held_out_partners_that_come_with_the_package_are_taken_as_they_are(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(population, "SHIPPED", tmp_path / "shipped")
    suite = load_suite(str(TINY)).only(["volunteer"])
    (old,), (new,) = sites(suite, whole), sites(suite, tmp_path / "out")
    place = tmp_path / "shipped" / "tiny" / old.root.name
    shutil.copytree(old.root, place)
    train, held_out = population.load_population(place).cards(place)
    stranger = next(card for card in held_out if card.name == "stranger-0")
    weights = safetensors.torch.load((stranger.root / WEIGHTS).read_bytes())
    other = safetensors.torch.save({name: -tensor for name, tensor in weights.items()})
    (stranger.root / WEIGHTS).write_bytes(other)
    with pytest.raises(Refused, match="stranger-0"):
        carry(suite, tmp_path / "out")
    changed = stranger.save(stranger.root, {WEIGHTS: other})  # whoever trained it again would get another
    fixed = [changed if card is stranger else card for card in held_out]
    population.assemble("tiny", new.game.spec.name, place, train, fixed, old.recipe).save(place)
    carry(suite, tmp_path / "out")
    assert [card.digest for card in new.roster().held_out] == [card.digest for card in fixed]
    assert population.verify(new.root).held_out
    apart = sites(replace(suite, seed=4), tmp_path / "apart")[0]
    assert (new.shipped() is not None, apart.shipped()) == (True, None)


def test_more_may_be_held_out_beside_partners_that_come_with_the_package(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(population, "SHIPPED", tmp_path / "shipped")
    suite = replace(load_suite(str(TINY)).only(["volunteer"]), thin=True)
    (old,) = sites(suite, whole)
    place = tmp_path / "shipped" / "tiny" / old.root.name
    shutil.copytree(old.root, place)
    train, everybody = population.load_population(place).cards(place)
    held_out, _ = thin(old.game, everybody)
    fixed = population.assemble("tiny", old.game.spec.name, place, train, held_out, {**old.recipe, "removed": []})
    fixed.save(place)
    always = {"kind": "constant", "action": 1}
    partners = [
        {"name": "twin", "maker": always},
        {"name": "torn", "maker": {"kind": "noisy", "epsilon": 0.5, "maker": always}},
    ]
    more = replace(suite.games[0], held_out=({"kind": "scripted", "family": "late", "partners": partners},))
    carry(replace(suite, games=(more,)), tmp_path / "out")
    (new,) = sites(replace(suite, games=(more,)), tmp_path / "out")
    roster = new.roster()
    assert {card.name: card.digest for card in held_out}.items() < {c.name: c.digest for c in roster.held_out}.items()
    assert {card.name for card in roster.held_out} - {card.name for card in held_out} == {"torn"}
    assert [near["one"] for near in population.load_population(new.root).recipe["removed"]] == ["twin"]
    trained = {task.training.name for _, task in new.partner_tasks() if hasattr(task, "training")}
    assert trained == {"fcp-0", "fcp-1"}, "nobody who comes with the package is trained again"


def test_a_game_may_hold_out_partners_of_its_own():
    suite = load_suite("quick")
    kinds = [[table["kind"] for table in suite.held_out_of(setting)] for setting in suite.games]
    assert kinds == [["scripted", "self_play", "llm_program"], ["scripted", "self_play"]]


def test_an_unknown_suite_is_refused_with_the_nearest_name():
    with pytest.raises(Refused, match="did you mean 'quick'"):
        load_suite("quik")


def test_some_games_of_a_suite_by_any_of_their_names():
    suite = load_suite("standard")
    for name in ("coordination_ring", "overcooked-coordination_ring-v1", "overcooked/coordination_ring-v1"):
        (setting,) = suite.only([name]).games
        assert setting == suite.games[2]
    both = suite.only(["counter_circuit_o_1order", "cramped_room"])
    assert both.games == (suite.games[0], suite.games[4])
    with pytest.raises(Refused, match="unknown game of suite standard 'cramped_roam'; did you mean 'cramped_room'"):
        suite.only(["cramped_roam"])


@pytest.mark.parametrize("name", ["standard", str(EXAMPLES / "five-kitchens.toml"), str(EXAMPLES / "ring-1e7.toml")])
def test_partners_and_yardsticks_come_with_the_package(name, tmp_path):
    """No run of the standard suite, or of a suite of its partners, makes them or measures them once more."""
    for place in sites(load_suite(name), tmp_path):
        fixed = place.shipped()
        assert fixed is not None
        assert fixed.population.bounds is not None
        known = {(row.partner, row.seat) for row in fixed.population.bounds.rows}
        assert known == {(member.name, seat) for member in fixed.population.held_out for seat in (0, 1)}


def test_a_run_that_began_without_yardsticks_takes_those_that_come_with_its_partners(tmp_path):
    place = sites(load_suite(str(EXAMPLES / "five-kitchens.toml")), tmp_path)[0]
    made = [(role, task.make()) for role, task in place.partner_tasks()]
    whole = place.populate(made)
    assert whole.bounds is not None
    replace(whole, bounds=None).save(place.root)
    assert place.populate(made) == whole
