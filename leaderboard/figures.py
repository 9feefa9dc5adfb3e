"""Draws performance profiles and families for a paper; the numbers are profile.py's and families.py's."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from crossplay.leaderboard.canvas import sheet, width, write
from crossplay.leaderboard.families import Families
from crossplay.leaderboard.families import to_csv as families_csv
from crossplay.leaderboard.panels import COLOURS, DASHES
from crossplay.leaderboard.profile import Profile
from crossplay.leaderboard.profile import to_csv as profile_csv
from crossplay.leaderboard.subject import Subject

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ACROSS = 3  # profiles in a row
FACETS = 6  # families in a row
MARKERS = ("o", "s", "D")  # when colours have run out
LINE, GAP, BELOW = 0.17, 0.14, 0.46  # inches: an entry, between facets, under a row of them
STYLE: dict[str, Any] = {"font.size": 8, "savefig.bbox": "tight", "savefig.pad_inches": 0.05}
GREY = "#666666"


def draw_profiles(found: Sequence[Profile], path: Path, formats: Sequence[str] = ()) -> list[Path]:
    """Writes `path` in these formats and as .csv; returns the paths. Raises Refused where it cannot."""
    return write(path, "the profiles", partial(_profiles, found), profile_csv(found), formats)


def draw_families(found: Sequence[Families], path: Path, formats: Sequence[str] = ()) -> list[Path]:
    """Writes `path` in these formats and as .csv; returns the paths. Raises Refused where it cannot."""
    return write(path, "the families", partial(_families, found), families_csv(found), formats)


def _profiles(found: Sequence[Profile], targets: Sequence[Path]) -> None:
    subjects = [one.subject for one in found]
    names = sorted({entry for shown in subjects for entry in shown.entries})
    across = min(ACROSS, len(found))
    down = -(-len(found) // across)
    with sheet((0.4 + 2.9 * across, 0.6 + 2.2 * down), targets, **STYLE) as figure:
        grid = figure.subplots(down, across, squeeze=False).ravel()
        handles: dict[str, Any] = {}
        for axes, one in zip(grid, found, strict=False):
            for i, entry in enumerate(one.subject.entries):
                handles[one.subject.label(entry)] = _curve(axes, one, i, names.index(entry))
            _frame(axes, one)
        for axes in grid[len(found) :]:
            axes.set_visible(False)
        for axes in grid[:: max(1, across)]:
            axes.set_ylabel("share of seed × partner\nwith a value ≥ τ")
        handles = {name: handles[name] for name in sorted(handles)}
        figure.tight_layout(pad=0.3, w_pad=1.2)
        columns = max(1, int(figure.get_figwidth() / (0.65 + max(width(name, 8) for name in handles))))
        place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "frameon": False}
        figure.legend(handles.values(), handles, ncols=columns, **place)
        _foot(figure, subjects, {words for one in found for words in one.covers}, "pointwise 95 % bands")


def _curve(axes: "Axes", one: Profile, row: int, number: int) -> Any:
    colour, dashes = COLOURS[number % len(COLOURS)], ("-", *DASHES)[number // len(COLOURS) % 4]
    axes.fill_between(
        one.taus,
        one.low[row],
        one.high[row],
        color=colour,
        alpha=float(np.clip(0.5 / len(one.share), 0.05, 0.2)),
        linewidth=0,
    )
    return axes.plot(one.taus, one.share[row], color=colour, linestyle=dashes, linewidth=1.4)[0]


def _frame(axes: "Axes", one: Profile) -> None:
    axes.set_title(one.subject.cells.game, fontsize=8, loc="left", weight="bold")
    axes.set_xlabel(f"τ, {_axis(one.subject)}")
    axes.set_xlim(one.taus[0], one.taus[-1])
    axes.set_ylim(0, 1.01)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.5)


def _axis(shown: Subject) -> str:
    return "score (0: uniform play, 1: best response)" if shown.normalised else shown.unit


def _families(found: Sequence[Families], targets: Sequence[Path]) -> None:
    names = sorted({entry for one in found for entry in one.entries})
    rows = [(one, start) for one in found for start in range(0, len(one.families), FACETS)]
    across = max(min(FACETS, len(one.families)) for one in found)
    wide = float(np.clip(6.9 / across - GAP, 1.05, 2.4))
    left = 0.15 + max(width(one.subject.label(entry), 8) for one in found for entry in one.entries)
    heights = [len(one.entries) * LINE for one, _ in rows]
    size = (left + across * (wide + GAP), sum(heights) + sum(_above(start) + BELOW for _, start in rows))
    with sheet(size, targets, **STYLE) as figure:
        top = size[1]
        for (one, start), height in zip(rows, heights, strict=True):
            top -= _above(start) + height
            limits = _limits(one)
            for place, family in enumerate(range(start, min(start + FACETS, len(one.families)))):
                x = left + place * (wide + GAP)
                axes = figure.add_axes((x / size[0], top / size[1], wide / size[0], height / size[1]))
                _facet(axes, one, family, wide, names, limits)
                if not place:
                    _head(axes, one, start)
            top -= BELOW
        covers = {words for one in found for row in one.covers for words in row}
        _foot(figure, [one.subject for one in found], covers, "95 % intervals, one at a time")


def _above(start: int) -> float:
    """Inches above a row of facets: for the families' names, and for the game's where it is its first row."""
    return 0.42 if start else 0.68


def _head(axes: "Axes", one: Families, start: int) -> None:
    """What a row says once: the entries, the axis, and the game."""
    axes.set_yticks(range(len(one.entries)), [one.subject.label(entry) for entry in one.entries])
    axes.set_xlabel(_axis(one.subject), loc="left")
    if not start:
        axes.annotate(
            one.subject.cells.game, (0, 1), (0, 32), "axes fraction", "offset points", weight="bold", fontsize=9
        )


def _limits(one: Families) -> tuple[float, float]:
    """One axis for all families of a game, so that they can be compared."""
    numbers = np.concatenate([part.ravel() for part in (one.values, one.low, one.high)])
    ends = (0.0, 1.0) if one.subject.normalised else ()
    low, high = min(np.nanmin(numbers), *ends, np.inf), max(np.nanmax(numbers), *ends, -np.inf)
    margin = 0.05 * (high - low) or 0.5
    return float(low - margin), float(high + margin)


def _facet(
    axes: "Axes", one: Families, family: int, wide: float, names: Sequence[str], limits: tuple[float, float]
) -> None:
    """One family, `wide` inches across."""
    for mark in (0.0, 1.0) if one.subject.normalised else ():
        axes.axvline(mark, color="#bbbbbb", linewidth=0.7, zorder=0)
    for row, entry in enumerate(one.entries):
        number = names.index(entry)
        colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number // len(COLOURS) % len(MARKERS)]
        if row % 2:
            axes.axhspan(row - 0.5, row + 0.5, color="#f3f3f3", linewidth=0, zorder=-1)
        axes.plot([one.low[row, family], one.high[row, family]], [row, row], color=colour, linewidth=1.4)
        axes.plot(one.values[row, family], row, color=colour, marker=marker, markersize=3.6, linestyle="none")
    axes.set_xlim(*limits)
    axes.set_ylim(len(one.entries) - 0.5, -0.5)
    axes.set_yticks([])
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=max(3, int(2.5 * wide)))
    name, count = one.families[family], one.partners[family]
    title: dict[str, Any] = {"fontsize": min(8.0, 8.0 * wide / width(name, 8, "bold")), "weight": "bold"}
    axes.annotate(name, (0, 1), (0, 15), "axes fraction", "offset points", **title)
    partners = f"{count} partner{'s' if count > 1 else ''}"
    axes.annotate(partners, (0, 1), (0, 4), "axes fraction", "offset points", fontsize=7, color=GREY)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _foot(figure: Any, subjects: Sequence[Subject], covers: set[str], what: str) -> None:
    """Below the sheet: what the intervals cover, and who is not shown."""
    luck = ", elsewhere ".join(sorted(covers - {""}))
    lines = [f"{what}: over {luck}" if luck else "one seed and one partner a family: no intervals"]
    lines += [note for shown in subjects for note in shown.notes]
    text = "\n".join(fill(line, int(figure.get_figwidth() * 19)) for line in lines)
    figure.text(0.01, 0, text, fontsize=6.5, color=GREY, va="top", in_layout=True)
