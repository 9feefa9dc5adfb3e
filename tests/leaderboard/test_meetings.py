"""Meetings of the board's own agents: by hand, against a loop, with holes; and whether the intervals cover."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t

from crossplay.leaderboard import publish
from crossplay.leaderboard.heatmap import Group, Matrix
from crossplay.leaderboard.meetings import meetings, table, to_json, to_markdown, within
from tests.leaderboard.shelf import shelf


def matrix(values, sizes, of="return", others=2):
    """A heatmap of entries a, b, … with so many seeds each; `others` partners stand left of the agents."""
    values = np.asarray(values, dtype=float)
    names = tuple(f"{entry}-{i}" for entry, size in zip("abcdef", sizes, strict=False) for i in range(size))
    ends = np.cumsum([0, *sizes])
    groups = tuple(Group("abcdef"[i], int(ends[i]), int(ends[i + 1]), False) for i in range(len(sizes)))
    return Matrix(
        game="test/paper-v1",
        unit="return per episode",
        rows=names,
        row_groups=groups,
        columns=(*(f"p{i}" for i in range(others)), *names),
        column_groups=(Group("p", 0, others, True), Group("agents", others, others + len(names), False)),
        held_out=np.arange(others + len(names)) < others,
        values=np.concatenate([np.full((len(names), others), 1e6), values], axis=1),
        of=of,
    )


BY_HAND = [
    [10, 1, 2, 100],
    [3, 20, 4, 200],
    [5, 6, 60, 300],
    [7, 8, 12, 50],
]


def test_by_hand():
    found = meetings(matrix(BY_HAND, [3, 1]))
    a, b = found.own
    assert (a.entry, a.partner, a.pair, a.mean, a.pairs, a.holes) == ("a", "a", "own", 30.0, 3, 0)
    assert (b.mean, b.low, b.high, b.pairs) == (50.0, None, None, 1)
    half = t.ppf(0.975, 2) * np.std([10, 20, 60], ddof=1) / np.sqrt(3)
    assert (a.low, a.high) == pytest.approx((30 - half, 30 + half))
    (aa, ab), (ba, bb) = found.cross
    assert (aa.mean, aa.pairs) == (3.5, 6)
    assert aa.low < 3.5 < aa.high
    assert (ab.entry, ab.partner, ab.mean, ab.pairs, ab.low) == ("a", "b", 200.0, 3, None)
    assert (ba.entry, ba.partner, ba.mean, ba.pairs) == ("b", "a", 9.0, 3)
    assert (bb.mean, bb.low, bb.pairs, bb.holes) == (None, None, 0, 0)  # one seed has no other
    assert (found.entries, found.seeds) == (("a", "b"), (3, 1))


def test_a_hole_is_null_where_it_matters_and_nowhere_else():
    values = np.random.default_rng(0).normal(size=(10, 10))
    values[0, 3] = values[1, 7] = values[8, 8] = np.nan
    found = meetings(matrix(values, [5, 5]))
    (aa, ab), (ba, bb) = found.cross
    assert [(one.mean, one.low, one.high) for one in (aa, ab, found.own[1])] == [(None, None, None)] * 3
    assert [(one.pairs, one.holes) for one in (aa, ab, found.own[1])] == [(19, 1), (24, 1), (4, 1)]
    assert ba.mean == pytest.approx(values[5:, :5].mean())
    assert bb.mean is not None  # the diagonal's hole is not a pair of different seeds
    assert bb.low < bb.mean < bb.high
    assert found.own[0].mean == pytest.approx(np.diag(values)[:5].mean())


def test_a_seed_is_left_out_with_all_its_pairs_both_ways_and_meets_no_copy():
    values = np.random.default_rng(1).normal(size=(6, 6)) + np.diag([1e9] * 6)
    less = []
    for out in range(6):
        rest = [i for i in range(6) if i != out]
        less.append(np.mean([values[i, j] for i in rest for j in rest if i != j]))
    assert within(values) == pytest.approx(t.ppf(0.975, 5) * np.sqrt(5 * np.var(less)))


@pytest.mark.parametrize(
    ("kind", "least", "most"), [("within", 0.91, 0.99), ("between", 0.92, 0.99), ("own", 0.91, 0.99)]
)
def test_intervals_cover_the_truth_about_as_often_as_they_say(kind, least, most):
    """Ten seeds an entry, effects of row, column and pair; the truth is 0. Bounds: what simulation gives, ± 3 σ."""
    rng, hits, trials = np.random.default_rng(7), 0, 300
    for _ in range(trials):
        values = rng.normal(size=(20, 1)) + rng.normal(size=(1, 20)) + rng.normal(size=(20, 20))
        found = meetings(matrix(values, [10, 10], others=0))
        one = {"within": found.cross[0][0], "between": found.cross[0][1], "own": found.own[0]}[kind]
        hits += one.low <= 0 <= one.high
    assert least <= hits / trials <= most


def test_more_seeds_make_a_narrower_interval_and_no_pair_effect_is_mistaken_for_many_seeds():
    """Seeds differ, pairs do not: 30 seeds are 30 independent things, however many pairs they form."""
    effects = np.random.default_rng(3).normal(size=30)
    values = effects[:, None] + effects[None, :]
    one = meetings(matrix(values, [30])).cross[0][0]
    spread = 2 * effects.std(ddof=1) / np.sqrt(30)  # of the mean of a_i + a_j
    assert one.high - one.low == pytest.approx(2 * 1.96 * spread, rel=0.15)


def test_who_else_plays_changes_no_number():
    values = np.random.default_rng(4).normal(size=(15, 15))
    whole = meetings(matrix(values, [5, 5, 5]))
    fewer = meetings(matrix(values[:10, :10], [5, 5]))
    assert whole.own[:2] == fewer.own
    assert tuple(row[:2] for row in whole.cross[:2]) == fewer.cross


def test_texts_say_means_intervals_and_dashes():
    found = meetings(replace(matrix(BY_HAND, [3, 1]), of="free_riding", unit="private cost per episode"))
    content = json.loads(to_json([found]))
    assert content[0]["cross"][0][1]["mean"] == 200.0
    assert content[0]["cross"][1][1]["mean"] is None
    assert (content[0]["own"][0]["pairs"], content[0]["of"]) == (3, "free_riding")
    lines = to_markdown([found]).splitlines()
    low, high = found.own[0].low, found.own[0].high
    assert lines[0] == "## test/paper-v1"
    assert "In free-riding, private cost per episode." in lines
    assert "| entry | seeds | own pair | with a | with b |" in lines
    a = found.cross[0][0]
    line = f"| a | 3 | 30 ({low:.0f} … {high:.0f}) | 4 ({a.low:.0f} … {a.high:.0f}) | 200 |"
    assert line.replace("-", "−") in lines
    assert "| b | 1 | 50 | 9 | – |" in lines
    smaller = meetings(matrix(np.array(BY_HAND) / 100, [3, 1]))
    assert "| b | 1 | 0.50 | 0.09 | – |" in to_markdown([smaller])
    assert [column.header.plain for column in table(found).columns] == [
        "entry",
        "seeds",
        "own pair",
        "with a",
        "with b",
    ]


def test_from_a_results_folder(tmp_path):
    """Volunteer, cost .4: 1 − .4 for one who gives, 1 for one who takes from a giver, 0 for two who do not."""
    folder = shelf(tmp_path / "shelf", mixed=[0, 1], takes=[1])
    volunteer, stag = publish.met(folder)
    rounds = volunteer.own[0].mean / 0.3  # mean of .6 and 0
    (mixed, cross), _ = volunteer.cross
    assert rounds == pytest.approx(round(rounds))
    assert mixed.mean == pytest.approx(0.8 * rounds)  # (0, 1) and (1, 0), mean over seats of .6 and 1
    assert cross.mean == pytest.approx(0.4 * rounds)  # .8 for the giver's pair, 0 for the taker's
    assert (volunteer.game, stag.game) == ("matrix/volunteer-v1", "matrix/stag_hunt-v1")
    riding = publish.met(folder, "free_riding")[0]
    assert [one.mean for one in riding.own] == [0.0, 0.0]
    assert riding.cross[0][0].mean == pytest.approx(0.4 * rounds)
    assert riding.unit == "private cost per episode"
