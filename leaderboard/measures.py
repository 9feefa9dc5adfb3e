"""What one match says, as one number: the return of it, or how far its seats share the private costs."""

from collections.abc import Callable
from typing import NamedTuple

from crossplay.benchmark.errors import unknown
from crossplay.benchmark.match import Returns

RETURN = "return per episode"
COST = "private cost per episode"


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


class Measure(NamedTuple):
    """A number of a match, [episodes, seats] → float, with its unit and the words for a colour bar."""

    of: Callable[[Returns], float]
    unit: str
    label: str


MEASURES = {
    "return": Measure(mean_return, RETURN, f"mean {RETURN}"),
    "free_riding": Measure(free_riding, COST, f"free-riding |E c₀ − E c₁|\n{COST}"),
}


def measure(name: str) -> Measure:
    """The measure of this name. Raises Refused with the nearest name."""
    if name not in MEASURES:
        raise unknown("measure", name, MEASURES)
    return MEASURES[name]
