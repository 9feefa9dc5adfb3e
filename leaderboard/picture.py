"""Draws a cross-play matrix for a paper: legible from 6 × 6 to 60 × 75, every label shown, holes hatched."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from crossplay.leaderboard.canvas import sheet, width
from crossplay.leaderboard.headings import Heading, headings
from crossplay.leaderboard.measures import MEASURES
from crossplay.leaderboard.table import shown

if TYPE_CHECKING:
    from crossplay.leaderboard.heatmap import Group, Matrix

COLOURS = {"return": "viridis", "free_riding": "magma"}  # perceptually uniform, and keep their order in grey
HELD_OUT = "#c2185b"  # marks partners nobody was trained with
HOLE = "#8a8a8a"
NONE = "#d9d9d9"  # where there can be no score
NORMALISED = "score\n0: uniform play, 1: best response"
ANNOTATED = 400  # cells at most, for numbers in the cells
LARGE = 25  # rows or columns from which a page shrinks the picture: names lose what their group says, headings grow
STAR = "★ "


class Layout(NamedTuple):
    """Sizes in inches; `font` and `head` in points."""

    cell: float
    font: float  # of the agents' names
    head: float  # of entries, colour bar and legend
    families: list[Heading]
    left: float  # room for the rows' labels
    entry: float  # the part of it for the entries' names
    bottom: float
    top: float


def picture(matrix: "Matrix", targets: Sequence[Path]) -> None:
    """Draws the matrix into files of any suffix matplotlib writes. Leaves pyplot's state alone."""
    layout = _layout(matrix)
    rows, columns = matrix.values.shape
    across, height = columns * layout.cell, rows * layout.cell
    size = (layout.left + across + 2.2, layout.bottom + max(height, 2.6) + layout.top)
    style = {"hatch.linewidth": 0.6, "savefig.bbox": "tight", "savefig.pad_inches": 0.08}
    with sheet(size, targets, **style) as figure:
        y = 1 - (layout.top + height) / size[1]
        axes = figure.add_axes((layout.left / size[0], y, across / size[0], height / size[1]))
        bar_height = max(min(max(1.9, height - 0.9), max(4.5, 0.6 * height)), _longest(_words(matrix), layout.head))
        bar_y = 1 - (layout.top + bar_height) / size[1]
        bar = figure.add_axes(((layout.left + across + 0.3) / size[0], bar_y, 0.15 / size[0], bar_height / size[1]))
        _cells(matrix, axes, bar, layout)
        _labels(matrix, axes, layout)
        _row_groups(matrix, axes, layout)
        _column_groups(matrix, axes, layout)
        _legend(matrix, bar, layout)


def _layout(matrix: "Matrix") -> Layout:
    most = max(matrix.values.shape)
    cell = float(np.interp(most, [6, 12, 25, 60], [0.5, 0.42, 0.31, 0.17]))
    font = float(np.interp(most, [6, LARGE, 60], [9.0, 8.5, 8.5]))
    head = float(np.interp(most, [6, LARGE, 60], [9.0, 8.5, 14.0]))
    rows, columns = _names(matrix)
    entries = [group.label for group in matrix.row_groups] if _grouped(matrix) else []
    entry = max((width(label, head, "bold") for label in entries), default=-0.2) + 0.25
    left = entry + max(width(name, font) for name in rows) + 0.18
    bottom = max(width(name, font, "bold") for name in columns) + 0.3
    families = headings(matrix.column_groups, cell, font, head)
    top = 0.3 + max(one.height for one in families) + 0.07 * head
    return Layout(cell, font, head, families, left, entry, bottom, top)


def _names(matrix: "Matrix") -> tuple[list[str], list[str]]:
    """The agents' names as drawn, rows and columns."""
    large = max(matrix.values.shape) > LARGE
    rows = _short(matrix.rows, matrix.row_groups) if large and _grouped(matrix) else list(matrix.rows)
    columns = _short(matrix.columns, matrix.column_groups) if large else list(matrix.columns)
    marks = [STAR if held_out else "" for held_out in matrix.held_out]
    return rows, [mark + name for mark, name in zip(marks, columns, strict=True)]


