"""Strangers who take a learner's hand now and then: games come to where meetings with them lead [Sarkar2023]."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from crossplay.benchmark.game import Observation
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.seeding import Seeds, derive


class Intruder(NamedTuple):
    """Who acts instead of a seat's player in half of the steps, by the toss of a coin, before step `until`."""

    policy: Policy
    seat: int
    until: int


class Intrusion:
    """An intruder at one table, from a reset to the next."""

    def __init__(self, who: Intruder, rows: slice, luck: Seeds) -> None:
        self.who, self._rows = who, rows
        self._memory = who.policy.begin(luck, who.seat)
        self._coins = np.random.default_rng(derive(int(luck[0]), "coins"))

    def act(self, views: Mapping[str, Observation], actions: np.ndarray) -> None:
        """Changes what its seat does, actions [episodes, seats], in half of its rows."""
        seen = views[self.who.policy.view].of(self.who.seat, self._rows)
        would, self._memory = self.who.policy.act(seen, self._memory)
        own = actions[self._rows, self.who.seat]
        actions[self._rows, self.who.seat] = np.where(self._coins.random(len(own)) < 0.5, would, own)
