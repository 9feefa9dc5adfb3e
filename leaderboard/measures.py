"""What one match says, as one number: the return of it, or how far its seats share the private costs."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from crossplay.benchmark.crossplay import MatchResult
from crossplay.benchmark.errors import unknown
from crossplay.benchmark.match import Returns

RETURN = "return per episode"
COST = "private cost per episode"
AT_ONCE = 4096  # matches: bounds memory


def mean_return(played: Returns) -> float:
    """Mean over episodes of the mean over seats; where rewards are shared that is the team's return."""
    return float(played.returns.mean())


def free_riding(played: Returns) -> float:
    """The free-riding degree |E c_0 − E c_1| of [Qu2026] Theorem 4.2: how far apart the seats' mean private costs are.

    The mean is over episodes, before the distance is taken, so seats that take turns do not ride. With more than two
    seats it is the largest mean cost less the smallest. 0 in a game without private costs.
    """
    paid = played.costs.mean(axis=0)
    return float(paid.max() - paid.min())


def mean_returns(played: Returns) -> np.ndarray:
    """`mean_return` of matches [matches, episodes, seats]."""
    return played.returns.reshape(len(played.returns), -1).mean(axis=1)


def free_ridings(played: Returns) -> np.ndarray:
    """`free_riding` of matches [matches, episodes, seats]."""
    paid = played.costs.mean(axis=1)
    return paid.max(axis=1) - paid.min(axis=1)


class Measure(NamedTuple):
    """A number of a match, [episodes, seats] → float, with its unit and the words for a colour bar."""

    of: Callable[[Returns], float]
    each: Callable[[Returns], np.ndarray]  # the same of matches, [matches, episodes, seats] → [matches], to the bit
    unit: str
    label: str


MEASURES = {
    "return": Measure(mean_return, mean_returns, RETURN, f"mean {RETURN}"),
    "free_riding": Measure(free_riding, free_ridings, COST, f"free-riding |E c₀ − E c₁|\n{COST}"),
}


def measured(results: Sequence[MatchResult], names: Sequence[str]) -> np.ndarray:
    """Measures of many matches, float64 [measures, matches], many at once where they are of one shape."""
    found = np.empty((len(names), len(results)))
    shapes: dict[tuple[int, ...], list[int]] = {}
    for number, result in enumerate(results):
        shapes.setdefault(result.returns.returns.shape, []).append(number)
    for numbers in shapes.values():
        for start in range(0, len(numbers), AT_ONCE):
            part = numbers[start : start + AT_ONCE]
            returns, costs = (np.stack([results[i].returns[field] for i in part]) for field in (0, 1))
            stack = Returns(returns, costs, np.empty(0))
            found[:, part] = [measure(name).each(stack) for name in names]
    return found


def measure(name: str) -> Measure:
    """The measure of this name. Raises Refused with the nearest name."""
    if name not in MEASURES:
        raise unknown("measure", name, MEASURES)
    return MEASURES[name]
