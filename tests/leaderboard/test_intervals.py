"""Intervals: closed forms, what leaving one out gives, and coverage in simulation."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm, t

from crossplay.leaderboard.cells import Yardsticks
from crossplay.leaderboard.intervals import Spread, covered, crossed, interval, less_one, of_mean, pooled, spread, taken
from crossplay.leaderboard.metrics import METRICS, Cvar20, Iqm, Mean, PartnerMean, SelfPlay, WorstPartner
from tests.leaderboard.league import table
from tests.leaderboard.test_metrics import build
from tests.speed.coverage import coverage


def rng(seed=0):
    return np.random.default_rng(seed)


def test_seeds_alone_give_students_interval():
    seeds = np.array([3.0, 5.0, 10.0])
    low, high, covers = interval(build(seeds[:, None, None], [0]), Mean())
    half = t.ppf(0.975, 2) * seeds.std(ddof=1) / np.sqrt(3)
    assert (low, high) == pytest.approx((6 - half, 6 + half))
    assert covers == "trained seeds only"
    assert of_mean(seeds) == pytest.approx(half)
    assert less_one(np.array([7.5, 6.5, 4.0])) == pytest.approx(half)  # the mean without one in turn


def test_partners_alone_give_students_interval_by_strata():
    scores = np.array([1.0, 4.0, 10.0, 20.0, 40.0])  # two of one family, three of another
    parts = np.array([np.var([1, 4], ddof=1) / 2, np.var([10, 20, 40], ddof=1) / 3]) / 4
    freedom = parts.sum() ** 2 / (parts[0] ** 2 / 1 + parts[1] ** 2 / 2)
    half = t.ppf(0.975, freedom) * np.sqrt(parts.sum())
    found = interval(build(scores[None, :, None], [0, 0, 1, 1, 1]), Mean())
    assert found[:2] == pytest.approx((12.916666667 - half, 12.916666667 + half))


def test_the_sources_of_a_mean_are_those_of_the_analysis_of_variance():
    scores = rng(5).normal(size=(4, 6)) + rng(6).normal(size=(4, 1))
    rows, columns = scores.mean(axis=1), scores.mean(axis=0)
    rest = scores - rows[:, None] - columns + scores.mean()
    found = spread(build(scores[..., None], [0] * 6), PartnerMean())
    wanted = [rows.var(ddof=1) / 4, columns.var(ddof=1) / 6, (rest**2).sum() / 15 / 24]
    np.testing.assert_allclose(found.variance, wanted)
    np.testing.assert_allclose(found.variance**2 / found.square, [3, 5, 15])  # degrees of freedom
    for one, other in zip(found, crossed(scores), strict=True):
        np.testing.assert_allclose(one, other)


def test_every_source_has_its_own_quantile_and_pairing_counts_once():
    found = Spread(np.array([5.0, 3.0, 1.0]), np.array([25.0 / 2, 9.0 / 9, 1.0 / 18]))
    wide = t.ppf(0.975, [2, 9, 18]) ** 2
    assert found.half == pytest.approx(np.sqrt(4 * wide[0] + 2 * wide[1] + 1 * wide[2]))
    sure = norm.ppf(0.975) ** 2  # what a source owes the pairing at most is taken off, and never more than all
    less = Spread(np.array([0.5, 3.0, 1.0]), found.square * [0.01, 1, 1])
    assert less.half == pytest.approx(np.sqrt(-0.5 * sure + 2 * wide[1] + 1 * wide[2]))
    tiny = Spread(np.array([0.1, 0.5, 1.0]), np.full(3, 1e-9))
    assert tiny.half == pytest.approx(np.sqrt(sure * 0.5), rel=1e-3)


def test_games_are_pooled_by_source():
    one = Spread(np.array([4.0, 0.0, 0.0]), np.array([8.0, 0.0, 0.0]))  # two degrees of freedom
    both = pooled([one, one])
    assert both.variance[0] == 2.0
    assert both.half == pytest.approx(t.ppf(0.975, 4) * np.sqrt(2))  # and four together


@pytest.mark.parametrize("metric", [Iqm(), Cvar20(), Mean()])
def test_leaving_out_is_done_one_at_a_time(metric, monkeypatch):
    scores = rng(1).normal(size=(3, 5, 2))
    cells = build(scores, [0, 0, 0, 1, 1])
    found = spread(cells, metric)
    less = [float(metric(build(np.delete(scores, i, axis=0), [0, 0, 0, 1, 1]))) for i in range(3)]
    partners = [float(metric(build(np.delete(scores, i, axis=1), np.delete([0, 0, 0, 1, 1], i)))) for i in range(5)]
    assert found.variance[0] == pytest.approx(np.var(less) * 2)
    assert found.variance[1] == pytest.approx(np.var(partners[:3]) * 2 + np.var(partners[3:]))
    monkeypatch.setattr("crossplay.leaderboard.intervals._NUMBERS_AT_ONCE", 1)
    np.testing.assert_array_equal(spread(cells, metric).variance, found.variance)


def test_what_is_taken_is_taken_with_its_costs():
    scores = rng(1).normal(size=(4, 5, 2))
    whole = build(scores, [0, 0, 1, 1, 1], scores[:, 0, 0], scores + 1, scores[:, 0, 0] - 1)
    egos, partners = rng(2).integers(4, size=(9, 3)), rng(3).integers(5, size=(9, 4))
    found = taken(whole, egos, partners)
    np.testing.assert_array_equal(found.scores, scores[egos[:, :, None], partners[:, None, :]])
    np.testing.assert_array_equal(found.riding, found.scores + 1)
    np.testing.assert_array_equal(found.riding_alone, found.self_play - 1)


def test_families_are_strata():
    scores = np.array([[[0.0], [0.0], [100.0], [100.0]]] * 2)  # families differ, partners of one do not
    assert interval(build(scores, [0, 0, 1, 1]), Mean())[:2] == (50.0, 50.0)


def test_more_episodes_do_not_make_more_agents():
    few = build([[[1.0], [2.0]], [[3.0], [5.0]]], [0, 0])
    more_seats = replace(few, scores=np.repeat(few.scores, 50, axis=-1))
    assert interval(few, Mean())[:2] == pytest.approx(interval(more_seats, Mean())[:2])


@pytest.mark.parametrize(
    "name", [name for name in METRICS if METRICS[name].covers and not name.startswith(("family", "retention"))]
)
def test_every_metric_has_an_interval_around_its_value(name):
    plain = build(rng(2).normal(size=(5, 12, 2)), [0] * 6 + [1] * 6)
    ones = np.ones((12, 2))
    cells = replace(plain, yard=Yardsticks(-ones, ones, ones > 0))
    low, high, _ = interval(cells, METRICS[name]())
    assert low < METRICS[name]()(cells) < high


def test_a_hole_makes_the_interval_null():
    scores = np.ones((3, 4, 2))
    scores[1, 2, 1] = np.nan
    low, high, covers = interval(build(scores, [0, 0, 1, 1]), Mean())
    assert np.isnan([low, high]).all()
    assert covers == "trained seeds and partners"


@pytest.mark.parametrize(
    ("seeds", "families", "covers"),
    [
        (3, [0, 0, 1], "trained seeds and partners"),
        (2, [0, 1, 2], "trained seeds only"),
        (1, [0, 1, 1], "partners only"),
        (1, [0, 1, 2], ""),
    ],
)
def test_an_interval_says_what_it_covers(seeds, families, covers):
    cells = build(rng().normal(size=(seeds, 3, 2)), families)
    found = interval(cells, Mean())
    assert found.covers == covers
    assert np.isnan(found.low) == (covers == "")


def test_over_several_games_only_what_all_cover_counts():
    full, alone = build(np.zeros((3, 4, 1)), [0, 0, 1, 1]), build(np.zeros((1, 4, 1)), [0, 0, 1, 1])
    assert covered([full, full]) == "trained seeds and partners"
    assert covered([full, alone]) == "partners only"


def test_misuse_is_refused():
    with pytest.raises(ValueError, match="of one entry"):
        spread(table({"a": [[[1, 1]]], "b": [[[1, 1]]]}, {"f": 1}), Mean())


@pytest.mark.parametrize("truth", ["seeds", "partners", "pairing"])
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_intervals_cover_what_they_say(seeds, truth):
    """93 to 97 %, and three deviations of 600 trials on either side; the long table is in docs/scores.md."""
    assert 0.93 - 0.031 <= coverage(seeds, 10, 1, truth, "normal", 600) <= 0.97 + 0.021


def test_skew_costs_coverage_as_the_table_says():
    assert coverage(3, 10, 1, "seeds", "very skewed", 600) <= 0.93


def test_own_pairs_are_the_luck_of_seeds_alone_and_the_worst_partner_has_no_interval():
    cells = build(rng(4).normal(size=(4, 6, 2)), [0] * 6)
    assert interval(cells, SelfPlay()).covers == "trained seeds only"
    worst = interval(cells, WorstPartner())
    assert (np.isnan([worst.low, worst.high]).all(), worst.covers) == (True, "")
