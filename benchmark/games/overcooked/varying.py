"""The lossless planes less all that is constant in this kitchen, flattened: uint8, own seat first [Carroll2019].

Floor cells in reach keep the planes of cooks and of what they hold, counters in reach what may lie on them, pots what
is in them; in row-major order of cells, then of planes. The last entry is urgency. Unlike in the compact view, what a
cook holds is told at its cell, so that a first layer already knows who carries what where.
"""

from collections.abc import Callable

import numpy as np

from crossplay.benchmark.games.overcooked import lossless
from crossplay.benchmark.games.overcooked.layouts import COUNTER, FLOOR, POT, Layout
from crossplay.benchmark.games.overcooked.tables import ONION, TOMATO, Tables, dispensed

_SOUP = (18, 19, 21)  # onions, tomatoes, done
_PLANES = {
    FLOOR: (*range(10), *_SOUP, 22, 23, 24),
    COUNTER: (*_SOUP, 22, 23, 24),
    POT: (16, 17, 18, 19, 20, 21),
}
_OF = {ONION: (16, 18, 23), TOMATO: (17, 19, 24)}  # planes that tell of an ingredient


def kept(layout: Layout, tables: Tables) -> np.ndarray:
    """Which planes of which cells can vary, bool [cells, 26] (urgency, which is everywhere, left out)."""
    found = np.zeros((len(tables.kind), lossless.PLANES), dtype=bool)
    for cell in (*tables.floor, *tables.cell):
        found[cell, list(_PLANES[tables.kind[cell]])] = True
    if not layout.start_state:
        for thing in _OF.keys() - set(dispensed(layout)):
            found[:, list(_OF[thing])] = False
    return found


def shape(layout: Layout, tables: Tables) -> tuple[int, ...]:
    """Of one seat's features."""
    return (int(kept(layout, tables).sum()) + 1,)


def prepare(layout: Layout, tables: Tables, horizon: int, episodes: int) -> tuple[np.ndarray, Callable[..., None]]:
    """The buffer uint8 [episodes, 2, features], and the function that fills it from a state's arrays."""
    seen = kept(layout, tables)
    size = int(seen.sum()) + 1
    place = np.full(seen.shape, size)
    place[seen] = range(size - 1)
    template = np.zeros((2, size), dtype=np.uint8)
    template[1, -1] = 1
    return lossless.filler(tables, horizon, episodes, template, place)
