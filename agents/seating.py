"""Who sits where while learners play: tables, and what they come to for each learner."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from crossplay.agents.intrusion import Intruder
from crossplay.benchmark.game import GameSpec, Step
from crossplay.benchmark.policy import Policy


class Double(NamedTuple):
    """A learner's double: it plays as that learner does at the time, at random with probability `noise`, untaught."""

    of: int  # the learner's number
    noise: float = 0.0


class Seating(NamedTuple):
    """Who plays a slice of one seed's episodes: per seat a learner's number, a learner's double or a frozen policy.

    `pays[s][j]` says with which weight seat s is paid what seat j earns; empty: everybody its own. `wishes[s]` pays it
    for what it does instead, by a weight for each event of the game and one for its reward; empty: as others are.
    `told` hears the returns [rows, seats] of the table's finished episodes before anybody is seated anew.
    """

    rows: slice
    players: tuple[int | Double | Policy, ...]
    pays: tuple[tuple[float, ...], ...] = ()
    told: Callable[[np.ndarray], None] | None = None
    wishes: tuple[tuple[float, ...], ...] = ()
    intruder: Intruder | None = None


class Places(NamedTuple):
    """Where one learner plays, in all K seeds' episodes laid one after the other; n counts a seed's places."""

    rows: np.ndarray  # int64 [K, n]
    seats: np.ndarray  # int64 [K, n]
    noise: np.ndarray  # float64 [K, n], 0 for the learner itself
    taught: int  # the first so many are the learner, the rest its doubles


def places(tables: Sequence[Sequence[Seating]], learner: int, episodes: int) -> Places:
    """A learner's places at every seed's tables. Every seed has to offer it the same number of them."""
    found, counts = [], []
    for k, seatings in enumerate(tables):
        own = [(t.rows, seat, 0.0) for t in seatings for seat, who in enumerate(t.players) if _is(who, learner)]
        doubles = [
            (t.rows, seat, who.noise)
            for t in seatings
            for seat, who in enumerate(t.players)
            if isinstance(who, Double) and who.of == learner
        ]
        counts.append(sum(rows.stop - rows.start for rows, _, _ in own))
        triples = [
            (row + k * episodes, seat, noise)
            for rows, seat, noise in (*own, *doubles)
            for row in range(rows.start, rows.stop)
        ]
        found.append(np.array(triples, dtype=np.float64).reshape(-1, 3))
    assert len(set(counts)) == 1, f"learner {learner} has {counts} places at the seeds' tables; want equal numbers"
    both = np.stack(found)
    return Places(both[..., 0].astype(np.int64), both[..., 1].astype(np.int64), both[..., 2], counts[0])


def _is(player: object, learner: int) -> bool:
    return isinstance(player, int) and player == learner


def pays(tables: Sequence[Sequence[Seating]], episodes: int, seats: int) -> np.ndarray | None:
    """Weights float32 [K·episodes, seats, seats] of who is paid what; None where everybody is paid its own."""
    if not any(t.pays for seatings in tables for t in seatings):
        return None
    weights = np.tile(np.eye(seats, dtype=np.float32), (len(tables) * episodes, 1, 1))
    for k, seatings in enumerate(tables):
        for t in (t for t in seatings if t.pays):
            weights[k * episodes + t.rows.start : k * episodes + t.rows.stop] = t.pays
    return weights


class Wishes(NamedTuple):
    """What seats with wishes of their own are paid for, over K seeds' episodes laid one after the other."""

    theirs: np.ndarray  # bool [K·episodes, seats]: who has wishes
    events: np.ndarray  # float32 [K·episodes, seats, events]
    reward: np.ndarray  # float32 [K·episodes, seats]

    def granted(self, paid: np.ndarray, step: Step) -> np.ndarray:
        """What everybody is paid, [K·episodes, seats], where `paid` is for seats without wishes."""
        own = np.einsum("nse,nse->ns", self.events, step.events) + self.reward * step.rewards
        return np.where(self.theirs, own, paid)


def wishes(tables: Sequence[Sequence[Seating]], episodes: int, spec: GameSpec) -> Wishes | None:
    """Everybody's wishes; None where nobody has any."""
    if not any(any(t.wishes) for seatings in tables for t in seatings):
        return None
    weights = np.zeros((len(tables) * episodes, spec.seats, len(spec.events) + 1), dtype=np.float32)
    theirs = np.zeros(weights.shape[:2], dtype=bool)
    for k, seatings in enumerate(tables):
        for t in seatings:
            for seat, wish in enumerate(t.wishes):
                if wish:
                    rows = slice(k * episodes + t.rows.start, k * episodes + t.rows.stop)
                    weights[rows, seat], theirs[rows, seat] = wish, True
    return Wishes(theirs, weights[..., :-1], weights[..., -1])
