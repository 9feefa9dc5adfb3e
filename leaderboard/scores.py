"""Metrics against yardsticks: what uniform play and a best response earn with a partner say what a return is worth.

They are NaN where a population's bounds were not measured. Partners with whom a best response is not clearly better
than uniform play have no score: they are left out of it, the same ones for every entry, and counted under the board.
"""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from crossplay.benchmark.config import config
from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.metrics import METRICS, Value, middle, over_families

SCORE = "share of the way from uniform play to a best response"


def measurable(cells: Cells) -> Cells:
    """The cells of those partners that have a yardstick in some seat, and of their families."""
    if cells.yard is None:
        return cells
    mine = np.flatnonzero(cells.yard.clear.any(axis=-1))
    families = np.unique(cells.family_of[mine])
    return replace(
        cells,
        families=tuple(cells.families[i] for i in families),
        partners=tuple(cells.partners[i] for i in mine),
        family_of=np.searchsorted(families, cells.family_of[mine]),
        scores=cells.scores[..., mine, :],
        riding=cells.riding[..., mine, :],
        shaken=cells.shaken[..., mine, :, :],
        yard=cells.yard.of(mine),
    )


def shares(cells: Cells) -> np.ndarray:
    """(J − low)/(high − low) of measurable cells, mean over the seats that have a yardstick, [..., egos, partners]."""
    assert cells.yard is not None
    low, high, clear = (part[..., None, :, :] for part in cells.yard)
    found = np.where(clear, (cells.scores - low) / np.where(clear, high - low, 1.0), 0.0)
    return found.sum(axis=-1) / clear.sum(axis=-1)


@METRICS.register("score")
@config
class Score:
    """The normalised return: 0 is uniform play, 1 a best response; never clipped, for best responses can be beaten."""

    formula: ClassVar[str] = "mean_f mean_{p in f} mean_{e,s} (J[e,p,s] - low[p,s]) / (high[p,s] - low[p,s])"
    axes: ClassVar[str] = "as mean, over partners and seats whose best response is clearly better than uniform play"
    unit: ClassVar[str] = SCORE
    direction: ClassVar[str] = "higher"
    source: ClassVar[str] = "[Leibo2021]"

    def __call__(self, cells: Cells) -> Value:
        """Takes all cells, or resamples of measurable ones."""
        if cells.yard is None or not cells.yard.clear.any():
            return np.full(cells.scores.shape[:-3], np.nan)[()]
        mine = cells if cells.yard.clear.ndim > 2 else measurable(cells)
        return over_families(mine, shares(mine).mean(axis=-2)).mean(axis=-1)[()]


@METRICS.register("br_prox")
@config
class BestResponseProximity:
    """As ZSC-Eval computes it, to compare with: clipped at 1, and 1 for free where the best response earns nothing."""

    formula: ClassVar[str] = "iqm_{e,p,s} min(1, J[e,p,s] / high[p,s]), and 1 where high[p,s] <= 0"
    axes: ClassVar[str] = "over all cells (seed × partner × seat) at once, families not balanced"
    unit: ClassVar[str] = "share of a best response"
    direction: ClassVar[str] = "higher"
    source: ClassVar[str] = "[Wang2024]"

    def __call__(self, cells: Cells) -> Value:
        if cells.yard is None:
            return np.full(cells.scores.shape[:-3], np.nan)[()]
        high = cells.yard.high[..., None, :, :]
        ratio = np.minimum(1.0, cells.scores / np.where(high > 0, high, 1.0))
        ratio = np.where(high <= 0, 1.0, np.where(np.isnan(high), np.nan, ratio))
        return middle(np.where(np.isnan(cells.scores), np.nan, ratio))[()]
