"""The view for rule-based policies: int16 [11 + 4 · cells], own seat first. Cells are y * width + x.

    [OWN_CELL] [OWN_FACING] [OWN_HELD] [OWN_ONIONS] [OWN_TOMATOES]      the last two: inside a held soup
    [OTHER_CELL] … [OTHER_TOMATOES]                                     the same of the other seat
    [URGENCY]                                                           1 when fewer than 40 steps remain
    [CELLS + 4 · cell + OBJECT / ONIONS / TOMATOES / COOK]              what lies in each cell

Facing is 0 north, 1 south, 2 east, 3 west; an object 0 nothing, 1 onion, 2 tomato, 3 dish, 4 soup. A pot with
anything in it holds a soup. COOK is -1 where nothing cooks (idle pots included), else the ticks cooked so far;
it equals the recipe's cooking time exactly when the soup is ready, wherever it lies.
"""

from collections.abc import Callable

import numba
import numpy as np

from crossplay.benchmark.games.overcooked.engine import helper, kernel
from crossplay.benchmark.games.overcooked.layouts import Layout
from crossplay.benchmark.games.overcooked.tables import SOUP, Tables

OWN_CELL, OWN_FACING, OWN_HELD, OWN_ONIONS, OWN_TOMATOES = range(5)
OTHER_CELL, OTHER_FACING, OTHER_HELD, OTHER_ONIONS, OTHER_TOMATOES = range(5, 10)
URGENCY, CELLS = 10, 11
OBJECT, ONIONS, TOMATOES, COOK = range(4)
HURRY = 40  # urgency: fewer than this many steps remain


def shape(layout: Layout, tables: Tables) -> tuple[int, ...]:
    """Of one seat's features."""
    return (CELLS + 4 * len(tables.kind),)


def prepare(layout: Layout, tables: Tables, horizon: int, episodes: int) -> tuple[np.ndarray, Callable[..., None]]:
    """The buffer int16 [episodes, 2, features], and the function that fills it from a state's arrays."""
    out = np.zeros((episodes, 2, *shape(layout, tables)), dtype=np.int16)
    out[:, :, CELLS + COOK :: 4] = -1

    def fill(cooks, items, cook, clock):
        write(tables, cooks, items, cook, clock, horizon, out)

    return out, fill


@kernel
def write(tables, cooks, items, cook, clock, horizon, out):
    """Writes every episode's symbols for both seats."""
    for e in numba.prange(len(clock)):
        for seat in range(2):
            out[e, seat, URGENCY] = horizon - clock[e] < HURRY
            heads(cooks, out, np.uint64(e), seat)
            cells(tables, items, cook, out, np.uint64(e), seat)


@helper
def heads(cooks, out, e, seat):
    """Both cooks, own first."""
    for whose in range(2):
        c, base = (seat + whose) % 2, 5 * whose
        held = cooks[e, c, 2]
        out[e, seat, base] = cooks[e, c, 0]
        out[e, seat, base + 1] = cooks[e, c, 1]
        out[e, seat, base + 2] = min(held, 4)
        out[e, seat, base + 3] = held & 3 if held >= SOUP else 0
        out[e, seat, base + 4] = (held >> 2) & 3 if held >= SOUP else 0


@helper
def cells(tables, items, cook, out, e, seat):
    """What lies in each slot; other cells never hold anything."""
    for s in range(len(tables.cell)):
        item, base = items[e, s], CELLS + 4 * tables.cell[s]
        soup = item >= SOUP
        timer = cook[e, s] if s < tables.pots else tables.time[item & 15]
        out[e, seat, base] = min(item, 4)
        out[e, seat, base + 1] = item & 3 if soup else 0
        out[e, seat, base + 2] = (item >> 2) & 3 if soup else 0
        out[e, seat, base + 3] = timer if soup else -1
