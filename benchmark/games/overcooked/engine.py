"""The rules, compiled: one step of every episode, in parallel over episodes [Carroll2019].

Order inside a step: interacts resolve, seat 0 then seat 1, on old positions; then moves; then pots cook.
What counts as useful is judged by the pots as they were before the step, and by hands as they are now.
"""

from pathlib import Path

import numba
import numpy as np

from crossplay.benchmark.compiled import kernels
from crossplay.benchmark.games.overcooked import events as ev
from crossplay.benchmark.games.overcooked.layouts import (
    COUNTER,
    DISHES,
    FLOOR,
    INGREDIENTS,
    ONIONS,
    POT,
    SERVING,
    TOMATOES,
)
from crossplay.benchmark.games.overcooked.tables import DISH, ONION, SOUP, TOMATO

CELL, FACING, HELD = range(3)  # columns of `cooks`
STAY, INTERACT = 4, 5
_PICKUP, _DROP, _POTTING = np.array((0, *ev.PICKUP)), np.array((0, *ev.DROP)), np.array((0, *ev.POTTING))
# Helpers are inlined into the kernel, and neither own nor allocate memory: without `_nrt=False` each call would count
# references to every array it is handed, which costs twenty times what it does.
helper = numba.njit(forceinline=True, _nrt=False)  # type: ignore[call-overload]
kernel = kernels(Path(__file__).parent)


@kernel
def advance(tables, cooks, items, cook, clock, actions, rewards, shaping, counts):
    """One step, in place: `State`, then rewards and shaping float32 [episodes, 2], counts uint8 [episodes, 64].

    The loop only calls: numba's array analysis of named tuples inside a parallel loop has been seen to drop loops.
    """
    for e in numba.prange(len(clock)):
        one(tables, cooks, items, cook, clock, actions, rewards, shaping, counts, np.uint64(e))


@helper
def one(tables, cooks, items, cook, clock, actions, rewards, shaping, counts, e):
    """One step of one episode."""
    for k in range(64):  # counts.shape[1], as a constant
        counts[e, k] = 0
    for seat in range(2):
        rewards[e, seat] = 0
        shaping[e, seat] = 0
    if actions[e, 0] == INTERACT or actions[e, 1] == INTERACT:
        full, useful = survey(tables, items, cook, e)
        for seat in range(2):
            if actions[e, seat] == INTERACT:
                interact(tables, cooks, items, cook, rewards, shaping, counts, e, seat, full, useful)
    move(tables, cooks, actions, counts, e)
    tick(tables, items, cook, e)
    clock[e] += 1


@helper
def survey(tables, items, cook, e):
    """Whether all pots are full, whether none is, and how many soups are started, ready or partly filled."""
    full, useful = 0, 0
    for p in range(tables.pots):
        held = items[e, p]
        cooking = cook[e, p] >= 0
        whole = tables.size[held & 15] == INGREDIENTS
        full += cooking or whole
        useful += cooking or (held != 0 and not whole)
    return full, useful


@helper
def interact(tables, cooks, items, cook, rewards, shaping, counts, e, seat, full, useful):
    """Seat's interact with what it faces."""
    held = cooks[e, seat, HELD]
    front = tables.front[cooks[e, seat, CELL], cooks[e, seat, FACING]]
    kind = tables.kind[front]
    if kind == COUNTER:
        there = items[e, tables.slot[front]]
        if (held == 0) != (there == 0):
            at_counter(tables, cooks, items, counts, e, seat, full, useful, tables.slot[front])
            return
    elif kind == POT:
        if at_pot(tables, cooks, items, cook, shaping, counts, e, seat, tables.slot[front]):
            return
    elif kind == SERVING:
        if held >= SOUP:
            rewards[e, 0] += tables.value[held & 15]
            rewards[e, 1] += tables.value[held & 15]
            cooks[e, seat, HELD] = 0
            counts[e, 32 * seat + ev.DELIVERY] += 1
            return
    elif kind != FLOOR and held == 0:
        thing = ONION if kind == ONIONS else TOMATO if kind == TOMATOES else DISH
        if count_pickup(tables, cooks, items, counts, e, seat, full, useful, thing) and kind == DISHES:
            shaping[e, seat] += tables.shaping[1]
        cooks[e, seat, HELD] = thing
        return
    counts[e, 32 * seat + ev.WASTED] += 1


