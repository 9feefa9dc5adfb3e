"""Rule partners for collab-grid: who works, who shirks, who works by halves, who walks about, who hoards [Qu2026].

All read the view "ego" and decide in exact integers for a whole batch at once; `noisy` makes any of them tremble.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field

from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game, Observation
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.benchmark.games.collab_grid_kernel import ONIONS, POT, SIZE
from crossplay.benchmark.policy import Clock, Policy
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import Seeds

Probability = Annotated[float, Field(ge=0, le=1)]
Onion = Literal["nearest", "right", "lower"]  # right is (3, 4), lower is (4, 3)
Choose = Callable[[np.ndarray, Clock], np.ndarray]  # ego view int64 [episodes, 8] → actions int64 [episodes]

STAY = 4
FAR = 99
_SIDESTEP, _WHETHER = 1, 2  # streams of luck
MOVES = np.array([(-1, 0), (1, 0), (0, -1), (0, 1), (0, 0)])  # up, down, left, right, stay


class _Rule(NamedTuple):
    choose: Choose
    view: str = "ego"

    def begin(self, seeds: Seeds, seat: int) -> Clock:
        return Clock(seeds)

    def act(self, observation: Observation, memory: Clock) -> tuple[np.ndarray, Clock]:
        return self.choose(observation.features.astype(np.int64), memory), memory.tick()


def _rule(maker: object, game: Game, choose: Choose) -> Policy:
    if not isinstance(game, CollabGrid):
        raise Refused(f"{type(maker).kind} plays collab-grid only; given {game.spec.name}")  # type: ignore[attr-defined]
    return _Rule(choose)


@POLICIES.register("collab-grid-worker")
@config
class Worker:
    """Fetches an onion, brings it to the pot, and again; waits where an onion grows while there is none."""

    onion: Onion = "nearest"
    rows_first: bool = True  # of two shortest ways, the one that begins up or down

    def make(self, game: Game, files: Path | None) -> Policy:
        return _rule(self, game, partial(_work, onion=self.onion, rows_first=self.rows_first))


@POLICIES.register("collab-grid-shirker")
@config
class Shirker:
    """Stands still and lives on its partner's work."""

    def make(self, game: Game, files: Path | None) -> Policy:
        return _rule(self, game, _stand)


@POLICIES.register("collab-grid-half")
@config
class Half:
    """Works in this share of the steps, by chance, and stands still in the others."""

    share: Probability = 0.5

    def make(self, game: Game, files: Path | None) -> Policy:
        return _rule(self, game, partial(_sometimes, share=self.share))


@POLICIES.register("collab-grid-quitter")
@config
class Quitter:
    """Works in the first `steps` steps and stands still from then on."""

    steps: int = Field(default=25, ge=0)

    def make(self, game: Game, files: Path | None) -> Policy:
        return _rule(self, game, partial(_until, steps=self.steps))


@POLICIES.register("collab-grid-circler")
@config
class Circler:
    """Walks round the pot for ever, on the board's edge or next to the pot, and never delivers."""

    ring: Literal["outer", "inner"] = "outer"
    clockwise: bool = True

    def make(self, game: Game, files: Path | None) -> Policy:
        way = ("outer", "inner").index(self.ring), int(self.clockwise)
        return _rule(self, game, partial(_circle, way=way))


@POLICIES.register("collab-grid-hoarder")
@config
class Hoarder:
    """Takes one onion and keeps it, standing where the onion was."""

    onion: Onion = "nearest"

    def make(self, game: Game, files: Path | None) -> Policy:
        return _rule(self, game, partial(_hoard, onion=self.onion))


def _stand(seen: np.ndarray, clock: Clock) -> np.ndarray:
    return np.full(len(seen), STAY)


