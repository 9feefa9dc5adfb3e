"""How every entry does with every family of held-out partners, each with its interval."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO

import numpy as np

from crossplay.benchmark.seeding import derive
from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.intervals import SAMPLES, Interval, draws, luck, percentiles
from crossplay.leaderboard.metrics import over_families
from crossplay.leaderboard.subject import Subject


@dataclass(frozen=True, eq=False)
class Families:
    """One game's table; intervals are 95 %, each by itself."""

    subject: Subject
    entries: tuple[str, ...]  # best first, by the plain mean over families
    families: tuple[str, ...]
    partners: tuple[int, ...]  # how many a family has
    values: np.ndarray  # [entries, families] float64, in the subject's unit
    low: np.ndarray  # [entries, families]; NaN where there is no luck to speak of
    high: np.ndarray
    covers: tuple[tuple[str, ...], ...]  # [entries][families], which luck the interval covers


def families(shown: Subject, *, seed: int = 0, samples: int = SAMPLES) -> Families:
    """The mean of every complete entry with every family: over its partners, and over trained seeds and seats.

    Intervals resample trained seeds × the family's partners; the randomness derives from (seed, game, entry).
    """
    means = {entry: _means(shown, shown.cells.of(entry)) for entry in shown.entries}
    order = sorted(shown.entries, key=lambda entry: (-means[entry].mean(), entry))
    counts = tuple(int((shown.cells.family_of == i).sum()) for i in range(len(shown.cells.families)))
    covers = tuple(tuple(luck(len(shown.cells.of(e).egos) > 1, n > 1) for n in counts) for e in order)
    sure = [
        _intervals(shown, shown.cells.of(entry), words, seed, samples)
        for entry, words in zip(order, covers, strict=True)
    ]
    return Families(
        subject=shown,
        entries=tuple(order),
        families=shown.cells.families,
        partners=counts,
        values=np.array([means[entry] for entry in order]),
        low=np.array([[one.low for one in row] for row in sure]),
        high=np.array([[one.high for one in row] for row in sure]),
        covers=covers,
    )


def _means(shown: Subject, cells: Cells) -> np.ndarray:
    """[..., families]"""
    return over_families(cells, shown.values(cells).mean(axis=-2))


def _intervals(shown: Subject, own: Cells, covers: Sequence[str], seed: int, samples: int) -> list[Interval]:
    rng = np.random.default_rng(derive(seed, "families", own.game, *own.entries))
    drawn = draws(own, lambda cells: _means(shown, cells), rng, samples)  # [samples, families]
    return [percentiles(column, words) for column, words in zip(drawn.T, covers, strict=True)]


def to_csv(found: Sequence[Families]) -> str:
    """One line a game, entry and family with full precision; null is empty."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["game", "unit", "entry", "family", "partners", "value", "low", "high", "covers"])
    for one in found:
        for i, entry in enumerate(one.entries):
            for j, family in enumerate(one.families):
                numbers = [float(part[i, j]) for part in (one.values, one.low, one.high)]
                written = ["" if np.isnan(number) else repr(number) for number in numbers]
                head = [one.subject.cells.game, one.subject.unit, entry, family, one.partners[j]]
                writer.writerow([*head, *written, one.covers[i][j]])
    return out.getvalue()