@helper
def at_counter(tables, cooks, items, counts, e, seat, full, useful, slot):
    """Puts down what is held, or picks up what lies there."""
    held = cooks[e, seat, HELD]
    if held == 0:
        count_pickup(tables, cooks, items, counts, e, seat, full, useful, items[e, slot])
        cooks[e, seat, HELD] = items[e, slot]
        items[e, slot] = 0
        return
    counts[e, 32 * seat + _DROP[min(held, 4)]] += 1
    other = cooks[e, 1 - seat, HELD]
    if held == DISH:
        counts[e, 32 * seat + _DROP[held] + 1] += full == 0 and other != ONION
    elif held < DISH:
        counts[e, 32 * seat + _DROP[held] + 1] += full == tables.pots and other != DISH
    items[e, slot] = held
    cooks[e, seat, HELD] = 0


@helper
def count_pickup(tables, cooks, items, counts, e, seat, full, useful, thing):
    """Counts a pickup, before it is done; whether it is useful."""
    counts[e, 32 * seat + _PICKUP[min(thing, 4)]] += 1
    if thing >= SOUP:
        return False
    other = cooks[e, 1 - seat, HELD]
    if thing == DISH:
        good = (other == DISH) < useful
        for slot in range(tables.pots, len(tables.cell)):
            good = good and items[e, slot] != DISH
    else:
        good = full < tables.pots or other == DISH
    counts[e, 32 * seat + _PICKUP[thing] + 1] += good
    return good


@helper
def at_pot(tables, cooks, items, cook, shaping, counts, e, seat, pot):
    """Starts an idle pot, adds an ingredient or takes the soup out; whether anything happened."""
    held, inside = cooks[e, seat, HELD], items[e, pot]
    if held == 0 and not tables.classic and inside != 0 and cook[e, pot] < 0:
        cook[e, pot] = 0
        counts[e, 32 * seat + ev.START] += 1
        return True
    if held == DISH and inside != 0 and cook[e, pot] >= tables.time[inside & 15]:
        cooks[e, seat, HELD] = inside
        items[e, pot] = 0
        cook[e, pot] = -1
        shaping[e, seat] += tables.shaping[2]
        counts[e, 32 * seat + _PICKUP[4]] += 1
        return True
    if 0 < held <= TOMATO and cook[e, pot] < 0 and tables.size[inside & 15] < INGREDIENTS:
        items[e, pot] = SOUP | (inside + (1 if held == ONION else 4))
        cooks[e, seat, HELD] = 0
        shaping[e, seat] += tables.shaping[0]
        count_potting(tables, counts, e, seat, held, inside & 15, items[e, pot] & 15)
        if tables.classic and tables.size[items[e, pot] & 15] == INGREDIENTS:
            cook[e, pot] = 0
            counts[e, 32 * seat + ev.START] += 1
        return True
    return False


@helper
def count_potting(tables, counts, e, seat, thing, old, new):
    """Counts an ingredient put into a pot, and what it did to the best soup the pot can become."""
    before, after = tables.best[old], tables.best[new]
    counts[e, 32 * seat + _POTTING[thing]] += 1
    first = 32 * seat + ev.OPTIMAL + thing - ONION
    counts[e, first] += before == after
    counts[e, first + 2] += after > 0
    counts[e, first + 4] += before > 0 and after == 0
    counts[e, first + 6] += before == 0


@helper
def move(tables, cooks, actions, counts, e):
    """Turns always happen; entering needs free floor; a shared cell or a swap sends both back."""
    old0, old1 = cooks[e, 0, CELL], cooks[e, 1, CELL]
    new0 = walk(tables, cooks, actions, counts, e, 0)
    new1 = walk(tables, cooks, actions, counts, e, 1)
    clash = new0 == new1 or (new0 == old1 and new1 == old0)
    counts[e, ev.BLOCKED] += clash and new0 != old0
    counts[e, 32 + ev.BLOCKED] += clash and new1 != old1
    cooks[e, 0, CELL] = old0 if clash else new0
    cooks[e, 1, CELL] = old1 if clash else new1


@helper
def walk(tables, cooks, actions, counts, e, seat):
    """Turns one cook; the cell it wants to be in. Without branches: random play would mispredict them."""
    cell, facing, action = cooks[e, seat, CELL], cooks[e, seat, FACING], actions[e, seat]
    goes = action < STAY
    turned = np.uint8(action) if goes else facing
    front = tables.front[cell, turned]
    free = goes and tables.kind[front] == FLOOR
    counts[e, 32 * seat + ev.IDLE] += action == STAY
    counts[e, 32 * seat + ev.WASTED] += goes and not free and facing == turned
    cooks[e, seat, FACING] = turned
    return front if free else cell


@helper
def tick(tables, items, cook, e):
    """Pots on the fire cook one tick; under classic rules a full one is always on the fire."""
    for p in range(tables.pots):
        code, ticks = items[e, p] & 15, cook[e, p]
        lit = ticks >= 0 or (tables.classic and tables.size[code] == INGREDIENTS)
        ticks = max(ticks, 0) if lit else ticks
        cook[e, p] = ticks + (lit and ticks < tables.time[code])
