"""Draws a cross-play matrix for a paper: legible from 6 × 6 to 60 × 60, every label shown, holes hatched."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from crossplay.leaderboard.table import shown

if TYPE_CHECKING:
    from crossplay.leaderboard.heatmap import Matrix

COLOURS = "viridis"  # perceptually uniform, and keeps its order in grey
HELD_OUT = "#c2185b"  # marks partners nobody was trained with
HOLE = "#8a8a8a"
DPI = 200
ANNOTATED = 400  # cells at most, for numbers in the cells
STAR = "★ "


class Layout(NamedTuple):
    """Sizes in inches; `font` in points."""

    cell: float
    font: float
    left: float  # room for the rows' labels
    entry: float  # the part of it for the entries' names
    bottom: float
    top: float


def picture(matrix: "Matrix", targets: Sequence[Path]) -> None:
    """Draws the matrix into files of any suffix matplotlib writes. Leaves pyplot's state alone."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    layout = _layout(matrix)
    rows, columns = matrix.values.shape
    width, height = columns * layout.cell, rows * layout.cell
    size = (layout.left + width + 2.2, layout.bottom + max(height, 2.6) + layout.top)
    with matplotlib.rc_context({"svg.hashsalt": "crossplay", "hatch.linewidth": 0.6, "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=size)
        FigureCanvasAgg(figure)
        y = 1 - (layout.top + height) / size[1]
        axes = figure.add_axes((layout.left / size[0], y, width / size[0], height / size[1]))
        bar_height = min(max(1.9, height - 0.9), 4.5)
        bar_y = 1 - (layout.top + bar_height) / size[1]
        bar = figure.add_axes(((layout.left + width + 0.3) / size[0], bar_y, 0.15 / size[0], bar_height / size[1]))
        _cells(matrix, axes, bar, layout)
        _labels(matrix, axes, layout)
        _row_groups(matrix, axes, layout)
        _column_groups(matrix, axes, layout)
        _legend(matrix, bar, layout)
        for target in targets:
            metadata = {"Date": None} if target.suffix == ".svg" else {}
            figure.savefig(target, dpi=DPI, bbox_inches="tight", pad_inches=0.08, metadata=metadata)


def _layout(matrix: "Matrix") -> Layout:
    most = max(matrix.values.shape)
    cell = float(np.interp(most, [6, 12, 25, 60], [0.5, 0.42, 0.31, 0.17]))
    font = float(np.interp(most, [6, 25, 60], [9.0, 8.5, 8.5]))
    entries = [group.label for group in matrix.row_groups] if _grouped(matrix) else []
    entry = max((_width(label, font, "bold") for label in entries), default=-0.2) + 0.25
    left = entry + max(_width(name, font) for name in matrix.rows) + 0.18
    bottom = max(_width(STAR + name, font, "bold") for name in matrix.columns) + 0.3
    families = max(_width(group.label, font, "bold") for group in matrix.column_groups)
    top = (0.3 if _flat(matrix, cell, font) else 0.3 + 0.75 * families) + 0.65
    return Layout(cell, font, left, entry, bottom, top)


def _width(text: str, font: float, weight: str = "normal") -> float:
    """How wide a text will be, in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    return float(TextPath((0, 0), text, size=font, prop=FontProperties(weight=weight)).get_extents().width) / 72


def _grouped(matrix: "Matrix") -> bool:
    """Whether entries need names of their own beside their agents' names."""
    return [group.label for group in matrix.row_groups] != list(matrix.rows)


def _flat(matrix: "Matrix", cell: float, font: float) -> bool:
    """Whether every family's name fits above its own columns without being turned."""
    groups = matrix.column_groups
    return all(_width(group.label, font, "bold") + 0.08 < (group.stop - group.start) * cell for group in groups)


def _cells(matrix: "Matrix", axes: Any, bar: Any, layout: Layout) -> None:
    import seaborn
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    low, high = _range(matrix.values)
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
        cmap=COLOURS,
        annot=texts if few else None,
        fmt="",
        annot_kws={"fontsize": min(layout.font - 1, 72 * layout.cell / (0.72 * max(longest, 3)))},
        linewidths=0.4 if few else 0,
        xticklabels=False,
        yticklabels=False,
        cbar_kws={"label": f"mean {matrix.unit}"},
    )
    holes = [Rectangle((x, y), 1, 1) for y, x in np.argwhere(np.isnan(matrix.values))]
    axes.add_collection(
        PatchCollection(holes, facecolor="white", edgecolor=HOLE, hatch="//////" if few else "////////", linewidth=0)
    )
    bar.tick_params(labelsize=layout.font - 1, length=2)
    bar.yaxis.label.set_size(layout.font)
    if len(holes) == matrix.values.size:
        bar.set_yticks([])


def _range(values: np.ndarray) -> tuple[float, float]:
    """The colour bar's ends; never one point."""
    if np.isnan(values).all():
        return 0.0, 1.0
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _labels(matrix: "Matrix", axes: Any, layout: Layout) -> None:
    rows, columns = matrix.values.shape
    names = [(STAR if mark else "") + name for name, mark in zip(matrix.columns, matrix.held_out, strict=True)]
    axes.set_xticks(np.arange(columns) + 0.5, names, rotation=90, fontsize=layout.font)
    axes.set_yticks(np.arange(rows) + 0.5, matrix.rows, rotation=0, fontsize=layout.font)
    axes.tick_params(length=0, pad=3)
    for label, mark in zip(axes.get_xticklabels(), matrix.held_out, strict=True):
        if mark:
            label.set(fontweight="bold", color=HELD_OUT)
    for edge in [group.start for group in matrix.row_groups[1:]]:
        axes.axhline(edge, color="white", linewidth=1.8)
    for edge in [group.start for group in matrix.column_groups[1:]]:
        axes.axvline(edge, color="white", linewidth=2.6)


def _row_groups(matrix: "Matrix", axes: Any, layout: Layout) -> None:
    if not _grouped(matrix):
        return
    x = -(layout.left - layout.entry) / layout.cell  # in columns, left of the agents' names
    for group in matrix.row_groups:
        _bracket(axes, (x, x), (group.start + 0.12, group.stop - 0.12), "#333333", 1.0)
        middle = (group.start + group.stop) / 2
        axes.text(
            x - 0.1 / layout.cell, middle, group.label, fontsize=layout.font, weight="bold", ha="right", va="center"
        )


def _column_groups(matrix: "Matrix", axes: Any, layout: Layout) -> None:
    flat = _flat(matrix, layout.cell, layout.font)
    turned = {"rotation": 0, "ha": "center"} if flat else {"rotation": 45, "ha": "left", "rotation_mode": "anchor"}
    y = -0.1 / layout.cell  # in rows, above the cells
    for group in matrix.column_groups:
        colour = HELD_OUT if group.held_out else "#333333"
        _bracket(axes, (group.start + 0.1, group.stop - 0.1), (y, y), colour, 3.5 if group.held_out else 1.2)
        middle = (group.start + group.stop) / 2
        at = (middle, y - 0.08 / layout.cell)
        axes.text(*at, group.label, fontsize=layout.font, weight="bold", color=colour, va="bottom", **turned)
    height = layout.top - 0.3
    axes.text(0, -height / layout.cell, matrix.game, fontsize=layout.font + 2, weight="bold", va="bottom")
    about = "row: agent · column: partner · mean over the agent's seats and episodes"
    axes.text(0, -(height - 0.03) / layout.cell, about, fontsize=layout.font - 1, color="#555555", va="top")


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
    if marks:
        place = {"loc": "upper left", "bbox_to_anchor": (-0.6, 0.0), "borderaxespad": 0.8}
        bar.legend(handles=marks, fontsize=layout.font - 1, frameon=False, handlelength=1.6, **place)
