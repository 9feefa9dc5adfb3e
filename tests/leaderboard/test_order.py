"""Heatmaps in scores and in other orders: scores equal the board's, likes side by side, own pairs on the diagonal."""

from dataclasses import replace

import numpy as np
import pytest

from crossplay.benchmark.errors import Refused
from crossplay.leaderboard.cells import cells
from crossplay.leaderboard.headings import headings
from crossplay.leaderboard.heatmap import Group, board_only, draw, held_out_only, matrix, to_csv
from crossplay.leaderboard.order import FAR, by_likeness, by_name, distances, order
from crossplay.leaderboard.scores import measurable, shares
from crossplay.leaderboard.table import shown
from crossplay.populations.bounds import Bound, Bounds
from tests.leaderboard.league import Paper, card, results, roster
from tests.leaderboard.test_heatmap import big, labels, square

UNCLEAR = {("f0", 0), ("f0", 1), ("g1", 1)}  # (partner, the ego's seat) without a yardstick


def bounded(unclear=UNCLEAR):
    plain = roster({"b": 1, "a": 2}, {"f": 2, "g": 2}, train=(card("t0", "fcp"),))
    rows = [
        Bound(partner=c.name, digest=c.digest, seat=seat, low=1.0 + seat, **_high(c.name, seat, unclear))
        for c in sorted(plain.held_out, key=lambda c: c.name)
        for seat in (0, 1)
    ]
    return replace(plain, bounds=Bounds(trainer={}, seed=0, episodes=2, rows=tuple(rows)))


def _high(name, seat, unclear):
    return {"unmeasured": "nothing to earn"} if (name, seat) in unclear else {"high": 6.0 + int(name[-1])}


def paid(p):
    return float(sum(map(ord, p.ego + p.partner)) % 11 + 3 * p.seat)


def scored(holes=(), league=None):
    league = league or bounded()
    fixtures = league.fixtures(Paper(), 2, 0)
    played = results(fixtures, lambda p: np.nan if (p.ego, p.partner, p.seat) in holes else paid(p))
    return matrix(played, league, fixtures, normalised=True), cells(played, league, fixtures)


def test_normalised_cells_are_the_boards_scores():
    found, table = scored()
    assert found.columns == ("f0", "f1", "g0", "g1", "t0", "b.0", "a.0", "a.1")
    assert found.yardless.tolist() == [True, False, False, False, True, True, True, True]
    assert np.isnan(found.values[:, found.yardless]).all()
    mine = measurable(table)
    expected = dict(zip(mine.egos, shares(mine), strict=True))
    for ego, values in zip(found.rows, found.values, strict=True):
        np.testing.assert_allclose(values[1:4], expected[ego])
    by_hand = [(paid_at - 1 - seat) / (7 - 1 - seat) for seat, paid_at in enumerate(_paid("b.0", "f1"))]
    assert found.values[0, 1] == pytest.approx(np.mean(by_hand))
    assert found.values[0, 3] == pytest.approx((_paid("b.0", "g1")[0] - 1) / (7 - 1))  # of one seat alone
    assert found.unit.startswith("share of the way")
    assert found.holes == 0


def _paid(ego, partner):
    return [float(sum(map(ord, ego + partner)) % 11 + 3 * seat) for seat in (0, 1)]


def test_only_what_can_be_scored_is_missed():
    found, _ = scored(holes={("a.0", "f0", 0), ("a.0", "f1", 0), ("a.0", "t0", 1), ("a.1", "g0", 1)})
    assert np.argwhere(found.missing).tolist() == [[1, 1], [2, 2]]
    assert held_out_only(found).yardless.tolist() == [True, False, False, False]


def test_the_picture_says_who_has_no_yardstick_and_never_a_number_for_them(tmp_path):
    found = held_out_only(scored(holes={("a.0", "f1", 0)})[0])
    _, svg, table = draw(found, tmp_path / "map")
    said = labels(svg)
    assert {"no yardstick: no score", "not played", "0: uniform play, 1: best response"} <= set(said)
    written = [shown(value, 2) for value in found.values.flat if not np.isnan(value)]
    assert len(written) == 8
    assert all(said.count(number) >= written.count(number) for number in written)
    assert not [text for text in said if text == "nan"]
    lines = table.read_text().splitlines()
    assert lines[3] == ",yardstick,no,yes,yes,yes"
    assert all(line.split(",")[2] == "" for line in lines[4:])
    assert "yardstick" not in to_csv(square(3))


