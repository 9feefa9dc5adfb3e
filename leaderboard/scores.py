"""Metrics against yardsticks: what uniform play and a best response earn with a partner say what a return is worth.

They are NaN where a population's bounds were not measured. Partners with whom a best response is not clearly better
than uniform play have no score: they are left out of it, the same ones for every entry, and counted under the board.
"""

from typing import ClassVar

import numpy as np

from crossplay.benchmark.config import config
from crossplay.benchmark.errors import unknown
from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.metrics import METRICS, SEEDS_AND_PARTNERS, Value
from crossplay.leaderboard.trims import middle

SCORE = "share of the way from uniform play to a best response"


def measurable(cells: Cells) -> Cells:
    """The cells of those partners that have a yardstick in some seat, and of their families."""
    return cells if cells.yard is None else cells.with_partners(np.flatnonzero(cells.yard.clear.any(axis=-1)))


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
    covers: ClassVar[str] = SEEDS_AND_PARTNERS

    def __call__(self, cells: Cells) -> Value:
        """Takes all cells, or sets of what `part` leaves of them."""
        if cells.yard is None or not cells.yard.clear.any():
            return np.full(cells.scores.shape[:-3], np.nan)[()]
        mine = cells if cells.yard.clear.ndim > 2 else self.part(cells)
        return mine.over_families(shares(mine).mean(axis=-2)).mean(axis=-1)[()]

    def part(self, cells: Cells) -> Cells:
        """What it is of."""
        return measurable(cells)

    def table(self, cells: Cells) -> np.ndarray:
        """Shares of measurable cells, [..., egos, partners]."""
        return shares(cells)


@METRICS.register("family_score")
@config
class FamilyScore:
    """The score with one family of partners: `family_score:scripted`; undefined where none of them has a yardstick."""

    family: str

    formula: ClassVar[str] = "mean_{p in family} mean_{e,s} (J[e,p,s] - low[p,s]) / (high[p,s] - low[p,s])"
    axes: ClassVar[str] = "as score, over the partners of the family"
    unit: ClassVar[str] = SCORE
    direction: ClassVar[str] = "higher"
    source: ClassVar[str] = "[Leibo2021]"
    covers: ClassVar[str] = SEEDS_AND_PARTNERS

    def __call__(self, cells: Cells) -> Value:
        """Takes all cells, or sets of what `part` leaves of them."""
        return Score()(cells if cells.yard and cells.yard.clear.ndim > 2 else self.part(cells))

    def part(self, cells: Cells) -> Cells:
        """What it is of. Raises Refused with the nearest name where no held-out partner is of this family."""
        if self.family not in cells.families:
            raise unknown("family of held-out partners", self.family, cells.families)
        mine = cells.with_partners(np.flatnonzero(cells.family_of == cells.families.index(self.family)))
        return measurable(mine)


@METRICS.register("br_prox")
@config
class BestResponseProximity:
    """As ZSC-Eval computes it, to compare with: clipped at 1, and 1 for free where the best response earns nothing."""

    formula: ClassVar[str] = "iqm_{e,p,s} min(1, J[e,p,s] / high[p,s]), and 1 where high[p,s] <= 0"
    axes: ClassVar[str] = "over all cells (seed × partner × seat) at once, families not balanced"
    unit: ClassVar[str] = "share of a best response"
    direction: ClassVar[str] = "higher"
    source: ClassVar[str] = "[Wang2024]"
    covers: ClassVar[str] = SEEDS_AND_PARTNERS

    def __call__(self, cells: Cells) -> Value:
        if cells.yard is None:
            return np.full(cells.scores.shape[:-3], np.nan)[()]
        high = cells.yard.high[..., None, :, :]
        ratio = np.minimum(1.0, cells.scores / np.where(high > 0, high, 1.0))
        ratio = np.where(high <= 0, 1.0, np.where(np.isnan(high), np.nan, ratio))
        return middle(np.where(np.isnan(cells.scores), np.nan, ratio))[()]