def _short(names: Sequence[str], groups: "Sequence[Group]") -> list[str]:
    """Names without the group's, which stands beside them: seed ippo-7 of ippo is 7."""
    labels = [group.label for group in groups for _ in range(group.start, group.stop)]
    return [name.removeprefix(f"{label}-") for name, label in zip(names, labels, strict=True)]


def _grouped(matrix: "Matrix") -> bool:
    """Whether entries need names of their own beside their agents' names."""
    return [group.label for group in matrix.row_groups] != list(matrix.rows)


def _cells(matrix: "Matrix", axes: Any, bar: Any, layout: Layout) -> None:
    import seaborn
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    low, high = _range(matrix)
    beyond = _beyond(matrix, low, high)
    few = matrix.values.size <= ANNOTATED
    digits = int(np.clip(2 - np.floor(np.log10(max(abs(low), abs(high)))), 0, 3))
    texts = np.array([["" if np.isnan(v) else shown(v, digits) for v in row] for row in matrix.values.tolist()])
    longest = max((len(text) for text in texts.flat), default=1)
    seaborn.heatmap(
        matrix.values,
        ax=axes,
        cbar_ax=bar,
        vmin=low,
        vmax=high,
        cmap=COLOURS[matrix.of],
        annot=texts if few else None,
        fmt="",
        annot_kws={"fontsize": min(layout.font - 1, 72 * layout.cell / (0.72 * max(longest, 3)))},
        linewidths=0.4 if few else 0,
        rasterized=not few,  # else viewers of PDF and SVG let the ground shine through between cells
        xticklabels=False,
        yticklabels=False,
        cbar_kws={"label": _words(matrix), "extend": beyond, "extendfrac": 0.03},
    )
    holes = [Rectangle((x, y), 1, 1) for y, x in np.argwhere(matrix.missing)]
    axes.add_collection(
        PatchCollection(holes, facecolor="white", edgecolor=HOLE, hatch="//////" if few else "////////", linewidth=0)
    )
    for x in [] if matrix.yardless is None else np.flatnonzero(matrix.yardless).tolist():
        axes.add_patch(Rectangle((x, 0), 1, len(matrix.rows), facecolor=NONE, edgecolor="none"))
    bar.tick_params(labelsize=layout.head - 1, length=2)
    bar.yaxis.label.set_size(layout.head)
    if np.isnan(matrix.values).all():
        bar.set_yticks([])


def _words(matrix: "Matrix") -> str:
    """What stands beside the colour bar."""
    return MEASURES[matrix.of].label if matrix.yardless is None else NORMALISED


def _longest(text: str, font: float) -> float:
    """Inches of the longest line, with some room."""
    return max(width(line, font) for line in text.splitlines()) + 0.1


def _beyond(matrix: "Matrix", low: float, high: float) -> str:
    """Which ends of the colour bar go on, as matplotlib calls them."""
    under, over = bool((matrix.values < low).any()), bool((matrix.values > high).any())
    return {(True, True): "both", (True, False): "min", (False, True): "max", (False, False): "neither"}[under, over]


