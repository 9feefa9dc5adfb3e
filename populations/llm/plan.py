"""What macro-actions look up besides the rule partners' tables: where things can be handed over."""

from functools import cache
from typing import NamedTuple

import numpy as np

from crossplay.benchmark.games.overcooked.layouts import COUNTER, FLOOR
from crossplay.benchmark.games.overcooked.tables import Dynamics
from crossplay.populations.scripted.overcooked_tables import FAR, Kitchen, kitchen

DETOUR = 3  # moves round a counter from which on handing over it spares something


class Plan(NamedTuple):
    """Moves from a counter, on the receiver's side, to where things go on; FAR where nothing can be handed over."""

    cook: np.ndarray  # int64 [sides, sides, cells] to the nearest pot; own side, the partner's
    serve: np.ndarray  # int64 [sides, sides, cells] to the nearest serving window
    starts: bool  # pots have to be started by hand


@cache
def plan(name: str, dynamics: Dynamics) -> Plan:
    """The plan of a named layout. Raises Refused where `kitchen` does."""
    k = kitchen(name, dynamics)
    sides, cells = k.touch.shape
    cook, serve = np.full((2, sides, sides, cells), FAR, dtype=np.int64)
    for me in range(sides):
        for they in range(sides):
            for f in np.flatnonzero(_passing(k, me, they)):
                cook[me, they, f], serve[me, they, f] = k.near_pot[they, f], k.near_window[they, f]
    return Plan(cook, serve, dynamics == "interact")


def _passing(k: Kitchen, me: int, they: int) -> np.ndarray:
    """Counters over which a side can hand things to another, or to its own far end, bool [cells]."""
    both = (k.kind == COUNTER) & (k.touch[me] > 0) & (k.touch[they] > 0)
    if me == they:
        both &= [_round(k, [cell for cell in k.access[f] if cell >= 0]) >= DETOUR for f in range(len(k.kind))]
    return both


def _round(k: Kitchen, beside: list[int]) -> int:
    """Most moves from one of these floor cells to another; 0 where there is no way."""
    most = 0
    for start in beside:
        steps, edge = {int(start): 0}, [int(start)]
        for cell in edge:
            for near in (int(near) for near in k.front[cell] if k.kind[near] == FLOOR):
                if near not in steps:
                    steps[near] = steps[cell] + 1
                    edge.append(near)
        most = max(most, *(steps.get(int(cell), 0) for cell in beside))
    return most
