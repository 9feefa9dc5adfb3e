"""Two stores become one: nothing lost, nothing doubled, and two outcomes of one match are refused."""

import shutil

import pytest

from crossplay.benchmark.crossplay import Failure
from crossplay.benchmark.errors import Refused
from crossplay.leaderboard import failures, publish
from crossplay.leaderboard.cli import main
from crossplay.leaderboard.database import MATCHES
from crossplay.leaderboard.run import STORE
from crossplay.leaderboard.store import ResultStore
from tests.leaderboard.league import Paper, roster
from tests.leaderboard.shelf import shelf
from tests.leaderboard.test_store import same, some

FIXTURES = roster({"a": 2}, {"scripted": 2}).fixtures(Paper(), 4, 0)


def filled(path, fixtures, base=0.0, game=None):
    with ResultStore(path) as store:
        store.declare((game or Paper()).spec)
        for fixture in fixtures:
            store.add(some(fixture, base))
    return path


def test_what_either_has_both_have(tmp_path):
    half = len(FIXTURES) // 2
    mine, theirs = filled(tmp_path / "a", FIXTURES[: half + 1]), filled(tmp_path / "b", FIXTURES[half:])
    with ResultStore(mine) as store, ResultStore(theirs) as other:
        assert store.merge(other) == (len(FIXTURES) - half - 1, 1)
        assert store.merge(other) == (0, len(FIXTURES) - half), "once more changes nothing"
        found = store.load()
    assert set(found) == {fixture.pairing.key for fixture in FIXTURES}
    for fixture in FIXTURES:
        same(found[fixture.pairing.key], some(fixture))


def test_a_game_nobody_has_played_here_comes_along(tmp_path):
    with ResultStore(tmp_path / "new") as store, ResultStore(filled(tmp_path / "b", FIXTURES)) as other:
        assert store.merge(other) == (len(FIXTURES), 0)
        assert store.games == other.games


def test_two_outcomes_of_one_match_are_refused(tmp_path):
    mine, theirs = filled(tmp_path / "a", FIXTURES[:1]), filled(tmp_path / "b", FIXTURES, base=1.0)
    with ResultStore(mine) as store, ResultStore(theirs) as other:
        with pytest.raises(Refused, match="already has another outcome"):
            store.merge(other)
        same(store.load()[FIXTURES[0].pairing.key], some(FIXTURES[0]))


def test_a_game_that_has_changed_is_refused(tmp_path):
    theirs = filled(tmp_path / "b", [], game=Paper(events=("served",)))
    with (
        ResultStore(filled(tmp_path / "a", FIXTURES)) as store,
        ResultStore(theirs) as other,
        pytest.raises(Refused, match="give the changed game a new version"),
    ):
        store.merge(other)


def test_two_halves_of_a_board_make_the_whole_one(tmp_path, capsys):
    whole = shelf(tmp_path / "whole", taker=[1, 1, 1])
    with ResultStore(whole / STORE) as store:
        keys = sorted(store.keys())
    halves = []
    for name, part in (("one", keys[::2]), ("two", keys[1::2])):
        shutil.copytree(whole, tmp_path / name)
        (tmp_path / name / STORE).unlink()
        with ResultStore(whole / STORE) as store, ResultStore(tmp_path / name / STORE) as half:
            half.games = {}
            for game, shape in store.games.items():
                half._declare(game, shape)
            for result in store.results(part):
                half.add(result)
        halves.append(tmp_path / name)
    with pytest.raises(SystemExit) as stop:
        main(["store", "merge", str(halves[0]), str(halves[1])])
    assert stop.value.code == 0
    assert f"{len(keys[1::2])} new matches, 0 that were there already" in capsys.readouterr().out.replace("\n", " ")
    assert publish.boards(halves[0]) == publish.boards(whole)


def test_a_store_that_is_not_there_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["store", "merge", str(tmp_path / "new.sqlite"), str(tmp_path / "nothing.sqlite")])
    assert stop.value.code == 1
    assert "nothing.sqlite" in capsys.readouterr().err.replace("\n", "")


def test_failures_come_along_once_and_what_was_played_has_not_failed(tmp_path, capsys):
    """One broken match each, one in both, and one that broke here and was played there."""
    whole = shelf(tmp_path / "one", taker=[1, 1, 1])
    shutil.copytree(whole, tmp_path / "two")
    folders = [whole, tmp_path / "two"]
    pairings = {p.key: p for part in publish.played(whole) for p in (f.pairing for f in part.fixtures)}
    here, there, both, mended = sorted(pairings)[:4]
    for folder, broken in zip(folders, [(here, both, mended), (there, both)], strict=True):
        with ResultStore(folder / STORE) as store, store._engine.begin() as connection:
            lost = {here, there, both, *broken}
            connection.execute(MATCHES.delete().where(MATCHES.c.key.in_(lost)))
        for key in broken:
            failures.note(folder, Failure(pairings[key], f"broke in {folder.name}", {}))
    for told in (", 1 that failed", ""):
        with pytest.raises(SystemExit):
            main(["store", "merge", *map(str, folders)])
        assert capsys.readouterr().out.replace("\n", "").endswith(f"there already{told}")
        noted = failures.read(whole)
        assert noted == {here: "broke in one", both: "broke in one", there: "broke in two"}
        assert len((whole / failures.FAILURES).read_text().splitlines()) == 3
    notes = " ".join(note for board in publish.boards(whole) for row in board.rows for note in row.notes)
    assert "broke in one" in notes
    assert "broke in two" in notes
