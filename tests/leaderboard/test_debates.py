"""How debates went, from matches whose course is known by who played."""

import json

import numpy as np
import pytest

from crossplay.benchmark.card import Card
from crossplay.benchmark.crossplay import play_fixtures
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.debate import Debate
from crossplay.benchmark.games.debate.arith import Arith
from crossplay.leaderboard import debates
from crossplay.leaderboard.debates import ELSEWHERE, OTHERS, OWN
from crossplay.leaderboard.roster import Roster
from crossplay.populations.scripted import debate  # noqa: F401  registers the policies

GAME = Debate(arith=Arith(test=40))


def card(name, kind):
    return Card(name=name, maker={"kind": f"debate-{kind}"}, family="scripted", lineage=name)


@pytest.fixture(scope="module")
def found():
    roster = Roster(
        game=GAME.spec.name,
        seats=2,
        entries={
            "guess": tuple(card(f"guess-{i}", "random") for i in range(5)),
            "wrong": (card("wrong-0", "stubborn"), card("wrong-1", "stubborn")),
        },
        held_out=(card("mute", "silent"), card("echo", "copycat")),
    )
    results = {r.pairing.key: r for r in play_fixtures(roster.fixtures(GAME, 40, 0))}
    pairings = [fixture.pairing for fixture in roster.fixtures(GAME, 40, 0)]
    matches = {(p.ego, p.partner, p.seat): results[p.key] for p in pairings}
    return {(line.entry, line.partner): line for line in debates._lines(GAME, roster, matches)}


def test_there_is_a_line_for_every_kind_of_partner(found):
    assert set(found) == {(e, p) for e in ("guess", "wrong") for p in (OWN, OTHERS, ELSEWHERE, "mute", "echo")}
    assert found["guess", OWN].pairs == 5
    assert found["guess", OTHERS].pairs == 5 * 4 * 2
    assert found["guess", ELSEWHERE].pairs == 5 * 2 * 2
    assert found["wrong", "mute"].pairs == 2 * 2


def test_the_stubborn_are_never_right_and_never_move(found):
    for partner in (OWN, OTHERS, ELSEWHERE, "mute", "echo"):
        line = found["wrong", partner]
        assert (line.hero, line.both, line.recovered, line.flipped) == (0, 0, 0, 0)
        assert line.right == (0, 0, 0)


def test_who_echoes_agrees_from_the_next_round_on(found):
    assert found["wrong", "echo"].agree[1:] == (1.0, 1.0)
    assert found["wrong", "mute"].agree == (0, 0, 0)


def test_joint_counts_both_seats_and_hero_one(found):
    line = found["guess", "mute"]
    assert line.joint == pytest.approx(line.hero / 2)
    assert line.hero == pytest.approx(line.right[-1])
    assert 0 < line.hero < 0.3


def test_recovered_less_corrupted_is_what_accuracy_gains(found):
    for line in found.values():
        assert line.recovered - line.corrupted == pytest.approx(line.right[-1] - line.right[0])


def test_intervals_hold_the_mean_and_need_five_seeds(found):
    for partner in (OWN, OTHERS, ELSEWHERE, "mute"):
        line = found["guess", partner]
        low, high = line.joint_interval
        assert low <= line.joint <= high
    assert found["wrong", "mute"].joint_interval is None


def test_tables_say_the_same(found):
    lines = list(found.values())
    again = json.loads(debates.to_json(lines))
    assert [one["joint"] for one in again] == [line.joint for line in lines]
    assert debates.to_markdown(lines).count("\n") == len(lines) + 2
    assert debates.table(lines).row_count == len(lines)
    assert np.isfinite([line.tokens for line in lines]).all()


def test_a_folder_without_a_store_is_refused(tmp_path):
    with pytest.raises(Refused, match="crossplay run"):
        debates.lines(tmp_path)
