"""A policy is one seat's strategy for a whole batch. It holds no state of its own: memory goes in and comes out."""

from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from pydantic import NonNegativeInt

from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game, Observation
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import Seeds, sample, uniforms

Memory = Any


class Policy(Protocol):
    """Plays one seat in many episodes at once; equal seeds and observations give equal actions."""

    @property
    def view(self) -> str:
        """Which of the game's views it reads."""
        ...

    def begin(self, seeds: Seeds, seat: int) -> Memory:
        """Memory for fresh episodes, one per seed (uint64 [episodes])."""
        ...

    def act(self, observation: Observation, memory: Memory) -> tuple[np.ndarray, Memory]:
        """Integer actions [episodes] for features [episodes, *features] and legal [episodes, actions]; next memory."""
        ...


class PolicyMaker(Protocol):
    """A registered `config` class in POLICIES: how a card turns into a policy for a game."""

    def make(self, game: Game, files: Path | None) -> Policy:
        """The policy; `files` is the folder of the card's files. Raises Refused where it does not fit the game."""
        ...


class Clock(NamedTuple):
    """The memory of a policy that only needs luck: its episodes' seeds and the step number."""

    seeds: Seeds
    step: int = 0

    def draw(self, stream: int = 0) -> np.ndarray:
        """One float64 in [0, 1) per episode, [episodes]."""
        return uniforms(self.seeds, self.step, stream)

    def tick(self) -> "Clock":
        """The clock one step later."""
        return Clock(self.seeds, self.step + 1)


class _Uniform(NamedTuple):
    view: str

    def begin(self, seeds: Seeds, seat: int) -> Clock:
        return Clock(seeds)

    def act(self, observation: Observation, memory: Clock) -> tuple[np.ndarray, Clock]:
        return sample(observation.legal, memory.draw()), memory.tick()


class _Constant(NamedTuple):
    view: str
    action: int

    def begin(self, seeds: Seeds, seat: int) -> None:
        return None

    def act(self, observation: Observation, memory: None) -> tuple[np.ndarray, None]:
        only = observation.legal.argmax(axis=1)
        return np.where(observation.legal[:, self.action], self.action, only), None


@POLICIES.register("uniform")
@config
class Uniform:
    """Every legal action with equal probability."""

    def make(self, game: Game, files: Path | None) -> Policy:
        if not game.spec.actions:
            raise Refused(f"uniform: {game.spec.name} has no numbered actions to draw from")
        return _Uniform(game.spec.view)


@POLICIES.register("constant")
@config
class Constant:
    """Always the same action, by number; the first legal one where that is not legal."""

    action: NonNegativeInt = 0

    def make(self, game: Game, files: Path | None) -> Policy:
        if self.action >= len(game.spec.actions):
            raise Refused(
                f"constant: action {self.action} given, {game.spec.name} has actions 0 to {len(game.spec.actions) - 1}"
            )
        return _Constant(game.spec.view, self.action)
