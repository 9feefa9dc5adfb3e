"""One game as its figures show it: in scores where bounds were measured, else in returns, complete entries only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from crossplay.benchmark.errors import Refused, unknown
from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.measures import RETURN
from crossplay.leaderboard.scores import SCORE, measurable, shares


@dataclass(frozen=True, eq=False)
class Subject:
    """Cells whose every value counts: of partners with a yardstick where there is one, else of all."""

    cells: Cells
    entries: tuple[str, ...]  # that lack no match, by name
    normalised: bool
    notes: tuple[str, ...]  # what is not shown, and why

    @property
    def unit(self) -> str:
        """Of the values."""
        return SCORE if self.normalised else RETURN

    def values(self, cells: Cells) -> np.ndarray:
        """Scores or returns of an entry's cells or of resamples of them, mean over seats, [..., egos, partners]."""
        return shares(cells) if self.normalised else cells.scores.mean(axis=-1)

    def label(self, entry: str) -> str:
        """An entry's name, marked where it has met held-out partners in training."""
        return f"{entry} (contaminated)" if self.cells.contaminated.get(entry) else entry


def subject(cells: Cells, only: Sequence[str] = ()) -> Subject:
    """What a game's figures show, of all entries or only of these.

    Raises Refused with the nearest name for an entry there is not, and where no entry is complete.
    """
    for entry in only:
        if entry not in cells.entries:
            raise unknown("entry", entry, cells.entries)
    wanted = [entry for entry in cells.entries if not only or entry in only]
    missing = {entry: cells.of(entry).holes for entry in wanted}
    whole = tuple(entry for entry in wanted if not missing[entry])
    if not whole:
        raise Refused(f"{cells.game}: no entry is complete, so nothing can be shown: {_lacking(cells, missing)}")
    normalised = cells.yard is not None and bool(cells.yard.clear.any())
    notes = tuple(f"{cells.game}: {note}" for note in (*_unmeasured(cells), *_left_out(cells, missing)))
    return Subject(measurable(cells) if normalised else cells, whole, normalised, notes)


def _unmeasured(cells: Cells) -> Iterator[str]:
    if cells.yard is None:
        yield "no bounds were measured, so returns are shown"
        return
    without = [cells.partners[i] for i in np.flatnonzero(~cells.yard.clear.any(axis=-1))]
    if len(without) == len(cells.partners):
        yield "no partner has a yardstick, so returns are shown"
    elif without:
        yield f"{len(without)} of {len(cells.partners)} partners have no yardstick, left out: {', '.join(without)}"


def _left_out(cells: Cells, missing: dict[str, int]) -> Iterator[str]:
    if any(missing.values()):
        yield f"incomplete, left out: {_lacking(cells, missing)}"


def _lacking(cells: Cells, missing: dict[str, int]) -> str:
    def total(entry: str) -> int:
        mine = cells.of(entry)
        return mine.scores.size + mine.self_play.size

    return ", ".join(f"{name} ({count} of {total(name)} matches missing)" for name, count in missing.items() if count)
