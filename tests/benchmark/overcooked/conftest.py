"""A small goal-directed cook, so that proofs see every part of the game on every layout."""

from collections import deque

import numpy as np
import pytest

from crossplay.benchmark.games.overcooked import layouts as lay
from crossplay.benchmark.games.overcooked.layouts import RECIPES, recipe
from crossplay.benchmark.games.overcooked.tables import DISH, ONION, SOUP, TOMATO, dispensed, region


class Crew:
    """Both cooks of one layout: walk to the next useful fixture; with probability `noise` do anything."""

    def __init__(self, state, noise, rng):
        self.state, self.noise, self.rng = state, noise, rng
        layout, self.tables = state.layout, state.tables
        self.kinds = layout.kinds
        self.regions = [region(layout, start) for start in layout.starts]
        self.paths = [self._paths(cells) for cells in self.regions]
        have = dispensed(layout)
        makeable = [
            (o, t)
            for o, t in RECIPES
            if layout.value[recipe(o, t)] > 0
            and (o == 0 or ONION in have)
            and (t == 0 or TOMATO in have)
            and (o + t == 3 or not self.tables.classic)
        ]
        self.wish = [makeable[rng.integers(len(makeable))] for _ in range(len(state))]
        self.makeable = makeable

    def _paths(self, cells):
        """fixture → {floor cell: steps to stand next to it}."""
        front, paths = self.tables.front, {}
        for fixture in {int(f) for cell in cells for f in front[cell] if self.kinds[f] != lay.FLOOR}:
            steps = {cell: 0 for cell in cells if fixture in front[cell]}
            edge = deque(steps)
            while edge:
                cell = edge.popleft()
                for near in map(int, front[cell]):
                    if self.kinds[near] == lay.FLOOR and near not in steps:
                        steps[near] = steps[cell] + 1
                        edge.append(near)
            paths[fixture] = steps
        return paths

    def act(self):
        """int64 [episodes, 2]."""
        return np.array([[self._choose(row, seat) for seat in range(2)] for row in range(len(self.state))])

    def _choose(self, row, seat):
        if self.rng.random() < self.noise:
            return int(self.rng.integers(6))
        goals = [g for g in self._goals(row, seat) if g in self.paths[seat]]
        cell, facing, _ = map(int, self.state.cooks[row, seat])
        if not goals:
            return int(self.rng.integers(5))
        goal = min(goals, key=lambda g: (self.paths[seat][g].get(cell, 99), self.rng.random()))
        front, steps = self.tables.front[cell], self.paths[seat][goal]
        if front[facing] == goal:
            return 5
        if goal in front:
            return int(np.argmax(front == goal))
        nearer = [a for a in range(4) if steps.get(int(front[a]), 99) < steps.get(cell, 99)]
        return int(self.rng.choice(nearer)) if nearer else 4

    def _cells(self, kind):
        return [int(c) for c in np.flatnonzero(self.kinds == kind)]

    def _lying(self, row, *things):
        """Counters on which one of these lies; 0 is nothing, and any soup counts as SOUP."""
        pots = self.tables.pots
        found = zip(self.tables.cell[pots:], self.state.items[row, pots:], strict=True)
        return [int(cell) for cell, what in found if min(what, SOUP) in things]

    def _needs(self, row, code):
        """Which ingredients a pot with these contents still wants."""
        size = (code & 3) + (code >> 2)
        wish = self.wish[row]
        if not (wish[0] >= code & 3 and wish[1] >= code >> 2):
            fits = [(o, t) for o, t in self.makeable if o >= code & 3 and t >= code >> 2]
            clear = (3, 0) if self.tables.classic and size < 3 else (0, 0)
            wish = fits[0] if fits else clear
        return {thing for thing, short in ((ONION, wish[0] > code & 3), (TOMATO, wish[1] > code >> 2)) if short}

    def _goals(self, row, seat):
        state, tb = self.state, self.tables
        held, other = int(state.cooks[row, seat, 2]), int(state.cooks[row, 1 - seat, 2])
        pots = [(int(tb.cell[p]), int(state.items[row, p]) & 15, int(state.cook[row, p])) for p in range(tb.pots)]
        wants = {cell: self._needs(row, code) if tick < 0 else set() for cell, code, tick in pots}
        if held >= SOUP:
            return [c for c in self._cells(lay.SERVING) if c in self.paths[seat]] or self._hand_over(row)
        if held == DISH:
            fire = [cell for cell, code, tick in pots if tick >= 0 and cell in self.paths[seat]]
            if fire:
                return fire
            mine = any(cell in self.paths[seat] for cell, *_ in pots)
            return self._hand_over(row) if not mine or self.rng.random() < 0.1 else []
        if held:
            mine = [cell for cell in wants if held in wants[cell] and cell in self.paths[seat]]
            return mine or self._hand_over(row)
        return self._errands(row, seat, other, pots, wants)

    def _errands(self, row, seat, other, pots, wants):
        """What empty hands can do."""
        reach = self.paths[seat]
        soups = self._lying(row, SOUP) if any(c in reach for c in self._cells(lay.SERVING)) else []
        start = [c for c, code, tick in pots if tick < 0 and code and not wants[c] and not self.tables.classic]
        goals = [g for g in soups + start if g in reach]
        if goals:
            return goals
        dishes = self._cells(lay.DISHES) + self._lying(row, DISH)
        if any(tick >= 0 for _, _, tick in pots) and other != DISH and self.rng.random() < 0.9:
            return dishes
        missing = set().union(*wants.values())
        sources = [
            c for t, kind in ((ONION, lay.ONIONS), (TOMATO, lay.TOMATOES)) if t in missing for c in self._cells(kind)
        ]
        return sources + self._lying(row, *missing) or dishes

    def _hand_over(self, row):
        """Free counters both can reach, else any free counter."""
        free = self._lying(row, 0)
        return [c for c in free if c in self.paths[0] and c in self.paths[1]] or free


@pytest.fixture(scope="session")
def crew():
    return Crew
