"""Symmetric equilibria of symmetric games of any number of players: only how many others play what counts.

The definition of RQE is that of [Mazumdar2024], in the form of [Qu2026]; pooling the others into counts is ours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from scipy.optimize import root
from scipy.special import gammaln, log_expit

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.matrix import Matrix
from crossplay.benchmark.theory.adversary import log_normal
from crossplay.benchmark.theory.response import best_response, log_odds, utility
from crossplay.benchmark.theory.rqe import ACCEPT, STARTS, damped, pair
from crossplay.benchmark.theory.scan import fixed_points
from crossplay.benchmark.theory.variant import Variant


@dataclass(frozen=True, eq=False)
class Symmetric:
    """A symmetric game in counts.

    payoffs  float64 [own action, count], private cost taken off
    counts   int64 [count, actions], how many of the others play each action, one row per multiset
    costs    float64 [own action], the private part
    """

    payoffs: np.ndarray
    counts: np.ndarray
    costs: np.ndarray

    def log_others(self, log_x: np.ndarray) -> np.ndarray:
        """log P(count) [..., count] when every other player draws from x, given as log x [..., actions].

        The adversary may correlate the others. Every divergence here falls when profiles with equal counts, which pay
        alike, are pooled, so pricing the counts is pricing the joint play.
        """
        ways = gammaln(self.counts.sum(axis=1) + 1) - gammaln(self.counts + 1).sum(axis=1)
        return ways + log_x @ self.counts.T


@dataclass(frozen=True, eq=False)
class SymmetricEquilibrium:
    """Everybody plays x [actions]; residual in probability, exploitability, utility and payoff in payoff units."""

    x: np.ndarray
    residual: float
    exploitability: float
    utility: float
    payoff: float


def counted(payoffs: object, seats: int, costs: object | None = None) -> Symmetric:
    """Two actions, C first: payoffs [own action, others that play C = 0 … seats − 1], costs off already."""
    table = np.array(payoffs, dtype=np.float64)
    if table.shape != (2, seats) or seats < 2 or not np.isfinite(table).all():
        raise Refused(f"payoffs have shape {table.shape}; {seats} seats want finite [2, {seats}], seats ≥ 2")
    k = np.arange(seats)
    return Symmetric(
        table, np.stack([k, seats - 1 - k], axis=1), np.zeros(2) if costs is None else np.array(costs, float)
    )


def from_matrix(game: Matrix) -> Symmetric:
    """One round of a matrix game, as counts. Raises Refused where seats differ or the order of the others matters."""
    rewards, costs, sizes = game.tables
    if game.seats < 2 or len(set(sizes.tolist())) != 1 or (costs != costs[0]).any():
        raise Refused(f"{game.spec.name}: want two seats or more with the same actions and costs")
    actions, others = int(sizes[0]), game.seats - 1
    multisets = list(combinations_with_replacement(range(actions), others))
    counts = np.array([[m.count(a) for a in range(actions)] for m in multisets])
    table = np.array([[rewards[(own, *m, 0)] for m in multisets] for own in range(actions)])
    for joint in np.ndindex(*sizes):
        for seat, own in enumerate(joint):
            rest = tuple(sorted(joint[:seat] + joint[seat + 1 :]))
            if rewards[(*joint, seat)] != table[own, multisets.index(rest)]:
                raise Refused(f"{game.spec.name} is not symmetric: {joint} pays seat {seat} otherwise than its like")
    return Symmetric(table - costs[0][:, None], counts, costs[0].copy())


def solve_symmetric(
    game: Symmetric, tau: float, eps: float, variant: Variant | None = None, *, starts: int = STARTS, seed: int = 0
) -> list[SymmetricEquilibrium]:
    """The symmetric equilibria found, by falling x(action 0); asymmetric ones are not looked for.

    With two actions an exact scan of BR(x) − x, otherwise many starts. Raises Refused for bad τ or ε, or none found.
    """
    variant = variant or Variant()
    (tau, _), (eps, _) = pair(tau, "tau"), pair(eps, "eps")
    search = _scan(game, tau, eps, variant) if len(game.payoffs) == 2 else _many(game, tau, eps, variant, starts, seed)
    found: list[SymmetricEquilibrium] = []
    for log_x in search:
        new = certify_symmetric(game, log_x, tau, eps, variant)
        if new.residual <= ACCEPT and all(np.abs(new.x - old.x).max() > 1e-6 for old in found):
            found.append(new)
    if not found:
        raise Refused(f"no symmetric equilibrium found from {starts} starts at tau = {tau}, eps = {eps}")
    return sorted(found, key=lambda e: -e.x[0])


def certify_symmetric(
    game: Symmetric, log_x: np.ndarray, tau: float, eps: float, variant: Variant | None = None
) -> SymmetricEquilibrium:
    """Measures log x [actions] against the exact best response of one player to all others playing x."""
    variant = variant or Variant()
    others = game.log_others(log_x)
    best = best_response(game.payoffs, others, tau, eps, variant)
    own = utility(game.payoffs, log_x, others, tau, eps, variant)
    return SymmetricEquilibrium(
        x=np.exp(log_x),
        residual=float(np.abs(np.exp(best) - np.exp(log_x)).max()),
        exploitability=utility(game.payoffs, best, others, tau, eps, variant) - own,
        utility=own,
        payoff=float(np.exp(log_x) @ game.payoffs @ np.exp(others)),
    )


def _scan(game: Symmetric, tau: float, eps: float, variant: Variant) -> Iterator[np.ndarray]:
    def respond(z: np.ndarray) -> np.ndarray:
        log_x = np.stack([log_expit(z), log_expit(-z)], axis=-1)
        return log_odds(game.payoffs, game.log_others(log_x), tau, eps, variant)

    reach = float(variant.bonus.log_odds(np.abs(game.payoffs[0] - game.payoffs[1]).max() / eps))
    for z in fixed_points(respond, reach):
        yield np.array([log_expit(z), log_expit(-z)])


def _many(game: Symmetric, tau: float, eps: float, variant: Variant, starts: int, seed: int) -> Iterator[np.ndarray]:
    def miss(theta: np.ndarray) -> np.ndarray:
        others = game.log_others(log_normal(np.append(0.0, theta)))
        best = best_response(game.payoffs, others, tau, eps, variant)
        return best[1:] - best[0] - theta

    actions = len(game.payoffs)
    rng = np.random.default_rng(seed)
    draws = [np.zeros(actions), *4.0 * np.eye(actions), *rng.normal(size=(max(starts - actions - 1, 0), actions)) * 3]
    for draw in draws:
        for begin in (damped(miss, draw[1:] - draw[0]), draw[1:] - draw[0]):
            end = root(miss, begin, method="hybr", options={"xtol": 1e-14}).x
            yield log_normal(np.append(0.0, end))
