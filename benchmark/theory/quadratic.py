"""Quadratic aggregative games in closed form: R = ½⟨S, HS⟩ + ⟨h, S⟩ + r of S = Σ a_i, costs ½⟨a, C_i a⟩.

Its simplest case is Example 1 of [Qu2026]; the linear system for any number of players and dimensions is ours.
"""

from dataclasses import dataclass

import numpy as np

from crossplay.benchmark.errors import Refused


class InfiniteRisk(Refused):
    """The adversary's price is no match for the quadratic loss: inf_p is −∞."""


@dataclass(frozen=True, eq=False)
class Quadratic:
    """H [d, d], h [d], constant r, and private costs C [players, d, d]; all symmetric, H − C_i negative definite."""

    hessian: np.ndarray
    linear: np.ndarray
    constant: float
    costs: np.ndarray


@dataclass(frozen=True, eq=False)
class Gaussians:
    """The equilibrium: a_i ~ N(means[i], covariances[i]), and what it pays.

    means [players, d]; covariances [players, d, d]; reward = E R; payoffs [players] = E R − E c_i;
    spent [players] = E c_i; residual = max |stationarity of the means|, in payoff per action
    """

    means: np.ndarray
    covariances: np.ndarray
    reward: float
    payoffs: np.ndarray
    spent: np.ndarray
    residual: float

    @property
    def welfare(self) -> float:
        """The players' expected payoffs, added up."""
        return float(self.payoffs.sum())

    @property
    def free_riding(self) -> float:
        """The range of the players' expected private costs; for two, their distance."""
        return float(np.ptp(self.spent))


def quadratic(hessian: object, linear: object, costs: object, constant: float = 0.0) -> Quadratic:
    """The game with these tables. Raises Refused where shapes, symmetry or own concavity fail."""
    h, b, c = (np.array(value, dtype=np.float64) for value in (hessian, linear, costs))
    d = b.size
    if b.shape != (d,) or h.shape != (d, d) or c.ndim != 3 or c.shape[1:] != (d, d) or len(c) < 2:
        raise Refused(f"shapes are H {h.shape}, h {b.shape}, C {c.shape}; want [d, d], [d], [players ≥ 2, d, d]")
    if not np.allclose(h, h.T) or not np.allclose(c, np.swapaxes(c, 1, 2)):
        raise Refused("H and every C_i must be symmetric")
    if np.linalg.eigvalsh(h - c).max() >= 0:
        raise Refused("H − C_i must be negative definite for every player, or no best response exists")
    return Quadratic(h, b, float(constant), c)


def two_robots(target: float) -> Quadratic:
    """Example 1 of [Qu2026]: R = −½(a₁ + a₂ − ā)², c_i = ½ a_i².

    The mean is ā/(3 − τε/2) (ours; the main text prints 3 − τε), the variance ε/2.
    """
    return quadratic([[-1.0]], [target], [[[1.0]], [[1.0]]], -0.5 * target**2)


def solve_quadratic(game: Quadratic, tau: object, eps: object) -> Gaussians:
    """The RQE in Gaussian strategies: Σ_i = −ε_i (H − C_i)⁻¹, and means from one linear system (ours).

    The adversary's reply to N(μ, V) is Gaussian with precision P = V⁻¹ + τH and mean P⁻¹(V⁻¹μ − τ(H m_i + h)).
    Raises Refused for bad τ, ε; InfiniteRisk where P is not positive definite (two robots: τε ≥ 2).
    """
    players, d = game.costs.shape[:2]
    taus, epss = (np.broadcast_to(np.asarray(value, dtype=np.float64), players) for value in (tau, eps))
    if not (np.isfinite(taus).all() and (taus >= 0).all() and np.isfinite(epss).all() and (epss > 0).all()):
        raise Refused(f"tau = {tau}, eps = {eps}; want finite tau ≥ 0 and eps > 0, one or one per player")
    own = game.hessian - game.costs
    covariances = -epss[:, None, None] * np.linalg.inv(own)
    system, right = np.zeros((players, d, players, d)), np.zeros((players, d))
    for i in range(players):
        precision = np.linalg.inv(covariances.sum(axis=0) - covariances[i])
        worst = precision + taus[i] * game.hessian
        if np.linalg.eigvalsh(worst).min() <= 1e-12 * np.linalg.eigvalsh(precision).max():
            raise InfiniteRisk(f"player {i}'s risk is infinite at tau = {taus[i]:g}, eps = {eps}: lower tau or eps")
        pull = game.hessian @ np.linalg.inv(worst)
        system[i] = (pull @ precision)[:, None, :]
        system[i, :, i] = own[i] - taus[i] * pull @ game.hessian
        right[i] = taus[i] * pull @ game.linear - game.linear
    flat = system.reshape(players * d, players * d)
    means = np.linalg.solve(flat, right.reshape(-1))
    residual = float(np.abs(flat @ means - right.reshape(-1)).max())
    reward, spent = _pay(game, means.reshape(players, d), covariances)
    return Gaussians(means.reshape(players, d), covariances, reward, reward - spent, spent, residual)


def _pay(game: Quadratic, means: np.ndarray, covariances: np.ndarray) -> tuple[float, np.ndarray]:
    total, spread = means.sum(axis=0), covariances.sum(axis=0)
    reward = game.constant + game.linear @ total + (total @ game.hessian @ total + np.trace(game.hessian @ spread)) / 2
    second = covariances + means[:, :, None] * means[:, None, :]
    return float(reward), np.einsum("ijk,ikj->i", game.costs, second) / 2
