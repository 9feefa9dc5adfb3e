"""Where SRPO's four players come to rest in a tabular game, which beyond one step is not the equilibrium (ours).

The heroes of SRPO [Qu2026] earn plain rewards against their adversaries, and nobody credits them for the price that
the adversary pays; a player of the Markov equilibrium counts that price as its own. In one step the two agree.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.theory.adversary import log_normal
from crossplay.benchmark.theory.markov import Tabular, occupancy, returns
from crossplay.benchmark.theory.rqe import ACCEPT, Pair, pair

Policies = tuple[np.ndarray, np.ndarray]  # per seat [horizon, states, actions]
Map = Callable[[np.ndarray], np.ndarray]
STARTS = 12
STEP = 1e-6  # of the central differences, in log-odds


@dataclass(frozen=True, eq=False)
class Rest:
    """One resting point; at a stage with several, the one of highest summed utility was taken, so there may be others.

    heroes       per seat float64 [horizon, states, actions]
    adversaries  adversaries[i] plays the other seat against hero i, [horizon, states, actions of the other seat]
    values       float64 [2, horizon + 1, states], V_i: what hero i still earns against its adversary
    prices       the same shape, C_i: V_i plus what the adversary still pays, its cost-to-go
    choices      int64 [horizon, states], how many points the stage had; 0 where no play leads, and nothing was solved
    residual     the largest |x_i − softmax(A_i p_i/ε)|, in probability, with the adversaries' exact best responses p
    occupancy    float64 [horizon, states], where the heroes are when they play each other
    payoffs      expected plain returns per seat when they do
    """

    heroes: Policies
    adversaries: Policies
    values: np.ndarray
    prices: np.ndarray
    choices: np.ndarray
    residual: float
    occupancy: np.ndarray
    payoffs: Pair


class Stage(NamedTuple):
    """One step's game in many states at once: tables [states, own, other] per seat, for heroes and for adversaries."""

    earned: tuple[np.ndarray, np.ndarray]  # A_i
    charged: tuple[np.ndarray, np.ndarray]  # B_i
    tau: Pair
    eps: Pair

    def adversary(self, seat: int, log_x: np.ndarray, log_y: np.ndarray) -> np.ndarray:
        """log p_i [states, other] ∝ log y − τ Bᵀx: the exact best response at a price of 1/τ a nat."""
        return log_normal(log_y - self.tau[seat] * np.einsum("sab,sa->sb", self.charged[seat], np.exp(log_x)))

    def respond(self, logs: Policies) -> Policies:
        """log softmax(A_i p_i/ε) of both heroes, [states, own]."""
        new = []
        for seat in (0, 1):
            p = np.exp(self.adversary(seat, logs[seat], logs[1 - seat]))
            new.append(log_normal(np.einsum("sab,sb->sa", self.earned[seat], p) / self.eps[seat]))
        return new[0], new[1]


def solve_duel(
    game: Tabular,
    tau: float | Pair,
    eps: float | Pair,
    *,
    price_counts: bool = True,
    starts: int = STARTS,
    seed: int = 0,
) -> Rest:
    """Backward induction over the four softmaxes of each step and state (ours), from the definitions in [Qu2026].

    x_i = softmax(A_i p_i/ε), A_i = r_i + E V_i;  p_i ∝ x_−i exp(−τ B_iᵀ x_i), B_i = r_i + E C_i;  all means under
    (x_i, p_i):  V_i = E[r_i + V_i'],  C_i = E[r_i + C_i'] + KL(p_i‖x_−i)/τ. Entropy steers and is not saved up. Without
    `price_counts` the KL steers only as well, C_i = V_i: a price in the adversary's loss instead of its rewards.
    Raises Refused for τ = ∞ or bad τ, ε, and where no stage point passes its certificate.
    """
    taus, epss = pair(tau, "tau"), pair(eps, "eps")
    if np.inf in taus:
        raise Refused(f"tau = {tau}; a duel wants finite tau, since a free adversary's play has kinks")
    states, first, second = game.transitions.shape[:3]
    shapes = ((game.horizon, states, first), (game.horizon, states, second))
    heroes, foes = ([np.full(shape, 1 / shape[2]) for shape in order] for order in (shapes, shapes[::-1]))
    values, prices = np.zeros((2, 2, game.horizon + 1, states))
    choices, residual = np.zeros((game.horizon, states), dtype=np.int64), 0.0
    reached = occupancy(game, (heroes[0], heroes[1])) > 0
    for t in reversed(range(game.horizon)):
        rows = np.flatnonzero(reached[t])
        stage = _stage(game, rows, values[:, t + 1], prices[:, t + 1], taus, epss)
        logs, choices[t, rows], worst = _solve(stage, starts, seed, f"step {t}")
        residual = max(residual, worst)
        for seat in (0, 1):
            reply = stage.adversary(seat, logs[seat], logs[1 - seat])
            heroes[seat][t, rows], foes[seat][t, rows] = np.exp(logs[seat]), np.exp(reply)
            values[seat, t, rows], prices[seat, t, rows] = _worth(stage, seat, logs, reply)
        if not price_counts:
            prices[:, t] = values[:, t]
    pairs = (heroes[0], heroes[1]), (foes[0], foes[1])
    met = occupancy(game, pairs[0])
    return Rest(*pairs, values, prices, choices, residual, met, returns(game, pairs[0], game.rewards))


