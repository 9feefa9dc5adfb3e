"""What the Overcooked rule partners look up: one kitchen as small read-only arrays for compiled code."""

from functools import cache
from typing import NamedTuple

import numpy as np

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.overcooked.layouts import (
    COUNTER,
    DIRECTIONS,
    DISHES,
    FLOOR,
    INGREDIENTS,
    ONIONS,
    POT,
    RECIPES,
    SERVING,
    TOMATOES,
    Layout,
    load_layout,
    recipe,
)
from crossplay.benchmark.games.overcooked.tables import DISH, ONION, TOMATO, Dynamics, region, tables

FAR = 1000  # moves: cannot be reached
SOURCE = {ONIONS: ONION, TOMATOES: TOMATO, DISHES: DISH}  # dispenser → the thing it gives


class Kitchen(NamedTuple):
    """All int64, so that compiled code knows one type. Distances are in moves between floor cells.

    A side is a region of floor; seats in one region share a side.
    """

    front: np.ndarray  # [cells, 4] the cell faced from a floor cell
    floor: np.ndarray  # [floor cells] where cooks can get to
    side: np.ndarray  # [cells] side of a floor cell, -1 for all others
    access: np.ndarray  # [cells, 4] the floor cell from which facing d looks at this fixture, -1 if none
    fixtures: np.ndarray  # [fixtures] cells a cook can face that are no floor
    kind: np.ndarray  # [cells] terrain
    gives: np.ndarray  # [cells] thing a dispenser gives, 0 for all others
    touch: np.ndarray  # [sides, cells] whether a side can interact with a cell
    has: np.ndarray  # [sides, kinds] how many fixtures of a kind a side can touch
    serves: np.ndarray  # [sides] whether a soup in its hands can get to a serving window
    pots: np.ndarray  # [pots] cells, row-major
    need: np.ndarray  # [pots, 16, 3] ingredients still to add to contents; [..., 0] is their sum
    time: np.ndarray  # [16] ticks a recipe cooks
    near_pot: np.ndarray  # [sides, cells] from beside a fixture to beside the side's nearest pot
    near_window: np.ndarray  # [sides, cells] the same to the nearest serving window
    feeding: np.ndarray  # [cells] from a floor cell by way of an ingredient to a pot
    plating: np.ndarray  # [cells] from a floor cell by way of a dish to a pot
    knack: np.ndarray  # [sides] moves to plate and deliver, less moves to feed a pot: the lower side should plate
    spin: np.ndarray  # [cells, 4] +1 where a move goes clockwise round the kitchen's centre, -1 counterclockwise


@cache
def kitchen(name: str, dynamics: Dynamics) -> Kitchen:
    """The tables of a named layout. Raises Refused where no order can be made from what the cooks can reach."""
    layout, found = load_layout(name), tables(name, dynamics)
    kind = layout.kinds
    sides = list(dict.fromkeys(region(layout, start) for start in layout.starts))
    side, access, touch = _reach(found.front, kind, sides)
    pots = np.flatnonzero((kind == POT) & touch.any(0))
    away = _Away(_steps(found.front, found.floor, kind), access, side, len(sides))
    near_pot, near_window = away.nearest(kind == POT), away.nearest(kind == SERVING)
    has = np.array([[(row & (kind == k)).sum() for k in range(SERVING + 1)] for row in touch])
    joined = touch[0] & touch[-1] & (kind == COUNTER)
    arrays = {
        "front": found.front,
        "floor": found.floor,
        "side": side,
        "access": access,
        "fixtures": np.flatnonzero(touch.any(0)),
        "kind": kind,
        "gives": np.array([SOURCE.get(int(k), 0) for k in kind]),
        "touch": touch,
        "has": has,
        "serves": (has[:, SERVING] > 0) | (joined.any() & has[:, SERVING].any()),
        "pots": pots,
        "need": _needs(layout, dynamics, [_at_hand(kind, touch, int(pot)) for pot in pots]),
        "time": found.time,
        "near_pot": near_pot,
        "near_window": near_window,
        "feeding": away.by_way_of((kind == ONIONS) | (kind == TOMATOES), near_pot),
        "plating": away.by_way_of(kind == DISHES, near_pot),
        "knack": away.knack(kind, near_pot, near_window),
        "spin": _spin(layout),
    }
    return Kitchen(**{field: np.ascontiguousarray(array, dtype=np.int64) for field, array in arrays.items()})


def _reach(front: np.ndarray, kind: np.ndarray, sides: list[tuple[int, ...]]) -> tuple[np.ndarray, ...]:
    """Kitchen's side, access and touch for the floor cells of each side."""
    side = np.full(len(kind), -1, dtype=np.int8)
    access = np.full((len(kind), 4), -1, dtype=np.int16)
    touch = np.zeros((len(sides), len(kind)), dtype=np.bool_)
    for number, members in enumerate(sides):
        side[list(members)] = number
        for cell in members:
            for facing, ahead in enumerate(front[cell]):
                if kind[ahead] != FLOOR:
                    access[ahead, facing], touch[number, ahead] = cell, True
    return side, access, touch


