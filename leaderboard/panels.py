"""Draws a sweep: a row of panels a game, a panel a metric, over a logarithmic axis with 0 and ∞ at its ends."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby, pairwise
from math import inf, isinf, log10
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossplay.leaderboard.canvas import sheet, write
from crossplay.leaderboard.measures import COST

if TYPE_CHECKING:
    from crossplay.leaderboard.sweep import Point

COLOURS = ("#20639b", "#c2185b", "#2e7d32", "#e08e0b", "#6a3d9a", "#00838f")  # of series, and then of references
GAP = 0.6  # decades between the last number and ∞, and between 0 and the first
DASHES: tuple[Any, ...] = ("--", "-.", (0, (1, 1.5)))  # of references, when colours have run out
BANDS = 2  # more references than these are drawn without their intervals, which would hide each other
CLOSE = 0.06  # of the axis: ticks nearer than this to the last labelled one stay unlabelled


def places(values: Sequence[float]) -> dict[float, float]:
    """Where each value stands on the axis: its log₁₀; 0 and ∞ stand apart, a little before and behind the others."""
    logs = {value: log10(value) for value in sorted(set(values)) if 0 < value < inf}
    first, last = (min(logs.values()), max(logs.values())) if logs else (0.0, 0.0)
    gap = max(GAP, 0.15 * (last - first))
    ends = {0.0: first - gap, inf: last + gap}
    return {value: logs[value] if value in logs else ends[value] for value in sorted(set(values))}


def ticks(at: dict[float, float]) -> dict[float, str]:
    """Place → label: every value swept over, but where labels would touch; 0 and ∞ always."""
    span = max(at.values()) - min(at.values())
    found: dict[float, str] = {}
    for value, place in at.items():
        ahead = [at[end] for end in (0.0, inf) if end in at and end != value]
        near = [*found, *ahead] if 0 < value < inf else []
        crowded = any(abs(place - other) < CLOSE * span for other in near)
        found |= {} if crowded else {place: "∞" if isinf(value) else f"{value:g}"}
    return found


def draw(points: "Sequence[Point]", over: str, path: Path, formats: Sequence[str] = ()) -> list[Path]:
    """Writes `path` in these formats and as .csv; returns the paths. Raises Refused where it cannot."""
    from crossplay.leaderboard.sweep import to_csv

    return write(path, "the sweep", partial(_picture, points, over), to_csv(points), formats)


def _picture(points: "Sequence[Point]", over: str, targets: Sequence[Path]) -> None:
    games, metrics = (list(dict.fromkeys(names)) for names in zip(*((p.game, p.metric) for p in points), strict=True))
    size = (0.3 + 2.5 * len(metrics), 0.5 + 2.2 * len(games))
    style: Any = {"font.size": 8, "figure.constrained_layout.use": True, "figure.constrained_layout.w_pad": 0.08}
    with sheet(size, targets, **style) as figure:
        grid = figure.subplots(len(games), len(metrics), squeeze=False)
        handles: dict[str, Any] = {}
        for row, game in zip(grid, games, strict=True):
            mine = [point for point in points if point.game == game]
            looks = _looks(mine)
            for axes, metric in zip(row, metrics, strict=True):
                handles |= _panel(axes, [point for point in mine if point.metric == metric], over, looks)
            if len(games) > 1:
                row[0].annotate(game, (0, 1.16), xycoords="axes fraction", weight="bold")
        figure.suptitle(games[0] if len(games) == 1 else "", x=0.01, ha="left", fontsize=9, weight="bold")
        figure.legend(handles.values(), handles, loc="outside lower left", ncols=4, frameon=False)


def _looks(points: "Sequence[Point]") -> dict[str, tuple[str, Any]]:
    """Colour and dashes for every series, and for every entry without the setting."""
    names = dict.fromkeys(point.entry if point.at is None else point.series for point in points)
    count = len(COLOURS)
    return {name: (COLOURS[i % count], DASHES[i // count % len(DASHES)]) for i, name in enumerate(names)}


def _panel(axes: Any, points: "Sequence[Point]", over: str, looks: dict[str, tuple[str, Any]]) -> dict[str, Any]:
    """One metric of one game; returns name → what the legend shows."""
    at = places([point.at for point in points if point.at is not None])
    handles: dict[str, Any] = {}
    swept = sorted((p for p in points if p.at is not None), key=lambda p: (p.series, p.at))
    for series, found in groupby(swept, key=lambda p: p.series):
        mine = list(found)
        handles[_name(mine)] = _line(axes, mine, at, looks[series][0])
    others = [p for p in points if p.at is None]
    for one in others:
        handles[one.entry] = _reference(axes, one, looks[one.entry], band=len(others) <= BANDS)
    axes.set_title(f"{points[0].metric}, {points[0].better} is better", fontsize=8, loc="left")
    labels = ticks(at)
    axes.set_xticks(list(labels), list(labels.values()))
    axes.set_xticks([place for place in at.values() if place not in labels], minor=True)
    margin = 0.07 * (max(at.values()) - min(at.values())) or 0.5
    axes.set_xlim(min(at.values()) - margin, max(at.values()) + margin)
    axes.set_xlabel(over)
    axes.set_ylabel(points[0].unit)
    if points[0].unit == COST:
        axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.25, linewidth=0.5)
    if all(point.mean is None for point in points):
        axes.set_yticks([])
        axes.text(0.5, 0.5, "not all was played", transform=axes.transAxes, ha="center", color="#777777")
    return handles


def _name(points: "Sequence[Point]") -> str:
    first, last = points[0].entry, points[-1].entry
    return first if first == last else f"{first} … {last}"


def _line(axes: Any, points: "Sequence[Point]", at: Mapping[Any, float], colour: str) -> Any:
    """The points with their intervals; solid between numbers, dotted to 0 and ∞, which have no place of their own."""
    for one, two in pairwise(points):
        if one.mean is None or two.mean is None:  # no line across a hole
            continue
        apart = one.at == 0 or two.at == inf
        x, y = [at[one.at], at[two.at]], [one.mean, two.mean]
        axes.plot(x, y, color=colour, linewidth=1.2, linestyle=":" if apart else "-")
    for one in points:
        if one.low is not None:
            axes.plot([at[one.at]] * 2, [one.low, one.high], color=colour, linewidth=1.2)
    means = [float("nan") if p.mean is None else p.mean for p in points]
    return axes.plot(
        [at[p.at] for p in points], means, color=colour, linestyle="none", marker="o", markersize=3.5, clip_on=False
    )[0]


def _reference(axes: Any, one: "Point", look: tuple[str, Any], band: bool) -> Any:
    """A dashed line across, perhaps with its interval as a band."""
    colour, dashes = look
    if band and one.low is not None:
        axes.axhspan(one.low, one.high, color=colour, alpha=0.12, linewidth=0)
    return axes.axhline(float("nan") if one.mean is None else one.mean, color=colour, linewidth=1.0, linestyle=dashes)