def _work(seen: np.ndarray, clock: Clock, onion: Onion = "nearest", rows_first: bool = True) -> np.ndarray:
    """A step on a shortest way to the pot or an onion, round the partner; sidesteps at random when it is in the way."""
    target = np.where(seen[:, 2] == 1, 0, _onion(seen, onion))
    own, other = seen[:, None, :2], seen[:, None, 3:5]
    cells = np.clip(own + MOVES, 0, SIZE - 1)
    distance = DISTANCE[target[:, None], cells[..., 0], cells[..., 1]]
    late = np.array([0, 0, 1, 1, 0] if rows_first else [1, 1, 0, 0, 0])
    score = 4 * distance + 2 * (np.arange(5) != STAY) + late
    useless = (cells == other).all(axis=2) | ((cells == own).all(axis=2) & (np.arange(5) != STAY))
    score = np.where(useless, 4 * FAR, score)
    best = score.argmin(axis=1)
    stuck = (best == STAY) & (distance[:, STAY] > 0) & (clock.draw(_SIDESTEP) < 0.5)
    return np.where(stuck, score[:, :STAY].argmin(axis=1), best)


def _onion(seen: np.ndarray, onion: Onion) -> np.ndarray:
    """Which target, 1 or 2, to fetch an onion from: the nearest that lies there, else the nearest place."""
    if onion != "nearest":
        return np.full(len(seen), 1 if onion == "right" else 2)
    ways = [DISTANCE[k, seen[:, 0], seen[:, 1]] + FAR * (seen[:, 5 + k] == 0) for k in (1, 2)]
    return np.where(ways[0] <= ways[1], 1, 2)


def _sometimes(seen: np.ndarray, clock: Clock, share: float) -> np.ndarray:
    return np.where(clock.draw(_WHETHER) < share, _work(seen, clock), STAY)


def _until(seen: np.ndarray, clock: Clock, steps: int) -> np.ndarray:
    return _work(seen, clock) if clock.step < steps else _stand(seen, clock)


def _circle(seen: np.ndarray, clock: Clock, way: tuple[int, int]) -> np.ndarray:
    action = CIRCLE[way][seen[:, 0], seen[:, 1]]
    blocked = (seen[:, :2] + MOVES[action] == seen[:, 3:5]).all(axis=1)
    return np.where(blocked, STAY, action)


def _hoard(seen: np.ndarray, clock: Clock, onion: Onion) -> np.ndarray:
    return np.where(seen[:, 2] == 1, STAY, _work(seen, clock, onion))


def _distances(target: tuple[int, int]) -> np.ndarray:
    """Steps from every cell to the target [5, 5], through no pot; FAR where there is no way."""
    steps = np.full((SIZE, SIZE), FAR)
    steps[target] = 0
    queue = deque([target])
    while queue:
        r, c = queue.popleft()
        for row, column in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
            inside = 0 <= row < SIZE and 0 <= column < SIZE
            if inside and (row, column) != POT and steps[row, column] == FAR:
                steps[row, column] = steps[r, c] + 1
                queue.append((row, column))
    return steps


def _ring(radius: int, clockwise: bool) -> np.ndarray:
    """The action of a walker at every cell [5, 5]: along the ring of that radius, or towards it."""
    actions = np.full((SIZE, SIZE), STAY)
    for r, c in np.ndindex(SIZE, SIZE):
        y, x = r - POT[0], (c - POT[1]) * (1 if clockwise else -1)
        k = max(abs(y), abs(x))
        if k == radius:
            action = 3 if y == -k and x < k else 1 if x == k and y < k else 2 if y == k and x > -k else 0
        else:
            outwards = k < radius
            action = (0 if (y < 0) == outwards else 1) if abs(y) >= abs(x) else (2 if (x < 0) == outwards else 3)
        actions[r, c] = action if clockwise or action < 2 else 5 - action
    return actions


DISTANCE = np.stack([_distances(target) for target in (POT, *ONIONS)])  # [pot, right onion, lower onion, rows, columns]
CIRCLE = {(i, cw): _ring(2 - i, bool(cw)) for i in (0, 1) for cw in (0, 1)}
