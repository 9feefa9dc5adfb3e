"""Frozen partners at many tables at once; networks of one build act in one stacked call, to the same bit as alone."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from crossplay.agents.chooser import Chooser, crowd
from crossplay.agents.inference import NetworkPolicy
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Observation
from crossplay.benchmark.policy import Clock, Memory, Policy
from crossplay.benchmark.seeding import Seeds, sample


class Guest(NamedTuple):
    """A frozen policy and where it sits."""

    policy: Policy
    rows: slice
    seat: int
    luck: Seeds  # of its rows


class _Group(NamedTuple):
    odds_of: Chooser
    view: str
    rows: np.ndarray  # [guests, rows]
    seats: np.ndarray  # [guests, 1]
    clock: Clock


class Company:
    """Everybody at the tables who does not learn, from a reset to the next."""

    def __init__(self, guests: Iterable[Guest]) -> None:
        alike: dict[object, list[Guest]] = {}
        for number, guest in enumerate(guests):
            alike.setdefault(_build(guest) or number, []).append(guest)
        self._groups: list[_Group] = []
        self._single: list[tuple[Guest, Memory]] = []
        for members in alike.values():
            group = _grouped(members) if len(members) > 1 else None
            if group:
                self._groups.append(group)
            else:
                self._single += [(guest, guest.policy.begin(guest.luck, guest.seat)) for guest in members]
        self.views = {guest.policy.view for members in alike.values() for guest in members}

    def act(self, views: Mapping[str, Observation], actions: np.ndarray) -> None:
        """Writes what everybody does into actions [episodes, seats], given each view of all episodes."""
        for i, group in enumerate(self._groups):
            actions[group.rows, group.seats] = _chosen(group, views[group.view])
            self._groups[i] = group._replace(clock=group.clock.tick())
        for i, (guest, memory) in enumerate(self._single):
            seen = views[guest.policy.view].of(guest.seat, guest.rows)
            actions[guest.rows, guest.seat], memory = guest.policy.act(seen, memory)
            self._single[i] = guest, memory


def _build(guest: Guest) -> object:
    """Equal for guests that can act in one call; None where a guest has to act alone."""
    policy = guest.policy
    if not isinstance(policy, NetworkPolicy) or policy.choose != "sample":
        return None
    if policy.net.architecture.context or policy.net.of(0).recurrent:
        return None
    return policy.net.architecture, guest.rows.stop - guest.rows.start


def _grouped(guests: list[Guest]) -> _Group | None:
    nets = [guest.policy.net.of(guest.seat) for guest in guests if isinstance(guest.policy, NetworkPolicy)]
    odds_of = crowd(nets)
    if odds_of is None:
        return None
    rows = np.stack([np.arange(guest.rows.start, guest.rows.stop) for guest in guests])
    seats = np.array([[guest.seat] for guest in guests])
    return _Group(odds_of, guests[0].policy.view, rows, seats, Clock(np.concatenate([g.luck for g in guests])))


def _chosen(group: _Group, seen: Observation) -> np.ndarray:
    """Actions [guests, rows]. Raises Refused where an output is not finite."""
    odds = group.odds_of(seen.features[group.rows, group.seats], seen.legal[group.rows, group.seats])
    if np.isnan(odds).any():
        raise Refused("a partner's network: its logits are not finite")
    return sample(odds.reshape(-1, odds.shape[-1]), group.clock.draw()).reshape(group.rows.shape)
