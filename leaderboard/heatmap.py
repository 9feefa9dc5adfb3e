"""The cross-play heatmap: `matrix` has the numbers and is tested, `draw` only draws them."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from io import StringIO
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np

from crossplay.benchmark.card import Card
from crossplay.benchmark.crossplay import Fixture, MatchResult
from crossplay.benchmark.errors import Refused, unknown
from crossplay.leaderboard.canvas import write
from crossplay.leaderboard.measures import measure
from crossplay.leaderboard.placed import Where, placed, score
from crossplay.leaderboard.roster import Roster
from crossplay.leaderboard.scores import SCORE
from crossplay.populations.bounds import Bound

Scales = Mapping[str, Sequence[Bound]]  # partner → its bounds, a seat each
EGOS = "agents on the board"  # the group of columns in which agents meet each other


class Group(NamedTuple):
    """Neighbouring rows or columns that belong together: an entry's seeds, a family of partners."""

    label: str
    start: int
    stop: int
    held_out: bool


@dataclass(frozen=True, eq=False)
class Matrix:
    """A measure of every ego (row) with every partner (column), mean over the ego's seats; NaN is a hole."""

    game: str
    unit: str
    rows: tuple[str, ...]
    row_groups: tuple[Group, ...]  # entries
    columns: tuple[str, ...]
    column_groups: tuple[Group, ...]  # held-out families first, then train families, then the agents themselves
    held_out: np.ndarray  # [columns] bool
    values: np.ndarray  # [rows, columns] float64
    of: str = "return"  # which of MEASURES
    yardless: np.ndarray | None = None  # [columns] bool: partners without a score; None: values are not normalised

    @property
    def missing(self) -> np.ndarray:
        """Cells that were not played, bool [rows, columns]; where there can be no score, nothing is missed."""
        found = np.isnan(self.values)
        return found if self.yardless is None else found & ~self.yardless

    @property
    def holes(self) -> int:
        """How many were not played."""
        return int(self.missing.sum())

    def taken(self, at: Sequence[int] | np.ndarray, groups: Sequence[Group]) -> "Matrix":
        """These columns, in these groups."""
        return replace(
            self,
            columns=tuple(self.columns[i] for i in at),
            column_groups=tuple(groups),
            held_out=self.held_out[at],
            values=self.values[:, at],
            yardless=None if self.yardless is None else self.yardless[at],
        )


def matrix(
    results: Mapping[str, MatchResult],
    roster: Roster,
    fixtures: Iterable[Fixture],
    of: str = "return",
    normalised: bool = False,
) -> Matrix:
    """The matrix of a roster: a cell is a hole unless every seat that `fixtures` ask for was played.

    An agent that partners others and is also on the board has one column, among the agents on the board.
    Normalised: (J − low)/(high − low) by the bounds of partner and seat, mean over the seats that have a yardstick.
    Raises Refused with the nearest name for a measure there is not, and where there are no bounds to normalise by.
    """
    unit = measure(of).unit
    where = placed(roster.game, fixtures)
    columns = list(_columns(roster))
    scales = _scales(roster, of) if normalised else None
    return Matrix(
        game=roster.game,
        unit=SCORE if normalised else unit,
        rows=tuple(card.name for card in roster.egos),
        row_groups=_groups([(entry, False) for entry, cards in roster.entries.items() for _ in cards]),
        columns=tuple(card.name for card, _, _ in columns),
        column_groups=_groups([(label, held_out) for _, label, held_out in columns]),
        held_out=np.array([held_out for _, _, held_out in columns], dtype=bool),
        values=np.array(
            [
                [_cell(results, where, (ego, card), roster.seats, of, scales) for card, _, _ in columns]
                for ego in roster.egos
            ],
            dtype=np.float64,
        ).reshape(len(roster.egos), len(columns)),
        of=of,
        yardless=None if scales is None else np.array([card.name not in scales for card, _, _ in columns], dtype=bool),
    )


def _scales(roster: Roster, of: str) -> Scales:
    """The bounds of every held-out partner with a yardstick. Raises Refused where none has one."""
    if of != "return":
        raise Refused(f"only the return has bounds to be normalised by; given {of}")
    if roster.bounds is None:
        raise Refused(f"{roster.game}: no bounds to normalise by; `crossplay population bounds` measures them")
    every = {
        card.name: [roster.bounds.row(card.name, seat) for seat in range(roster.seats)] for card in roster.held_out
    }
    found = {name: rows for name, rows in every.items() if not all(row.unmeasured for row in rows)}
    if not found:
        raise Refused(f"{roster.game}: no partner has a yardstick to normalise by")
    return found