def _range(matrix: "Matrix") -> tuple[float, float]:
    """The colour bar's ends; never one point, and from 0 for a distance, so that nobody rides where it is dark.

    Scores have colours from uniform play to a best response, so that pictures compare; the bar's arrows say what lies
    beyond.
    """
    if np.isnan(matrix.values).all() or matrix.yardless is not None:
        return 0.0, 1.0
    low, high = float(np.nanmin(matrix.values)), float(np.nanmax(matrix.values))
    if matrix.of == "free_riding" and high > 0:
        return 0.0, high
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _labels(matrix: "Matrix", axes: Any, layout: Layout) -> None:
    rows, columns = matrix.values.shape
    row_names, names = _names(matrix)
    axes.set_xticks(np.arange(columns) + 0.5, names, rotation=90, fontsize=layout.font)
    axes.set_yticks(np.arange(rows) + 0.5, row_names, rotation=0, fontsize=layout.font)
    axes.tick_params(length=0, pad=3)
    for label, mark in zip(axes.get_xticklabels(), matrix.held_out, strict=True):
        if mark:
            label.set(fontweight="bold", color=HELD_OUT)
    for edge in [group.start for group in matrix.row_groups[1:]]:
        axes.axhline(edge, color="white", linewidth=1.8)
    for edge in [group.start for group in matrix.column_groups[1:]]:
        axes.axvline(edge, color="white", linewidth=2.6)
    for edge in _entry_edges(matrix):
        axes.axvline(edge, color="white", linewidth=1.8)


def _entry_edges(matrix: "Matrix") -> list[int]:
    """Where agents of one entry end and those of another begin among the columns, as they do among the rows."""
    entry = {matrix.rows[i]: group.label for group in matrix.row_groups for i in range(group.start, group.stop)}
    whose = [entry.get(name) for name in matrix.columns]
    return [i for i in range(1, len(whose)) if None not in whose[i - 1 : i + 1] and whose[i - 1] != whose[i]]


def _row_groups(matrix: "Matrix", axes: Any, layout: Layout) -> None:
    if not _grouped(matrix):
        return
    x = -(layout.left - layout.entry) / layout.cell  # in columns, left of the agents' names
    for group in matrix.row_groups:
        _bracket(axes, (x, x), (group.start + 0.12, group.stop - 0.12), "#333333", 1.0)
        middle = (group.start + group.stop) / 2
        at = (x - 0.1 / layout.cell, middle)
        axes.text(*at, group.label, fontsize=layout.head, weight="bold", ha="right", va="center")


def _column_groups(matrix: "Matrix", axes: Any, layout: Layout) -> None:
    y = -0.1 / layout.cell  # in rows, above the cells
    for one in layout.families:
        colour = HELD_OUT if one.group.held_out else "#333333"
        width = 3.5 if one.group.held_out else 1.2
        _bracket(axes, (one.group.start + 0.1, one.group.stop - 0.1), (y, y), colour, width)
        turn: Any = {"rotation": 45, "ha": "left", "rotation_mode": "anchor"} if one.turned else {"ha": "center"}
        at = (one.middle, y - 0.08 / layout.cell)
        axes.text(*at, one.group.label, fontsize=one.font, weight="bold", color=colour, va="bottom", **turn)
    height = layout.top - 0.3
    axes.text(0, -height / layout.cell, matrix.game, fontsize=layout.head + 2, weight="bold", va="bottom")
    about = "row: agent · column: partner · mean over the agent's seats and episodes"
    axes.text(0, -(height - 0.03) / layout.cell, about, fontsize=layout.head - 1, color="#555555", va="top")


def _bracket(axes: Any, x: tuple[float, float], y: tuple[float, float], colour: str, width: float) -> None:
    axes.plot(x, y, color=colour, linewidth=width, clip_on=False, solid_capstyle="butt")


def _legend(matrix: "Matrix", bar: Any, layout: Layout) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    marks: list[Any] = []
    if matrix.held_out.any():
        marks.append(Line2D([], [], color=HELD_OUT, linewidth=3.5, label=f"{STAR}held out (scored)"))
    if matrix.holes:
        marks.append(Patch(facecolor="white", edgecolor=HOLE, hatch="//////", linewidth=0.4, label="not played"))
    if matrix.yardless is not None and matrix.yardless.any():
        marks.append(Patch(facecolor=NONE, label="no yardstick: no score"))
    if marks:
        place = {"loc": "upper left", "bbox_to_anchor": (-0.6, 0.0), "borderaxespad": 1.6}
        bar.legend(handles=marks, fontsize=layout.head - 1, frameon=False, handlelength=1.6, **place)
