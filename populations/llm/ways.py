"""Ways through the kitchen for macro-actions: shortest in actions, turns included, never through the partner; compiled.

A place is a cell and a facing, 4 · cell + facing. Directions are tried in an order that the episode's seed picks, so
that of equally short ways one is a habit of the episode.
"""

from typing import NamedTuple

import numpy as np

from crossplay.benchmark.games.overcooked.engine import INTERACT
from crossplay.populations.scripted.overcooked_paths import STEP, compiled

NEVER = 30_000  # price of what cannot be reached
ORDER, FIRST = 0, 1  # the episode's habits: order of directions 0 to 7, fixture looked at first


class Desk(NamedTuple):
    """Scratch memory for one episode at a time, int64."""

    cost: np.ndarray  # [places] price of being there
    first: np.ndarray  # [places] the first action on the way
    queue: np.ndarray  # [places]; a ring buffer
    queued: np.ndarray  # [places]
    price: np.ndarray  # [cells] of being ready to interact with a fixture, in quarters of an action
    route: np.ndarray  # [cells] the next action towards that
    habit: np.ndarray  # [2]
    sense: np.ndarray  # [predicates]


def desk(cells: int, predicates: int) -> Desk:
    """Fresh scratch memory for a kitchen of so many cells."""
    sizes = *[4 * cells] * 4, cells, cells, 2, predicates
    return Desk(*(np.zeros(size, dtype=np.int64) for size in sizes))


@compiled
def survey(k, here, facing, other, hand, bias, d):
    """Fills `price` and `route` of all fixtures for a cook in a cell and facing, with the other cook as an obstacle."""
    explore(k, here, facing, other, hand, bias, d)
    for f in k.fixtures:
        d.price[f], d.route[f] = NEVER, -1
        for turn in range(4):
            cell = k.access[f, turn]
            if cell >= 0 and d.cost[4 * cell + turn] < d.price[f]:
                d.price[f] = d.cost[4 * cell + turn]
                d.route[f] = d.first[4 * cell + turn]


@compiled
def explore(k, here, facing, other, hand, bias, d):
    """Cheapest ways to all places, by relaxing until nothing gets cheaper; moves against the hand cost `bias` more."""
    for cell in k.floor:
        for turn in range(4):
            d.cost[4 * cell + turn] = NEVER
    start, size = 4 * here + facing, len(d.queue)
    d.cost[start], d.first[start], d.queue[0] = 0, INTERACT, start
    head, waiting = 0, 1
    while waiting:
        place = d.queue[head]
        head, waiting = (head + 1) % size, waiting - 1
        d.queued[place] = 0
        for number in range(4):
            action = direction(d.habit[ORDER], number)
            ahead = k.front[place // 4, action]
            if ahead == other:
                continue
            near = 4 * (ahead if k.side[ahead] >= 0 else place // 4) + action
            cost = d.cost[place] + STEP + bias * (k.side[ahead] >= 0 and k.spin[place // 4, action] * hand < 0)
            if cost < d.cost[near]:
                d.cost[near] = cost
                d.first[near] = action if place == start else d.first[place]
                if not d.queued[near]:
                    d.queue[(head + waiting) % size] = near
                    d.queued[near], waiting = 1, waiting + 1


@compiled
def direction(order, number):
    """The directions in one of eight orders."""
    return (order // 2 + number * (1 if order % 2 else 3)) % 4
