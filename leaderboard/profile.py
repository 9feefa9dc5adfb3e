"""Performance profiles: of an entry's cells, trained seed × held-out partner, the share that reach τ [Agarwal2021].

A curve shows the whole distribution that a mean hides: where it falls early, some partners are lost; where two cross,
neither entry is better throughout. The area under it, from 0, is the mean where nothing lies below 0.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO

import numpy as np

from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.intervals import covered, spread
from crossplay.leaderboard.subject import Subject

POINTS = 201  # of τ
VIEW = (-0.5, 2.0)  # a partner with little to earn makes scores of 10; what lies beyond is still counted


@dataclass(frozen=True, eq=False)
class Profile:
    """One game's curves, in the subject's order of entries; bands are 95 % at every τ by itself."""

    subject: Subject
    taus: np.ndarray  # [taus] float64, rising, in the subject's unit
    share: np.ndarray  # [entries, taus] float64, from 1 down to 0
    low: np.ndarray  # [entries, taus]; NaN where there is no luck to speak of
    high: np.ndarray
    covers: tuple[str, ...]  # which luck the bands cover, an entry each


def reached(values: np.ndarray, taus: np.ndarray) -> np.ndarray:
    """The share of cells with a value of τ or more, values [..., egos, partners] and taus [taus] → [..., taus].

    rliable counts those above τ, which differs at ties alone.
    """
    return np.stack([(values >= tau).mean(axis=(-2, -1)) for tau in taus], axis=-1)


def profile(shown: Subject, taus: Sequence[float] | np.ndarray | None = None) -> Profile:
    """The curves of a game's complete entries, every cell counting the same, at these τ or at evenly spaced ones.

    Bands are over trained seeds × partners within their families, as the board's intervals are.
    """
    at = _taus(shown) if taus is None else np.asarray(taus, dtype=np.float64)
    every = [shown.cells.of(entry) for entry in shown.entries]
    bands = [_band(shown, own, at) for own in every]
    return Profile(
        subject=shown,
        taus=at,
        share=np.array([reached(shown.values(own), at) for own in every]),
        low=np.array([low for low, _ in bands]),
        high=np.array([high for _, high in bands]),
        covers=tuple(covered([own]) for own in every),
    )


def _taus(shown: Subject) -> np.ndarray:
    """From the lowest value, or 0, to the highest, or a best response's 1; of scores no more than VIEW."""
    values = np.concatenate([shown.values(shown.cells.of(entry)).ravel() for entry in shown.entries])
    low, high = min(0.0, float(values.min())), float(values.max())
    if shown.normalised:
        low, high = max(low, VIEW[0]), min(max(1.0, high), VIEW[1])
    return np.linspace(low, high if high > low else low + 1, POINTS)


def _band(shown: Subject, own: Cells, taus: np.ndarray) -> np.ndarray:
    """Low and high, [2, taus]."""
    if not covered([own]):
        return np.full((2, len(taus)), np.nan)
    half = spread(own, lambda cells: reached(shown.values(cells), taus)).half
    share = reached(shown.values(own), taus)
    return np.clip([share - half, share + half], 0.0, 1.0)  # where shares end


def to_csv(found: Sequence[Profile]) -> str:
    """One line a game, entry and τ with full precision; null is empty."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["game", "unit", "entry", "tau", "share", "low", "high"])
    for one in found:
        for entry, *curves in zip(one.subject.entries, one.share, one.low, one.high, strict=True):
            for tau, *values in zip(one.taus.tolist(), *(curve.tolist() for curve in curves), strict=True):
                numbers = ["" if np.isnan(value) else repr(value) for value in (tau, *values)]
                writer.writerow([one.subject.cells.game, one.subject.unit, entry, *numbers])
    return out.getvalue()
