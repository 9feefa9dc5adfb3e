"""Metrics: by hand, against slow loops, and as properties every registered metric must have."""

import re
from dataclasses import fields, replace
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import trim_mean

from crossplay.benchmark.config import from_text
from crossplay.benchmark.errors import Refused
from crossplay.leaderboard import scores as _scores  # noqa: F401  registers its metrics
from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.metrics import METRICS, tail

LEVELS = ["mean", "partner_mean", "iqm", "worst_partner", "cvar20", "family:f0"]  # metrics in units of J itself
SPREADS = ["gap", "seat_gap"]
RIDING = ["free_riding", "free_riding_partners"]  # of private costs; returns do not move them
SHARES = {  # of what best responses earn: tests/leaderboard/test_scores.py
    "score": "share of the way from uniform play to a best response",
    "br_prox": "share of a best response",
    "family_score": "share of the way from uniform play to a best response",
    "retention": "share of the mean; undefined where that is not above 0",  # tests/leaderboard/test_retention.py
}
ALL = [*LEVELS, *SPREADS, *RIDING, "self_play"]


def build(scores, family_of, self_play=None, riding=None, riding_alone=None):
    scores = np.asarray(scores, dtype=float)
    family_of = np.asarray(family_of)
    return Cells(
        game="test/paper-v1",
        entries=("a",),
        egos=tuple(f"a.{i}" for i in range(scores.shape[-3])),
        entry_of=np.zeros(scores.shape[-3], int),
        families=tuple(f"f{i}" for i in range(family_of.max() + 1)),
        partners=tuple(f"p{i}" for i in range(len(family_of))),
        family_of=family_of,
        scores=scores,
        self_play=np.asarray(scores[..., 0, 0] if self_play is None else self_play, dtype=float),
        riding=np.abs(scores) / 10 if riding is None else np.asarray(riding, dtype=float),
        riding_alone=np.abs(scores[..., 0, 0]) if riding_alone is None else np.asarray(riding_alone, dtype=float),
        shaken=np.empty((*scores.shape, 0)),
    )


@st.composite
def tables(draw):
    counts = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    shape = (draw(st.integers(1, 4)), sum(counts), draw(st.integers(1, 3)))
    numbers = st.floats(-1e3, 1e3, width=32)
    scores = draw(arrays.arrays(np.float64, shape, elements=numbers))
    alone = draw(arrays.arrays(np.float64, shape[:1], elements=numbers))
    return build(scores, np.repeat(np.arange(len(counts)), counts), alone)


def value(text, cells):
    return from_text(METRICS, text)(cells)


BY_HAND = build(
    [
        [[0, 4], [10, 10], [30, 50]],  # seed 0: partner 0 of f0, partner 1 of f0, partner 2 of f1
        [[2, 2], [20, 0], [40, 40]],
    ],
    [0, 0, 1],
    [70, 50],
    [
        [[0, 1], [2, 3], [10, 20]],
        [[1, 0], [4, 1], [30, 0]],
    ],
    [8, 3],
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("family:f0", 6.0),  # partners 2 and 10
        ("family:f1", 40.0),
        ("mean", 23.0),  # of 6 and 40
        ("partner_mean", 52 / 3),  # of 2, 10 and 40
        ("worst_partner", 2.0),
        ("cvar20", 2.0),  # three partners: a fifth is less than one
        ("iqm", (2 + 4 + 10 + 10 + 20 + 30) / 6),  # 0 0 2 | 2 4 10 10 20 30 | 40 40 50
        ("self_play", 60.0),
        ("gap", 37.0),
        ("seat_gap", 3.0),  # seat 0: f0 (1 + 15)/2 = 8, f1 35 → 21.5; seat 1: f0 (3 + 5)/2 = 4, f1 45 → 24.5
        ("free_riding", 5.5),
        ("free_riding_partners", 8.25),  # f0: partners 1/2 and 5/2 → 3/2; f1: 15
    ],
)
def test_by_hand(text, wanted):
    assert value(text, BY_HAND) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([7], 7.0),
        ([3, 1, 2, 9], 1.0),
        ([5, 4, 3, 2, 1], 1.0),
        ([6, 5, 4, 3, 2, 1], (1 + 2 / 5) / 1.2),  # k = 1.2
        ([9, 8, 7, 6, 5, 4, 3, 2, 0], (0 + 2 * 4 / 5) / 1.8),  # k = 1.8
        ([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 1.5),
        ([0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1], 1 / 11),  # k = 2.2, a fifth of it above zero
    ],
)
def test_the_tail_is_exactly_a_fifth(values, wanted):
    assert tail(np.array(values, dtype=float)) == pytest.approx(wanted, abs=1e-12)


