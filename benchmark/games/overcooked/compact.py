"""The default view: what can change in this kitchen, float32 in [0, 1], own seat first, for plain networks.

It tells what the lossless planes tell, less what is constant in the layout. In this order:
    cells       one-hot over the floor cells in reach; own, then the other's
    facings     one-hot N S E W; own, then the other's
    fronts      one-hot over the fixtures in reach: what one faces, all zero when that is floor; own, then the other's
    hands       flags onion, [tomato,] dish, soup [, onions / 3, tomatoes / 3 of a soup]; own, then the other's
    counters    the same flags for each counter in reach, row-major
    pots        per pot: flags onions ≥ 1, ≥ 2, ≥ 3 [, tomatoes likewise], cooking, ready; share of cooking time left
    urgency     1 when fewer than 40 steps remain
Parts in brackets are left out where only onion soups of three can exist.
"""

from collections.abc import Callable
from typing import NamedTuple

import numba
import numpy as np

from crossplay.benchmark.games.overcooked.engine import helper, kernel
from crossplay.benchmark.games.overcooked.layouts import FLOOR, Layout
from crossplay.benchmark.games.overcooked.symbols import HURRY
from crossplay.benchmark.games.overcooked.tables import NOWHERE, ONION, SOUP, TOMATO, Tables, dispensed


class Plan(NamedTuple):
    """Where each part of the vector begins, and the one-hot numbering of cells."""

    walk: np.ndarray  # uint8 [cells] number of a floor cell in reach
    face: np.ndarray  # uint8 [cells] number of a fixture in reach, or NOWHERE
    flags: np.ndarray  # int8 [4] place of onion, tomato, dish, soup among a thing's flags; -1 left out
    floors: int
    faces: int
    wide: int  # entries of one thing
    tomatoes: bool
    mixed: bool  # whether soups tell what is inside
    length: int


def plan(layout: Layout, tables: Tables) -> Plan:
    """The vector's plan for one kitchen under one dynamics."""
    walk, face = np.full((2, len(tables.kind)), NOWHERE, dtype=np.uint8)
    touched = np.unique(tables.front[tables.floor])
    fixtures = touched[tables.kind[touched] != FLOOR]
    walk[tables.floor] = range(len(tables.floor))
    face[fixtures] = range(len(fixtures))
    tomatoes = TOMATO in dispensed(layout)
    mixed = tomatoes or ONION not in dispensed(layout) or layout.start_state is not None or not tables.classic
    flags = np.array([0, 1, 2, 3] if tomatoes else [0, -1, 1, 2], dtype=np.int8)
    wide = 3 + tomatoes + mixed + (mixed and tomatoes)
    counters = len(tables.cell) - tables.pots
    pot = 6 + 3 * tomatoes
    length = 2 * (len(tables.floor) + 4 + len(fixtures) + wide) + counters * wide + tables.pots * pot + 1
    return Plan(walk, face, flags, len(tables.floor), len(fixtures), wide, tomatoes, mixed, length)


def shape(layout: Layout, tables: Tables) -> tuple[int, ...]:
    """Of one seat's features."""
    return (plan(layout, tables).length,)


def prepare(layout: Layout, tables: Tables, horizon: int, episodes: int) -> tuple[np.ndarray, Callable[..., None]]:
    """The buffer float32 [episodes, 2, features], and the function that fills it from a state's arrays."""
    where = plan(layout, tables)
    out = np.zeros((episodes, 2, where.length), dtype=np.float32)

    def fill(cooks, items, cook, clock):
        write(tables, where, cooks, items, cook, clock, horizon, out)

    return out, fill


@kernel
def write(tables, plan, cooks, items, cook, clock, horizon, out):
    """Writes every episode's vector for both seats."""
    for e in numba.prange(len(clock)):
        for seat in range(2):
            one(tables, plan, cooks, items, cook, clock, horizon, out, np.uint64(e), seat)


@helper
def one(tables, plan, cooks, items, cook, clock, horizon, out, e, seat):
    """One seat's vector."""
    for k in range(out.shape[2]):
        out[e, seat, k] = 0
    for whose in range(2):
        own(tables, plan, cooks, out, e, seat, (seat + whose) % 2, whose)
    base = 2 * (plan.floors + 4 + plan.faces + plan.wide)
    for s in range(tables.pots, len(tables.cell)):
        thing(plan, out, e, seat, base, items[e, s])
        base += plan.wide
    for p in range(tables.pots):
        pot(plan, out, e, seat, base, items[e, p] & 15, cook[e, p], tables.time)
        base += 9 if plan.tomatoes else 6
    out[e, seat, base] = horizon - clock[e] < HURRY


@helper
def own(tables, plan, cooks, out, e, seat, c, whose):
    """One cook: cell, facing, front and hand."""
    cell, facing = cooks[e, c, 0], cooks[e, c, 1]
    out[e, seat, whose * plan.floors + plan.walk[cell]] = 1
    base = 2 * plan.floors
    out[e, seat, base + 4 * whose + facing] = 1
    base += 8
    front = plan.face[tables.front[cell, facing]]
    if front != NOWHERE:
        out[e, seat, base + whose * plan.faces + front] = 1
    base += 2 * plan.faces
    thing(plan, out, e, seat, base + whose * plan.wide, cooks[e, c, 2])


@helper
def thing(plan, out, e, seat, base, what):
    """A thing on a counter or in a hand."""
    if what == 0:
        return
    flag = plan.flags[min(what, 4) - 1]
    if flag >= 0:
        out[e, seat, base + flag] = 1
    if what >= SOUP and plan.mixed:
        out[e, seat, base + plan.flags[3] + 1] = (what & 3) / np.float32(3)
        if plan.tomatoes:
            out[e, seat, base + plan.flags[3] + 2] = ((what >> 2) & 3) / np.float32(3)


@helper
def pot(plan, out, e, seat, base, code, cook, time):
    """A pot: thermometers of its contents, then its fire."""
    for k in range(code & 3):
        out[e, seat, base + k] = 1
    base += 3
    if plan.tomatoes:
        for k in range(code >> 2):
            out[e, seat, base + k] = 1
        base += 3
    if cook >= time[code]:
        out[e, seat, base + 1] = 1
    elif cook >= 0:
        out[e, seat, base] = 1
        out[e, seat, base + 2] = (time[code] - cook) / np.float32(time[code])
