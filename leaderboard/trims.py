"""Means of a part of the values: the middle half, the worst fifth."""

import numpy as np


def middle(scores: np.ndarray) -> np.ndarray:
    """The interquartile mean over all cells [..., egos, partners, seats]; NaN where one is a hole."""
    flat = scores.reshape(*scores.shape[:-3], -1)
    cut = flat.shape[-1] // 4
    kept = np.sort(flat, axis=-1)[..., cut : flat.shape[-1] - cut].mean(axis=-1)
    return np.where(np.isnan(flat).any(axis=-1), np.nan, kept)


def tail(values: np.ndarray) -> np.ndarray:
    """Mean of the worst fifth along the last axis: k = n/5 values, at least one.

    Where k is not whole, the next value counts with weight k − ⌊k⌋, so the tail is exactly a fifth of the partners
    and moves smoothly as partners are added [Acerbi2002].
    """
    count = values.shape[-1]
    ordered = np.sort(values, axis=-1)
    whole, rest = (1, 0) if count < 5 else divmod(count, 5)
    weights = np.zeros(count)
    weights[:whole] = 1.0
    if rest:
        weights[whole] = rest / 5
    worst = (ordered[..., : whole + 1] * weights[: whole + 1]).sum(axis=-1) / weights.sum()
    return np.where(np.isnan(values).any(axis=-1), np.nan, worst)
