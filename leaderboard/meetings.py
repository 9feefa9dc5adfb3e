"""How the board's own agents do with each other: a seed with itself, with other seeds of its entry, with other entries.

An interval's luck is trained seeds, for another run of the same trainings is what the claim is about. Pairs of two
entries are crossed, rows by columns, as seeds and partners are on the board; pairs of one entry share seeds, so a seed
is left out with all its pairs, both ways [Efron1981].

Fewer than three seeds give none. What 95 % are worth, simulated, stands in docs/scores.md. Where one seed in ten
follows a convention of its own, ten seeds may show none of it: no interval knows of what none has learned.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from crossplay.leaderboard.export import escaped, line
from crossplay.leaderboard.heatmap import Group, Matrix, board_only
from crossplay.leaderboard.intervals import crossed, less_one, of_mean
from crossplay.leaderboard.table import NULL, four_digits, shown

if TYPE_CHECKING:
    from rich.table import Table

Number = float | None  # None is null: a match is missing, or there is nothing to take a mean of
FEWEST = 3  # seeds, for an interval


@dataclass(frozen=True)
class Meeting:
    """Agents of one entry with agents of another, or of the same; numbers in the unit of the measure."""

    entry: str
    partner: str
    pair: str  # "own": every seed with itself; "cross": ordered pairs of different seeds
    mean: Number
    low: Number  # of the 95 % interval over trained seeds; null for too few of an entry
    high: Number
    pairs: int  # that have a value
    holes: int  # pairs that have none


@dataclass(frozen=True)
class Meetings:
    """One game's meetings: `own` per entry, and `cross` per ordered pair of entries, row by row."""

    game: str
    of: str
    unit: str
    entries: tuple[str, ...]
    seeds: tuple[int, ...]  # per entry
    own: tuple[Meeting, ...]
    cross: tuple[tuple[Meeting, ...], ...]


def meetings(matrix: Matrix) -> Meetings:
    """The meetings of a heatmap's agents: means over pairs, both seats within a pair, intervals over trained seeds."""
    square = board_only(matrix)
    groups = square.row_groups

    def meet(row: Group, column: Group, pair: str) -> Meeting:
        values = square.values[row.start : row.stop, column.start : column.stop]
        if pair == "own":
            return _meeting(row, column, pair, np.diag(values), own(np.diag(values)))
        if row == column:
            return _meeting(row, column, pair, _others(values), within(values))
        return _meeting(row, column, pair, values, between(values))

    return Meetings(
        game=square.game,
        of=square.of,
        unit=square.unit,
        entries=tuple(group.label for group in groups),
        seeds=tuple(group.stop - group.start for group in groups),
        own=tuple(meet(group, group, "own") for group in groups),
        cross=tuple(tuple(meet(row, column, "cross") for column in groups) for row in groups),
    )


def _meeting(row: Group, column: Group, pair: str, values: np.ndarray, half: float | None) -> Meeting:
    holes = int(np.isnan(values).sum())
    mean = None if holes or not values.size else float(values.mean())
    low, high = (None, None) if mean is None or half is None else (mean - half, mean + half)
    return Meeting(row.label, column.label, pair, mean, low, high, values.size - holes, holes)


def _others(values: np.ndarray) -> np.ndarray:
    return values[~np.eye(len(values), dtype=bool)]


def own(values: np.ndarray) -> float | None:
    """Half the width of the interval of the mean of [seeds]; none for fewer than three."""
    return of_mean(values) if len(values) >= FEWEST else None


def within(values: np.ndarray) -> float | None:
    """The same of the mean off the diagonal of one entry's [seeds, seeds], a seed left out with all its pairs."""
    count = len(values)
    if count < FEWEST:
        return None
    off = np.where(np.eye(count, dtype=bool), 0.0, values)
    return less_one((off.sum() - off.sum(axis=0) - off.sum(axis=1)) / ((count - 1) * (count - 2)))


def between(values: np.ndarray) -> float | None:
    """The same of the mean of two entries' [seeds, seeds]; none for fewer than three seeds of either."""
    return float(crossed(values).half) if min(values.shape) >= FEWEST else None


def to_json(found: Sequence[Meetings]) -> str:
    """All games with full precision; null is null."""
    return json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def to_markdown(found: Sequence[Meetings]) -> str:
    """A heading, a table and a caption for every game."""
    return "\n".join(_section(one) for one in found)


def table(found: Meetings) -> "Table":
    """What rich prints."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    title = Text(f"{found.game} · {_what(found)}", style="bold")
    grid = Table(box=SIMPLE_HEAD, title=title, title_justify="left", caption=CAPTION, caption_justify="left")
    for number, name in enumerate(_heads(found)):
        grid.add_column(Text(name), justify="right" if number else "left")
    for row in _rows(found):
        grid.add_row(*(Text(cell.replace(" (", "\n(")) for cell in row))
    return grid


CAPTION = (
    "Row: agent; column: partner; mean over pairs of seeds and both seats (95 % interval over trained seeds). own "
    f"pair: a seed with itself; elsewhere no seed meets itself. {NULL}: not all was played, or too few seeds to say."
)


def _what(found: Meetings) -> str:
    return found.unit if found.of == "return" else f"free-riding, {found.unit}"


def _heads(found: Meetings) -> list[str]:
    return ["entry", "seeds", "own pair", *(f"with {entry}" for entry in found.entries)]


def _rows(found: Meetings) -> list[list[str]]:
    means = [one.mean for own, row in zip(found.own, found.cross, strict=True) for one in (own, *row)]
    digits = max(0, four_digits(means) - 1)  # three digits: no interval here is a thousandth wide
    return [
        [own.entry, str(seeds), *(_cell(one, digits) for one in (own, *row))]
        for seeds, own, row in zip(found.seeds, found.own, found.cross, strict=True)
    ]


def _cell(one: Meeting, digits: int) -> str:
    interval = "" if one.low is None else f" ({shown(one.low, digits)} … {shown(one.high, digits)})"
    return shown(one.mean, digits) + interval


def _section(found: Meetings) -> str:
    heads = _heads(found)
    rule = [":--", *["--:"] * (len(heads) - 1)]
    lines = [line(map(escaped, row)) for row in _rows(found)]
    top = [f"## {found.game}", "", f"In {_what(found)}.", "", line(map(escaped, heads)), line(rule)]
    return "\n".join([*top, *lines, "", CAPTION]) + "\n"
