"""carry: two agents bring items to a goal that pays both; moving costs its mover. Substitutes, or (heavy) complements.

A 5×5 board, the goal in the centre, two items, two seats that start anywhere and may share a cell and pass through
each other. In a step, in this order:

1. Both move at once; a wall keeps one's cell. Every action but `stay` costs its own seat `effort`, a bump too.
2. Hands: an empty-handed seat on an item takes it. A seat that stands on the open goal with an item delivers it, +1 to
   BOTH. Only one delivers in a step. Where both want the same item or the goal, luck says who is first; the other may
   take what is left.
3. After a delivery the item reappears at once in a random free cell: not the goal, no seat on it, no other item. So
   nobody finds an item under the feet; at the start the items lie on free cells too.
4. A delivery closes the goal for 6 steps, its own the first of them: the next one comes 6 steps later at the earliest.

`heavy`: a delivery counts only while the partner stands, after moving, within one cell of the goal (diagonals and the
goal itself included; it need not carry anything), and the goal is closed for 2 steps. Until then the item stays in
hand. There is no other way to put an item down. Compiled, parallel over episodes.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from pydantic import Field

from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused, unknown
from crossplay.benchmark.game import GameSpec, Observation, Step
from crossplay.benchmark.games import carry_kernel as kernel
from crossplay.benchmark.registry import GAMES
from crossplay.benchmark.seeding import Seeds

HORIZON, EFFORT, PICKUP = 60, 0.06, 0.3


class Board(NamedTuple):
    """A batch of episodes and the arrays its steps write into."""

    seeds: Seeds  # uint64 [episodes]
    time: int  # steps taken
    cells: np.ndarray  # int8 [episodes, 7]: place0, carry0, place1, carry1, item0, item1, closed
    seen: dict[str, Observation]  # per view: features float32 [episodes, 2, 13 or 11], legal all True
    paid: Step


@GAMES.register("carry")
@config
class Carry:
    """Bring items to the goal: one worker is nearly enough, unless they are heavy.

    `effort` is the private cost of every action but `stay`; `pickup_shaping` goes to the seat that picks up, for
    training only. Views, own part first: `ego`, the default, is float32 [13] in [−1, 1]: own row, column, carrying; the
    partner's three; of the nearer item, then of the farther one, the way there in rows and columns and whether it
    lies; how long the goal stays closed. Ways, not places, since a small network turns them into moves at once.
    `numbers` says the same in whole numbers [11], for rules: own row, column, carrying, the partner's three, row and
    column of each item (−1 if taken), steps closed.
    Every step of a seat counts as one of the events move (any action but `stay`) and idle.
    """

    horizon: int = Field(default=HORIZON, ge=1)
    effort: float = Field(default=EFFORT, ge=0, le=1)
    pickup_shaping: float = Field(default=PICKUP, ge=0, le=1)
    heavy: bool = False

    @cached_property
    def spec(self) -> GameSpec:
        """Two seats, five actions."""
        parts = "-".join(self._parts())
        return GameSpec(
            name=f"carry/{parts}-v1" if parts else "carry-v1",
            seats=2,
            actions=kernel.ACTIONS,
            views={"ego": (kernel.EGO,), "numbers": (kernel.NUMBERS,)},
            horizon=self.horizon,
            events=kernel.EVENTS,
        )

    def _parts(self) -> list[str]:
        """Every field that is not at its default: two configurations never share a name."""
        return [
            *(["heavy"] if self.heavy else []),
            *([f"h{self.horizon}"] if self.horizon != HORIZON else []),
            *([f"e{self.effort!r}"] if self.effort != EFFORT else []),
            *([f"s{self.pickup_shaping!r}"] if self.pickup_shaping != PICKUP else []),
        ]

    def reset(self, seeds: Seeds) -> Board:
        """Fresh episodes, one per seed [episodes]."""
        seeds = np.ascontiguousarray(seeds, dtype=np.uint64)
        n = len(seeds)
        paid = Step(np.zeros((n, 2)), np.zeros((n, 2)), np.zeros((n, 2)), np.zeros((n, 2, 4), dtype=np.int8))
        cells = np.empty((n, 7), dtype=np.int8)
        kernel.deal(seeds, cells)
        legal = np.ones((n, 2, len(kernel.ACTIONS)), dtype=bool)
        views = self.spec.views.items()
        seen = {view: Observation(np.empty((n, 2, *shape), dtype=np.float32), legal) for view, shape in views}
        return Board(seeds, 0, cells, seen, paid)

    def observe(self, state: Board, view: str) -> Observation:
        """Features [episodes, 2, 13 or 11] in the state's own memory."""
        if view not in state.seen:
            raise unknown("view", view, state.seen)
        if view == "ego":
            kernel.look_ego(state.cells, kernel.CLOSING[self.heavy], state.seen[view].features)
        else:
            kernel.look_numbers(state.cells, state.seen[view].features)
        return state.seen[view]

    def step(self, state: Board, actions: np.ndarray) -> tuple[Board, Step]:
        """Actions [episodes, 2] in 0..4. Raises Refused for any other shape or number."""
        actions = np.ascontiguousarray(actions, dtype=np.int64)
        if actions.shape != (len(state.seeds), 2):
            raise Refused(f"{self.spec.name}: actions have shape {list(actions.shape)}, wanted [{len(state.seeds)}, 2]")
        terms = self.heavy, kernel.CLOSING[self.heavy], self.effort, self.pickup_shaping
        wrong = kernel.advance(state.seeds, state.time, actions, state.cells, *terms, *state.paid)
        if wrong:
            raise Refused(f"{self.spec.name}: {wrong} of {actions.size} actions are not in 0 to 4, step {state.time}")
        return state._replace(time=state.time + 1), state.paid

    def describe(self, state: Board, seat: int) -> list[str]:
        """The view `ego` in words, one text per episode."""
        return [_tell([int(x) for x in cell], seat) for cell in state.cells]


def _tell(cell: list[int], seat: int) -> str:
    hands = ("with empty hands", "carrying an item")
    lying = sorted(item for item in cell[4:6] if item != kernel.TAKEN)
    steps = f"{cell[6]} more step{'s' if cell[6] > 1 else ''}"
    return (
        f"You stand at {_spot(cell[2 * seat])} {hands[cell[2 * seat + 1]]}. "
        f"Your partner stands at {_spot(cell[2 - 2 * seat])} {hands[cell[3 - 2 * seat]]}. "
        f"Items lie at {' and '.join(map(_spot, lying)) or 'no place'}. "
        f"The goal at {kernel.GOAL} is {f'closed for {steps}' if cell[6] else 'open'}; "
        f"rows count downwards and columns to the right, from 0 to {kernel.SIZE - 1}."
    )


def _spot(cell: int) -> str:
    return str(divmod(cell, kernel.SIZE))
