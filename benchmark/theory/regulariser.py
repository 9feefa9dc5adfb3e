"""Bounded rationality: a bonus ε ν(x) keeps every action alive; the choice max_x u·x + ε ν(x) [Mazumdar2024]."""

from typing import Protocol

import numpy as np

from crossplay.benchmark.config import config
from crossplay.benchmark.registry import Registry
from crossplay.benchmark.theory.adversary import log_normal, tilted

REGULARISERS = Registry("regulariser")


class Regulariser(Protocol):
    """A concave ν(x) that is steep at the border. `u` and `log_x` are [..., own]."""

    def bonus(self, log_x: np.ndarray) -> np.ndarray:
        """ν(x) [...]."""

    def choose(self, u: np.ndarray, eps: float) -> np.ndarray:
        """log of argmax_x u·x + ε ν(x), [..., own]."""

    def slope(self, log_x: np.ndarray) -> np.ndarray:
        """∇ν(x) [..., own], up to a constant."""

    def bend(self, x: np.ndarray) -> np.ndarray:
        """−x ∂²ν/∂x² [..., own]."""

    def odds(self, z: np.ndarray) -> np.ndarray:
        """∂ν/∂x₁ − ∂ν/∂x₀ at x₀ = 1/(1 + e^−z): what a choice of two with log-odds z costs at the margin."""

    def log_odds(self, spread: np.ndarray) -> np.ndarray:
        """The choice of two as log-odds of the first, for `spread` = (u₀ − u₁)/ε; the inverse of `odds`."""


@REGULARISERS.register("entropy")
@config
class Entropy:
    """ν = Shannon entropy H in nats, as in the U^{τ,ε} of [Qu2026]; the choice is softmax(u/ε)."""

    def bonus(self, log_x: np.ndarray) -> np.ndarray:
        return -(np.exp(log_x) * log_x).sum(axis=-1)

    def choose(self, u: np.ndarray, eps: float) -> np.ndarray:
        return log_normal(u / eps)

    def slope(self, log_x: np.ndarray) -> np.ndarray:
        return -log_x

    def bend(self, x: np.ndarray) -> np.ndarray:
        return np.ones_like(x)

    def odds(self, z: np.ndarray) -> np.ndarray:
        return z

    def log_odds(self, spread: np.ndarray) -> np.ndarray:
        return spread


@REGULARISERS.register("log_barrier")
@config
class LogBarrier:
    """ν = Σ log x, the log-barrier of [Mazumdar2024]; the choice is ε/(λ − u) (formula ours)."""

    def bonus(self, log_x: np.ndarray) -> np.ndarray:
        return log_x.sum(axis=-1)

    def choose(self, u: np.ndarray, eps: float) -> np.ndarray:
        return np.log(tilted(-u, np.full_like(u, eps)))

    def slope(self, log_x: np.ndarray) -> np.ndarray:
        return np.exp(-log_x)

    def bend(self, x: np.ndarray) -> np.ndarray:
        return 1 / x

    def odds(self, z: np.ndarray) -> np.ndarray:
        return 2 * np.sinh(z)

    def log_odds(self, spread: np.ndarray) -> np.ndarray:
        return np.arcsinh(spread / 2)
