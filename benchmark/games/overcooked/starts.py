"""Randomised starts: the reference's get_random_start_state_fn, drawn from each episode's own seed [Carroll2019].

Ours keeps every start playable: cooks stay in the region they belong to, only ingredients the kitchen has are used,
full pots are on the fire under classic rules, and timers are spread over the whole cooking time.
"""

from itertools import product

import numpy as np

from crossplay.benchmark.games.overcooked.layouts import INGREDIENTS
from crossplay.benchmark.games.overcooked.state import State
from crossplay.benchmark.games.overcooked.tables import DISH, SOUP, TOMATO, dispensed, region
from crossplay.benchmark.seeding import Seeds, uniforms

_HANDS, _POTS = 16, 64  # first stream of each family of draws; eight streams a hand or pot


def scatter(state: State, seeds: Seeds, share: float) -> None:
    """Randomises places (both together), each hand and each pot with probability `share`, in place."""
    draw = [uniforms(seeds, 0, stream) for stream in range(4)]
    regions = [region(state.layout, start) for start in state.layout.starts]
    pairs = np.array([pair for pair in product(*regions) if pair[0] != pair[1]])
    moved = draw[0] < share
    state.cooks[moved, :, 0] = pairs[(draw[1] * len(pairs)).astype(int)][moved]
    for seat in range(2):
        state.cooks[moved, seat, 1] = (draw[2 + seat] * 4).astype(int)[moved]
        _hand(state, seeds, share, seat)
    for pot in range(state.tables.pots):
        _pot(state, seeds, share, pot)


def _hand(state: State, seeds: Seeds, share: float, seat: int) -> None:
    """A dish, an ingredient or a finished soup, 2 : 6 : 2 as in the reference."""
    draw = [uniforms(seeds, 0, _HANDS + 8 * seat + k) for k in range(8)]
    kinds = dispensed(state.layout)
    single = np.array(kinds)[(draw[2] * len(kinds)).astype(int)]
    soup = SOUP | _contents(state, draw[3:7], full=state.tables.classic)
    thing = np.where(draw[1] < 0.2, DISH, np.where(draw[1] < 0.8, single, soup))
    state.cooks[:, seat, 2] = np.where(draw[0] < share, thing, state.cooks[:, seat, 2])


def _pot(state: State, seeds: Seeds, share: float, pot: int) -> None:
    """One to three ingredients; on the fire when full (classic) or with probability `share` (interact)."""
    draw = [uniforms(seeds, 0, _POTS + 8 * pot + k) for k in range(8)]
    code = _contents(state, draw[1:5], full=False)
    lit = state.tables.size[code] == INGREDIENTS if state.tables.classic else draw[5] < share
    timer = np.where(lit, (draw[6] * (state.tables.time[code] + 1)).astype(int), -1)
    changed = draw[0] < share
    state.items[changed, pot] = SOUP | code[changed]
    state.cook[changed, pot] = timer[changed]


def _contents(state: State, draw: list[np.ndarray], full: bool) -> np.ndarray:
    """Recipe codes [episodes] from four draws: how many ingredients, and which."""
    kinds = np.array(dispensed(state.layout))
    count = np.full(len(state), INGREDIENTS) if full else 1 + (draw[0] * INGREDIENTS).astype(int)
    red = sum(
        ((kinds[(d * len(kinds)).astype(int)] == TOMATO) & (k < count)).astype(int) for k, d in enumerate(draw[1:])
    )
    return (count - red) | red << 2
