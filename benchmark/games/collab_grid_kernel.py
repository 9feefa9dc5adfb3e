"""collab-grid's rules, compiled. An episode is eight small integers: r0, c0, carry0, r1, c1, carry1, onion0, onion1."""

from pathlib import Path

import numba
import numpy as np

from crossplay.benchmark.compiled import kernels
from crossplay.benchmark.luck import uniform

kernel = kernels(Path(__file__))

SIZE = 5
POT = (2, 2)
ONIONS = ((3, 4), (4, 3))
STARTS = ((1, 0), (0, 1))
ACTIONS = ("up", "down", "left", "right", "stay")
EVENTS = ("onion_pickup", "delivery", "move", "blocked", "collision")
MOVE_COST, COLLISION_COST, PICKUP, DELIVERY, RESPAWN = 0.2, 2.0, 1.0, 10.0, 0.2
ORDER, ONION_0, ONION_1, START = 0, 1, 2, 3  # streams of luck: who moves first, each onion's respawn, who starts where


@kernel
def deal(seeds: np.ndarray, cells: np.ndarray) -> None:
    """Writes fresh episodes into cells int8 [episodes, 8]; which seat gets which start is even luck."""
    for e in numba.prange(len(seeds)):
        first = 0 if uniform(seeds[e], 0, START) < 0.5 else 1
        cells[e, 0], cells[e, 1] = STARTS[first]
        cells[e, 3], cells[e, 4] = STARTS[1 - first]
        cells[e, 2] = cells[e, 5] = 0
        cells[e, 6] = cells[e, 7] = 1


@numba.njit(forceinline=True, cache=True)
def _turn(me: tuple, other: tuple, onions: tuple, action: int) -> tuple:
    """One seat's turn, without branches: me and other are (row, column, carrying), onions (there, there).

    Returns me, onions and what happened: (onion_pickup, delivery, move, blocked, collision), all zeros and ones.
    """
    r, c, carrying = me
    row = min(max(r + (action == 1) - (action == 0), 0), SIZE - 1)
    column = min(max(c + (action == 3) - (action == 2), 0), SIZE - 1)
    pot = (row == POT[0]) & (column == POT[1])
    collision = (row == other[0]) & (column == other[1])
    free = 1 - (pot | collision)
    delivery = pot & carrying
    move = free & ((row != r) | (column != c))
    blocked = (action != 4) & (1 - (move | delivery | collision))
    row, column = r + free * (row - r), c + free * (column - c)
    able = free & (1 - carrying)
    take_0 = able & onions[0] & (row == ONIONS[0][0]) & (column == ONIONS[0][1])
    take_1 = able & onions[1] & (row == ONIONS[1][0]) & (column == ONIONS[1][1])
    taken = take_0 | take_1
    me = (row, column, (carrying | taken) - delivery)
    return me, (onions[0] - take_0, onions[1] - take_1), (taken, delivery, move, blocked, int(collision))


@kernel
def advance(
    seeds: np.ndarray,
    time: int,
    actions: np.ndarray,
    cells: np.ndarray,
    rewards: np.ndarray,
    costs: np.ndarray,
    events: np.ndarray,
) -> int:
    """One step of every episode, in place.

    seeds uint64 [episodes], actions int64 [episodes, 2], cells int8 [episodes, 8]; writes rewards and costs float64
    [episodes, 2], events int8 [episodes, 2, 5]. Returns how many actions were outside 0..4 (those seats stay).
    """
    wrong = 0
    for e in numba.prange(len(seeds)):
        first = int(uniform(seeds[e], time, ORDER) >= 0.5)
        i, j = 3 * first, 3 - 3 * first
        a = int(cells[e, i]), int(cells[e, i + 1]), int(cells[e, i + 2])
        b = int(cells[e, j]), int(cells[e, j + 1]), int(cells[e, j + 2])
        onions = int(cells[e, 6]), int(cells[e, 7])
        a, onions, did_a = _turn(a, b, onions, actions[e, first])
        b, onions, did_b = _turn(b, a, onions, actions[e, 1 - first])
        for k in range(3):
            cells[e, i + k], cells[e, j + k] = a[k], b[k]
        for k in range(5):
            events[e, first, k], events[e, 1 - first, k] = did_a[k], did_b[k]
        cells[e, 6] = onions[0] | (onions[0] == 0 and uniform(seeds[e], time, ONION_0) < RESPAWN)
        cells[e, 7] = onions[1] | (onions[1] == 0 and uniform(seeds[e], time, ONION_1) < RESPAWN)
        shared = PICKUP * (did_a[0] + did_b[0]) + DELIVERY * (did_a[1] + did_b[1])
        for seat in range(2):
            action = actions[e, seat]
            wrong += action < 0 or action > 4
            costs[e, seat] = MOVE_COST * (action != 4) + COLLISION_COST * events[e, seat, 4]
            rewards[e, seat] = shared - costs[e, seat]
    return wrong


@kernel
def look(cells: np.ndarray, ego: bool, features: np.ndarray) -> None:
    """cells int8 [episodes, 8] → features float32 [episodes, 2, 8]; `ego` puts each seat's own triple first."""
    for e in numba.prange(len(cells)):
        for k in range(3):
            features[e, 0, k] = cells[e, k]
            features[e, 0, 3 + k] = cells[e, 3 + k]
            features[e, 1, k] = cells[e, 3 + k] if ego else cells[e, k]
            features[e, 1, 3 + k] = cells[e, k] if ego else cells[e, 3 + k]
        for k in range(6, 8):
            features[e, 0, k] = features[e, 1, k] = cells[e, k]
