"""Tabular Markov games of two players: risk-averse quantal response equilibria by backward induction.

The definition of the RQE of a Markov game is that of [Mazumdar2024]; which terms are saved up is a choice of ours.
"""

from dataclasses import dataclass

import numpy as np

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.theory.bimatrix import bimatrix
from crossplay.benchmark.theory.response import best_response, utility
from crossplay.benchmark.theory.rqe import Equilibrium, Pair, pair, solve
from crossplay.benchmark.theory.variant import Variant


@dataclass(frozen=True, eq=False)
class Tabular:
    """A two-player game that ends after `horizon` steps.

    transitions  float64 [states, actions of seat 0, actions of seat 1, next states], rows sum to one
    rewards      float64 [2, states, actions of seat 0, actions of seat 1], private costs taken off
    costs        the same shape: what was taken off
    start        float64 [states], where an episode begins
    """

    transitions: np.ndarray
    rewards: np.ndarray
    costs: np.ndarray
    start: np.ndarray
    horizon: int


@dataclass(frozen=True, eq=False)
class MarkovEquilibrium:
    """One equilibrium; at a stage with several, the one of highest summed utility was taken, so there may be others.

    policies        per seat float64 [horizon, states, actions]
    values          float64 [2, horizon + 1, states], U from that step on, in payoff units
    choices         int64 [horizon, states], how many equilibria the stage game had: 1 everywhere, and none was picked
    residual        the largest of the stages, in probability
    exploitability  max over seats and states of the first step's value when best responding from there on, less the
                    value; without `entropy_counts`, best responding means step by step
    payoffs         expected plain returns per seat from `start`;   costs: expected private costs per seat
    """

    policies: tuple[np.ndarray, np.ndarray]
    values: np.ndarray
    choices: np.ndarray
    residual: float
    exploitability: float
    payoffs: Pair
    costs: Pair

    @property
    def free_riding(self) -> float:
        """The distance between the seats' expected private costs."""
        return abs(self.costs[0] - self.costs[1])


def tabular(transitions: object, rewards: object, start: object, horizon: int, costs: object | None = None) -> Tabular:
    """A checked game from arrays. Raises Refused where shapes or probabilities do not fit."""
    t, r, s = (np.array(value, dtype=np.float64) for value in (transitions, rewards, start))
    if t.ndim != 4 or t.shape[0] != t.shape[3] or r.shape != (2, *t.shape[:3]) or s.shape != t.shape[:1]:
        raise Refused(f"shapes are {t.shape}, {r.shape}, {s.shape}; want [s, a, b, s], [2, s, a, b], [s]")
    for name, p in (("transitions", t), ("start", s)):
        if (p < 0).any() or not np.allclose(p.sum(axis=-1), 1, rtol=0, atol=1e-9):
            raise Refused(f"{name} must be probabilities that sum to one")
    c = np.zeros_like(r) if costs is None else np.array(costs, dtype=np.float64)
    if horizon < 1 or c.shape != r.shape:
        raise Refused(f"horizon = {horizon}, costs {c.shape}; want horizon ≥ 1 and costs shaped like the rewards")
    return Tabular(t, r, c, s, horizon)


def solve_markov(
    game: Tabular,
    tau: float | Pair,
    eps: float | Pair,
    variant: Variant | None = None,
    *,
    entropy_counts: bool = True,
    starts: int = 6,
) -> MarkovEquilibrium:
    """Backward induction: at each step and state the game r_i + E V_i(next), solved with a certificate.

    V_i holds the adversary's price of the steps to come, for hero and adversary alike, and with `entropy_counts` the
    regulariser's bonus too. Without it the bonus steers each step and is not saved up: an entropy term in the loss.
    """
    variant = variant or Variant()
    taus, epss = pair(tau, "tau"), pair(eps, "eps")
    states, first, second = game.transitions.shape[:3]
    policies = (np.zeros((game.horizon, states, first)), np.zeros((game.horizon, states, second)))
    values, best = np.zeros((2, game.horizon + 1, states)), np.zeros((2, game.horizon + 1, states))
    choices, residual = np.zeros((game.horizon, states), dtype=np.int64), 0.0
    for t in reversed(range(game.horizon)):
        for s in range(states):
            stage = game.rewards[:, s] + np.einsum("abn,in->iab", game.transitions[s], values[:, t + 1])
            other = game.rewards[:, s] + np.einsum("abn,in->iab", game.transitions[s], best[:, t + 1])
            found = solve(bimatrix(stage[0], stage[1].T), taus, epss, variant, starts=starts)
            pick = max(found, key=lambda e: sum(e.utilities))
            choices[t, s], residual = len(found), max(residual, pick.residual)
            for seat in (0, 1):
                policies[seat][t, s] = pick.profile[seat]
                table = other[0] if seat == 0 else other[1].T
                values[seat, t, s], best[seat, t, s] = _both(
                    table, pick, seat, taus[seat], epss[seat], variant, entropy_counts
                )
    payoffs, costs = (returns(game, policies, table) for table in (game.rewards, game.costs))
    gap = float((best[:, 0] - values[:, 0]).max())
    return MarkovEquilibrium(policies, values, choices, residual, gap, payoffs, costs)


def _both(
    table: np.ndarray, pick: Equilibrium, seat: int, tau: float, eps: float, variant: Variant, entropy: bool
) -> tuple[float, float]:
    """The stage's value to a seat, and the value of its best response to the other's policy from here on."""
    log_x, log_y = pick.logs[seat], pick.logs[1 - seat]
    reply = best_response(table, log_y, tau, eps, variant)
    gained = utility(table, reply, log_y, tau, eps, variant)
    kept = 0.0 if entropy else eps
    bonus = variant.bonus.bonus
    return pick.utilities[seat] - kept * float(bonus(log_x)), gained - kept * float(bonus(reply))


def occupancy(game: Tabular, policies: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """P(state at step t) [horizon, states] when both follow policies of shape [horizon, states, actions]."""
    where, visits = game.start, []
    for x, y in zip(*policies, strict=True):
        visits.append(where)
        where = np.einsum("s,sa,sb,sabn->n", where, x, y, game.transitions)
    return np.array(visits)


def returns(game: Tabular, policies: tuple[np.ndarray, np.ndarray], table: np.ndarray) -> Pair:
    """Expected sums of `table` [2, states, actions, actions] over an episode when both follow their policies."""
    total = np.einsum("ts,tsa,tsb,isab->i", occupancy(game, policies), *policies, table)
    return float(total[0]), float(total[1])
