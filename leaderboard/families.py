"""How every entry does with every family of held-out partners, each with its interval."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from io import StringIO

import numpy as np

from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.intervals import luck, spread
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


def families(shown: Subject) -> Families:
    """The mean of every complete entry with every family: over its partners, and over trained seeds and seats."""
    every = {entry: shown.cells.of(entry) for entry in shown.entries}
    means = {entry: _means(shown, cells) for entry, cells in every.items()}
    order = sorted(shown.entries, key=lambda entry: (-means[entry].mean(), entry))
    counts = tuple(int((shown.cells.family_of == i).sum()) for i in range(len(shown.cells.families)))
    covers = tuple(tuple(luck(len(every[e].egos) > 1, n > 1) for n in counts) for e in order)
    halves = np.array([spread(every[entry], partial(_means, shown)).half for entry in order])
    halves[[[not words for words in row] for row in covers]] = np.nan
    values = np.array([means[entry] for entry in order])
    return Families(
        subject=shown,
        entries=tuple(order),
        families=shown.cells.families,
        partners=counts,
        values=values,
        low=values - halves,
        high=values + halves,
        covers=covers,
    )


def _means(shown: Subject, cells: Cells) -> np.ndarray:
    """[..., families]"""
    return cells.over_families(shown.values(cells).mean(axis=-2))


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
