"""Cells: the right number in the right place, and NaN where nothing was played."""

import numpy as np
import pytest

from crossplay.benchmark.errors import Refused
from crossplay.leaderboard.cells import cells
from tests.leaderboard.league import Paper, card, outcome, results, roster, table


def label(p):
    """A number that tells ego, partner and seat apart."""
    return hash_of(p.ego) + hash_of(p.partner) / 7 + p.seat / 1000


def hash_of(name):
    return float(sum(ord(c) * 3**i for i, c in enumerate(name)))


def test_every_score_is_in_its_place():
    league = roster({"b": 2, "a": 1}, {"scripted": 2, "fcp": 1})
    fixtures = league.fixtures(Paper(), 4, 0)
    found = cells(results(fixtures, label), league, fixtures)
    assert found.entries == ("a", "b")
    assert found.egos == ("a.0", "b.0", "b.1")
    assert found.entry_of.tolist() == [0, 1, 1]
    assert found.partners == ("fcp0", "scripted0", "scripted1")
    assert found.families == ("fcp", "scripted")
    assert found.family_of.tolist() == [0, 1, 1]
    assert found.episodes == 4
    for e, ego in enumerate(found.egos):
        assert found.self_play[e] == hash_of(ego) + hash_of(ego) / 7
        for p, partner in enumerate(found.partners):
            for seat in (0, 1):
                assert found.scores[e, p, seat] == pytest.approx(hash_of(ego) + hash_of(partner) / 7 + seat / 1000)
    assert found.holes == 0


def test_a_score_is_the_mean_over_episodes_of_the_mean_over_seats():
    league = roster({"a": 1}, {"scripted": 1})
    fixtures = league.fixtures(Paper(), 4, 0)
    values = np.array([[1.0, 3.0], [0.0, 0.0], [10.0, 20.0], [-2.0, 0.0]])
    found = cells({f.pairing.key: outcome(f, values) for f in fixtures}, league, fixtures)
    assert found.scores.tolist() == [[[4.0, 4.0]]]  # (2 + 0 + 15 - 1) / 4
    assert found.self_play.tolist() == [4.0]


def test_holes_are_nan_and_counted():
    found = table({"a": [[[1, np.nan], [2, 3]]], "b": [[[4, 5], [6, 7]]]}, {"scripted": 2}, {"a": [np.nan], "b": [9]})
    assert np.isnan(found.scores[0, 0, 1])
    assert np.nansum(found.scores) == 28
    assert found.holes == 2
    assert found.of("a").holes == 2
    assert found.of("b").holes == 0
    assert found.of("b").scores.tolist() == [[[4, 5], [6, 7]]]
    assert found.of("b").self_play.tolist() == [9]


def test_no_results_and_no_fixtures_are_all_holes():
    league = roster({"a": 1}, {"scripted": 2})
    assert cells({}, league, league.fixtures(Paper(), 4, 0)).holes == 5
    assert cells({}, league, []).holes == 5


def test_order_of_roster_and_fixtures_does_not_matter():
    league = roster({"b": 2, "a": 1}, {"scripted": 2, "fcp": 1})
    turned = roster({"a": 1}, {"fcp": 1})
    turned = type(league)(
        game=league.game,
        seats=2,
        entries={"a": league.entries["a"], "b": league.entries["b"][::-1]},
        held_out=league.held_out[::-1],
    )
    fixtures = league.fixtures(Paper(), 4, 0)
    one = cells(results(fixtures, label), league, fixtures)
    two = cells(results(fixtures, label), turned, turned.fixtures(Paper(), 4, 0)[::-1])
    assert (one.egos, one.partners, one.entries) == (two.egos, two.partners, two.entries)
    assert one.scores.tobytes() == two.scores.tobytes()


def test_train_partners_and_other_egos_are_not_scored():
    league = roster({"a": 1, "b": 1}, {"scripted": 1}, train=(card("t"),))
    fixtures = league.fixtures(Paper(), 4, 0)
    scored = results(fixtures, lambda p: 1.0 if p.partner in ("scripted0", p.ego) else -1e9)
    found = cells(scored, league, fixtures)
    assert found.scores.tolist() == [[[1, 1]], [[1, 1]]]


