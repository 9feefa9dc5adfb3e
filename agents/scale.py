"""The units a critic speaks in: returns less their running mean, by their running deviation [Yu2022]."""

import torch
from torch import Tensor

FADE = 0.99999  # of the past, at every batch of returns: slow, so that a critic's words keep their meaning
LEAST = 1e-2  # variance that is told from none


class Scale:
    """Of K seeds, each its own. Before anything was seen a unit is a point of return."""

    def __init__(self, seeds: int, device: torch.device) -> None:
        self.sums = torch.zeros(seeds, 3, device=device)  # faded sums of returns, their squares, and of 1

    def _moments(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation, [K, 1] each."""
        total, squares, weight = (self.sums / self.sums[:, 2:].clamp(min=1e-5)).unbind(dim=1)
        variance = torch.where(weight > 0, (squares - total**2).clamp(min=LEAST), 1.0)
        return total[:, None], variance.sqrt()[:, None]

    def move(self, returns: Tensor) -> None:
        """Takes in a batch of returns [K, n]."""
        seen = torch.stack([returns.mean(dim=1), (returns**2).mean(dim=1), torch.ones_like(returns[:, 0])], dim=1)
        self.sums.mul_(FADE).add_((1 - FADE) * seen)

    def returns(self, units: Tensor) -> Tensor:
        """What a critic said, [K, n], as returns."""
        mean, deviation = self._moments()
        return mean + deviation * units

    def units(self, returns: Tensor) -> Tensor:
        """Returns [K, n] in a critic's units."""
        mean, deviation = self._moments()
        return (returns - mean) / deviation
