"""Figures for papers: profiles by hand and against a slow count, families against the board, and what is left out."""

import csv
import re
from dataclasses import replace

import numpy as np
import pytest

from crossplay.benchmark.errors import Refused
from crossplay.leaderboard.board import rank
from crossplay.leaderboard.canvas import format_of
from crossplay.leaderboard.cells import Yardsticks
from crossplay.leaderboard.families import families
from crossplay.leaderboard.families import to_csv as families_csv
from crossplay.leaderboard.figures import draw_families, draw_profiles
from crossplay.leaderboard.intervals import spread
from crossplay.leaderboard.plots import KINDS, Asked, plot
from crossplay.leaderboard.profile import profile, reached
from crossplay.leaderboard.profile import to_csv as profile_csv
from crossplay.leaderboard.scores import Score, measurable, shares
from crossplay.leaderboard.subject import subject
from tests.leaderboard.league import table
from tests.leaderboard.shelf import shelf

# two seeds, two partners of f and one of g, two seats; b is better with g, and c lacks a match
BY_HAND = {
    "a": [[[10, 20], [0, 10], [40, 40]], [[30, 40], [5, 5], [50, 60]]],
    "b": [[[0, 0], [0, 0], [90, 90]], [[10, 10], [0, 0], [80, 100]]],
    "c": [[[0, 0], [0, np.nan], [90, 90]], [[10, 10], [0, 0], [80, 100]]],
}
CLEAR = np.array([[True, True], [False, True], [False, False]])


def by_hand(yard=False):
    found = table(BY_HAND, {"f": 2, "g": 1})
    return replace(found, yard=Yardsticks(np.full((3, 2), 5.0), np.full((3, 2), 25.0), CLEAR)) if yard else found


def drawn_at_random(seeds=3, yard=True):
    rng = np.random.default_rng(5)
    scores = {name: np.round(rng.normal(20, 10, (seeds, 7, 2))) for name in ("a", "b", "c")}
    found = table(scores, {"f": 4, "g": 3}, {name: [1.0] * seeds for name in scores})
    clear = rng.random((7, 2)) < 0.7
    return replace(found, yard=Yardsticks(np.full((7, 2), 2.0), np.full((7, 2), 40.0), clear)) if yard else found


def test_a_profile_by_hand():
    found = profile(subject(by_hand()), [-1, 0, 0.5, 5, 15, 35.5, 85, 91])
    assert found.subject.entries == ("a", "b")
    # means over seats: a 15 5 40 | 35 5 55, b 0 0 90 | 10 0 90
    np.testing.assert_allclose(found.share[0], np.array([6, 6, 6, 6, 4, 2, 0, 0]) / 6)
    np.testing.assert_allclose(found.share[1], np.array([6, 6, 3, 3, 2, 2, 2, 0]) / 6)
    assert found.subject.unit == "return per episode"
    assert found.covers == ("trained seeds and partners",) * 2


def test_a_profile_of_scores_by_hand():
    found = profile(subject(by_hand(yard=True)), [-0.25, 0, 0.3, 0.5, 1.5, 1.6])
    # a: (0.25 + 0.75)/2, 0.25 | (1.25 + 1.75)/2, 0; g has no yardstick
    np.testing.assert_allclose(found.share[0], np.array([4, 4, 2, 2, 1, 0]) / 4)
    np.testing.assert_allclose(found.share[1], np.array([4, 1, 0, 0, 0, 0]) / 4)
    assert found.subject.normalised
    assert "test/paper-v1: 1 of 3 partners have no yardstick, left out: g0" in found.subject.notes


@pytest.mark.parametrize("yard", [False, True])
def test_curves_and_bands_are_those_of_a_slow_count(yard):
    """Every cell counted one at a time, and a band where every share is the metric of an interval."""
    cells = drawn_at_random(yard=yard)
    found = profile(subject(cells))
    for entry, share, low, high in zip(found.subject.entries, found.share, found.low, found.high, strict=True):
        own = (measurable(cells) if yard else cells).of(entry)
        values = shares(own) if yard else own.scores.mean(axis=-1)
        for at, tau in enumerate(found.taus):
            count = sum(float(value) >= tau for row in values for value in row)
            assert share[at] == pytest.approx(count / values.size)
            half = float(spread(own, lambda part, tau=tau: _share(part, tau, yard)).half)
            ends = max(0.0, share[at] - half), min(1.0, share[at] + half)
            np.testing.assert_allclose([low[at], high[at]], ends)