def test_another_games_fixtures_are_ignored_and_two_claims_are_refused():
    league = roster({"a": 1}, {"scripted": 1})
    other = Paper(name="test/other-v1")
    more = roster({"a": 1}, {"scripted": 1}, other).fixtures(other, 4, 0)
    fixtures = league.fixtures(Paper(), 4, 0)
    played = results(fixtures, lambda p: 1.0) | results(more, lambda p: 5.0)
    assert cells(played, league, more + fixtures).scores.max() == 1.0
    with pytest.raises(Refused, match=r"two different matches of 'a\.0'"):
        cells(played, league, fixtures + league.fixtures(Paper(), 4, 1))


def test_contamination_is_per_entry():
    league = roster({"a": 1}, {"scripted": 2})
    fields = {name: getattr(league, name) for name in ("game", "seats", "held_out")}
    met = card("m", trained_with=(league.held_out[1].digest,))
    found = cells({}, type(league)(entries={"a": league.entries["a"], "m": (card("ok"), met)}, **fields), [])
    assert found.contaminated == {"m": ("scripted1",)}
    assert found.of("m").contaminated == {"m": ("scripted1",)}
    assert found.of("a").contaminated == {"a": ()}


def test_an_unknown_entry_names_the_nearest():
    with pytest.raises(Refused, match="did you mean 'alpha'"):
        table({"alpha": [[[1, 2]]]}, {"scripted": 1}).of("alpa")


def paying(league, game, costs):
    """Results with the private costs that `costs` gives, (pairing) → [episodes, seats] or None for a hole."""
    found = {}
    for f in league.fixtures(game, 4, 0):
        paid = costs(f.pairing)
        if paid is not None:
            match = outcome(f, np.float64(1))
            returns = match.returns._replace(costs=np.array(np.broadcast_to(paid, (4, game.seats)), dtype=float))
            found[f.pairing.key] = match._replace(returns=returns)
    return cells(found, league, league.fixtures(game, 4, 0))


def test_free_riding_is_the_distance_of_the_seats_mean_costs():
    league = roster({"a": 2}, {"scripted": 2})
    turns = [[4, 0], [0, 4], [4, 0], [0, 4]]  # unequal in every episode, equal on average: nobody rides
    alone = {"a.0": turns, "a.1": [[3, 0], [3, 0], [3, 2], [3, 0]]}

    def costs(p):
        if p.partner == p.ego:
            return alone[p.ego]
        return [p.seat, 3 * int(p.partner[-1])] if p.ego == "a.0" else [10, 9]

    found = paying(league, Paper(), costs)
    assert found.riding_alone.tolist() == [0.0, 2.5]
    assert found.riding.tolist() == [[[0, 1], [3, 2]], [[1, 1], [1, 1]]]
    assert found.costs
    assert found.of("a").riding_alone.tolist() == [0.0, 2.5]


def test_free_riding_of_more_seats_is_the_largest_less_the_smallest():
    game = Paper(seats=4)
    found = paying(roster({"a": 1}, {"scripted": 1}, game), game, lambda p: [5, 2, 9, 4])
    assert found.riding_alone.tolist() == [7.0]
    assert found.riding.tolist() == [[[7.0] * 4]]


def test_free_riding_is_nan_where_a_match_is_missing_and_costs_are_known_of_a_game():
    league = roster({"a": 2}, {"scripted": 1})
    free = paying(league, Paper(), lambda p: None if (p.ego, p.seat) == ("a.1", 0) else 0)
    assert not free.costs
    np.testing.assert_array_equal(free.riding_alone, [0, np.nan])
    np.testing.assert_array_equal(free.riding, [[[0, 0]], [[np.nan, 0]]])
    assert paying(league, Paper(), lambda p: [0, 1] if p.partner == "scripted0" else 0).costs
    assert not cells({}, league, league.fixtures(Paper(), 4, 0)).costs
