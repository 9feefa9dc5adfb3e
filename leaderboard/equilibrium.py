"""Equilibria for rankings: the Nash equilibrium of a zero-sum game at its highest entropy, and α-rank at its limit."""

from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import null_space
from scipy.optimize import linprog, minimize

EXACT = 1e-10  # to which linear programmes are solved; payoffs are scaled to 0 … 1
SEEN = 1e-6  # a probability that is more than rounding
RARE = 1e-9  # how often, in α-rank's perturbed chain, a strategy that does worse takes over


class Equilibrium(NamedTuple):
    """Strategies [rows] and [columns], float64, each summing to 1, and what the rows gain."""

    rows: np.ndarray
    columns: np.ndarray
    value: float


def maximum_entropy_nash(payoffs: np.ndarray) -> Equilibrium:
    """The equilibrium of highest entropy where rows gain and columns lose payoffs [rows, columns], all finite.

    There is one such, and copies of a row or column share between them what the one would get [Balduzzi2018].
    """
    payoffs = np.asarray(payoffs, dtype=np.float64)
    low, span = float(payoffs.min()), float(np.ptp(payoffs)) or 1.0
    gains = (payoffs - low) / span  # [rows, columns]
    losses = 1 - gains.T
    rows, columns, value = _one(gains)
    above = _face(gains, value, rows, gains @ columns)
    below = _face(losses, 1 - value, columns, losses @ rows)
    return Equilibrium(
        _spread(gains, value, above, below > 0), _spread(losses, 1 - value, below, above > 0), low + span * value
    )


def _solve(objective: np.ndarray, **constraints: Any) -> Any:
    options = {"primal_feasibility_tolerance": EXACT, "dual_feasibility_tolerance": EXACT}
    found = linprog(objective, method="highs", options=options, **constraints)
    if found.status:
        raise ArithmeticError(f"no equilibrium found: {found.message}")
    return found


def _one(gains: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Any equilibrium: what the rows can be sure of, and the columns as the prices of that."""
    count = len(gains)
    found = _solve(
        np.append(np.zeros(count), -1.0),
        A_ub=np.column_stack([-gains.T, np.ones(gains.shape[1])]),
        b_ub=np.zeros(gains.shape[1]),
        A_eq=np.append(np.ones(count), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0, None)] * count + [(None, None)],
    )
    prices = np.maximum(-found.ineqlin.marginals, 0.0)
    return found.x[:count], prices / prices.sum(), float(found.x[-1])


def _face(gains: np.ndarray, value: float, rows: np.ndarray, worth: np.ndarray) -> np.ndarray:
    """An optimal strategy [rows] with every row in it that is in any; `worth` is each row's against an optimum."""
    found = [rows]
    able = worth >= value - SEEN  # no other row is in any optimal strategy
    for row in np.flatnonzero(able).tolist():
        if not any(one[row] > SEEN for one in found):
            found.append(_most(gains, value, row, able))
    mean = np.mean(found, axis=0)
    mean[mean <= SEEN / len(found)] = 0.0
    return mean / mean.sum()


def _most(gains: np.ndarray, value: float, row: int, able: np.ndarray) -> np.ndarray:
    """The optimal strategy that plays a row most."""
    return _solve(
        -np.eye(len(gains))[row],
        A_ub=-gains.T,
        b_ub=np.full(gains.shape[1], 2 * EXACT - value),
        A_eq=np.ones((1, len(gains))),
        b_eq=[1.0],
        bounds=[(0, float(one)) for one in able],
    ).x


def _spread(gains: np.ndarray, value: float, start: np.ndarray, tight: np.ndarray) -> np.ndarray:
    """The optimal strategy of highest entropy, from one with all rows that can be in it.

    Columns that can be played (`tight`) give every optimal strategy the value, the others at least that. So what is
    left to choose is the null space of the tight ones.
    """
    mine = start > 0
    base, free = start[mine], null_space(np.vstack([np.ones(mine.sum()), gains[mine][:, tight].T]), rcond=SEEN)
    if not free.shape[1]:
        return start
    loose = gains[mine][:, ~tight].T
    sides, floor = np.vstack([np.eye(len(base)), loose]), np.append(np.zeros(len(base)), np.full(len(loose), value))

    def entropy(move: np.ndarray) -> tuple[float, np.ndarray]:
        logs = np.log(np.maximum(base + free @ move, 1e-300))
        return float((base + free @ move) @ logs), free.T @ (logs + 1)

    found = minimize(
        entropy,
        np.zeros(free.shape[1]),
        jac=True,
        method="SLSQP",
        constraints={"type": "ineq", "fun": lambda z: sides @ (base + free @ z) - floor, "jac": lambda z: sides @ free},
        options={"ftol": 1e-13, "maxiter": 1000},
    )
    if found.status not in (0, 8):  # 8: rounding leaves no way further up
        raise ArithmeticError(f"no equilibrium of highest entropy found: {found.message}")
    spread = start.copy()
    spread[mine] = np.maximum(base + free @ found.x, 0.0)
    return spread / spread.sum()


def alpha_rank(payoffs: np.ndarray) -> np.ndarray:
    """How long a population spends with each strategy, float64 [strategies], selection being as strong as can be.

    payoffs [strategies, strategies]: what the row's gets against the column's. One population: a random newcomer takes
    over where it beats who is there, half the time where neither does, and else almost never [Omidshafiei2019].
    """
    ahead = np.asarray(payoffs, dtype=np.float64)
    ahead = ahead.T - ahead  # [there, newcomer]
    return stationary(np.where(np.abs(ahead) <= 1e-12, 0.5, np.where(ahead > 0, 1.0, RARE)))


def stationary(rates: np.ndarray) -> np.ndarray:
    """The stationary distribution of rates [from, to], all positive, the diagonal ignored [Grassmann1985].

    States are taken out one by one and nothing is ever subtracted, so rates may be as rare as they like.
    """
    left, last = np.array(rates, dtype=np.float64), len(rates) - 1
    for state in range(last, 0, -1):
        left[:state, state] /= left[state, :state].sum()
        left[:state, :state] += np.outer(left[:state, state], left[state, :state])
    found = np.ones(len(rates))
    for state in range(1, last + 1):
        found[state] = found[:state] @ left[:state, state]
    return found / found.sum()
