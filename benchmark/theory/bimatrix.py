"""A finite game of two players as two payoff matrices, each seen by its own player."""

from dataclasses import dataclass

import numpy as np

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.matrix import Matrix


@dataclass(frozen=True, eq=False)
class Bimatrix:
    """Payoffs with private costs taken off, own action first in both.

    first   float64 [actions of seat 0, actions of seat 1], what seat 0 gets
    second  float64 [actions of seat 1, actions of seat 0], what seat 1 gets
    costs   the part of it that is private: float64 [actions] per seat, zeros where not given
    """

    first: np.ndarray
    second: np.ndarray
    costs: tuple[np.ndarray, np.ndarray]

    @property
    def payoffs(self) -> tuple[np.ndarray, np.ndarray]:
        """Both matrices, each `[own, other]`."""
        return self.first, self.second

    @property
    def symmetric(self) -> bool:
        """Whether both seats face the same game."""
        return self.first.shape == self.second.shape and bool((self.first == self.second).all())


def bimatrix(first: object, second: object | None = None, costs: object | None = None) -> Bimatrix:
    """A game from `[own, other]` tables; without `second` both face `first`. Raises Refused where they do not fit."""
    one = np.array(first, dtype=np.float64)
    two = one if second is None else np.array(second, dtype=np.float64)
    if one.ndim != 2 or not one.size or two.shape != one.T.shape:
        raise Refused(f"payoffs have shapes {one.shape} and {two.shape}; want [own, other] and [other, own]")
    if not (np.isfinite(one).all() and np.isfinite(two).all()):
        raise Refused("payoffs must be finite numbers")
    private = [np.zeros(len(one)), np.zeros(len(two))] if costs is None else [np.array(c, float) for c in costs]  # type: ignore[attr-defined]
    if len(private) != 2 or any(c.shape != (len(m),) for c, m in zip(private, (one, two), strict=True)):
        raise Refused(f"costs must hold {len(one)} numbers for seat 0 and {len(two)} for seat 1")
    return Bimatrix(one, two, (private[0], private[1]))


def from_matrix(game: Matrix) -> Bimatrix:
    """One round of a matrix game of two seats. Raises Refused for another number of seats."""
    if game.seats != 2:
        raise Refused(f"{game.spec.name} has {game.seats} seats; a bimatrix has 2")
    rewards, costs, counts = game.tables
    first = rewards[..., 0] - costs[0, : counts[0], None]
    second = rewards[..., 1].T - costs[1, : counts[1], None]
    return bimatrix(first, second, (costs[0, : counts[0]], costs[1, : counts[1]]))