def board_only(matrix: Matrix) -> Matrix:
    """The square of the agents on the board with each other: columns are the rows again, in their order and groups."""
    return matrix.taken([matrix.columns.index(name) for name in matrix.rows], matrix.row_groups)


def held_out_only(matrix: Matrix) -> Matrix:
    """The columns that are scored."""
    groups = [group for group in matrix.column_groups if group.held_out]  # they come first
    return matrix.taken(np.flatnonzero(matrix.held_out), groups)


PARTS: dict[str, Callable[[Matrix], Matrix]] = {"board": board_only, "held-out": held_out_only}


def part(name: str) -> Callable[[Matrix], Matrix]:
    """What picks a part of the columns, or all of them where the name is empty. Raises Refused with the nearest."""
    if name and name not in PARTS:
        raise unknown("part of the heatmap", name, PARTS)
    return PARTS.get(name, lambda matrix: matrix)


def _columns(roster: Roster) -> Iterator[tuple[Card, str, bool]]:
    shown = {card.name for card in (*roster.egos, *roster.held_out)}
    train = [card for card in roster.shown if card.name not in shown]
    apart = {card.name for card, _ in roster.apart}
    for cards, mark in ((roster.held_out, True), (train, False)):
        for card in sorted(cards, key=lambda c: c.family):  # stable: within a family, in the roster's order
            what = "" if mark else " (not scored)" if card.name in apart else " (train)"
            yield card, card.family + what, mark
    held_out = {card.name for card in roster.held_out}
    yield from ((card, EGOS, False) for card in roster.egos if card.name not in held_out)


def _cell(
    results: Mapping[str, MatchResult],
    where: Where,
    pair: tuple[Card, Card],
    seats: int,
    of: str,
    scales: Scales | None,
) -> float:
    ego, partner = pair
    asked = {seat: where[cell] for seat in range(seats) if (cell := (ego.name, partner.name, seat)) in where}
    paid = {seat: score(results, pairing, of) for seat, pairing in asked.items()}
    found: list[float | None] = list(paid.values())
    if scales is not None:
        rows = scales.get(partner.name, ())
        found = [rows[seat].score(value) for seat, value in paid.items() if rows]
    numbers = [value for value in found if value is not None]
    return float(np.mean(numbers)) if numbers else float("nan")


def _groups(labels: list[tuple[str, bool]]) -> tuple[Group, ...]:
    groups, start = [], 0
    for (label, held_out), members in groupby(labels):
        stop = start + len(list(members))
        groups.append(Group(label, start, stop, held_out))
        start = stop
    return tuple(groups)


def to_csv(matrix: Matrix) -> str:
    """The numbers with full precision: header lines for partner, family and marks, then a line per ego."""
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    families = [group.label for group in matrix.column_groups for _ in range(group.start, group.stop)]
    entries = [group.label for group in matrix.row_groups for _ in range(group.start, group.stop)]
    writer.writerow(["entry", "ego", *matrix.columns])
    writer.writerow(["", "family", *families])
    writer.writerow(["", "held_out", *("yes" if held_out else "no" for held_out in matrix.held_out)])
    if matrix.yardless is not None:
        writer.writerow(["", "yardstick", *("no" if without else "yes" for without in matrix.yardless)])
    for entry, ego, values in zip(entries, matrix.rows, matrix.values.tolist(), strict=True):
        writer.writerow([entry, ego, *("" if np.isnan(value) else repr(value) for value in values)])
    return file.getvalue()


def draw(matrix: Matrix, path: Path, formats: Sequence[str] = ()) -> list[Path]:
    """Writes `path` in these formats and as .csv; returns the paths. Raises Refused where it cannot."""
    from crossplay.leaderboard.picture import picture

    if not matrix.values.size:
        raise Refused(
            f"heatmap of {matrix.game}: {len(matrix.rows)} agents and {len(matrix.columns)} partners: nothing to draw"
        )
    if matrix.yardless is not None and matrix.yardless.all():
        raise Refused(f"heatmap of {matrix.game}: none of these partners has a yardstick to be normalised by")
    return write(path, "the heatmap", partial(picture, matrix), to_csv(matrix), formats)
