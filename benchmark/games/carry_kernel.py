"""carry's rules, compiled. An episode is seven small integers: place0, carry0, place1, carry1, item0, item1, closed.

Places are cells, row · 5 + column; an item in somebody's hands is at TAKEN. `closed` counts the coming steps in which
nothing can be delivered.
"""

from pathlib import Path

import numba
import numpy as np

from crossplay.benchmark.compiled import kernels
from crossplay.benchmark.luck import uniform

kernel = kernels(Path(__file__))

SIZE = 5
CELLS = SIZE * SIZE
GOAL = (2, 2)
GOAL_CELL = GOAL[0] * SIZE + GOAL[1]
TAKEN = -1
ACTIONS = ("up", "down", "left", "right", "stay")
STAY = 4
EVENTS = ("pickup", "delivery", "move", "idle")
CLOSING = (6, 2)  # steps from a delivery to the next that can count: plain, heavy
ITEM_0, ITEM_1, CLOSED = 4, 5, 6  # columns of an episode's integers
EGO, NUMBERS = 13, 11  # how many features a seat has in each view
FIRST, PLACE, SEAT, ITEM = 0, 1, 2, 4  # streams of luck: whose turn is first, where an item comes back, starts (2 each)

_CHANGES = ((-1, 0), (1, 0), (0, -1), (0, 1), (0, 0))
NEXT = np.array(  # int8 [cells, actions]: where one gets to; walls keep one's cell
    [
        [min(max(r + y, 0), SIZE - 1) * SIZE + min(max(c + x, 0), SIZE - 1) for y, x in _CHANGES]
        for r in range(SIZE)
        for c in range(SIZE)
    ],
    dtype=np.int8,
)
NEAR = np.array(  # bool [cells]: within one cell of the goal, diagonals and the goal itself included
    [max(abs(r - GOAL[0]), abs(c - GOAL[1])) <= 1 for r in range(SIZE) for c in range(SIZE)]
)


@numba.njit(cache=True)
def _free(luck: float, a: int, b: int, other: int) -> int:
    """The cell that luck in [0, 1) picks among all but the goal and three others (`other` may be TAKEN)."""
    full = (1 << GOAL_CELL) | (1 << a) | (1 << b)
    if other != TAKEN:
        full |= 1 << other
    free = 0
    for cell in range(CELLS):
        free += 1 - ((full >> cell) & 1)
    skip = int(luck * free)
    cell = 0
    while skip > 0 or (full >> cell) & 1:
        skip -= 1 - ((full >> cell) & 1)
        cell += 1
    return cell


@kernel
def deal(seeds: np.ndarray, cells: np.ndarray) -> None:
    """Writes fresh episodes into cells int8 [episodes, 7]: seats anywhere, items on free cells, the goal open."""
    for e in numba.prange(len(seeds)):
        a = int(uniform(seeds[e], 0, SEAT) * CELLS)
        b = int(uniform(seeds[e], 0, SEAT + 1) * CELLS)
        item = _free(uniform(seeds[e], 0, ITEM), a, b, TAKEN)
        cells[e, 0], cells[e, 2] = a, b
        cells[e, 1] = cells[e, 3] = cells[e, CLOSED] = 0
        cells[e, ITEM_0] = item
        cells[e, ITEM_1] = _free(uniform(seeds[e], 0, ITEM + 1), a, b, item)


@numba.njit(cache=True)
def _move(cells: np.ndarray, events: np.ndarray, e: int, seat: int, action: int) -> int:
    """One seat's move in episode e, its events begun anew; 1 if there is no such action (it stays), else 0."""
    known = 0 <= action <= STAY
    action = action if known else STAY
    cells[e, 2 * seat] = NEXT[cells[e, 2 * seat], action]
    events[e, seat, 0] = events[e, seat, 1] = 0
    events[e, seat, 2], events[e, seat, 3] = action != STAY, action == STAY
    return int(not known)


@numba.njit(cache=True)
def _hands(cells: np.ndarray, events: np.ndarray, e: int, seat: int, is_open: bool, heavy: bool) -> int:
    """One seat's hands in episode e, after both have moved; 1 if it delivers, else 0."""
    place = cells[e, 2 * seat]
    if cells[e, 2 * seat + 1]:
        delivers = is_open and place == GOAL_CELL and (not heavy or NEAR[cells[e, 2 - 2 * seat]])
        if delivers:
            cells[e, 2 * seat + 1] = 0
            events[e, seat, 1] = 1
        return int(delivers)
    for item in range(ITEM_0, ITEM_1 + 1):
        if cells[e, item] == place:
            cells[e, item], cells[e, 2 * seat + 1] = TAKEN, 1
            events[e, seat, 0] = 1
    return 0