def test_the_tail_is_an_integral_of_the_quantile_function():
    values = np.random.default_rng(0).normal(size=23)
    fine = np.repeat(np.sort(values), 5)  # every value five times: a fifth of the mass is whole
    assert tail(values) == pytest.approx(fine[:23].mean(), abs=1e-12)


@given(tables())
def test_against_loops(cells):
    seeds, partners, seats = cells.scores.shape
    j = cells.scores.tolist()
    per = [fmean(j[e][p][s] for e in range(seeds) for s in range(seats)) for p in range(partners)]
    by_family = [
        fmean(v for v, f in zip(per, cells.family_of, strict=True) if f == g) for g in range(len(cells.families))
    ]
    close = {"abs": 1e-9, "rel": 1e-9}
    assert value("mean", cells) == pytest.approx(fmean(by_family), **close)
    assert value("partner_mean", cells) == pytest.approx(fmean(per), **close)
    assert value("worst_partner", cells) == pytest.approx(min(per), **close)
    assert value("gap", cells) == pytest.approx(fmean(cells.self_play.tolist()) - fmean(by_family), **close)
    assert value("iqm", cells) == pytest.approx(trim_mean(cells.scores, proportiontocut=0.25, axis=None), **close)
    for name, wanted in zip(cells.families, by_family, strict=True):
        assert value(f"family:{name}", cells) == pytest.approx(wanted, **close)
    assert value("worst_partner", cells) <= value("cvar20", cells) + 1e-9
    assert value("cvar20", cells) <= value("partner_mean", cells) + 1e-9


@pytest.mark.parametrize("text", ALL)
@given(cells=tables(), data=st.data())
def test_order_does_not_matter(text, cells, data):
    egos = data.draw(st.permutations(range(cells.scores.shape[0])))
    partners = data.draw(st.permutations(range(cells.scores.shape[1])))
    seats = data.draw(st.permutations(range(cells.seats)))
    turned = replace(
        cells,
        scores=cells.scores[egos][:, partners][:, :, seats],
        self_play=cells.self_play[egos],
        riding=cells.riding[egos][:, partners][:, :, seats],
        riding_alone=cells.riding_alone[egos],
        family_of=cells.family_of[partners],
    )
    assert value(text, turned) == pytest.approx(value(text, cells), abs=1e-9)


@pytest.mark.parametrize("text", ALL)
@given(cells=tables(), scale=st.floats(0.01, 100), shift=st.floats(-100, 100))
def test_units_carry_over(text, cells, scale, shift):
    moved = replace(cells, scores=cells.scores * scale + shift, self_play=cells.self_play * scale + shift)
    wanted = value(text, cells) if text in RIDING else value(text, cells) * scale + (0 if text in SPREADS else shift)
    assert value(text, moved) == pytest.approx(wanted, abs=1e-6, rel=1e-6)


@pytest.mark.parametrize("text", LEVELS)
@given(cells=tables(), data=st.data(), more=st.floats(0, 1e3))
def test_playing_better_somewhere_never_scores_worse(text, cells, data, more):
    better = cells.scores.copy()
    better[tuple(data.draw(st.integers(0, n - 1)) for n in better.shape)] += more
    assert value(text, replace(cells, scores=better)) >= value(text, cells) - 1e-9