def _share(cells, tau, yard):
    values = shares(cells) if yard else cells.scores.mean(axis=-1)
    return (values >= tau).mean(axis=(-2, -1))


def test_a_curve_falls_from_1_and_its_area_is_the_mean():
    found = profile(subject(drawn_at_random(yard=False)), np.linspace(0, 60, 6001))
    for entry, share in zip(found.subject.entries, found.share, strict=True):
        values = found.subject.cells.of(entry).scores.mean(axis=-1)
        assert np.all(np.diff(share) <= 0)
        assert share[-1] == 0
        assert float((share[1:] * np.diff(found.taus)).sum()) == pytest.approx(np.maximum(values, 0).mean(), abs=0.02)
    usual = profile(subject(drawn_at_random(yard=False)))
    assert (usual.share[:, 0] == 1).all()
    assert (usual.share[:, -1] > 0).sum() >= 1  # the last τ is the highest value
    far = replace(drawn_at_random(), scores=drawn_at_random().scores * 100)
    wide = profile(subject(far))
    assert (wide.taus[0], wide.taus[-1], wide.share[0, -1] > 0) == (0.0, 2.0, True)  # scores beyond still count
    assert reached(np.zeros((4, 2, 3)), np.array([0.0, 1.0])).shape == (4, 2)


def test_families_are_the_boards_best_first():
    cells = by_hand()
    found = families(subject(cells))
    assert (found.entries, found.families, found.partners) == (("b", "a"), ("f", "g"), (2, 1))
    rows = {row.entry: row for row in rank([cells])[0].rows}
    for entry, values in zip(found.entries, found.values, strict=True):
        np.testing.assert_allclose(values, [rows[entry].families[name] for name in found.families])
    assert found.covers == (("trained seeds and partners", "trained seeds only"),) * 2
    assert (found.low <= found.values).all()
    assert (found.high >= found.values).all()
    assert (found.low[0, 1], found.high[0, 1]) == (90, 90)  # both seeds earn 90
    alone = families(subject(cells, ["a"]))
    np.testing.assert_array_equal([alone.low[0], alone.high[0]], [found.low[1], found.high[1]])


def test_families_of_scores_average_to_the_score():
    cells = drawn_at_random()
    found = families(subject(cells))
    for entry, values in zip(found.entries, found.values, strict=True):
        assert values.mean() == pytest.approx(Score()(cells.of(entry)))


def test_one_seed_and_one_partner_have_no_interval():
    shown = subject(table({"a": [[[1, 2], [3, 4]]]}, {"f": 1, "g": 1}))
    assert np.isnan(profile(shown).low).all()
    assert np.isnan(families(shown).high).all()
    assert profile_csv([profile(shown, [0.0])]).splitlines()[1] == "test/paper-v1,return per episode,a,0.0,1.0,,"
    assert families_csv([families(shown)]).splitlines()[1] == "test/paper-v1,return per episode,a,f,1,1.5,,,"


def test_an_incomplete_entry_is_named_and_left_out():
    shown = subject(by_hand())
    assert shown.notes == (
        "test/paper-v1: no bounds were measured, so returns are shown",
        "test/paper-v1: incomplete, left out: c (1 of 14 matches missing)",
    )
    with pytest.raises(Refused, match=r"no entry is complete.*c \(1 of 14 matches missing\)"):
        subject(by_hand(), ["c"])
    with pytest.raises(Refused, match="unknown entry 'd'"):
        subject(by_hand(), ["d"])
    unclear = replace(by_hand(yard=True), yard=Yardsticks(*np.zeros((2, 3, 2)), np.zeros((3, 2), bool)))
    assert "no partner has a yardstick, so returns are shown" in subject(unclear).notes[0]
    met = replace(by_hand(), contaminated={"b": ("f0",)})
    assert [subject(met).label(entry) for entry in ("a", "b")] == ["a", "b (contaminated)"]


