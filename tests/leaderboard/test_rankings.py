"""Secondary rankings: by hand, copies and weak entries, who is left out by name, and as the command shows them."""

import json
from dataclasses import replace

import numpy as np
import pytest

from crossplay.leaderboard.board import rank
from crossplay.leaderboard.cells import Yardsticks
from crossplay.leaderboard.cli import main
from crossplay.leaderboard.rankings import rankings, to_json
from tests.leaderboard.league import Paper, table
from tests.leaderboard.shelf import shelf


def flat(*values):
    """One seed: J with each partner, the same in both seats."""
    return [[[value, value] for value in values]]


def found(cells, game=-1):
    return rankings(cells, rank(cells, samples=5)[game])


def places(ranked):
    return {place.entry: (place.nash, place.weight, place.alpha) for place in ranked.places}


# the adversary's partners are f0 and f1: regrets a (0, −8, 0), b (−4, 0, −1), c (−6, −9, −1)
BY_HAND = {"a": flat(10, 2, 5), "b": flat(6, 10, 4), "c": flat(4, 1, 4)}


def test_rankings_by_hand():
    ranked = found([table(BY_HAND, {"f": 3})])
    assert ranked.unit == "return per episode"
    assert [place.entry for place in ranked.places] == ["b", "a", "c"]
    mine = places(ranked)
    assert mine["a"] == pytest.approx((-8 / 3, 1 / 3, 1), abs=1e-6)
    assert mine["b"] == pytest.approx((-8 / 3, 2 / 3, 0), abs=1e-6)
    assert mine["c"] == pytest.approx((-7, 0, 0), abs=1e-6)
    assert ranked.partners == pytest.approx({"f0": 2 / 3, "f1": 1 / 3})


def test_copies_and_weak_entries_move_nobody():
    more = {**BY_HAND, "d": BY_HAND["a"], "weak": flat(0, 0, 0)}
    mine = places(found([table(more, {"f": 3})]))
    for name, wanted in places(found([table(BY_HAND, {"f": 3})])).items():
        assert mine[name][0] == pytest.approx(wanted[0], abs=1e-6)
    assert (mine["a"][1], mine["d"][1], mine["weak"][2]) == pytest.approx((1 / 6, 1 / 6, 0), abs=1e-6)
    many = {name: [[*cells[0], *[cells[0][2]] * 20]] for name, cells in BY_HAND.items()}
    assert places(found([table(many, {"f": 23})]))["a"][:2] == pytest.approx((-8 / 3, 1 / 3), abs=1e-6)


def test_a_circle_shows():
    """Each is ahead of the next with two partners of three."""
    ranked = found([table({"a": flat(3, 2, 1), "b": flat(2, 1, 3), "c": flat(1, 3, 2)}, {"f": 3})])
    for place in ranked.places:
        assert (place.nash, place.weight, place.alpha) == pytest.approx((-1, 1 / 3, 1 / 3), abs=1e-6)


def test_with_yardsticks_they_are_of_scores():
    yard = Yardsticks(np.zeros((3, 2)), np.full((3, 2), 20.0), np.array([[True, True], [True, False], [False, False]]))
    ranked = found([replace(table(BY_HAND, {"f": 3}), yard=yard)])
    assert ranked.unit.startswith("share of the way")
    assert places(ranked)["a"][:2] == pytest.approx((-8 / 60, 1 / 3), abs=1e-6)
    assert set(ranked.partners) == {"f0", "f1"}


def test_over_all_games_partners_are_named_by_game():
    other = table(BY_HAND, {"f": 3}, game=Paper(name="test/other-v1"))
    ranked = found([table(BY_HAND, {"f": 3}), other])
    assert ranked.game == "overall"
    assert places(ranked)["b"][0] == pytest.approx(-8 / 3, abs=1e-6)
    assert ranked.partners["test/other-v1: f0"] == pytest.approx(1 / 3, abs=1e-6)


def test_incomplete_and_contaminated_entries_are_left_out_by_name():
    cells = table({**BY_HAND, "hole": flat(9, np.nan, 9), "knows": flat(50, 50, 50)}, {"f": 3})
    ranked = found([replace(cells, contaminated={"knows": ("f0",)})])
    assert ranked.left_out == {"hole": "incomplete", "knows": "contaminated"}
    assert places(ranked) == places(found([table(BY_HAND, {"f": 3})]))
    nobody = found([table({"hole": flat(9, np.nan, 9)}, {"f": 3})])
    assert (nobody.places, nobody.partners, nobody.left_out) == ((), {}, {"hole": "incomplete"})
    assert json.loads(to_json([nobody]))[0]["places"] == []


def test_one_entry_alone_is_all_there_is():
    assert places(found([table({"a": flat(1, 2)}, {"f": 2})])) == {"a": (0.0, 1.0, 1.0)}


def test_the_command_shows_them(capsys, tmp_path):
    folder = shelf(tmp_path / "shelf", mixed=[0, 1, 0], taus=[1, 1])
    for form in ("table", "json"):
        with pytest.raises(SystemExit) as stop:
            main(["rankings", str(folder), "--format", form])
        said = capsys.readouterr().out
        assert stop.value.code == 0
        if form == "table":
            for word in ("matrix/volunteer-v1", "overall", "The board does not rank by these", "α-rank", "Chosen: "):
                assert word in said
        else:
            assert [game["game"] for game in json.loads(said)][-1] == "overall"
            assert sum(place["weight"] for place in json.loads(said)[0]["places"]) == pytest.approx(1)
