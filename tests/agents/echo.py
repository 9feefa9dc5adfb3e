"""A trivial game: each seat is shown a number and is paid for naming it; some numbers are illegal to name."""

import numpy as np

from crossplay.benchmark.config import config
from crossplay.benchmark.game import GameSpec, Observation, Step
from crossplay.benchmark.seeding import Seeds, uniforms


@config
class Echo:
    horizon: int = 5
    numbers: int = 4
    terminal: bool = False

    @property
    def spec(self) -> GameSpec:
        return GameSpec(
            name="test/echo-v1",
            seats=2,
            actions=tuple(f"n{i}" for i in range(self.numbers)),
            views={"shown": (self.numbers,)},
            horizon=self.horizon,
            terminal=self.terminal,
            events=("right",),
        )

    def reset(self, seeds: Seeds) -> tuple[Seeds, int]:
        return seeds, 0

    def _shown(self, state: tuple[Seeds, int]) -> np.ndarray:
        draws = [uniforms(state[0], state[1], seat) for seat in range(2)]
        return (np.stack(draws, axis=1) * self.numbers).astype(int)

    def observe(self, state: tuple[Seeds, int], view: str) -> Observation:
        shown = np.eye(self.numbers, dtype=np.float32)[self._shown(state)]
        legal = np.ones((len(state[0]), 2, self.numbers), dtype=bool)
        legal[:, 1, :] = ~np.eye(self.numbers, dtype=bool)[(self._shown(state)[:, 1] + 1) % self.numbers]
        return Observation(shown, legal)

    def step(self, state: tuple[Seeds, int], actions: np.ndarray) -> tuple[tuple[Seeds, int], Step]:
        right = actions == self._shown(state)
        zeros = np.zeros(right.shape, dtype=np.float32)
        return (state[0], state[1] + 1), Step(right.astype(np.float32), zeros, zeros, right[..., None].astype(int))

    def describe(self, state: tuple[Seeds, int], seat: int) -> list[str]:
        return [f"you see {n}" for n in self._shown(state)[:, seat]]