def test_what_has_no_bounds_is_refused():
    plain = replace(bounded(), bounds=None)
    with pytest.raises(Refused, match=r"test/paper-v1: no bounds to normalise by; `crossplay population bounds`"):
        scored(league=plain)
    with pytest.raises(Refused, match="no partner has a yardstick"):
        scored(league=bounded({(f"{f}{i}", seat) for f in "fg" for i in (0, 1) for seat in (0, 1)}))
    with pytest.raises(Refused, match="only the return has bounds to be normalised by; given free_riding"):
        matrix({}, bounded(), [], "free_riding", normalised=True)
    with pytest.raises(Refused, match="none of these partners has a yardstick"):
        draw(board_only(scored()[0]), "nowhere")


def test_names_sort_their_numbers_by_size():
    names = ["ippo-10", "ippo-2", "e3t", "ippo-1", "7"]
    assert [names[i] for i in by_name(range(5), names, np.zeros((5, 1)))] == ["7", "e3t", "ippo-1", "ippo-2", "ippo-10"]


def test_likes_come_side_by_side_and_the_better_half_first():
    values = np.array([[0.0, 0], [10, 10], [1, 0], [11, 10], [np.nan, 10]])
    found = list(by_likeness(range(5), [""] * 5, values))
    assert set(found[:3]) == {1, 3, 4}
    assert set(found[3:]) == {0, 2}
    assert by_likeness([3], [""] * 5, values) == [3]
    assert by_likeness(range(4), [""] * 4, np.full((4, 2), np.nan)) == [0, 1, 2, 3]
    assert by_likeness(range(3), [""] * 3, np.array([[np.nan], [1.0], [2.0]])) == [2, 1, 0]


def test_distances_are_over_what_both_have():
    values = np.array([[0.0, 3, np.nan], [4, 3, 1], [np.nan, np.nan, 5]])
    np.testing.assert_allclose(distances(values), [np.sqrt((16 + 0) / 2), FAR, 4])


@pytest.mark.parametrize("name", ["name", "cluster"])
def test_an_order_moves_cells_with_their_names_within_groups(name):
    found, moved = big(12, 16), order(name)(big(12, 16))
    assert (moved.row_groups, moved.column_groups) == (found.row_groups, found.column_groups)
    for groups, before, after in (
        (found.row_groups, found.rows, moved.rows),
        (found.column_groups, found.columns, moved.columns),
    ):
        for group in groups:
            assert sorted(before[group.start : group.stop]) == sorted(after[group.start : group.stop])
    rows, columns = ([old.index(n) for n in new] for old, new in _names(found, moved))
    np.testing.assert_array_equal(moved.values, found.values[np.ix_(rows, columns)])
    np.testing.assert_array_equal(moved.held_out, found.held_out[columns])


def _names(found, moved):
    return (found.rows, moved.rows), (found.columns, moved.columns)


def test_own_pairs_stay_on_the_diagonal():
    moved = order("cluster")(square(6))
    assert moved.rows == moved.columns
    assert moved.rows != square(6).rows
    assert order("roster")(square(6)).rows == square(6).rows
    with pytest.raises(Refused, match=r"unknown order 'clusters'; did you mean 'cluster'\?"):
        order("clusters")


def test_families_are_level_where_they_fit_and_else_turned():
    groups = [Group("scripted", 0, 12, True), Group("human_proxy", 12, 13, True), Group("hsp", 13, 33, True)]
    found = headings(groups, 0.17, 8.5, 14)
    assert [one.turned for one in found] == [False, True, False]
    assert [one.font for one in found] == [14, 8.5, 14]
    tight = headings([*groups[:2], Group("trajedi", 13, 18, True)], 0.17, 8.5, 14)
    assert [one.turned for one in tight] == [False, True, True]  # it would stand in the turned one's way
    assert found[0].height == 0 < found[1].height


@pytest.mark.parametrize("shape", [(6, 6), (60, 60)])
def test_pictures_come_as_pdf_with_fonts_that_journals_take(shape, tmp_path):
    paths = draw(big(*shape, name="agent"), tmp_path / "map.png", ["pdf"])
    assert [path.name for path in paths] == ["map.pdf", "map.csv"]
    assert paths[0].read_bytes()[:5] == b"%PDF-"
    assert b"/Type3" not in paths[0].read_bytes()
    again = draw(big(*shape, name="agent"), tmp_path / "again", ["pdf"])
    assert paths[0].read_bytes() == again[0].read_bytes()
