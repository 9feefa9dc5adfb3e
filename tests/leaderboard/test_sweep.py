"""Sweeps: every point by hand or equal to the board's, refusals by name, the axis, and what the picture says."""

import csv
import re
from dataclasses import replace
from math import inf, log10

import numpy as np
import pytest

from crossplay.benchmark.errors import Refused
from crossplay.leaderboard.board import rank
from crossplay.leaderboard.cells import cells
from crossplay.leaderboard.heatmap import matrix
from crossplay.leaderboard.meetings import meetings
from crossplay.leaderboard.panels import draw, places, ticks
from crossplay.leaderboard.sweep import Point, points, to_csv
from tests.leaderboard.league import Paper, card, results, roster


def trainer(tau=None, **fields):
    risk = {} if tau is None else {"risk": {"tau": tau, "direction": "adversary_partner"}}
    return {"trainer": {"kind": "srpo", **risk, **fields}}


RECORDS = {
    "high": trainer("inf"),
    "low": trainer(0.0),
    "mid": trainer(10.0),
    "mid-shared": trainer(10, shared=True),
    "plain": trainer(),
    "silent": {},
}


def league(records=RECORDS, seeds=5, holes=()):
    """Cells, meetings and cards of entries with these records; J tells ego, partner and seat apart."""
    base = roster({}, {"f": 2, "g": 1})
    entries = {
        name: tuple(replace(card(f"{name}-{i}"), record=record) for i in range(seeds))
        for name, record in records.items()
    }
    base = replace(base, entries=entries)
    fixtures = base.fixtures(Paper(), 2, 0)

    def value(p):
        if (p.ego, p.partner) in holes:
            return np.nan
        noise = np.random.default_rng([ord(c) for c in p.ego + p.partner] + [p.seat]).normal()
        return len(p.ego) + noise + (10 if p.ego == p.partner else 0)

    played = results(fixtures, value)
    for number, (key, match) in enumerate(sorted(played.items())):
        costs = np.array([[0.0, number % 5]] * 2)
        played[key] = match._replace(returns=match.returns._replace(costs=costs))
    met = {of: meetings(matrix(played, base, fixtures, of)) for of in ("return", "free_riding")}
    return cells(played, base, fixtures), met, entries


def by(found, metric):
    return {point.entry: point for point in found if point.metric == metric}


def test_every_point_is_the_boards_or_the_meetings_number():
    table, met, entries = league()
    found = points(
        table, met, entries, "risk.tau", ["mean", "cvar20", "family:f", "self_play", "free_riding", "cross_play"]
    )
    assert len(found) == 6 * 6
    rows = {row.entry: row for row in rank([table])[0].rows}
    for entry, point in by(found, "mean").items():
        assert (point.low, point.high) == pytest.approx((rows[entry].low, rows[entry].high))
        assert point.mean == rows[entry].mean
        assert (point.game, point.unit, point.better, point.seeds) == (
            "test/paper-v1",
            "return per episode",
            "higher",
            5,
        )
    for at, entry in enumerate(met["return"].entries):
        assert by(found, "cvar20")[entry].mean == rows[entry].cvar20
        assert by(found, "family:f")[entry].mean == rows[entry].families["f"]
        own, cross = met["return"].own[at], met["return"].cross[at][at]
        riding = met["free_riding"].own[at]
        for metric, one in (("self_play", own), ("cross_play", cross), ("free_riding", riding)):
            point = by(found, metric)[entry]
            assert (point.mean, point.low, point.high) == (one.mean, one.low, one.high)
            assert point.low < point.mean < point.high
        assert by(found, "self_play")[entry].mean == pytest.approx(rows[entry].self_play)
        assert by(found, "free_riding")[entry].mean == pytest.approx(rows[entry].free_riding)
    assert (by(found, "free_riding")["low"].unit, by(found, "free_riding")["low"].better) == (
        "private cost per episode",
        "lower",
    )


def test_order_settings_and_series():
    found = points(*league(), "risk.tau", ["mean"])
    assert [(point.entry, point.at) for point in found] == [
        ("low", 0.0),
        ("mid", 10.0),
        ("mid-shared", 10.0),
        ("high", inf),
        ("plain", None),
        ("silent", None),
    ]
    series = {point.entry: point.series for point in found}
    assert series["low"] == series["mid"] == series["high"]
    assert series["mid-shared"] != series["mid"]


def test_a_hole_is_null_for_the_metrics_that_need_it():
    table, met, entries = league(holes={("mid-1", "f0"), ("low-0", "low-2")})
    found = points(table, met, entries, "risk.tau")
    for metric, nulls in {"mean": {"mid"}, "self_play": set(), "free_riding": set(), "cross_play": {"low"}}.items():
        mine = by(found, metric)
        assert {entry for entry, point in mine.items() if point.mean is None} == nulls
        assert all(mine[entry].low is None for entry in nulls)


def test_one_seed_has_no_interval_of_its_own_pair():
    table, met, entries = league(seeds=1)
    found = points(table, met, entries, "risk.tau", ["mean", "self_play", "cross_play"])
    assert by(found, "mean")["low"].low is not None  # of partners
    assert (by(found, "self_play")["low"].mean is None, by(found, "self_play")["low"].low) == (False, None)
    assert by(found, "cross_play")["low"].mean is None


