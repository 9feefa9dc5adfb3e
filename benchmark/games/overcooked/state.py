"""A batch of kitchens in mid-game: small integers, one row an episode, and the buffers that step and observe reuse."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Observation, Step
from crossplay.benchmark.games.overcooked import engine
from crossplay.benchmark.games.overcooked.events import EVENTS
from crossplay.benchmark.games.overcooked.layouts import DIRECTIONS, Layout, recipe
from crossplay.benchmark.games.overcooked.tables import DISH, NOWHERE, ONION, SOUP, TOMATO, Tables
from crossplay.benchmark.games.overcooked.views import VIEWS

_THINGS = {"onion": ONION, "tomato": TOMATO, "dish": DISH}


@dataclass(eq=False)
class State:
    """Things are coded 0 nothing, 1 onion, 2 tomato, 3 dish, 16 + onions + 4 · tomatoes for a soup."""

    layout: Layout
    tables: Tables
    horizon: int
    cooks: np.ndarray  # uint8 [episodes, 2, 3] cell, facing, held thing
    items: np.ndarray  # uint8 [episodes, slots] what lies in a slot: pots first, then reachable counters
    cook: np.ndarray  # int16 [episodes, pots] ticks cooked; -1 where the pot is not on the fire
    clock: np.ndarray  # int32 [episodes] steps played
    _buffers: dict[str, Any] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.clock)

    def copy(self) -> "State":
        """The same state in memory of its own."""
        return self.rows(slice(None))

    def rows(self, rows: slice | np.ndarray) -> "State":
        """Some of the episodes as a batch of their own, in memory of its own."""
        cooks, items, cook, clock = (np.array(a[rows]) for a in (self.cooks, self.items, self.cook, self.clock))
        return State(self.layout, self.tables, self.horizon, cooks, items, cook, clock)

    def step(self, actions: np.ndarray) -> Step:
        """Plays one step in place; actions integer [episodes, 2] in 0..5. Raises Refused where they are not."""
        actions = np.ascontiguousarray(actions, dtype=np.int64)
        if actions.shape != (len(self), 2):
            raise Refused(f"overcooked: actions have shape {list(actions.shape)}, wanted [{len(self)}, 2]")
        if len(self) and actions.view(np.uint64).max() > engine.INTERACT:
            row, seat = np.argwhere((actions < 0) | (actions > engine.INTERACT))[0]
            raise Refused(
                f"overcooked, step {self.clock[row]}, episode {row}: "
                f"action {actions[row, seat]} of seat {seat}; legal: 0 to 5"
            )
        counts, paid = self._step_buffers()
        engine.advance(
            self.tables,
            self.cooks,
            self.items,
            self.cook,
            self.clock,
            actions,
            paid.rewards,
            paid.shaping,
            counts,
        )
        return paid

    def observe(self, view: str) -> Observation:
        """All seats' features in one view [episodes, 2, *features], and legal, all True [episodes, 2, 6]."""
        if view not in self._buffers:
            features, fill = VIEWS[view].prepare(self.layout, self.tables, self.horizon, len(self))
            self._buffers[view] = Observation(features, np.ones((len(self), 2, 6), dtype=bool)), fill
        observation, fill = self._buffers[view]
        fill(self.cooks, self.items, self.cook, self.clock)
        return observation

    def _step_buffers(self) -> tuple[np.ndarray, Step]:
        if "step" not in self._buffers:
            counts = np.zeros((len(self), 64), dtype=np.uint8)
            shape = (len(self), 2)
            rewards, shaping, costs = (np.zeros(shape, dtype=np.float32) for _ in range(3))
            events = counts.reshape(len(self), 2, 32)[:, :, : len(EVENTS)]
            self._buffers["step"] = counts, Step(rewards, shaping, costs, events)
        return self._buffers["step"]


def fresh(layout: Layout, tables: Tables, horizon: int, episodes: int) -> State:
    """The layout's own start, `episodes` times."""
    state = State(
        layout,
        tables,
        horizon,
        cooks=np.zeros((episodes, 2, 3), dtype=np.uint8),
        items=np.zeros((episodes, len(tables.cell)), dtype=np.uint8),
        cook=np.full((episodes, tables.pots), -1, dtype=np.int16),
        clock=np.zeros(episodes, dtype=np.int32),
    )
    state.cooks[:, :, 0] = layout.starts
    if layout.start_state and episodes:
        place(state, slice(None), layout.start_state)
    return state


def place(state: State, row: int | slice, frame: dict[str, Any]) -> None:
    """Puts `OvercookedState.to_dict()` into one row of the state. Raises Refused where it does not fit the kitchen."""
    state.items[row], state.cook[row], state.clock[row] = 0, -1, frame.get("timestep", 0)
    for seat, player in enumerate(frame["players"]):
        cell = _cell(state, player["position"])
        if cell not in state.tables.floor:
            raise Refused(
                f"layout {state.layout.name}: a cook at {tuple(player['position'])} stands where none can get to"
            )
        facing = DIRECTIONS.index(tuple(player["orientation"]))
        state.cooks[row, seat] = cell, facing, thing(player["held_object"])
    for item in frame["objects"]:
        slot = state.tables.slot[_cell(state, item["position"])]
        if slot == NOWHERE:
            raise Refused(
                f"layout {state.layout.name}: a {item['name']} at {tuple(item['position'])} lies out of reach"
            )
        state.items[row, slot] = thing(item)
        if slot < state.tables.pots:
            tick = item.get("_cooking_tick", item.get("cooking_tick", -1))
            state.cook[row, slot] = min(tick, state.tables.time[thing(item) & 15])


def _cell(state: State, position: tuple[int, int]) -> int:
    x, y = position
    return y * state.layout.width + x


def thing(item: dict[str, Any] | None) -> int:
    """The code of one object of `OvercookedState.to_dict()`."""
    if item is None:
        return 0
    if item["name"] != "soup":
        return _THINGS[item["name"]]
    names = [part["name"] for part in item["_ingredients"]]
    return SOUP | recipe(names.count("onion"), names.count("tomato"))
