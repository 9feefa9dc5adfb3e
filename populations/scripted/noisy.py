"""Any policy with a trembling hand."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import Field

from crossplay.benchmark.config import config, from_table
from crossplay.benchmark.game import Game, Observation
from crossplay.benchmark.policy import Clock, Memory, Policy
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import Seeds, sample

_WHETHER, _WHICH = 1001, 1002  # streams of luck that no policy uses itself


class _Noisy(NamedTuple):
    inner: Policy
    epsilon: float

    @property
    def view(self) -> str:
        return self.inner.view

    def begin(self, seeds: Seeds, seat: int) -> tuple[Clock, Memory]:
        return Clock(seeds), self.inner.begin(seeds, seat)

    def act(self, observation: Observation, memory: tuple[Clock, Memory]) -> tuple[np.ndarray, tuple[Clock, Memory]]:
        clock, within = memory
        meant, within = self.inner.act(observation, within)
        any_legal = sample(observation.legal, clock.draw(_WHICH))
        return np.where(clock.draw(_WHETHER) < self.epsilon, any_legal, meant), (clock.tick(), within)


@POLICIES.register("noisy")
@config
class Noisy:
    """The policy that `maker` describes, but with probability `epsilon` a uniformly random legal action instead."""

    maker: dict[str, Any]
    epsilon: float = Field(default=0.1, ge=0.0, le=1.0)

    def make(self, game: Game, files: Path | None) -> Policy:
        return _Noisy(from_table(POLICIES, self.maker, "noisy").make(game, files), self.epsilon)
