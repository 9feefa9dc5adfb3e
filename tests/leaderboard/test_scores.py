"""Scores against yardsticks: by hand, with partners that have none, with holes, and where nothing was measured."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import trim_mean

from crossplay.benchmark.errors import Refused
from crossplay.leaderboard.cells import Yardsticks, cells
from crossplay.leaderboard.intervals import taken
from crossplay.leaderboard.scores import BestResponseProximity, Score, measurable
from crossplay.populations.bounds import Bound, Bounds
from tests.leaderboard.league import Paper, results, roster
from tests.leaderboard.test_metrics import build

# two seeds, three partners (the first two of one family), two seats
SCORES = [[[10, 20], [0, 5], [30, 40]], [[30, 40], [0, 5], [50, 60]]]
LOW = np.array([[0.0, 10.0], [0.0, 0.0], [10.0, 10.0]])
HIGH = np.array([[40.0, 50.0], [0.0, 0.0], [110.0, 60.0]])
CLEAR = np.array([[True, True], [False, False], [False, True]])


def measured(scores=SCORES, low=LOW, high=HIGH, clear=CLEAR):
    return replace(build(scores, [0, 0, 1]), yard=Yardsticks(low, high, clear))


def test_the_score_by_hand():
    first = np.mean([(10 - 0) / 40, (20 - 10) / 40, (30 - 0) / 40, (40 - 10) / 40])  # f0: the second partner has none
    second = np.mean([(40 - 10) / 50, (60 - 10) / 50])  # f1: in seat 1 alone
    assert Score()(measured()) == pytest.approx((first + second) / 2)


def test_it_is_never_clipped():
    assert Score()(measured(np.array(SCORES) + 1000)) > 10
    assert Score()(measured(np.array(SCORES) - 1000)) < -10


def test_proximity_is_clipped_and_free_where_the_best_response_earns_nothing():
    ratios = [10 / 40, 20 / 50, 1, 1, 30 / 110, 40 / 60, 30 / 40, 40 / 50, 1, 1, 50 / 110, 1]
    assert BestResponseProximity()(measured()) == pytest.approx(trim_mean(ratios, 0.25))


def test_a_hole_is_null_and_one_that_needs_no_score_is_not():
    scores = np.array(SCORES, dtype=float)
    scores[0, 1, 0] = np.nan  # of the partner without a yardstick
    assert np.isfinite(Score()(measured(scores)))
    assert np.isnan(BestResponseProximity()(measured(scores)))
    scores[0, 0, 0] = np.nan
    assert np.isnan(Score()(measured(scores)))


def test_without_a_best_response_proximity_is_null():
    assert np.isnan(BestResponseProximity()(measured(high=np.where(CLEAR, HIGH, np.nan))))


def test_where_nothing_was_measured_or_nothing_is_clear_there_is_no_score():
    assert np.isnan(Score()(build(SCORES, [0, 0, 1])))
    assert np.isnan(BestResponseProximity()(build(SCORES, [0, 0, 1])))
    assert np.isnan(Score()(measured(clear=np.zeros_like(CLEAR))))


def test_measurable_leaves_out_partners_and_families_without_a_yardstick():
    left = measurable(measured(clear=CLEAR & [[False], [False], [True]]))
    assert (left.families, left.partners, left.family_of.tolist()) == (("f1",), ("p2",), [0])
    np.testing.assert_array_equal(left.scores[:, 0], np.array(SCORES)[:, 2])


def test_sets_carry_the_yardstick_of_their_partner():
    whole = measured(clear=np.ones_like(CLEAR), high=LOW + np.array([[1.0], [2.0], [4.0]]))
    exact = replace(whole, scores=np.broadcast_to((whole.yard.low + whole.yard.high) / 2, whole.scores.shape))
    egos, partners = (np.random.default_rng(0).integers(size, size=(200, size)) for size in exact.scores.shape[:2])
    assert Score()(taken(exact, egos, partners)).tolist() == [0.5] * 200


def bounds(league, skip=""):
    def row(card, seat):
        fields = {"high": 5.0} if card.family == "a" else {"unmeasured": "it diverged"}
        return Bound(partner=card.name, digest=card.digest, seat=seat, low=1.0 + seat, **fields)

    partners = sorted((card for card in league.held_out if card.name != skip), key=lambda card: card.name)
    return Bounds(trainer={}, seed=0, episodes=4, rows=tuple(row(card, seat) for card in partners for seat in (0, 1)))


def test_cells_have_the_rosters_bounds_in_their_own_order():
    plain = roster({"x": 2}, {"b": 1, "a": 2})
    league = replace(plain, bounds=bounds(plain))
    fixtures = league.fixtures(Paper(), 4, 0)
    found = cells(results(fixtures, lambda p: 3.0), league, fixtures)
    assert found.partners == ("a0", "a1", "b0")
    np.testing.assert_array_equal(found.yard.low, [[1, 2]] * 3)
    np.testing.assert_array_equal(found.yard.high, [[5, 5], [5, 5], [np.nan, np.nan]])
    np.testing.assert_array_equal(found.yard.clear, [[True, True], [True, True], [False, False]])
    assert Score()(found) == pytest.approx(((3 - 1) / 4 + (3 - 2) / 3) / 2)


def test_a_partner_that_was_left_out_of_the_measuring_is_refused():
    plain = roster({"x": 2}, {"b": 1, "a": 2})
    league = replace(plain, bounds=bounds(plain, skip="a1"))
    fixtures = league.fixtures(Paper(), 4, 0)
    with pytest.raises(Refused, match=r"bound of partner 'a1, seat 0'.*a0, seat 0"):
        cells(results(fixtures, lambda p: 3.0), league, fixtures)