@pytest.mark.parametrize("text", LEVELS)
@given(cells=tables())
def test_a_partner_worse_than_all_others_never_helps(text, cells):
    low = np.full((cells.scores.shape[0], 1, cells.seats), cells.scores.min() - 1)
    more = replace(
        cells,
        scores=np.concatenate([low, cells.scores], axis=1),
        family_of=np.concatenate([[0], cells.family_of]),
        partners=("new", *cells.partners),
    )
    assert value(text, more) <= value(text, cells) + 1e-9
    assert value("worst_partner", more) == pytest.approx(cells.scores.min() - 1)


@given(cells=tables(), data=st.data())
def test_a_hole_anywhere_gives_null_and_never_a_number(cells, data):
    at = tuple(data.draw(st.integers(0, n - 1)) for n in cells.scores.shape)
    scores = cells.scores.copy()
    scores[at] = np.nan
    holed = replace(cells, scores=scores)
    for text in ["mean", "partner_mean", "iqm", "worst_partner", "cvar20", "gap", "seat_gap"]:
        assert np.isnan(value(text, holed)), text
    assert value("self_play", holed) == value("self_play", cells)
    for index, family in enumerate(cells.families):
        mine = value(f"family:{family}", holed)
        assert np.isnan(mine) if cells.family_of[at[1]] == index else mine == value(f"family:{family}", cells)
    alone = cells.self_play.copy()
    alone[at[0]] = np.nan
    holed = replace(cells, self_play=alone)
    assert np.isnan(value("gap", holed))
    assert np.isnan(value("self_play", holed))
    assert value("mean", holed) == value("mean", cells)


@given(cells=tables(), data=st.data())
def test_a_hole_in_the_costs_gives_null_and_moves_no_other_metric(cells, data):
    riding, alone = cells.riding.copy(), cells.riding_alone.copy()
    riding[tuple(data.draw(st.integers(0, n - 1)) for n in riding.shape)] = np.nan
    alone[data.draw(st.integers(0, len(alone) - 1))] = np.nan
    for text in ALL:
        before = value(text, cells)
        by_partner, by_pair = (
            value(text, replace(cells, riding=riding)),
            value(text, replace(cells, riding_alone=alone)),
        )
        assert np.isnan(by_partner) if text == "free_riding_partners" else by_partner == before
        assert np.isnan(by_pair) if text == "free_riding" else by_pair == before


@pytest.mark.parametrize("text", ALL)
def test_leading_axes_stay(text):
    rng = np.random.default_rng(0)
    scores, alone = rng.normal(size=(5, 3, 7, 2)), rng.normal(size=(5, 3))
    scores[3, 1, 2, 0] = np.nan
    families = [0, 0, 0, 1, 1, 1, 1]
    together = value(text, build(scores, families, alone))
    assert together.shape == (5,)
    singly = [value(text, build(scores[i], families, alone[i])) for i in range(5)]
    np.testing.assert_allclose(together, singly, rtol=1e-12)


@pytest.mark.parametrize("name", list(METRICS))
def test_every_metric_documents_itself(name):
    metric = METRICS[name]
    assert metric.direction in ("higher", "lower")
    assert re.fullmatch(r"\[[A-Z]\w+\d{4}\]", metric.source)
    plain = "private cost per episode" if name in RIDING else "return per episode"
    assert metric.unit == SHARES.get(name, plain)
    assert len(metric.formula) > 5
    assert len(metric.axes) > 5
    assert metric.__doc__
    assert any(text.split(":")[0] == name for text in [*ALL, *SHARES]), "test this metric too"
    assert metric.covers in ("trained seeds and partners", "trained seeds only") or "interval" in metric.__doc__
    own = {"family": {"family"}, "family_score": {"family"}, "retention": {"noise"}}
    assert {field.name for field in fields(metric)} == own.get(name, set())


def test_an_unknown_family_names_the_nearest():
    with pytest.raises(Refused, match="did you mean 'f1'"):
        value("family:f11", BY_HAND)
    with pytest.raises(Refused, match="did you mean 'cvar20'"):
        value("cvar2", BY_HAND)
