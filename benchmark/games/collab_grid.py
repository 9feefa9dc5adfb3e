"""collab-grid: two agents carry onions to a pot on a 5×5 board; moving costs its mover, the reward is shared [Qu2026].

Each step the two act one after the other, in random order. Any action but `stay` costs its seat 0.2. Leaving the board
keeps one's cell; walking into the pot keeps it too and delivers what is carried, +10 to BOTH; walking into the other
agent keeps it and costs 2.0 more. Whoever then stands empty-handed on an onion takes it, +1 to BOTH, staying included.
After both, each missing onion comes back with probability 0.2. Compiled, parallel over episodes.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from pydantic import Field

from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused, unknown
from crossplay.benchmark.game import GameSpec, Observation, Step
from crossplay.benchmark.games import collab_grid_kernel as kernel
from crossplay.benchmark.registry import GAMES
from crossplay.benchmark.seeding import Seeds

PAPER_HORIZON = 50


class Board(NamedTuple):
    """A batch of episodes and the arrays its steps write into."""

    seeds: Seeds  # uint64 [episodes]
    time: int  # steps taken
    cells: np.ndarray  # int8 [episodes, 8]: r0, c0, carry0, r1, c1, carry1, onion0, onion1
    seen: dict[str, Observation]  # per view: features float32 [episodes, 2, 8], legal all True
    paid: Step


@GAMES.register("collab-grid")
@config
class CollabGrid:
    """The paper's collaborative gridworld: onions at (3,4) and (4,3), pot at (2,2), starts (1,0) and (0,1) by luck.

    Views, raw integers as float32 [8]: `ego` is own row, column, carrying, the partner's three, the two onions;
    `raw` is seat 0's three first for both seats, as in the paper. Every action but `stay` counts as exactly one of
    the events move, blocked (edge, or pot with empty hands), delivery, collision.
    """

    horizon: int = Field(default=PAPER_HORIZON, ge=1)

    @cached_property
    def spec(self) -> GameSpec:
        """Two seats, five actions."""
        return GameSpec(
            name="collab-grid-v1" if self.horizon == PAPER_HORIZON else f"collab-grid/h{self.horizon}-v1",
            seats=2,
            actions=kernel.ACTIONS,
            views={"ego": (8,), "raw": (8,)},
            horizon=self.horizon,
            events=kernel.EVENTS,
        )

    def reset(self, seeds: Seeds) -> Board:
        """Fresh episodes, one per seed [episodes]."""
        seeds = np.ascontiguousarray(seeds, dtype=np.uint64)
        n = len(seeds)
        paid = Step(np.zeros((n, 2)), np.zeros((n, 2)), np.zeros((n, 2)), np.zeros((n, 2, 5), dtype=np.int8))
        cells = np.empty((n, 8), dtype=np.int8)
        kernel.deal(seeds, cells)
        legal = np.ones((n, 2, 5), dtype=bool)
        seen = {view: Observation(np.empty((n, 2, 8), dtype=np.float32), legal) for view in self.spec.views}
        return Board(seeds, 0, cells, seen, paid)

    def observe(self, state: Board, view: str) -> Observation:
        """Features [episodes, 2, 8] in the state's own memory."""
        if view not in state.seen:
            raise unknown("view", view, state.seen)
        kernel.look(state.cells, view == "ego", state.seen[view].features)
        return state.seen[view]

    def step(self, state: Board, actions: np.ndarray) -> tuple[Board, Step]:
        """Actions [episodes, 2] in 0..4. Raises Refused for any other shape or number."""
        actions = np.ascontiguousarray(actions, dtype=np.int64)
        if actions.shape != (len(state.seeds), 2):
            raise Refused(f"{self.spec.name}: actions have shape {list(actions.shape)}, wanted [{len(state.seeds)}, 2]")
        paid = state.paid
        wrong = kernel.advance(state.seeds, state.time, actions, state.cells, paid.rewards, paid.costs, paid.events)
        if wrong:
            raise Refused(f"{self.spec.name}: {wrong} of {actions.size} actions are not in 0 to 4, step {state.time}")
        return state._replace(time=state.time + 1), paid

    def describe(self, state: Board, seat: int) -> list[str]:
        """The `ego` view in words, one text per episode."""
        return [_tell(np.roll(cell[:6], -3 * seat), cell[6:]) for cell in state.cells]


def _tell(agents: np.ndarray, onions: np.ndarray) -> str:
    row, column, carrying, other_row, other_column, other_carrying = (int(x) for x in agents)
    places = [str(place) for place, there in zip(kernel.ONIONS, onions, strict=True) if there]
    hands = ("with empty hands", "carrying an onion")
    return (
        f"You stand at ({row}, {column}) {hands[carrying]}. "
        f"Your partner stands at ({other_row}, {other_column}) {hands[other_carrying]}. "
        f"Onions lie at {' and '.join(places) or 'no place'}. "
        f"The pot is at {kernel.POT}; rows count downwards and columns to the right, from 0 to {kernel.SIZE - 1}."
    )
