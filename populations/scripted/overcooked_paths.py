"""Where an Overcooked rule partner can get to from where it stands, and at what price, compiled.

One action costs STEP. Entering the partner's cell costs extra: little while the partner is on the move, a lot
when it stands still or a detour was decided on. Moves against the preferred way round cost `bias` more.
"""

from typing import NamedTuple

import numba
import numpy as np

from crossplay.benchmark.games.overcooked.engine import INTERACT
from crossplay.benchmark.games.overcooked.symbols import OTHER_CELL, OWN_CELL, OWN_FACING

STEP = 4
NEVER = 30_000  # price of what cannot be reached
PASSING, STANDING = 3 * STEP, 100 * STEP  # extra for entering the partner's cell
# Parts of what overcooked_kernel compiles and caches; without the wrappers for calls from Python, which cost seconds.
compiled = numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)  # type: ignore[call-overload]


class Desk(NamedTuple):
    """Scratch memory for one episode at a time, int64."""

    cost: np.ndarray  # [cells] price of standing in a floor cell
    first: np.ndarray  # [cells] the first action on the way there
    last: np.ndarray  # [cells] the facing on arrival
    queue: np.ndarray  # [cells]; a ring buffer
    queued: np.ndarray  # [cells]
    price: np.ndarray  # [cells] of being ready to interact with a fixture; NEVER where impossible
    route: np.ndarray  # [cells] the next action towards that
    tally: np.ndarray  # [24] what `overcooked_count.count` found


def desk(cells: int) -> Desk:
    """Fresh scratch memory for a kitchen of so many cells."""
    return Desk(*(np.zeros(size, dtype=np.int64) for size in (*[cells] * 7, 24)))


@compiled
def survey(k, x, hand, bias, hard, d):
    """Fills `price` and `route` of all fixtures for symbols x [features]; `hard`: never through the partner."""
    explore(k, x, hand, bias, STANDING if hard else PASSING, d)
    for f in k.fixtures:
        d.price[f], d.route[f] = NEVER, -1
        for facing in range(4):
            cell = k.access[f, facing]
            if cell < 0 or d.cost[cell] >= NEVER:
                continue
            turn = d.last[cell] != facing
            if d.cost[cell] + STEP * turn < d.price[f]:
                d.price[f] = d.cost[cell] + STEP * turn
                d.route[f] = d.first[cell] if cell != x[OWN_CELL] else facing if turn else INTERACT


@compiled
def explore(k, x, hand, bias, through, d):
    """Cheapest ways from the own cell to all floor cells, by relaxing until nothing gets cheaper."""
    for cell in k.floor:
        d.cost[cell] = NEVER
    here, size = x[OWN_CELL], len(d.queue)
    d.cost[here], d.first[here], d.last[here], d.queue[0] = 0, -1, x[OWN_FACING], here
    head, waiting = 0, 1
    while waiting:
        cell = d.queue[head]
        head, waiting = (head + 1) % size, waiting - 1
        d.queued[cell] = 0
        for turn in range(4):
            action = turn if hand >= 0 else 3 - turn
            near = k.front[cell, action]
            cost = d.cost[cell] + STEP + through * (near == x[OTHER_CELL]) + bias * (k.spin[cell, action] * hand < 0)
            if k.side[near] >= 0 and cost < d.cost[near]:
                d.cost[near], d.last[near] = cost, action
                d.first[near] = action if cell == here else d.first[cell]
                if not d.queued[near]:
                    d.queue[(head + waiting) % size] = near
                    d.queued[near], waiting = 1, waiting + 1


@compiled
def aside(k, x, luck):
    """A move into a free neighbouring cell, chosen by luck in [0, 1), away from the partner; -1 where there is none."""
    free = 0
    for action in range(4):
        near = k.front[x[OWN_CELL], action]
        free += k.side[near] >= 0 and near != x[OTHER_CELL]
    wanted = int(luck * free)
    for action in range(4):
        near = k.front[x[OWN_CELL], action]
        if k.side[near] >= 0 and near != x[OTHER_CELL]:
            if wanted == 0:
                return action
            wanted -= 1
    return -1
