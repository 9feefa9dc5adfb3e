"""The rule with which clones of people are kept from standing still for ever [Carroll2019]."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import Field

from crossplay.benchmark.config import config, from_table
from crossplay.benchmark.errors import Refused, unknown
from crossplay.benchmark.game import Game, Observation
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.games.overcooked.layouts import load_layout
from crossplay.benchmark.match import illegal
from crossplay.benchmark.policy import Memory, Policy
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import Seeds

Pose = Callable[[np.ndarray], np.ndarray]  # features [episodes, *view] → int64 [episodes]


class Past(NamedTuple):
    """The last poses and actions of one's own, the oldest first; −1 before the start."""

    within: Memory
    poses: np.ndarray  # int64 [episodes, poses − 1]
    actions: np.ndarray  # int64 [episodes, poses − 1]


class _Unstuck(NamedTuple):
    inner: Policy
    pose: Pose
    poses: int

    @property
    def view(self) -> str:
        return self.inner.view

    def begin(self, seeds: Seeds, seat: int) -> Past:
        nothing = np.full((len(seeds), self.poses - 1), -1, dtype=np.int64)
        return Past(self.inner.begin(seeds, seat), nothing, nothing)

    def act(self, observation: Observation, memory: Past) -> tuple[np.ndarray, Past]:
        """Raises Refused where the policy inside does what it is told is illegal."""
        pose = self.pose(observation.features)
        stuck = np.flatnonzero((memory.poses == pose[:, None]).all(axis=1))
        legal = observation.legal.copy()
        legal[stuck[:, None], memory.actions[stuck]] = False
        chosen, within = self.inner.act(Observation(observation.features, legal), memory.within)
        if fault := illegal(chosen, legal):
            raise Refused(f"unstuck: the policy inside does not heed which actions are legal: {fault}")
        return chosen, Past(within, _after(memory.poses, pose), _after(memory.actions, chosen))


def _after(past: np.ndarray, now: np.ndarray) -> np.ndarray:
    return np.concatenate([past[:, 1:], now[:, None]], axis=1)


@POLICIES.register("unstuck")
@config
class Unstuck:
    """The policy that `maker` describes; after `poses` equal poses of its own, none of the actions in between again.

    A pose is cell and facing. The policy chooses among the actions that are left, by its own odds; Overcooked only.
    """

    maker: dict[str, Any]
    poses: int = Field(default=4, ge=2, le=6)  # the present one included; one of the six actions is always left

    def make(self, game: Game, files: Path | None) -> Policy:
        """Raises Refused for another game than Overcooked."""
        if not isinstance(game, Overcooked):
            raise Refused(f"unstuck: knows poses in overcooked only; asked to play {game.spec.name}")
        inner: Policy = from_table(POLICIES, self.maker, "unstuck").make(game, files)
        return _Unstuck(inner, own_pose(game, inner.view), self.poses)


def own_pose(game: Overcooked, view: str) -> Pose:
    """How to read one's own pose, as a number, from a view. Raises Refused for a view that is not known here."""
    from crossplay.benchmark.games.overcooked.compact import plan
    from crossplay.benchmark.games.overcooked.symbols import OWN_CELL, OWN_FACING
    from crossplay.benchmark.games.overcooked.tables import tables

    floors = plan(load_layout(game.layout), tables(game.layout, game.dynamics)).floors
    readers: dict[str, Pose] = {
        "compact": lambda x: 4 * x[:, :floors].argmax(axis=1) + x[:, 2 * floors : 2 * floors + 4].argmax(axis=1),
        "lossless": lambda x: x[..., 2:6].reshape(len(x), -1).argmax(axis=1),  # the planes of one's own facing
        "symbols": lambda x: 4 * x[:, OWN_CELL].astype(np.int64) + x[:, OWN_FACING],
    }
    if view not in readers:
        raise unknown("view that tells one's pose", view, readers)
    return readers[view]
