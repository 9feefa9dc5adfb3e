"""The one protocol all games speak: a batch of independent episodes of fixed length, stepped together."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from pydantic import Field, field_validator

from crossplay.benchmark.config import config
from crossplay.benchmark.seeding import Seeds

State = Any


@config
class GameSpec:
    """What a game is, to everybody who has to fit it. The first view is the default one."""

    name: str = Field(pattern=r"^[a-z0-9_/.\-]+-v\d+$")  # with version, unique: "overcooked/cramped_room-v1"
    seats: int = Field(ge=1)
    actions: tuple[str, ...]  # names, in order
    views: dict[str, tuple[int, ...]]  # view name → feature shape of one seat
    horizon: int = Field(ge=1)  # steps of every episode
    terminal: bool = False  # the horizon ends the task itself; else it is a time limit and learners bootstrap there
    events: tuple[str, ...] = ()  # names of what Step.events counts

    @field_validator("views")
    @classmethod
    def _some_view(cls, views: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        if not views:
            raise ValueError("a game needs at least one view")
        return views

    @property
    def view(self) -> str:
        """The default view's name."""
        return next(iter(self.views))


class Observation(NamedTuple):
    """What seats see. From a game: with a seats axis. To a policy: without it, its own seat only."""

    features: np.ndarray  # [episodes, seats, *features]
    legal: np.ndarray  # [episodes, seats, actions] bool, at least one True in each row

    def of(self, seat: int, rows: slice) -> "Observation":
        """One seat's part of a slice of episodes: [rows, *features], [rows, actions]."""
        return Observation(self.features[rows, seat], self.legal[rows, seat])


class Step(NamedTuple):
    """What one step paid and what happened in it."""

    rewards: np.ndarray  # [episodes, seats] float: what returns are summed from, private costs already taken off
    shaping: np.ndarray  # [episodes, seats] float: a training aid, never scored
    costs: np.ndarray  # [episodes, seats] float ≥ 0: the private cost inside `rewards`
    events: np.ndarray  # [episodes, seats, len(spec.events)] integer counts


@runtime_checkable
class Game(Protocol):
    """A registered `config` class in GAMES. All randomness comes from the episodes' seeds."""

    @property
    def spec(self) -> GameSpec: ...

    def reset(self, seeds: Seeds) -> State:
        """A fresh batch, one episode per seed (uint64 [episodes]); an episode's luck depends on its own seed only."""
        ...

    def observe(self, state: State, view: str) -> Observation:
        """All seats' view of the state; the arrays stay valid until the next call with the same view."""
        ...

    def step(self, state: State, actions: np.ndarray) -> tuple[State, Step]:
        """actions: integer [episodes, seats], legal. May reuse the state's memory; a Step's arrays last one step."""
        ...

    def describe(self, state: State, seat: int) -> list[str]:
        """One seat's view of every episode in words; no more than its features tell."""
        ...
