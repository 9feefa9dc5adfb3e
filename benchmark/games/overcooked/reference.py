"""To and from the installed overcooked-ai package, whose traps are dealt with here and nowhere else [Carroll2019].

Its import prints a banner and warns; its planners use `np.Inf`, which numpy 2 has not; its `Recipe` is configured
per class, so building a second kitchen changes the first one's soups unless it is configured again before each use.
"""

import contextlib
import importlib
import io
import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from crossplay.benchmark.games.overcooked.layouts import DIRECTIONS, load_layout
from crossplay.benchmark.games.overcooked.state import State, fresh, place
from crossplay.benchmark.games.overcooked.tables import SOUP, Dynamics, tables

_NAMES = {1: "onion", 2: "tomato", 3: "dish"}


@cache
def package(module: str = "mdp.overcooked_mdp") -> Any:
    """A module of the package, imported in silence; `planning.planners` and `mdp.overcooked_env` work too."""
    if not hasattr(np, "Inf"):
        np.Inf = np.inf  # type: ignore[attr-defined]  # noqa: NPY201
    quiet = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        warnings.simplefilter("ignore")
        return importlib.import_module(f"overcooked_ai_py.{module}")


@cache
def _gridworld(name: str) -> Any:
    load_layout(name)  # refuses what is not covered
    return package().OvercookedGridworld.from_layout_name(name)


def gridworld(name: str) -> Any:
    """The reference's OvercookedGridworld of a layout, with `Recipe` set to it: ask again before each use."""
    found = _gridworld(name)
    package().Recipe.configure(found.recipe_config)
    return found


def actions(pair: Sequence[int]) -> tuple[Any, ...]:
    """Action numbers as the reference writes them."""
    return tuple("interact" if a == 5 else (0, 0) if a == 4 else DIRECTIONS[a] for a in pair)


def from_reference(name: str, states: Sequence[Any], dynamics: Dynamics = "interact", horizon: int = 400) -> State:
    """A batch holding the given OvercookedStates of a layout. Raises Refused where one does not fit it."""
    gridworld(name)
    state = fresh(load_layout(name), tables(name, dynamics), horizon, len(states))
    for row, given in enumerate(states):
        place(state, row, given.to_dict())
    return state


def to_reference(state: State, row: int) -> Any:
    """One episode as an OvercookedState; a soup's ingredients come out as onions first."""
    found = gridworld(state.layout.name)
    frame = {
        "players": [_player(state, row, seat) for seat in range(2)],
        "objects": [_object(state, row, slot) for slot in range(state.items.shape[1]) if state.items[row, slot]],
        "bonus_orders": found.start_bonus_orders,
        "all_orders": found.start_all_orders,
        "timestep": int(state.clock[row]),
    }
    return package().OvercookedState.from_dict(frame)


def _player(state: State, row: int, seat: int) -> dict[str, Any]:
    cell, facing, held = (int(x) for x in state.cooks[row, seat])
    at = (cell % state.layout.width, cell // state.layout.width)
    done = int(state.tables.time[held & 15])
    return {
        "position": at,
        "orientation": DIRECTIONS[facing],
        "held_object": _named(held, at, done) if held else None,
    }


def _object(state: State, row: int, slot: int) -> dict[str, Any]:
    cell, code = int(state.tables.cell[slot]), int(state.items[row, slot])
    tick = state.cook[row, slot] if slot < state.tables.pots else state.tables.time[code & 15]
    return _named(code, (cell % state.layout.width, cell // state.layout.width), int(tick))


def _named(code: int, at: tuple[int, int], tick: int) -> dict[str, Any]:
    if code < SOUP:
        return {"name": _NAMES[code], "position": at}
    parts = ["onion"] * (code & 3) + ["tomato"] * ((code >> 2) & 3)
    ingredients = [{"name": part, "position": at} for part in parts]
    return {"name": "soup", "position": at, "_ingredients": ingredients, "cooking_tick": tick}
