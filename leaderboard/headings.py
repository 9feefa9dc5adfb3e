"""Names of families above a heatmap's columns: level where they fit over their own columns, else turned."""

from collections.abc import Sequence
from typing import NamedTuple

from crossplay.leaderboard.canvas import width
from crossplay.leaderboard.heatmap import Group

MARGIN = 0.08  # inches between the names of neighbours
CLEARANCE = 2.0  # letter heights after the foot of a turned name, until it has risen above the level ones


class Heading(NamedTuple):
    """How a group's name is written; `font` in points."""

    group: Group
    font: float
    turned: bool

    @property
    def middle(self) -> float:
        """Of its columns, in columns."""
        return (self.group.start + self.group.stop) / 2

    @property
    def height(self) -> float:
        """Inches by which it rises above a level one."""
        return 0.75 * width(self.group.label, self.font, "bold") if self.turned else 0.0


def headings(groups: Sequence[Group], cell: float, small: float, large: float) -> list[Heading]:
    """A heading for every group, with columns of `cell` inches: `large` points, or less, or turned."""
    found: list[Heading] = []
    for group in groups:
        level = _level(group, cell, small, large)
        if level and found and found[-1].turned:
            begins = level.middle * cell - width(group.label, level.font, "bold") / 2
            level = level if begins - found[-1].middle * cell >= CLEARANCE * large / 72 else None
        turned = Heading(group, min(large, max(small, 36 * cell * (group.stop - group.start))), True)
        found.append(level or turned)
    return found


def _level(group: Group, cell: float, small: float, large: float) -> Heading | None:
    room = (group.stop - group.start) * cell - MARGIN
    font = large * min(1.0, room / width(group.label, large, "bold"))
    return Heading(group, font, False) if font >= small - 1 else None
