"""Rule partners for carry: who works, who shirks, who works by halves, who helps others to deliver.

All read the view "numbers" and decide in exact integers for a whole batch at once; `noisy` makes any of them tremble.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field

from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game, Observation
from crossplay.benchmark.games.carry import Carry
from crossplay.benchmark.games.carry_kernel import GOAL, STAY
from crossplay.benchmark.policy import Clock, Policy
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import Seeds

Probability = Annotated[float, Field(ge=0, le=1)]
Item = Literal["nearest", "spare"]
Choose = Callable[[np.ndarray, Clock], np.ndarray]  # view "numbers" int64 [episodes, 11] → actions int64 [episodes]

UP, DOWN, LEFT, RIGHT = range(4)
FAR = 99
_WHETHER = 1  # stream of luck


class _Rule(NamedTuple):
    choose: Choose
    view: str = "numbers"

    def begin(self, seeds: Seeds, seat: int) -> Clock:
        return Clock(seeds)

    def act(self, observation: Observation, memory: Clock) -> tuple[np.ndarray, Clock]:
        return self.choose(observation.features.astype(np.int64), memory), memory.tick()


def _rule(maker: object, game: Game, choose: Choose) -> Policy:
    if not isinstance(game, Carry):
        raise Refused(f"{type(maker).kind} plays carry only; given {game.spec.name}")  # type: ignore[attr-defined]
    return _Rule(choose)


@POLICIES.register("carry-worker")
@config
class Worker:
    """Fetches an item, brings it to the goal, waits there until it counts, and again.

    `spare` fetches the other one of two items where an empty-handed partner is nearer to the nearest one.
    """

    item: Item = "nearest"
    rows_first: bool = True  # of two shortest ways, the one that begins up or down

    def make(self, game: Game, files: Path | None) -> Policy:
        return _rule(self, game, partial(_work, item=self.item, rows_first=self.rows_first))


@POLICIES.register("carry-shirker")
@config
class Shirker:
    """Stands still and lives on its partner's work."""

    def make(self, game: Game, files: Path | None) -> Policy:
        return _rule(self, game, _stand)


@POLICIES.register("carry-half")
@config
class Half:
    """Works in this share of the steps, by chance, and stands still in the others."""

    share: Probability = 0.5

    def make(self, game: Game, files: Path | None) -> Policy:
        return _rule(self, game, partial(_sometimes, share=self.share))


@POLICIES.register("carry-quitter")
@config
class Quitter:
    """Works in the first `steps` steps and stands still from then on."""

    steps: int = Field(default=30, ge=0)

    def make(self, game: Game, files: Path | None) -> Policy:
        return _rule(self, game, partial(_until, steps=self.steps))


@POLICIES.register("carry-camper")
@config
class Camper:
    """Stands within one cell of the goal. Fetches nothing, but delivers what it came across on its way there."""

    def make(self, game: Game, files: Path | None) -> Policy:
        return _rule(self, game, _camp)


@POLICIES.register("carry-helper")
@config
class Helper:
    """Works while its partner's hands are empty; while the partner carries, it keeps within one cell of the goal."""

    def make(self, game: Game, files: Path | None) -> Policy:
        return _rule(self, game, _help)


def _stand(seen: np.ndarray, clock: Clock) -> np.ndarray:
    return np.full(len(seen), STAY)


def _work(seen: np.ndarray, clock: Clock, item: Item = "nearest", rows_first: bool = True) -> np.ndarray:
    return _walk(seen, np.where(seen[:, 2:3] == 1, GOAL, _place(seen, item)), rows_first)


def _place(seen: np.ndarray, item: Item) -> np.ndarray:
    """Row and column [episodes, 2] of the item to fetch."""
    items = seen[:, 6:10].reshape(-1, 2, 2)  # [episodes, items, row and column]
    taken = FAR * (items[..., 0] < 0)
    own, other = (np.abs(items - seen[:, None, who : who + 2]).sum(axis=2) + taken for who in (0, 3))
    which = own.argmin(axis=1)
    if item == "spare":
        row = np.arange(len(seen))
        beaten = (seen[:, 5] == 0) & (taken == 0).all(axis=1) & (other[row, which] < own[row, which])
        which = np.where(beaten, 1 - which, which)
    return items[np.arange(len(seen)), which]


def _walk(seen: np.ndarray, target: np.ndarray, rows_first: bool = True) -> np.ndarray:
    """A step on a shortest way to the target [episodes, 2]; stays when there."""
    down, right = (target - seen[:, :2]).T
    upright = (down != 0) & (rows_first | (right == 0))
    sideways = np.where(right == 0, STAY, np.where(right < 0, LEFT, RIGHT))
    return np.where(upright, np.where(down < 0, UP, DOWN), sideways)


def _sometimes(seen: np.ndarray, clock: Clock, share: float) -> np.ndarray:
    return np.where(clock.draw(_WHETHER) < share, _work(seen, clock), STAY)


def _until(seen: np.ndarray, clock: Clock, steps: int) -> np.ndarray:
    return _work(seen, clock) if clock.step < steps else _stand(seen, clock)


def _camp(seen: np.ndarray, clock: Clock) -> np.ndarray:
    near = np.abs(seen[:, :2] - GOAL).max(axis=1) <= 1
    return np.where(near & (seen[:, 2] == 0), STAY, _walk(seen, np.array([GOAL])))


def _help(seen: np.ndarray, clock: Clock) -> np.ndarray:
    return np.where(seen[:, 5] == 1, _camp(seen, clock), _work(seen, clock))
