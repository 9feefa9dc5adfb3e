"""Kitchens: the two-player layout files of the installed overcooked-ai package as plain values [Carroll2019]."""

import ast
import importlib.util
import math
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from crossplay.benchmark.errors import Refused, unknown

CLASSIC_FIVE = (
    "cramped_room",
    "asymmetric_advantages",
    "coordination_ring",
    "forced_coordination",
    "counter_circuit_o_1order",
)
FLOOR, COUNTER, ONIONS, TOMATOES, DISHES, POT, SERVING = range(7)  # terrain kinds
NORTH, SOUTH, EAST, WEST = range(4)  # facings, which are also the first four actions
DIRECTIONS = ((0, -1), (0, 1), (1, 0), (-1, 0))  # (dx, dy) of each facing
INGREDIENTS = 3  # the most a soup can hold
_GLYPHS = dict(zip(" XOTDPS", range(7), strict=True))
_SHAPING = {"PLACEMENT_IN_POT_REW": 3, "DISH_PICKUP_REWARD": 3, "SOUP_PICKUP_REWARD": 5}
_KNOWN = {
    *("grid", "start_all_orders", "start_bonus_orders", "order_bonus", "rew_shaping_params", "start_state"),
    *("recipe_values", "recipe_times", "onion_value", "tomato_value", "onion_time", "tomato_time"),
    *("delivery_reward", "cook_time"),
}


def recipe(onions: int, tomatoes: int) -> int:
    """A soup's contents as one number: the index into `Layout.value`, `Layout.time` and `Layout.base`."""
    return onions | tomatoes << 2


RECIPES = tuple((o, t) for o, t in product(range(4), range(4)) if 1 <= o + t <= INGREDIENTS)


@dataclass(frozen=True)
class Layout:
    """One kitchen. Cells are numbered y * width + x; recipes as `recipe` numbers them."""

    name: str
    grid: tuple[str, ...]  # rows of glyphs, cooks blanked
    starts: tuple[int, int]  # each seat's first cell
    value: np.ndarray = field(repr=False)  # [16] what a delivered recipe pays, bonus included; 0 if not ordered
    time: np.ndarray = field(repr=False)  # [16] how many ticks a recipe cooks
    shaping: tuple[int, int, int]  # potting, useful dish pickup, soup pickup
    orders: tuple[int, ...]  # recipes on order
    bonus: tuple[int, ...]  # recipes on order that pay more
    start_state: dict[str, Any] | None = field(
        default=None, repr=False
    )  # OvercookedState.to_dict(), where the file sets one

    @property
    def width(self) -> int:
        return len(self.grid[0])

    @property
    def height(self) -> int:
        return len(self.grid)

    @property
    def kinds(self) -> np.ndarray:
        """Terrain kind of each cell, uint8 [cells]."""
        return np.array([_GLYPHS[glyph] for row in self.grid for glyph in row], dtype=np.uint8)


def _folder() -> Path:
    spec = importlib.util.find_spec("overcooked_ai_py")
    if spec is None or spec.submodule_search_locations is None:
        raise Refused("the layouts are read from the package overcooked-ai, which is not installed")
    return Path(spec.submodule_search_locations[0]) / "data" / "layouts"


@cache
def _files() -> dict[str, Path]:
    return {path.stem: path for path in sorted(_folder().glob("*.layout"))}


@cache
def layout_names() -> tuple[str, ...]:
    """Names of all layouts the engine covers, in alphabetical order."""
    return tuple(name for name in _files() if name not in refusals())


@cache
def refusals() -> dict[str, str]:
    """Name and reason of every layout file of the package that the engine does not cover."""
    reasons = {}
    for name in _files():
        try:
            load_layout(name)
        except Refused as refused:
            reasons[name] = str(refused)
    return reasons


@cache
def load_layout(name: str) -> Layout:
    """The named layout. Raises Refused for an unknown name, or naming the feature that is not covered."""
    if name not in _files():
        raise unknown("layout", name, _files())
    text = _files()[name].read_text(encoding="utf-8").replace("float('inf')", "1e999")
    return parse_layout(name, ast.literal_eval(text))


def parse_layout(name: str, raw: dict[str, Any]) -> Layout:
    """A layout from the contents of a layout file. Raises Refused naming a feature that is not covered."""
    rows = [line.strip() for line in raw["grid"].split("\n")]
    cooks = {glyph: y * len(row) + x for y, row in enumerate(rows) for x, glyph in enumerate(row) if glyph.isdigit()}
    strange = sorted(set(raw) - _KNOWN)
    bonus = raw.get("order_bonus", 2)
    if strange:
        raise Refused(f"layout {name}: not covered: {', '.join(strange)}")
    if sorted(cooks) != ["1", "2"]:
        raise Refused(f"layout {name}: not covered: {len(cooks)} cooks; the engine seats two")
    if not math.isfinite(bonus):
        raise Refused(f"layout {name}: not covered: an infinite order bonus; returns must be finite")
    if len(rows) * len(rows[0]) > 255:
        raise Refused(f"layout {name}: not covered: more than 255 cells")
    orders = _codes(raw.get("start_all_orders")) or tuple(recipe(o, t) for o, t in RECIPES)
    extra = _codes(raw.get("start_bonus_orders"))
    shaping = {**_SHAPING, **(raw.get("rew_shaping_params") or {})}
    return Layout(
        name=name,
        grid=tuple("".join(" " if glyph.isdigit() else glyph for glyph in row) for row in rows),
        starts=(cooks["1"], cooks["2"]),
        value=_values(raw, orders, extra, bonus),
        time=_times(raw, orders),
        shaping=tuple(shaping[key] for key in _SHAPING),
        orders=orders,
        bonus=extra,
        start_state=raw.get("start_state"),
    )


def _codes(orders: list[dict[str, Any]] | None) -> tuple[int, ...]:
    return tuple(
        recipe(order["ingredients"].count("onion"), order["ingredients"].count("tomato")) for order in orders or ()
    )


def _values(raw: dict[str, Any], orders: tuple[int, ...], bonus: tuple[int, ...], factor: float) -> np.ndarray:
    """The package's Recipe.value and get_recipe_value, tabulated: int32 [16]."""
    base = _table(raw, orders, "delivery_reward", "recipe_values", "onion_value", "tomato_value")
    pays = [code in orders for code in range(16)]
    return _frozen(np.where(pays, base * np.where([c in bonus for c in range(16)], factor, 1), 0).astype(np.int32))


def _times(raw: dict[str, Any], orders: tuple[int, ...]) -> np.ndarray:
    """The package's Recipe.time, tabulated: int16 [16]."""
    return _frozen(_table(raw, orders, "cook_time", "recipe_times", "onion_time", "tomato_time").astype(np.int16))


def _table(raw: dict[str, Any], orders: tuple[int, ...], one: str, each: str, onion: str, tomato: str) -> np.ndarray:
    """[16]: one number for all, else one per order, else a sum over ingredients, else 20."""
    table = np.full(16, 20.0)
    if raw.get(onion) and raw.get(tomato):
        for onions, tomatoes in RECIPES:
            table[recipe(onions, tomatoes)] = raw[onion] * onions + raw[tomato] * tomatoes
    for code, number in zip(orders, raw.get(each) or (), strict=False):
        table[code] = number
    return np.full(16, float(raw[one])) if raw.get(one) else table


def _frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array
