"""corridor: collab-grid cut down to a game small enough to solve, played from the arrays of its theory [Qu2026].

Its rules and its equilibria are the same numbers, so what a learner finds can be held against what theory says.
"""

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import Field

from crossplay.benchmark.config import config, digest
from crossplay.benchmark.errors import Refused, unknown
from crossplay.benchmark.game import GameSpec, Observation, Step
from crossplay.benchmark.registry import GAMES
from crossplay.benchmark.seeding import Seeds, sample, uniforms

if TYPE_CHECKING:
    from crossplay.benchmark.theory.markov import Tabular

ACTIONS = ("left", "right", "stay")
EVENTS = ("move", "pickup", "delivery")
START = 1  # the stream that draws the first state; stream 0 draws the others


class Walk(NamedTuple):
    """A batch of episodes."""

    seeds: Seeds  # uint64 [episodes]
    time: int  # steps taken
    where: np.ndarray  # int64 [episodes], index of the state


@GAMES.register("corridor")
@config
class Corridor:
    """Onions grow in cell 0, a pot stands beyond the last cell; both start empty-handed next to the pot.

    Everybody is paid for a pickup and for a delivery, a move costs its mover. View `flat`: one-hot state, own cell and
    hands first, and one-hot time, so that a network can hold any policy of theory, one number a state and step.
    """

    cells: int = Field(default=2, ge=1, le=5)
    horizon: int = Field(default=4, ge=1)
    respawn: float = Field(default=0.2, ge=0, le=1)  # chance a step that a taken onion grows again
    pickup: float = Field(default=1.0, allow_inf_nan=False)
    delivery: float = Field(default=10.0, allow_inf_nan=False)
    move: float = Field(default=0.2, ge=0, allow_inf_nan=False)

    @cached_property
    def tabular(self) -> "Tabular":
        """The game as arrays, ready for `solve_markov` and `solve_duel`."""
        from crossplay.benchmark.theory.corridor import Pay, corridor  # theory imports games, so not at the top

        return corridor(self.cells, self.horizon, self.respawn, Pay(self.pickup, self.delivery, self.move))

    @cached_property
    def _states(self) -> np.ndarray:
        """int64 [states, 5]: either seat's cell, either's hands, the onion."""
        from crossplay.benchmark.theory.corridor import states

        return np.array([(*s.cells, *s.carrying, s.onion) for s in states(self.cells)])

    @cached_property
    def _own_first(self) -> np.ndarray:
        """int64 [seats, states]: the same state as each seat counts it."""
        index = {tuple(row): i for i, row in enumerate(self._states.tolist())}
        mirrored = [index[tuple(row)] for row in self._states[:, [1, 0, 3, 2, 4]].tolist()]
        return np.array([np.arange(len(index)), mirrored])

    @cached_property
    def spec(self) -> GameSpec:
        """Two seats, three actions; the last step ends the task."""
        size = self.cells**2 * 8 + self.horizon
        plain = self == Corridor(cells=self.cells, horizon=self.horizon)
        label = f"c{self.cells}.h{self.horizon}" + ("" if plain else f".{digest(self)[:8]}")
        return GameSpec(
            name="corridor-v1" if self == Corridor() else f"corridor/{label}-v1",
            seats=2,
            actions=ACTIONS,
            views={"flat": (size,)},
            horizon=self.horizon,
            terminal=True,
            events=EVENTS,
        )

    def reset(self, seeds: Seeds) -> Walk:
        """Fresh episodes, one per seed [episodes]."""
        seeds = np.array(seeds, dtype=np.uint64)
        odds = np.broadcast_to(self.tabular.start, (len(seeds), len(self.tabular.start)))
        return Walk(seeds, 0, sample(odds, uniforms(seeds, 0, START)))

    def observe(self, state: Walk, view: str) -> Observation:
        """`flat` [episodes, 2, states + horizon]; after the last step no time is marked."""
        if view not in self.spec.views:
            raise unknown("view", view, self.spec.views)
        seen = self._own_first[:, state.where].T[..., None] == np.arange(len(self._states))
        clock = np.broadcast_to(np.arange(self.horizon) == state.time, (*seen.shape[:2], self.horizon))
        legal = np.ones((*seen.shape[:2], len(ACTIONS)), dtype=bool)
        return Observation(np.concatenate([seen, clock], axis=2, dtype=np.float32), legal)

    def step(self, state: Walk, actions: np.ndarray) -> tuple[Walk, Step]:
        """Actions [episodes, 2] in 0..2. Raises Refused for any other shape or number."""
        actions = np.array(actions, dtype=np.int64)
        if actions.shape != (len(state.seeds), 2):
            raise Refused(f"{self.spec.name}: actions have shape {list(actions.shape)}, wanted [{len(state.seeds)}, 2]")
        if ((actions < 0) | (actions >= len(ACTIONS))).any():
            raise Refused(f"{self.spec.name}: actions must be in 0 to {len(ACTIONS) - 1}, step {state.time}")
        at = (state.where, *actions.T)
        where = sample(self.tabular.transitions[at], uniforms(state.seeds, state.time))
        rewards, costs = (table[:, *at].T.copy() for table in (self.tabular.rewards, self.tabular.costs))
        hands = self._states[where, 2:4] - self._states[state.where, 2:4]
        events = np.stack([actions != 2, hands > 0, hands < 0], axis=2).astype(np.int64)
        return Walk(state.seeds, state.time + 1, where), Step(rewards, np.zeros_like(rewards), costs, events)

    def describe(self, state: Walk, seat: int) -> list[str]:
        """The `flat` view in words, one text per episode."""
        return [self._tell(row, seat, state.time) for row in self._states[state.where].tolist()]

    def _tell(self, row: list[int], seat: int, time: int) -> str:
        hands = ("with empty hands", "carrying an onion")
        return (
            f"You stand in cell {row[seat]} {hands[row[2 + seat]]}. "
            f"Your partner stands in cell {row[1 - seat]} {hands[row[3 - seat]]}. "
            f"{'An onion lies' if row[4] else 'No onion lies'} in cell 0. "
            f"The pot is right of cell {self.cells - 1}. {time} of {self.horizon} steps are over."
        )
