"""Whom an ego should meet next: the partners it does badly with more often than the others, by rank [Zhao2023]."""

import numpy as np
import torch

RATE = 0.1  # weight of the newest meeting in what is remembered of a partner (ours)


def moved(before: float, earned: float) -> float:
    """A moving mean after one more meeting; before the first it is NaN."""
    return earned if np.isnan(before) else before + RATE * (earned - before)


class Ledger:
    """An ego's returns with each of its partners.

    A partner is drawn with probability rank^β / Σ rank^β; the one the ego does worst with has the highest rank, n, the
    one it does best with rank 1 [Zhao2023]. Ties share the mean of their ranks, and whoever has not been met yet ranks
    as the worst, so that everybody is met soon (ours).
    """

    def __init__(self, partners: int, beta: float) -> None:
        self._beta = beta
        self.returns = torch.full((partners,), torch.nan, dtype=torch.float64)  # moving means; NaN: not met yet

    def note(self, partner: int, seat: int, returns: np.ndarray) -> None:
        """Finished episodes with a partner, returns [episodes, seats]; the ego had this seat."""
        self.returns[partner] = moved(float(self.returns[partner]), float(returns[:, seat].mean()))

    def odds(self) -> np.ndarray:
        """The probability of drawing each partner, float64 [partners]."""
        known = self.returns.nan_to_num(nan=-torch.inf).numpy()
        better, same = (known > known[:, None]).sum(axis=1), (known == known[:, None]).sum(axis=1)
        weights: np.ndarray = ((better + (same + 1) / 2) / len(known)) ** self._beta
        return weights / weights.sum()
