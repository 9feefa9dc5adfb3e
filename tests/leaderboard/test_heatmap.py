"""Heatmaps: the matrix is right and its holes are holes; the picture shows every label and leaves no traces."""

import csv
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from crossplay.benchmark.errors import Refused
from crossplay.leaderboard.heatmap import EGOS, Group, board_only, draw, held_out_only, matrix, part, to_csv
from crossplay.leaderboard.roster import Roster
from crossplay.leaderboard.table import shown
from tests.leaderboard.league import Paper, card, results, roster


def league(**fields):
    return roster({"b": 1, "a": 2}, {"scripted": 2, "fcp": 1}, train=(card("t0", "fcp"), card("t1", "mep")), **fields)


def value(p):
    """Tells ego, partner and seat apart; exact in binary."""
    return ord(p.ego[0]) + int(p.ego[-1]) * 0.5 + 1000 * ord(p.partner[0]) + 0.25 * int(p.partner[-1]) + 4096 * p.seat


def filled(holes=()):
    fixtures = league().fixtures(Paper(), 2, 0)
    played = results(fixtures, lambda p: np.nan if (p.ego, p.partner, p.seat) in holes else value(p))
    return matrix(played, league(), fixtures)


def test_labels_and_groups():
    found = filled()
    assert found.rows == ("b.0", "a.0", "a.1")
    assert found.row_groups == (Group("b", 0, 1, False), Group("a", 1, 3, False))
    assert found.columns == ("fcp0", "scripted0", "scripted1", "t0", "t1", "b.0", "a.0", "a.1")
    assert found.column_groups == (
        Group("fcp", 0, 1, True),
        Group("scripted", 1, 3, True),
        Group("fcp (train)", 3, 4, False),
        Group("mep (train)", 4, 5, False),
        Group(EGOS, 5, 8, False),
    )
    assert found.held_out.tolist() == [True] * 3 + [False] * 5
    assert (found.game, found.unit, found.holes) == ("test/paper-v1", "return per episode", 0)


def test_every_value_is_in_its_place():
    found = filled()
    for i, ego in enumerate(found.rows):
        for j, partner in enumerate(found.columns):
            plain = ord(ego[0]) + int(ego[-1]) * 0.5 + 1000 * ord(partner[0]) + 0.25 * int(partner[-1])
            assert found.values[i, j] == plain + (0 if ego == partner else 2048), (ego, partner)


def test_a_cell_with_one_missing_seat_is_a_hole():
    found = filled(holes={("a.0", "scripted1", 1), ("b.0", "b.0", 0), ("a.1", "b.0", 0), ("a.1", "b.0", 1)})
    assert np.argwhere(np.isnan(found.values)).tolist() == [[0, 5], [1, 2], [2, 5]]
    assert found.holes == 3


def test_nothing_played_is_all_holes():
    fixtures = league().fixtures(Paper(), 2, 0)
    assert matrix({}, league(), fixtures).holes == 24
    assert matrix({}, league(), []).holes == 24


def test_an_agent_in_several_parts_has_one_column():
    both = card("both")
    mixed = Roster(
        game="test/paper-v1",
        seats=2,
        entries={"a": (card("a.0"),), "b": (both,)},
        held_out=(card("h"), both),
        train=(card("a.0"), card("t"), card("h")),
    )
    assert matrix({}, mixed, []).columns == ("h", "both", "t", "a.0")


def test_csv_has_the_numbers_and_leaves_holes_empty(tmp_path):
    found = filled(holes={("a.0", "scripted1", 1)})
    lines = list(csv.reader(to_csv(found).splitlines()))
    assert lines[0][2:] == list(found.columns)
    assert lines[1] == ["", "family", "fcp", "scripted", "scripted", "fcp (train)", "mep (train)", *[EGOS] * 3]
    assert lines[2][2:] == ["yes"] * 3 + ["no"] * 5
    assert [line[:2] for line in lines[3:]] == [["b", "b.0"], ["a", "a.0"], ["a", "a.1"]]
    for line, values in zip(lines[3:], found.values, strict=True):
        assert [float(cell) if cell else None for cell in line[2:]] == [None if np.isnan(v) else v for v in values]


