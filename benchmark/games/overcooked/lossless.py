"""The reference's 26 planes, uint8 [width, height, 26], for both seats at once [Carroll2019].

0 self, 1 other, 2-5 own facing N S E W, 6-9 the other's, 10 pots, 11 counters, 12 onion, 13 tomato, 14 dish
dispensers, 15 serving, 16/17 onions/tomatoes in idle pots, 18/19 in any other soup, 20 cooking time left, 21 soup
done, 22 dishes, 23 onions, 24 tomatoes, 25 urgency (all ones when fewer than 40 steps remain).
"""

from collections.abc import Callable

import numba
import numpy as np

from crossplay.benchmark.games.overcooked.engine import helper, kernel
from crossplay.benchmark.games.overcooked.layouts import (
    COUNTER,
    DISHES,
    ONIONS,
    POT,
    SERVING,
    TOMATOES,
    Layout,
)
from crossplay.benchmark.games.overcooked.symbols import HURRY
from crossplay.benchmark.games.overcooked.tables import DISH, SOUP, Tables

PLANES = 26
_TERRAIN = {10: POT, 11: COUNTER, 12: ONIONS, 13: TOMATOES, 14: DISHES, 15: SERVING}


def shape(layout: Layout, tables: Tables) -> tuple[int, ...]:
    """Of one seat's features."""
    return (layout.width, layout.height, PLANES)


def prepare(layout: Layout, tables: Tables, horizon: int, episodes: int) -> tuple[np.ndarray, Callable[..., None]]:
    """The buffer uint8 [episodes, 2, width, height, 26], and the function that fills it from a state's arrays."""
    cells = np.arange(len(tables.kind))
    first = ((cells % layout.width) * layout.height + cells // layout.width) * PLANES
    features, fill = filler(tables, horizon, episodes, _template(layout, tables), first[:, None] + np.arange(PLANES))
    return features.reshape(episodes, 2, *shape(layout, tables)), fill


def filler(
    tables: Tables, horizon: int, episodes: int, template: np.ndarray, place: np.ndarray
) -> tuple[np.ndarray, Callable[..., None]]:
    """The buffer uint8 [episodes, 2, n] and its filling: `template` [2, n] holds what is constant, without and with
    urgency; `place` [cells, 26] where each plane of a cell goes, at n or beyond for what is not to be seen."""
    size = template.shape[1]
    padded = -(-(2 * size + 1) // 8) * 8  # rows of whole uint64 words, and somewhere for the unseen
    out, plates = np.zeros((episodes, padded), dtype=np.uint8), np.zeros((2, padded), dtype=np.uint8)
    plates[:, : 2 * size] = np.tile(template, 2)
    both = np.stack([np.where(place < size, place + seat * size, 2 * size) for seat in range(2)]).astype(np.uint16)
    features = np.lib.stride_tricks.as_strided(out, (episodes, 2, size), (padded, size, 1))

    def fill(cooks, items, cook, clock):
        write(tables, cooks, items, cook, clock, horizon, plates.view(np.uint64), both, out)

    return features, fill


def _template(layout: Layout, tables: Tables) -> np.ndarray:
    """The planes that do not change, uint8 [2, width · height · 26]: without and with urgency."""
    planes = np.zeros((2, layout.width, layout.height, PLANES), dtype=np.uint8)
    kinds = tables.kind.reshape(layout.height, layout.width).T
    for plane, kind in _TERRAIN.items():
        planes[..., plane] = kinds == kind
    planes[1, ..., 25] = 1
    return planes.reshape(2, -1)


@kernel
def write(tables, cooks, items, cook, clock, horizon, plates, place, out):
    """Writes every episode's planes for both seats; `out` is uint8 [episodes, bytes], rows of whole words."""
    for e in numba.prange(len(clock)):
        one(tables, cooks, items, cook, clock, horizon, plates, place, out, np.uint64(e))


@helper
def one(tables, cooks, items, cook, clock, horizon, plates, place, out, e):
    """Copies the constant planes as words, then writes the few cells that vary."""
    urgent = 1 if horizon - clock[e] < HURRY else 0
    words = out[e].view(np.uint64)  # made here: compiled code takes it that no two arguments share memory
    for k in range(len(words)):
        words[k] = plates[urgent, k]
    for c in range(2):
        cell, facing = cooks[e, c, 0], cooks[e, c, 1]
        out[e, place[c, cell, 0]] = 1
        out[e, place[c, cell, 2 + facing]] = 1
        out[e, place[1 - c, cell, 1]] = 1
        out[e, place[1 - c, cell, 6 + facing]] = 1
        if cooks[e, c, 2] != 0:
            thing(out, e, place, cell, cooks[e, c, 2])
    for p in range(tables.pots):
        if items[e, p] != 0:
            pot(out, e, place, tables.cell[p], items[e, p] & 15, cook[e, p], tables.time)
    for s in range(tables.pots, len(tables.cell)):
        if items[e, s] != 0:
            thing(out, e, place, tables.cell[s], items[e, s])


@helper
def thing(out, e, place, cell, what):
    """A thing on a counter or in a hand, for both seats."""
    for seat in range(2):
        if what >= SOUP:
            out[e, place[seat, cell, 18]] = what & 3
            out[e, place[seat, cell, 19]] = (what >> 2) & 3
            out[e, place[seat, cell, 21]] = 1
        else:
            out[e, place[seat, cell, 22 if what == DISH else 22 + what]] = 1


@helper
def pot(out, e, place, cell, code, cook, time):
    """A pot that holds something, for both seats."""
    shift = 16 if cook < 0 else 18
    for seat in range(2):
        out[e, place[seat, cell, shift]] = code & 3
        out[e, place[seat, cell, shift + 1]] = code >> 2
        if cook >= 0:
            out[e, place[seat, cell, 20]] = time[code] - cook
            out[e, place[seat, cell, 21]] = cook >= time[code]