def said(path):
    """Every text of an SVG, which matplotlib notes beside its outlines."""
    return [text.strip() for text in re.findall(r"<!--(.*?)-->", path.read_text(encoding="utf-8"), re.S)]


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_pictures_say_who_and_what_and_come_out_equal(suffix, tmp_path):
    one, other = subject(by_hand()), subject(replace(drawn_at_random(), game="other"))
    found, grids = [profile(one), profile(other)], [families(one), families(other)]
    for place in ("x", "y"):
        draw_profiles(found, tmp_path / place / f"profile.{suffix}", [suffix])
        draw_families(grids, tmp_path / place / f"families.{suffix}", [suffix])
    for name in (f"profile.{suffix}", f"families.{suffix}", "profile.csv", "families.csv"):
        assert (tmp_path / "x" / name).read_bytes() == (tmp_path / "y" / name).read_bytes()
    if suffix == "svg":
        curves, dots = said(tmp_path / "x" / "profile.svg"), said(tmp_path / "x" / "families.svg")
        assert {"a", "b", "c", "test/paper-v1", "other", "τ, return per episode"} <= set(curves)
        assert [dots.count(name) for name in ("a", "b", "c", "1 partner")] == [2, 2, 1, 1]
        for texts in (curves, dots):
            assert any("incomplete, left out: c" in text for text in texts)
            assert any("score (0: uniform play, 1: best response)" in text for text in texts)
    if suffix == "pdf":
        assert b"/Type3" not in (tmp_path / "x" / "profile.pdf").read_bytes()


def test_a_file_says_its_format(tmp_path):
    assert [format_of(tmp_path / name) for name in ("a.png", "b.PDF", "c.svg")] == ["png", "pdf", "svg"]
    with pytest.raises(Refused, match=r"unknown picture format 'pgn'; did you mean 'png'\?"):
        format_of(tmp_path / "a.pgn")
    with pytest.raises(Refused, match="given no suffix"):
        format_of(tmp_path / "a")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    record = {
        "trainer": {"kind": "srpo", "risk": {"tau": 10.0}},
        "columns": ["steps", "return"],
        "curve": [[0, 0.0], [100, 1.0]],
        "seconds": 2.0,
    }
    return shelf(tmp_path_factory.mktemp("plots") / "shelf", {"taus": record}, mixed=[0, 1, 0], taus=[1, 1])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_draws_a_folder_into_one_file_and_its_numbers(kind, folder, tmp_path):
    drawn = plot(kind, Asked(folder, tmp_path / "deep" / f"{kind}.pdf"))
    assert [path.name for path in drawn.paths] == [f"{kind}.pdf", f"{kind}.csv"]
    assert drawn.paths[0].read_bytes()[:5] == b"%PDF-"
    lines = list(csv.DictReader(drawn.paths[1].read_text().splitlines()))
    assert {line["game"] for line in lines} == {"matrix/volunteer-v1", "matrix/stag_hunt-v1"}
    only = plot(kind, Asked(folder, tmp_path / "one.svg", ["stag_hunt"], ["taus"]))
    lines = list(csv.DictReader(only.paths[1].read_text().splitlines()))
    assert {(line["game"], line["entry"]) for line in lines} == {("matrix/stag_hunt-v1", "taus")}


def test_what_cannot_be_plotted_is_refused_with_the_nearest_name(folder, tmp_path):
    out = tmp_path / "x.png"
    with pytest.raises(Refused, match=r"unknown kind of plot 'profiles'; did you mean 'profile'\?"):
        plot("profiles", Asked(folder, out))
    for kind in KINDS:
        with pytest.raises(Refused, match="unknown entry 'tau'; did you mean 'taus'"):
            plot(kind, Asked(folder, out, entries=["tau"]))
        with pytest.raises(Refused, match=r"unknown game of suite shelf 'stag_hund'; did you mean 'stag_hunt'"):
            plot(kind, Asked(folder, out, games=["stag_hund"]))
    with pytest.raises(Refused, match="for `plot tau`; given with `plot curves`"):
        plot("curves", Asked(folder, out, over="risk.tau"))
    with pytest.raises(Refused, match="no finished training of mixed"):
        plot("curves", Asked(folder, out, entries=["mixed"]))
    assert plot("curves", Asked(folder, out)).notes == ["mixed: no finished training, left out"]
    assert not [note for note in plot("families", Asked(folder, out)).notes if "no bounds" not in note]