def apart(one: Policies, other: Policies, visits: np.ndarray) -> Pair:
    """Total variation between two seats' policies, weighted by visits [horizon, states], mean over the steps."""
    both = [
        float((visits * np.abs(x - y).sum(axis=2) / 2).sum() / visits.sum()) for x, y in zip(one, other, strict=True)
    ]
    return both[0], both[1]


def _stage(game: Tabular, rows: np.ndarray, values: np.ndarray, prices: np.ndarray, tau: Pair, eps: Pair) -> Stage:
    tables = []
    for ahead in (values, prices):
        table = game.rewards[:, rows] + np.einsum("sabn,in->isab", game.transitions[rows], ahead)
        tables.append((table[0], table[1].swapaxes(1, 2)))
    return Stage(tables[0], tables[1], tau, eps)


def _worth(stage: Stage, seat: int, logs: Policies, reply: np.ndarray) -> Policies:
    """V_i and C_i [states] of one seat."""
    x, p = np.exp(logs[seat]), np.exp(reply)
    earned, charged = (np.einsum("sa,sab,sb->s", x, table[seat], p) for table in (stage.earned, stage.charged))
    nats = (p * (reply - logs[1 - seat])).sum(axis=1)
    return earned, charged + (nats / stage.tau[seat] if stage.tau[seat] else 0.0)


def _solve(stage: Stage, starts: int, seed: int, where: str) -> tuple[Policies, np.ndarray, float]:
    """The picked point of every state as logs, how many each had, and the worst residual of those picked."""
    count = len(stage.earned[0])
    found: list[list[tuple[float, Policies, float]]] = [[] for _ in range(count)]
    for logs in _candidates(stage, starts, seed):
        new = stage.respond(logs)
        misses = np.max([np.abs(np.exp(a) - np.exp(b)).max(axis=1) for a, b in zip(new, logs, strict=True)], axis=0)
        utilities = np.zeros(count)
        for seat in (0, 1):
            worth = _worth(stage, seat, logs, stage.adversary(seat, logs[seat], logs[1 - seat]))[1]
            utilities += worth - stage.eps[seat] * (np.exp(logs[seat]) * logs[seat]).sum(axis=1)
        for s in np.flatnonzero(misses <= ACCEPT):
            point = (logs[0][s], logs[1][s])
            if all(
                np.abs(np.exp(np.concatenate(point)) - np.exp(np.concatenate(old))).max() > 1e-6
                for _, old, _ in found[s]
            ):
                found[s].append((float(utilities[s]), point, float(misses[s])))
    if not all(found):
        raise Refused(f"no resting point found from {starts} starts at {where}; try more starts")
    best = [max(points, key=lambda point: point[0]) for points in found]
    logs = np.stack([point[1][0] for point in best]), np.stack([point[1][1] for point in best])
    return logs, np.array([len(points) for points in found]), max(point[2] for point in best)


def _candidates(stage: Stage, starts: int, seed: int) -> Iterator[Policies]:
    """From each start, for all states at once: the damped map and then Newton's method, and Newton's method alone."""
    count, first, second = stage.earned[0].shape
    rng = np.random.default_rng(seed)

    def split(theta: np.ndarray) -> Policies:
        parts = np.split(theta, [first - 1], axis=1)
        zero = np.zeros((len(theta), 1))
        return log_normal(np.hstack([zero, parts[0]])), log_normal(np.hstack([zero, parts[1]]))

    def miss(theta: np.ndarray) -> np.ndarray:
        return np.hstack([new[:, 1:] - new[:, :1] for new in stage.respond(split(theta))]) - theta

    for k in range(starts):
        theta = np.tile(rng.normal(size=first + second - 2) * (3.0 if k else 0.0), (count, 1))
        yield split(_newton(miss, _damped(miss, theta)))
        yield split(_newton(miss, theta))


def _damped(miss: Map, theta: np.ndarray, sweeps: int = 200) -> np.ndarray:
    """θ + rate·miss(θ) [states, k]; a state's rate is .5 at first and halved whenever its residual does not fall."""
    rate, last = np.full((len(theta), 1), 0.5), np.full((len(theta), 1), np.inf)
    for _ in range(sweeps):
        step = miss(theta)
        size = np.abs(step).max(axis=1, keepdims=True, initial=0.0)
        if (size < 1e-9).all():
            break
        rate = np.where(size < last, rate, np.maximum(rate / 2, 0.005))
        theta, last = theta + rate * step, size
    return theta


def _newton(miss: Map, theta: np.ndarray, sweeps: int = 30) -> np.ndarray:
    """Newton's method on miss(θ) = 0 in every state [states, k], by central differences, steps of 2 at most."""
    eye = np.eye(theta.shape[1])
    for _ in range(sweeps):
        here = miss(theta)
        if not here.size or np.abs(here).max() < 1e-14:
            break
        slopes = np.stack([(miss(theta + STEP * e) - miss(theta - STEP * e)) / (2 * STEP) for e in eye], axis=2)
        step = -(np.linalg.pinv(slopes) @ here[:, :, None])[:, :, 0]
        theta = theta + step * np.minimum(1.0, 2.0 / np.maximum(np.abs(step).max(axis=1, keepdims=True), 1e-300))
    return theta