def test_what_is_no_sweep_is_refused_with_the_nearest_name():
    table, met, entries = league()
    with pytest.raises(Refused, match=r"unknown setting of the trainers 'risk\.tua'; did you mean 'risk\.tau'"):
        points(table, met, entries, "risk.tua")
    with pytest.raises(Refused, match=r"risk\.direction of high is 'adversary_partner'"):
        points(table, met, entries, "risk.direction")
    with pytest.raises(Refused, match="shared of mid-shared is True"):
        points(table, met, entries, "shared")
    for wrong in (-1.0, float("nan")):
        with pytest.raises(Refused, match="a sweep is over numbers from 0 to inf"):
            points(*league({"a": trainer(wrong)}), "risk.tau")
    mixed = {**entries, "mid": (*entries["mid"][:4], entries["low"][0])}
    with pytest.raises(Refused, match=r"seeds of mid were trained with different risk\.tau: \['0\.0', '10\.0'\]"):
        points(table, met, mixed, "risk.tau")
    with pytest.raises(Refused, match="did you mean 'cross_play'"):
        points(table, met, entries, "risk.tau", ["cros_play"])
    with pytest.raises(Refused, match="at least one; given none"):
        points(table, met, entries, "risk.tau", [])


def test_the_axis_is_logarithmic_with_0_and_infinity_at_its_ends():
    at = places([10, 0.1, inf, 1, 0, 1])
    assert list(at) == [0, 0.1, 1, 10, inf]
    assert [at[value] for value in (0.1, 1, 10)] == pytest.approx([-1, 0, 1])
    assert at[0] < -1.3
    assert at[inf] > 1.3
    assert ticks(at) == {at[0]: "0", -1: "0.1", 0: "1", 1: "10", at[inf]: "∞"}
    assert places([0, inf])[0] < places([0, inf])[inf]
    assert ticks(places([3])) == {log10(3): "3"}


def test_ticks_that_would_touch_stay_unlabelled_but_never_the_ends():
    at = places([0, *np.geomspace(1, 100, 80), inf])
    labels = ticks(at)
    where = sorted(labels)
    assert min(np.diff(where)) >= 0.06 * (at[inf] - at[0]) - 1e-9
    assert (labels[at[0]], labels[at[inf]]) == ("0", "∞")


def some(at, mean=1.0, entry=None, metric="mean", game="g", series="s"):
    name = entry or f"srpo-{at}"
    low, high = (None, None) if mean is None else (mean - 0.5, mean + 0.5)
    return Point(game, metric, "return per episode", "higher", name, 5, at, series, mean, low, high)


def said(path):
    """Every text of an SVG, which matplotlib notes beside its outlines."""
    return [text.strip() for text in re.findall(r"<!--(.*?)-->", path.read_text(encoding="utf-8"))]


def test_the_picture_names_games_metrics_entries_and_ends(tmp_path):
    found = [
        some(at, mean, metric=metric, game=game)
        for game in ("one", "two")
        for metric in ("mean", "self_play")
        for at, mean in ((0.0, 1.0), (10.0, None), (inf, 3.0))
    ]
    found += [some(None, 2.0, "ippo", metric, game) for game in ("one", "two") for metric in ("mean", "self_play")]
    png, svg, table = draw(found, "risk.tau", tmp_path / "deep" / "sweep.v1.png")
    assert [path.name for path in (png, svg, table)] == ["sweep.v1.png", "sweep.v1.svg", "sweep.v1.csv"]
    assert png.read_bytes()[:4] == b"\x89PNG"
    texts = said(svg)
    for text, times in {"one": 1, "two": 1, "mean, higher is better": 2, "risk.tau": 4, "∞": 4, "10": 4}.items():
        assert texts.count(text) == times, text
    assert texts.count("srpo-0.0 … srpo-inf") == texts.count("ippo") == 1
    assert table.read_text() == to_csv(found)
    lines = list(csv.DictReader(table.read_text().splitlines()))
    assert [(line["at"], line["mean"]) for line in lines[:3]] == [("0.0", "1.0"), ("10.0", ""), ("inf", "3.0")]
    assert (lines[-1]["at"], lines[-1]["entry"]) == ("", "ippo")


def test_no_line_is_drawn_across_a_hole(tmp_path):
    def drawn(means):
        found = [some(at, mean) for at, mean in zip((1.0, 10.0, 100.0), means, strict=True)]
        return draw(found, "t", tmp_path / "x")[1].read_text().count("#20639b; stroke-width: 1.2")

    assert drawn([1.0, 2.0, 3.0]) == 3 + 2  # intervals and lines
    assert drawn([1.0, None, 3.0]) == 2
    assert "not all was played" in said(draw([some(1.0, None)], "t", tmp_path / "y")[1])


def test_equal_sweeps_give_equal_files_and_bad_places_are_refused(tmp_path):
    found = [some(1.0), some(2.0)]
    one, two = draw(found, "t", tmp_path / "one"), draw(found, "t", tmp_path / "two")
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="cannot write the sweep"):
        draw(found, "t", tmp_path / "file" / "x")
