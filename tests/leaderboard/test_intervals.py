"""Intervals: exact distributions for tiny tables, closed-form variances, and coverage in simulation."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from crossplay.benchmark.errors import Refused
from crossplay.leaderboard.cells import Yardsticks
from crossplay.leaderboard.intervals import (
    covered,
    drawn_partners,
    drawn_seeds,
    draws,
    interval,
    percentiles,
    resample,
    taken,
)
from crossplay.leaderboard.metrics import METRICS, Cvar20, Iqm, Mean, PartnerMean
from tests.leaderboard.league import Paper, table
from tests.leaderboard.test_metrics import build


def rng(seed=0):
    return np.random.default_rng(seed)


def frequencies(values):
    found, counts = np.unique(np.round(values, 9), return_counts=True)
    return dict(zip(found.tolist(), (counts / len(values)).tolist(), strict=True))


@pytest.mark.parametrize("metric", [Mean(), Iqm()])
def test_two_seeds_by_two_partners_have_the_distribution_that_counting_gives(metric):
    scores = np.array([[[0.0], [1.0]], [[10.0], [31.0]]])
    wanted: dict[float, float] = {}
    for e1, e2, p1, p2 in product(range(2), repeat=4):
        value = round(float(metric(build(scores[[e1, e2]][:, [p1, p2]], [0, 0]))), 9)
        wanted[value] = wanted.get(value, 0) + 1 / 16
    found = frequencies(draws(build(scores, [0, 0]), metric, rng(), 40_000))
    assert found.keys() == wanted.keys()
    for value, share in wanted.items():
        assert found[value] == pytest.approx(share, abs=0.012)


def test_percentiles_by_hand():
    one_seed = build([[[0.0], [1.0]]], [0, 0])  # means 0, 1/2, 1 with chances 1/4, 1/2, 1/4
    assert interval(one_seed, Mean(), rng(), 4000) == (0.0, 1.0, "partners only")
    assert percentiles(np.arange(41.0), "partners only")[:2] == pytest.approx((1.0, 39.0))


def test_what_is_drawn_is_drawn_with_its_costs():
    scores = np.random.default_rng(1).normal(size=(4, 5, 2))
    whole = build(scores, [0, 0, 1, 1, 1], scores[:, 0, 0], scores + 1, scores[:, 0, 0] - 1)
    drawn = resample(whole, rng(), 100)
    np.testing.assert_array_equal(drawn.riding, drawn.scores + 1)
    np.testing.assert_array_equal(drawn.riding_alone, drawn.self_play - 1)


def test_families_are_strata():
    scores = np.array([[[0.0], [0.0], [100.0], [100.0]]] * 2)  # families differ, partners of one do not
    assert interval(build(scores, [0, 0, 1, 1]), Mean(), rng(), 500)[:2] == (50.0, 50.0)
    drawn = resample(build(scores, [0, 0, 1, 1]), rng(), 300)
    assert (drawn.scores[:, :, :2] == 0).all()
    assert (drawn.scores[:, :, 2:] == 100).all()


def test_seeds_and_partners_are_crossed_and_seats_stay():
    seeds, partners = 4, 5
    scores = np.arange(seeds * partners * 2, dtype=float).reshape(seeds, partners, 2)
    drawn = resample(build(scores, [0, 0, 1, 1, 1], np.arange(seeds)), rng(), 200)
    ego = drawn.self_play.astype(int)  # [samples, seeds]
    partner = (drawn.scores[:, 0, :, 0].astype(int) // 2) % partners
    assert np.array_equal(drawn.scores, scores[ego[:, :, None], partner[:, None, :]])
    assert (partner[:, :2] < 2).all()
    assert (partner[:, 2:] >= 2).all()
    assert len({tuple(row) for row in ego.tolist()}) > 50


def test_the_spread_is_that_of_seeds_and_partners_added():
    generator = rng(5)
    a, b = generator.normal(0, 2, 6), generator.normal(0, 3, 8)
    additive = build(np.repeat((a[:, None] + b)[..., None], 2, axis=-1), [0] * 8)
    spread = draws(additive, PartnerMean(), rng(), 40_000).var()
    assert spread == pytest.approx(a.var() / 6 + b.var() / 8, rel=0.03)


def test_more_episodes_do_not_make_more_agents():
    few = build([[[1.0], [2.0]], [[3.0], [5.0]]], [0, 0])
    more_seats = replace(few, scores=np.repeat(few.scores, 50, axis=-1))
    assert interval(few, Mean(), rng(), 1000) == interval(more_seats, Mean(), rng(), 1000)


def test_equal_generators_give_equal_intervals_whatever_fits_at_once(monkeypatch):
    cells = build(rng(1).normal(size=(3, 9, 2)), [0, 0, 0, 1, 1, 1, 2, 2, 2])
    assert interval(cells, Cvar20(), rng(7)) == interval(cells, Cvar20(), rng(7))
    assert interval(cells, Cvar20(), rng(7)) != interval(cells, Cvar20(), rng(8))
    monkeypatch.setattr("crossplay.leaderboard.intervals._NUMBERS_AT_ONCE", 1)
    assert draws(cells, Mean(), rng(7), 50).shape == (50,)


@pytest.mark.parametrize("name", [name for name in METRICS if name not in ("family", "retention")])
def test_every_metric_has_an_interval_around_its_value(name):
    plain = build(rng(2).normal(size=(5, 12, 2)), [0] * 6 + [1] * 6)
    ones = np.ones((12, 2))
    cells = replace(plain, yard=Yardsticks(-ones, ones, ones > 0))
    low, high, _ = interval(cells, METRICS[name](), rng(), 1000)
    middle = np.median(draws(cells, METRICS[name](), rng(), 1000))
    assert low < middle < high


def test_a_hole_makes_the_interval_null():
    scores = np.ones((3, 4, 2))
    scores[1, 2, 1] = np.nan
    low, high, covers = interval(build(scores, [0, 0, 1, 1]), Mean(), rng())
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
    found = interval(cells, Mean(), rng())
    assert found.covers == covers
    assert np.isnan(found.low) == (covers == "")


def test_over_several_games_only_what_all_cover_counts():
    full, alone = build(np.zeros((3, 4, 1)), [0, 0, 1, 1]), build(np.zeros((1, 4, 1)), [0, 0, 1, 1])
    assert covered([full, full]) == "trained seeds and partners"
    assert covered([full, alone]) == "partners only"


def test_misuse_is_refused():
    cells = build(np.zeros((2, 2, 1)), [0, 0])
    with pytest.raises(Refused, match="at least one bootstrap sample; given 0"):
        draws(cells, Mean(), rng(), 0)
    with pytest.raises(ValueError, match="of one entry"):
        draws(table({"a": [[[1, 1]]], "b": [[[1, 1]]]}, {"f": 1}), Mean(), rng(), 9)


def coverage(seeds, sd_seed, sd_partner, sd_pair, trials=300):
    """How often the interval holds the true headline of entries drawn from a crossed model, 3 families × 8 partners."""
    generator, families = rng(11), np.repeat(np.arange(3), 8)
    hits = 0
    for _ in range(trials):
        truth = 7.0 + generator.normal()
        scores = truth + 3.0 * (families[:, None] - 1) + generator.normal(0, sd_partner, (24, 1))
        scores = scores + generator.normal(0, sd_seed, (seeds, 1, 1)) + generator.normal(0, sd_pair, (seeds, 24, 2))
        low, high, _ = interval(build(scores, families), Mean(), generator, 400)
        hits += low <= truth <= high
    return hits / trials


def test_coverage_is_near_what_it_says():
    assert 0.89 <= coverage(10, 1, 2, 0.5) <= 0.97
    assert coverage(10, 0, 0, 2) >= 0.97  # too wide where only pairing matters


def test_coverage_is_too_low_with_few_seeds_as_the_board_says():
    assert coverage(3, 1, 0.3, 0.3) <= 0.88


@pytest.mark.parametrize("seats", [1, 2, 3])
@pytest.mark.parametrize("partners", [1, 2, 5, 60])
@pytest.mark.parametrize("egos", [1, 2, 3, 10])
def test_drawn_means_are_those_of_laid_out_cells_to_the_bit(egos, partners, seats):
    luck = rng(egos * partners)
    families = {"f": partners} if partners < 3 else {"f": 2, "g": partners - 2}
    found = table({"a": luck.normal(70, 50, (egos, partners, seats))}, families, game=Paper(seats=seats)).of("a")
    places = drawn_seeds(found, luck, 40), drawn_partners(found, luck, 40)
    np.testing.assert_array_equal(Mean().drawn(found, *places), Mean()(taken(found, *places)))
