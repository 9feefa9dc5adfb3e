"""Resamples in sums: what the bootstrap needs of a mean, without laying out the cells of every resample."""

import numpy as np

from crossplay.leaderboard.cells import Cells


def per_drawn_partner(cells: Cells, egos: np.ndarray, partners: np.ndarray) -> np.ndarray:
    """`metrics.per_partner` of resamples, seeds [samples, egos] with partners [samples, partners], to the bit.

    Sums over seats are drawn instead of cells. One partner alone is summed in another order, so it is laid out.
    """
    count = len(cells.partners)
    if count < 2:
        return cells.scores[egos[:, :, None], partners[:, None, :]].mean(axis=(-3, -1))
    sums = cells.scores.sum(axis=-1).ravel().take(egos[:, :, None] * count + partners[:, None, :])
    return sums.sum(axis=-2) / (egos.shape[1] * cells.seats)
