"""collab-grid cut to a corridor: an onion at one end, a pot at the other, few enough states to write down (ours).

The rules are those of the collaborative gridworld of [Qu2026], on one line.
"""

import itertools
from typing import NamedTuple

import numpy as np

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.theory.markov import Tabular, tabular

ACTIONS = ("left", "right", "stay")


class State(NamedTuple):
    """Cells from 0 (where the onion grows) to cells − 1 (next to the pot)."""

    cells: tuple[int, int]
    carrying: tuple[int, int]
    onion: int


class Pay(NamedTuple):
    """In reward: what everybody gets for a pickup and a delivery, and what one's own move costs."""

    pickup: float = 1.0
    delivery: float = 10.0
    move: float = 0.2


def states(cells: int) -> list[State]:
    """All of them, in the order of the arrays."""
    places = itertools.product(range(cells), range(cells))
    return [State(at, (k, m), onion) for at in places for k in (0, 1) for m in (0, 1) for onion in (1, 0)]


def corridor(cells: int = 2, horizon: int = 4, respawn: float = 0.2, pay: Pay = Pay()) -> Tabular:  # noqa: B008
    """The arrays of a corridor of `cells` cells and a pot; both seats start empty-handed next to the pot.

    As in collab-grid: who moves first is even luck, whoever stands where the onion lies picks it up, stepping into the
    pot with an onion delivers it and leaves one where one stood, staying is free, and a taken onion regrows with
    probability `respawn` a step. Agents pass each other freely. Raises Refused for less than one cell.
    """
    if cells < 1:
        raise Refused(f"cells = {cells}; a corridor has one at least")
    names = states(cells)
    index = {state: i for i, state in enumerate(names)}
    n, actions = len(names), len(ACTIONS)
    transitions = np.zeros((n, actions, actions, n))
    shared, costs = np.zeros((n, actions, actions)), np.zeros((2, n, actions, actions))
    for i, a, b in itertools.product(range(n), range(actions), range(actions)):
        costs[:, i, a, b] = [pay.move * (action != 2) for action in (a, b)]
        for order in ((0, 1), (1, 0)):
            state, earned = names[i], 0.0
            for seat in order:
                state, reward = _turn(state, seat, (a, b)[seat], cells, pay)
                earned += reward
            shared[i, a, b] += earned / 2
            grown = 1.0 if state.onion else respawn
            transitions[i, a, b, index[state._replace(onion=1)]] += grown / 2
            transitions[i, a, b, index[state._replace(onion=0)]] += (1 - grown) / 2
    start = np.eye(n)[index[State((cells - 1, cells - 1), (0, 0), 1)]]
    return tabular(transitions, shared - costs, start, horizon, costs)


def _turn(state: State, seat: int, action: int, cells: int, pay: Pay) -> tuple[State, float]:
    """One seat's turn and what everybody earns by it."""
    at, carrying = list(state.cells), list(state.carrying)
    target = at[seat] + (-1, 1, 0)[action]
    if target == cells:
        delivered, carrying[seat] = carrying[seat], 0
        return State(state.cells, (carrying[0], carrying[1]), state.onion), pay.delivery * delivered
    at[seat] = max(target, 0)
    taken = state.onion and at[seat] == 0 and not carrying[seat]
    carrying[seat] |= int(bool(taken))
    moved = State((at[0], at[1]), (carrying[0], carrying[1]), state.onion - int(bool(taken)))
    return moved, pay.pickup * bool(taken)
