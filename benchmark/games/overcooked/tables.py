"""What the engine looks up instead of computing: one kitchen under one dynamics as small arrays."""

from functools import cache
from typing import Literal, NamedTuple

import numpy as np

from crossplay.benchmark.games.overcooked.layouts import (
    COUNTER,
    DIRECTIONS,
    FLOOR,
    INGREDIENTS,
    ONIONS,
    POT,
    RECIPES,
    TOMATOES,
    Layout,
    load_layout,
    recipe,
)

Dynamics = Literal["classic", "interact"]
NOWHERE = 255  # no slot
ONION, TOMATO, DISH, SOUP = 1, 2, 3, 16  # things; a soup is SOUP | recipe


class Tables(NamedTuple):
    """Read-only arrays for compiled code. A slot is a pot (first, row-major) or a counter a cook can reach."""

    kind: np.ndarray  # uint8 [cells] terrain
    front: np.ndarray  # uint8 [cells, 4] the cell faced from a floor cell
    slot: np.ndarray  # uint8 [cells] slot of a cell, or NOWHERE
    cell: np.ndarray  # uint8 [slots] cell of a slot
    floor: np.ndarray  # uint8 [floor cells] where cooks can get to from their starts, row-major
    value: np.ndarray  # int32 [16] what a delivered recipe pays
    time: np.ndarray  # int16 [16] ticks it cooks
    best: np.ndarray  # int32 [16] the most a pot with these contents can still pay
    size: np.ndarray  # uint8 [16] number of ingredients
    shaping: np.ndarray  # float32 [3] potting, useful dish pickup, soup pickup
    pots: int
    classic: bool  # the third ingredient starts the pot; else an empty-handed interact does


def region(layout: Layout, start: int) -> tuple[int, ...]:
    """The floor cells that can be walked to from a cell, in row-major order."""
    kinds, seen, edge = layout.kinds, {start}, [start]
    while edge:
        cell = edge.pop()
        for near in _around(layout, cell):
            if near not in seen and kinds[near] == FLOOR:
                seen.add(near)
                edge.append(near)
    return tuple(sorted(seen))


def _around(layout: Layout, cell: int) -> list[int]:
    return [cell + dy * layout.width + dx for dx, dy in DIRECTIONS]


@cache
def tables(name: str, dynamics: Dynamics) -> Tables:
    """The tables of a named layout."""
    layout = load_layout(name)
    kinds = layout.kinds
    floor = sorted({cell for start in layout.starts for cell in region(layout, start)})
    front = np.zeros((len(kinds), 4), dtype=np.uint8)
    for cell in floor:
        front[cell] = _around(layout, cell)
    touched = np.unique(front[floor])
    cells = [*np.flatnonzero(kinds == POT), *(cell for cell in touched if kinds[cell] == COUNTER)]
    slot = np.full(len(kinds), NOWHERE, dtype=np.uint8)
    slot[cells] = range(len(cells))
    return Tables(
        kind=kinds,
        front=front,
        slot=slot,
        cell=np.array(cells, dtype=np.uint8),
        floor=np.array(floor, dtype=np.uint8),
        value=layout.value.copy(),
        time=layout.time.copy(),
        best=_best(layout, dynamics),
        size=np.array([(code & 3) + (code >> 2) for code in range(16)], dtype=np.uint8),
        shaping=np.array(layout.shaping, dtype=np.float32),
        pots=int((kinds == POT).sum()),
        classic=dynamics == "classic",
    )


def _best(layout: Layout, dynamics: Dynamics) -> np.ndarray:
    """int32 [16]: the largest value among recipes that contain this one and can be cooked under the dynamics."""
    best = np.zeros(16, dtype=np.int32)
    for onions, tomatoes in ((0, 0), *RECIPES):
        for more, red in RECIPES:
            cookable = dynamics == "interact" or more + red == INGREDIENTS
            if cookable and more >= onions and red >= tomatoes:
                code = recipe(onions, tomatoes)
                best[code] = max(best[code], layout.value[recipe(more, red)])
    return best


def dispensed(layout: Layout) -> tuple[int, ...]:
    """The ingredients the kitchen has dispensers for."""
    kinds = layout.kinds
    return tuple(thing for thing, kind in ((ONION, ONIONS), (TOMATO, TOMATOES)) if (kinds == kind).any())