@kernel
def advance(
    seeds: np.ndarray,
    time: int,
    actions: np.ndarray,
    cells: np.ndarray,
    heavy: bool,
    closing: int,
    effort: float,
    pickup: float,
    rewards: np.ndarray,
    shaping: np.ndarray,
    costs: np.ndarray,
    events: np.ndarray,
) -> int:
    """One step of every episode, in place.

    seeds uint64 [episodes], actions int64 [episodes, 2], cells int8 [episodes, 7]; writes rewards, shaping and costs
    float64 [episodes, 2], events int8 [episodes, 2, 4]. Returns how many actions were outside 0..4 (those seats stay).
    """
    wrong = 0
    for e in numba.prange(len(seeds)):
        for seat in range(2):
            wrong += _move(cells, events, e, seat, actions[e, seat])
        first = int(uniform(seeds[e], time, FIRST) >= 0.5)
        is_open = cells[e, CLOSED] == 0
        paid = _hands(cells, events, e, first, is_open, heavy)
        paid += _hands(cells, events, e, 1 - first, is_open and not paid, heavy)
        if paid:
            item, other = (ITEM_0, ITEM_1) if cells[e, ITEM_0] == TAKEN else (ITEM_1, ITEM_0)
            luck = uniform(seeds[e], time, PLACE)
            cells[e, item] = _free(luck, int(cells[e, 0]), int(cells[e, 2]), int(cells[e, other]))
            cells[e, CLOSED] = closing - 1
        elif not is_open:
            cells[e, CLOSED] -= 1
        for seat in range(2):
            costs[e, seat] = effort * events[e, seat, 2]
            rewards[e, seat] = paid - costs[e, seat]
            shaping[e, seat] = pickup * events[e, seat, 0]
    return wrong


@numba.njit(cache=True)
def _away(place: int, item: int) -> int:
    """A number that grows with the steps from a place to an item; ties by cell, a taken one last."""
    steps = abs(item // SIZE - place // SIZE) + abs(item % SIZE - place % SIZE)
    return steps * CELLS + item if item != TAKEN else CELLS * CELLS


@kernel
def look_ego(cells: np.ndarray, closing: int, features: np.ndarray) -> None:
    """cells int8 [episodes, 7] → float32 [episodes, 2, 13]; items the nearest first, as ways from oneself."""
    for e in numba.prange(len(cells)):
        a, b = int(cells[e, ITEM_0]), int(cells[e, ITEM_1])
        for seat in range(2):
            place = int(cells[e, 2 * seat])
            swap = _away(place, b) < _away(place, a)
            for k in range(2):  # own part, the partner's; the nearer item, the farther
                who = 2 * (seat if k == 0 else 1 - seat)
                features[e, seat, 3 * k] = cells[e, who] // SIZE / (SIZE - 1)
                features[e, seat, 3 * k + 1] = cells[e, who] % SIZE / (SIZE - 1)
                features[e, seat, 3 * k + 2] = cells[e, who + 1]
                item = b if swap == (k == 0) else a
                there = item != TAKEN
                features[e, seat, 6 + 3 * k] = (item // SIZE - place // SIZE) / (SIZE - 1) if there else 0.0
                features[e, seat, 7 + 3 * k] = (item % SIZE - place % SIZE) / (SIZE - 1) if there else 0.0
                features[e, seat, 8 + 3 * k] = there
            features[e, seat, 12] = cells[e, CLOSED] / (closing - 1)


@kernel
def look_numbers(cells: np.ndarray, features: np.ndarray) -> None:
    """cells int8 [episodes, 7] → float32 [episodes, 2, 11], whole numbers; rows and columns of a taken item are −1."""
    for e in numba.prange(len(cells)):
        for seat in range(2):
            for k in range(2):  # own part, the partner's; the first item, the second
                who = 2 * (seat if k == 0 else 1 - seat)
                features[e, seat, 3 * k] = cells[e, who] // SIZE
                features[e, seat, 3 * k + 1] = cells[e, who] % SIZE
                features[e, seat, 3 * k + 2] = cells[e, who + 1]
                place = cells[e, ITEM_0 + k]
                features[e, seat, 6 + 2 * k] = place // SIZE if place != TAKEN else TAKEN
                features[e, seat, 7 + 2 * k] = place % SIZE if place != TAKEN else TAKEN
            features[e, seat, 10] = cells[e, CLOSED]
