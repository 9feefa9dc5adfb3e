"""What slips cost: the same partners met once more, with a trembling hand, in matches of their own."""

from typing import ClassVar

import numpy as np

from crossplay.benchmark.config import config
from crossplay.benchmark.errors import unknown
from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.metrics import METRICS, SEEDS_AND_PARTNERS, Mean, Value


@METRICS.register("retention")
@config
class Retention:
    """What is left of the mean where partners slip: `retention:0.1`, with a random action in a tenth of their steps."""

    noise: float

    formula: ClassVar[str] = "mean_f mean_{p in f} mean_{e,s} J[e,p~noise,s] / mean_f mean_{p in f} mean_{e,s} J[e,p,s]"
    axes: ClassVar[str] = "ratio of two means, each over families, within them partners, seeds and seats"
    unit: ClassVar[str] = "share of the mean; undefined where that is not above 0"
    direction: ClassVar[str] = "higher"
    source: ClassVar[str] = "[Knott2021]"
    covers: ClassVar[str] = SEEDS_AND_PARTNERS

    def __call__(self, cells: Cells) -> Value:
        """Raises Refused where no such matches are part of the suite."""
        if self.noise not in cells.noise:
            raise unknown("noise of partners", self.noise, map(str, cells.noise))
        whole = Mean()(cells)
        shaken = cells.shaken[..., cells.noise.index(self.noise)].mean(axis=(-3, -1))
        left = cells.over_families(shaken).mean(axis=-1)
        return np.divide(left, whole, out=np.full_like(left, np.nan), where=whole > 0)[()]
