"""Differences: by hand, against a slow bootstrap, how often they are wrong in simulation, and rliable's numbers."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.differences import differences, improvement, rank_interval
from crossplay.leaderboard.metrics import Iqm, Mean, PartnerMean
from tests.leaderboard.league import table
from tests.leaderboard.test_metrics import build
from tests.speed.apart import LUCKS, told_apart

RLIABLE = json.loads((Path(__file__).parent / "golden" / "rliable.json").read_text(encoding="utf-8"))


def rows(levels: dict[str, float], seeds: int = 5, partners: int = 8, spread: float = 1.0, luck: int = 0) -> Cells:
    rng = np.random.default_rng(luck)
    hard = 10 * rng.normal(size=(1, partners, 1))  # what makes partners hard for everybody
    scores = {
        name: (level + hard + spread * rng.normal(size=(seeds, 1, 1)) + np.zeros((1, 1, 2))).tolist()
        for name, level in levels.items()
    }
    return table(scores, {"f": partners // 2, "g": partners - partners // 2})


def of(found, entry, other):
    return next(pair for pair in found.pairs if (pair.entry, pair.other) == (entry, other))


def test_what_is_hard_for_everybody_cancels():
    found = differences([rows({"a": 0.0, "b": 5.0})], ["a", "b"], Mean())
    pair = of(found, "b", "a")
    assert pair.better
    assert 3 < pair.low < pair.mean < pair.high < 7  # partners alone scatter by 10
    assert (rank_interval(found, "b"), rank_interval(found, "a")) == ((1, 1), (2, 2))


def test_both_directions_are_one_statement():
    found = differences([rows({"a": 0.0, "b": 1.0, "c": 9.0})], ["a", "b", "c"], Mean())
    for pair in found.pairs:
        back = of(found, pair.other, pair.entry)
        assert (back.mean, back.low, back.high) == pytest.approx((-pair.mean, -pair.high, -pair.low))
        assert back.improvement == pytest.approx(1 - pair.improvement)


def test_ranks_that_are_left_open():
    found = differences([rows({"a": 0.0, "b": 0.2, "c": 9.0})], ["a", "b", "c"], Mean())
    assert [rank_interval(found, name) for name in "abc"] == [(2, 3), (2, 3), (1, 1)]


def test_fewer_than_three_seeds_say_nothing():
    few = differences([rows({"a": 0.0, "b": 50.0}, seeds=2)], ["a", "b"], Mean())
    assert of(few, "b", "a").low is None
    assert not of(few, "b", "a").better
    assert few.detectable is None
    assert rank_interval(few, "b") == (None, None)


def test_one_entry_has_nobody_to_differ_from():
    alone = differences([rows({"a": 0.0})], ["a"], Mean())
    assert (alone.pairs, alone.detectable, rank_interval(alone, "a")) == ((), None, (None, None))


def test_who_else_is_there_moves_only_the_reach():
    cells = rows({"a": 0.0, "b": 1.0, "c": 2.0})
    two, three = (differences([cells], names, Mean()) for names in (["a", "b"], ["a", "b", "c"]))
    assert of(two, "b", "a").mean == of(three, "b", "a").mean
    assert of(three, "b", "a").high - of(three, "b", "a").low > of(two, "b", "a").high - of(two, "b", "a").low


def test_over_games_it_is_the_mean():
    games = [rows({"a": 0.0, "b": 4.0}, luck=1), replace(rows({"a": 0.0, "b": 8.0}, luck=2), game="test/other-v1")]
    each = [of(differences([game], ["a", "b"], Mean()), "b", "a").mean for game in games]
    assert of(differences(games, ["a", "b"], Mean()), "b", "a").mean == pytest.approx(np.mean(each))


@pytest.mark.parametrize("luck", [LUCKS["seeds 1, cells 1"], (1.0, 0.0, 0.0)])
def test_equal_entries_are_seldom_told_apart(luck):
    """All pairs at once: 95 % say that at most one board in twenty claims anything."""
    wrong = sum(told_apart(4, 5, luck, board, samples=300) for board in range(120))
    assert wrong <= 13  # of 120; at 5 % that many and more come up once in 160 times


def test_a_clear_difference_is_found_about_as_often_as_it_says():
    boards = [
        differences([rows({"a": 0.0, "b": 0.0}, luck=i)], ["a", "b"], Mean(), seed=i, samples=300) for i in range(40)
    ]
    apart = float(np.median([found.detectable for found in boards]))
    hits = [
        of(
            differences([rows({"a": 0.0, "b": apart}, luck=100 + i)], ["a", "b"], Mean(), seed=i, samples=300), "b", "a"
        ).better
        for i in range(60)
    ]
    assert 0.6 <= np.mean(hits) <= 0.95


def as_cells(values):
    scores = np.array(values)[..., None]
    return build(scores, np.zeros(scores.shape[1], int))


def test_rliable_has_the_same_values():
    x, y = as_cells(RLIABLE["x"]), as_cells(RLIABLE["y"])
    assert Iqm()(x) == pytest.approx(RLIABLE["iqm"]["x"])
    assert Iqm()(y) == pytest.approx(RLIABLE["iqm"]["y"])
    assert PartnerMean()(x) == pytest.approx(RLIABLE["mean_x"])
    assert improvement(x, y) == pytest.approx(RLIABLE["x_over_y"])


def test_rliables_interval_follows_from_its_own_way_of_drawing():
    """It draws runs anew for every task and never tasks; ours draws a seed with all that it did, and partners."""
    scores = np.array(RLIABLE["x"])
    seeds = np.random.default_rng(0).integers(len(scores), size=(20_000, *scores.shape))
    drawn = np.take_along_axis(scores[None], seeds, axis=1)[..., None]
    found = np.quantile(Iqm()(build(drawn, np.zeros(scores.shape[1], int))), [0.025, 0.975])
    assert tuple(found) == pytest.approx(RLIABLE["iqm_interval_x"], abs=0.25)