def big(entries, partners, name="an_agent_with_quite_a_long_name"):
    rng = np.random.default_rng(0)
    values = rng.normal(100, 40, (entries, partners))
    values[rng.random(values.shape) < 0.05] = np.nan
    values[0, 0] = values[-1, -1] = np.nan
    families = [Group(f"family_{i}", i * partners // 4, (i + 1) * partners // 4, i < 2) for i in range(4)]
    return replace(
        filled(),
        rows=tuple(f"{name}_{i}" for i in range(entries)),
        row_groups=tuple(Group(f"entry_{i}", 2 * i, 2 * i + 2, False) for i in range(entries // 2)),
        columns=tuple(f"{name}_as_partner_{i}" for i in range(partners)),
        column_groups=tuple(families),
        held_out=np.arange(partners) < partners // 2,
        values=values,
    )


def labels(path):
    """Every text of an SVG, which matplotlib notes beside its outlines."""
    return [text.strip() for text in re.findall(r"<!--(.*?)-->", path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("shape", [(6, 6), (12, 25), (60, 60)])
def test_a_picture_shows_every_label_and_every_hole(shape, tmp_path):
    found = big(*shape)
    png, svg, table = draw(found, tmp_path / "deep" / "map.png")
    assert [path.name for path in (png, svg, table)] == ["map.png", "map.svg", "map.csv"]
    assert png.read_bytes()[:4] == b"\x89PNG"
    assert table.read_text() == to_csv(found)
    said = labels(svg)
    for name in found.rows:
        assert said.count(name) == 1
    for name, mark in zip(found.columns, found.held_out, strict=True):
        assert said.count(f"★ {name}" if mark else name) == 1
    for group in (*found.row_groups, *found.column_groups):
        assert said.count(group.label) == 1
    assert {"not played", "★ held out (scored)", "mean return per episode", "test/paper-v1"} <= set(said)
    written = [shown(v, 0) for v in found.values.flat if not np.isnan(v)]
    if found.values.size <= 400:
        assert all(said.count(number) >= written.count(number) for number in written)
    hatched = svg.read_text().count("fill: url(#")
    assert hatched >= found.holes


def paid(p):
    """Private costs of seats 0 and 1: the partner's number more for the seat it does not sit in, with itself 2."""
    return (0.0, 2.0) if p.ego == p.partner else (1.0 + p.seat, float(p.partner[-1]) + p.seat * 10)


def test_free_riding_is_the_mean_of_both_seatings_degrees():
    fixtures = league().fixtures(Paper(), 2, 0)
    played = results(fixtures, value)
    for key, match in played.items():
        costs = np.broadcast_to(paid(match.pairing), (2, 2))
        played[key] = match._replace(returns=match.returns._replace(costs=costs))
    found = matrix(played, league(), fixtures, "free_riding")
    assert (found.of, found.unit) == ("free_riding", "private cost per episode")
    for i, ego in enumerate(found.rows):
        for j, partner in enumerate(found.columns):
            degrees = [abs(1 - int(partner[-1])), abs(2 - int(partner[-1]) - 10)]
            assert found.values[i, j] == (2 if ego == partner else np.mean(degrees)), (ego, partner)
    del played[next(f.pairing.key for f in fixtures if f.pairing.partner == "t1")]
    assert matrix(played, league(), fixtures, "free_riding").holes == 1


def test_an_unknown_measure_or_part_names_the_nearest():
    with pytest.raises(Refused, match="unknown measure 'retrn'; did you mean 'return'"):
        matrix({}, league(), [], "retrn")
    with pytest.raises(Refused, match="did you mean 'held-out'"):
        part("held_out")
    assert part("")(filled()).columns == filled().columns


def test_the_board_alone_is_square_whatever_else_an_agent_is():
    """b.0 is among the held-out partners, too, and so in another place of the whole matrix."""
    names = {"a.0": 1, "a.1": 2, "b.0": 3, "h": 4}
    held_out = (card("h"), card("b.0"))
    mixed = Roster(
        game="test/paper-v1",
        seats=2,
        entries={"b": (card("b.0"),), "a": (card("a.0"), card("a.1"))},
        held_out=held_out,
    )
    fixtures = mixed.fixtures(Paper(), 2, 0)
    whole = matrix(results(fixtures, lambda p: names[p.ego] + names[p.partner] / 10), mixed, fixtures)
    assert whole.columns == ("h", "b.0", "a.0", "a.1")
    found = board_only(whole)
    assert found.rows == found.columns == ("b.0", "a.0", "a.1")
    assert found.column_groups == found.row_groups == (Group("b", 0, 1, False), Group("a", 1, 3, False))
    np.testing.assert_allclose(found.values, [[3.3, 3.1, 3.2], [1.3, 1.1, 1.2], [2.3, 2.1, 2.2]])
    assert found.held_out.tolist() == [True, False, False]
    scored = held_out_only(whole)
    assert (scored.columns, scored.held_out.tolist()) == (("h", "b.0"), [True, True])
    np.testing.assert_allclose(scored.values, [[3.4, 3.3], [1.4, 1.3], [2.4, 2.3]])
    assert [(group.start, group.stop) for group in scored.column_groups] == [(0, 2)]


def square(seeds, of="return"):
    """Two entries, as the gridworld suite names their seeds."""
    names = tuple(f"{entry}-{i}" for entry in ("ippo", "srpo") for i in range(seeds))
    groups = (Group("ippo", 0, seeds, False), Group("srpo", seeds, 2 * seeds, False))
    values = np.random.default_rng(0).uniform(20, 90, (2 * seeds, 2 * seeds))
    fields = {"row_groups": groups, "column_groups": groups, "held_out": np.zeros(2 * seeds, dtype=bool), "of": of}
    return replace(filled(), rows=names, columns=names, values=values, **fields)


def test_a_large_picture_says_an_entry_once_and_numbers_its_seeds(tmp_path):
    said = labels(draw(square(15), tmp_path / "large")[1])
    assert said.count("ippo") == said.count("srpo") == 2  # left, and above
    assert [said.count(str(i)) for i in (7, 14)] == [4, 4]
    assert not [text for text in said if text.startswith("ippo-")]
    small = labels(draw(square(3), tmp_path / "small")[1])
    assert small.count("ippo-2") == 2
    assert "mean return per episode" in small


def test_free_riding_has_its_own_words_and_starts_at_zero(tmp_path):
    from crossplay.leaderboard.picture import _range

    said = labels(draw(square(15, "free_riding"), tmp_path / "riding")[1])
    assert "private cost per episode" in "".join(said)
    assert "mean return per episode" not in said
    assert _range(square(15, "free_riding"))[0] == 0
    assert _range(square(15))[0] > 19
    assert _range(replace(square(3, "free_riding"), values=np.zeros((6, 6)))) == (-0.5, 0.5)


@pytest.mark.parametrize("values", [[[np.nan]], [[0.0]], [[-0.004]], [[1e6]]])
def test_the_smallest_and_the_dullest_matrix_can_be_drawn(values, tmp_path):
    one = replace(
        filled(),
        rows=("r",),
        row_groups=(Group("r", 0, 1, False),),
        columns=("c",),
        column_groups=(Group("c", 0, 1, False),),
        held_out=np.array([False]),
        values=np.array(values),
    )
    paths = draw(one, tmp_path / "one-v1.5")
    assert [path.name for path in paths] == ["one-v1.5.png", "one-v1.5.svg", "one-v1.5.csv"]
    said = labels(paths[1])
    assert ("not played" in said) == bool(np.isnan(values).any())
    assert "★ held out (scored)" not in said
    assert said.count("c") == 2  # a family and its partner share the name
    assert said.count("r") == 1  # an entry and its only agent do: once is enough


def test_equal_matrices_give_equal_files(tmp_path):
    one, two = draw(big(6, 6), tmp_path / "one"), draw(big(6, 6), tmp_path / "two")
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_drawing_leaves_pyplot_alone(tmp_path):
    import matplotlib
    from matplotlib import pyplot

    before = dict(matplotlib.rcParams)
    draw(filled(), tmp_path / "map.svg")
    assert pyplot.get_fignums() == []
    assert dict(matplotlib.rcParams) == before


def test_the_numbers_need_no_matplotlib():
    heavy = "{'matplotlib', 'seaborn', 'pandas'}"
    code = f"import sys, crossplay.leaderboard.heatmap; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_cannot_be_drawn_or_written_is_refused(tmp_path):
    empty = replace(filled(), rows=(), row_groups=(), values=np.zeros((0, 8)))
    with pytest.raises(Refused, match="0 agents and 8 partners: nothing to draw"):
        draw(empty, tmp_path / "map")
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="cannot write the heatmap"):
        draw(filled(), tmp_path / "file" / "map")