def _steps(front: np.ndarray, floor: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Moves from floor cell to floor cell, int16 [cells, cells]; FAR where there is no way."""
    steps = np.full((len(kind), len(kind)), FAR, dtype=np.int16)
    for start in floor:
        steps[start, start], edge = 0, [start]
        for cell in edge:
            for near in front[cell]:
                if kind[near] == FLOOR and steps[start, near] == FAR:
                    steps[start, near] = steps[start, cell] + 1
                    edge.append(near)
    return steps


class _Away(NamedTuple):
    """Distances between places, for each side."""

    steps: np.ndarray
    access: np.ndarray
    side: np.ndarray
    sides: int

    def beside(self, fixture: int, side: int) -> list[int]:
        """The floor cells of a side from which a fixture can be faced."""
        return [cell for cell in self.access[fixture] if cell >= 0 and self.side[cell] == side]

    def nearest(self, goals: np.ndarray) -> np.ndarray:
        """Moves from beside any fixture to beside the nearest goal, int16 [sides, cells]; goals bool [cells]."""
        out = np.full((self.sides, len(goals)), FAR, dtype=np.int16)
        for side in range(self.sides):
            ends = [cell for goal in np.flatnonzero(goals).tolist() for cell in self.beside(goal, side)]
            for fixture in range(len(goals)):
                ways = [self.steps[a, b] for a in self.beside(fixture, side) for b in ends]
                out[side, fixture] = min(ways, default=FAR)
        return out

    def by_way_of(self, goals: np.ndarray, onward: np.ndarray) -> np.ndarray:
        """Moves from any floor cell to beside a goal and onward from there, the best way, int16 [cells]."""
        out = np.full(len(goals), FAR, dtype=np.int16)
        for cell, side in enumerate(self.side):
            for goal in np.flatnonzero(goals).tolist():
                for stop in self.beside(goal, side) if side >= 0 else ():
                    out[cell] = min(out[cell], self.steps[cell, stop] + onward[side, goal])
        return out

    def knack(self, kind: np.ndarray, near_pot: np.ndarray, near_window: np.ndarray) -> np.ndarray:
        """Per side: pot → dish → pot → window less pot → ingredient → pot; 0 where it cannot do both, int64 [sides]."""
        out = []
        for side in range(self.sides):
            dish = min(near_pot[side, kind == DISHES], default=FAR)
            food = min(near_pot[side, (kind == ONIONS) | (kind == TOMATOES)], default=FAR)
            plate = 2 * int(dish) + int(min(near_window[side, kind == POT], default=FAR))
            out.append(plate - 2 * int(food) if max(plate, food) < FAR else 0)
        return np.array(out)


def _at_hand(kind: np.ndarray, touch: np.ndarray, pot: int) -> set[int]:
    """Ingredients that can get into a pot: its sides' own, and those of a side that shares a counter with them."""
    users = touch[touch[:, pot]]
    shared = (touch & users.any(0) & (kind == COUNTER)).any(1)
    cells = users.any(0) | touch[shared].any(0)
    return {SOURCE[int(k)] for k in kind[cells] if k in (ONIONS, TOMATOES)}


def _needs(layout: Layout, dynamics: Dynamics, at_hand: list[set[int]]) -> np.ndarray:
    """int8 [pots, 16, 3]. Each pot aims at the dearest order that its contents and the ingredients at hand allow.

    Contents that fit no order are filled up (classic) or cooked as they are (interact), to clear the pot.
    """
    need = np.zeros((len(at_hand), 16, 3), dtype=np.int8)
    for pot, things in enumerate(at_hand):
        orders = [(o, t) for o, t in RECIPES if layout.value[recipe(o, t)] > 0]
        orders = [(o, t) for o, t in orders if dynamics == "interact" or o + t == INGREDIENTS]
        for have in [(0, 0), *RECIPES]:
            fits = [(o - have[0], t - have[1]) for o, t in orders if o >= have[0] and t >= have[1]]
            fits = [(o, t) for o, t in fits if (not o or ONION in things) and (not t or TOMATO in things)]
            if fits:
                best = max(fits, key=lambda more: (_worth(layout, have, more), -sum(more)))
            elif dynamics == "classic" and things and sum(have):
                short = INGREDIENTS - sum(have)
                best = (short, 0) if ONION in things else (0, short)
            else:
                best = (0, 0)
            need[pot, recipe(*have)] = sum(best), *best
    if not need[:, 0].any():
        raise Refused(
            f"layout {layout.name}: no order can be made under {dynamics} rules from what the cooks can reach"
        )
    return need


def _worth(layout: Layout, have: tuple[int, int], more: tuple[int, int]) -> int:
    return int(layout.value[recipe(have[0] + more[0], have[1] + more[1])])


def _spin(layout: Layout) -> np.ndarray:
    """int8 [cells, 4]; rows run south, so that x·dy − y·dx is positive on the way clockwise."""
    middle = (layout.width - 1) / 2, (layout.height - 1) / 2
    places = [(x - middle[0], y - middle[1]) for y in range(layout.height) for x in range(layout.width)]
    return np.array([[np.sign(x * dy - y * dx) for dx, dy in DIRECTIONS] for x, y in places], dtype=np.int8)


def self_sufficient(k: Kitchen) -> bool:
    """Whether each side of a kitchen has a pot, dishes, a serving window and an ingredient of its own."""
    return bool((np.maximum(k.plating, k.feeding)[k.floor] < FAR).all() and (k.has[:, SERVING] > 0).all())


def has_ways_round(k: Kitchen) -> bool:
    """Whether there are two ways to some place, so that keeping left or right means something."""
    doors = int((k.side[k.front[k.floor]] >= 0).sum()) // 2
    return doors > len(k.floor) - len(k.has)
