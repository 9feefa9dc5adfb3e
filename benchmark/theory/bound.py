"""How much risk aversion rules out free-riding, whatever the equilibrium [Qu2026]."""

import numpy as np

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.theory.bimatrix import Bimatrix


def free_riding_threshold(game: Bimatrix, eps: float, delta: float) -> float:
    """The τ beyond which no equilibrium (KL, entropy) has |E c₀ − E c₁| > δ: 2(ε log n + v̄)(Δc)²/(ε² δ²), Theorem 4.2.

    n actions, v̄ and Δc the ranges of payoffs and of costs. The paper prints ε for ε², its proof gives ε² (the
    correction is ours): both U^τ lie within (log n + v̄/ε)/τ above the maximin utility, which is ε-strongly concave in
    the 1-norm and the same for both seats. Hence it holds for symmetric games only. Raises Refused for others, and for
    eps or delta ≤ 0.
    """
    if not game.symmetric or not np.array_equal(*game.costs):
        raise Refused("Theorem 4.2 needs the same game and the same costs for both seats")
    if eps <= 0 or delta <= 0:
        raise Refused(f"eps = {eps}, delta = {delta}; want both > 0")
    n, v = len(game.first), np.ptp(game.first)
    return float(2 * (eps * np.log(n) + v) * (np.ptp(game.costs[0]) / (eps * delta)) ** 2)
