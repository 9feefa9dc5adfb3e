"""Rosters: every match once, in every seat, and who has met whom."""

from dataclasses import replace
from itertools import product

import pytest

from crossplay.benchmark.errors import Refused
from crossplay.leaderboard.roster import Roster
from tests.leaderboard.league import Paper, card, roster


def matches(league, game=None):
    return [(f.pairing.ego, f.pairing.partner, f.pairing.seat) for f in league.fixtures(game or Paper(), 4, 0)]


def test_fixtures_are_exactly_those_that_board_and_heatmap_need():
    league = roster({"a": 2, "b": 1}, {"scripted": 2}, train=(card("t"),))
    egos = ["a.0", "a.1", "b.0"]
    wanted = {(ego, ego, 0) for ego in egos}
    wanted |= set(product(egos, ["scripted0", "scripted1", "t"], [0, 1]))
    wanted |= {(e, o, s) for e, o, s in product(egos, egos, [0, 1]) if e != o}
    found = matches(league)
    assert set(found) == wanted
    assert len(found) == len(wanted) == 3 + 18 + 12
    assert found == matches(league)


def test_three_seats_are_all_taken():
    game = Paper(seats=3)
    found = matches(roster({"a": 1}, {"scripted": 1}, game), game)
    assert found == [("a.0", "a.0", 0), ("a.0", "scripted0", 0), ("a.0", "scripted0", 1), ("a.0", "scripted0", 2)]


def test_a_card_in_several_parts_is_played_once():
    shared = card("shared")
    league = Roster(
        game="test/paper-v1",
        seats=2,
        entries={"a": (shared,), "b": (card("b"),)},
        held_out=(shared,),
        train=(card("b"),),
    )
    found = matches(league)
    assert len(found) == len(set(found))
    assert ("shared", "shared", 0) in found
    assert ("shared", "shared", 1) in found
    assert found.count(("shared", "b", 1)) == 1


def test_contamination_is_having_met_a_held_out_agent_or_being_one():
    league = roster({"a": 1}, {"scripted": 2})
    first, second = league.held_out
    assert league.contaminated(card("clean", trained_with=("0" * 64,))) == []
    assert league.contaminated(card("met", trained_with=(second.digest, first.digest))) == ["scripted0", "scripted1"]
    assert league.contaminated(replace(second, name="copy")) == ["scripted1"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"held_out": ()}, "no held-out partner"),
        ({"entries": {"a": ()}}, "entry 'a' has no card"),
        ({"entries": {"a": (card("x"),), "b": (card("x"),)}}, "'x' is twice among the entries"),
        ({"held_out": (card("p"), card("p"))}, "'p' is twice among the held-out"),
        ({"train": (replace(card("x"), maker={"kind": "other"}),)}, "two different agents are called 'x'"),
        ({"held_out": (card("p", game="test/other-v1"),)}, "made for test/other-v1"),
    ],
)
def test_a_muddled_roster_is_refused(fields, words):
    good = {"game": "test/paper-v1", "seats": 2, "entries": {"a": (card("x"),)}, "held_out": (card("p"),)}
    Roster(**good)
    with pytest.raises(Refused, match=words):
        Roster(**{**good, **fields})


def test_another_game_is_refused():
    with pytest.raises(Refused, match="with 2 seats cannot play test/paper-v1 with 3"):
        roster({"a": 1}, {"scripted": 1}).fixtures(Paper(seats=3), 4, 0)


def test_an_unknown_entry_names_the_nearest():
    with pytest.raises(Refused, match="did you mean 'alpha'"):
        roster({"alpha": 1}, {"scripted": 1}).entry("alfa")
