"""Collecting experience: learners and frozen partners at many tables, stepped together through episode ends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from crossplay.agents.chooser import Chooser
from crossplay.benchmark.game import Game, Observation
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.seeding import derive, sample, spread


class Seating(NamedTuple):
    """Who plays a slice of the episodes: per seat a learner's number or a frozen policy."""

    rows: slice
    players: tuple[int | Policy, ...]


class Lane(NamedTuple):
    """Episodes `rows`, seat `seat`: one learner's share of a table."""

    rows: slice
    seat: int


class Experience(NamedTuple):
    """What one learner saw, did and earned; n counts its lanes' episodes, T the steps."""

    features: Tensor  # [T, n, *view]
    legal: Tensor  # [T, n, actions]
    actions: Tensor  # [T, n]
    rewards: Tensor  # [T, n]
    cut: Tensor  # [T] bool: the episode ended with this step
    after: Tensor  # [ends, n, *view]: what it saw after each cut step and after the last step, in order


@dataclass
class Collector:
    """Plays `episodes` games at once and remembers where it stopped, so rollouts may be shorter than episodes."""

    game: Game
    view: str
    learners: Sequence[Chooser]  # how each of them picks actions
    seatings: Callable[[int], Sequence[Seating]]  # batch number → tables, asked for at every reset
    episodes: int
    seed: int
    device: torch.device
    batch: int = -1  # number of the current batch of episodes
    step: int = 0  # inside it

    def reset(self) -> None:
        """Fresh episodes: their luck derives from the batch number, so a resumed training meets the same."""
        self.batch += 1
        self.step = 0
        self.tables = list(self.seatings(self.batch))
        self.state = self.game.reset(spread(derive(self.seed, "episodes", self.batch), self.episodes))
        self.returns = np.zeros((self.episodes, self.game.spec.seats))
        self.frozen = [
            (policy, Lane(t.rows, seat), policy.begin(self._seeds(i, seat, t.rows), seat))
            for i, t in enumerate(self.tables)
            for seat, policy in enumerate(t.players)
            if not isinstance(policy, int)
        ]
        self.lanes = [
            [
                Lane(t.rows, seat)
                for t in self.tables
                for seat, player in enumerate(t.players)
                if isinstance(player, int) and player == k
            ]
            for k in range(len(self.learners))
        ]

    def _seeds(self, table: int, seat: int, rows: slice) -> np.ndarray:
        return spread(derive(self.seed, "partner", self.batch, table, seat), rows.stop - rows.start)

    def collect(self, steps: int, shaping: float, luck: torch.Generator) -> tuple[list[Experience], list[float]]:
        """`steps` steps for every learner (reward = reward + shaping·shaped), and the returns of finished episodes."""
        if self.batch < 0:
            self.reset()
        logs = [_Log() for _ in self.learners]
        finished: list[float] = []
        for t in range(steps):
            paid, ended = self._advance(logs, shaping, luck)
            for log, lanes in zip(logs, self.lanes, strict=True):
                log.rewards.append(_gather(paid, lanes))
                log.cut.append(ended)
            if ended or t == steps - 1:
                seen = self.game.observe(self.state, self.view)
                for log, lanes in zip(logs, self.lanes, strict=True):
                    log.after.append(_gather(seen.features, lanes))
            if ended:
                finished += self.returns.mean(axis=1).tolist()
                self.reset()
        return [log.experience(self.device) for log in logs], finished

    def _advance(self, logs: list["_Log"], shaping: float, luck: torch.Generator) -> tuple[np.ndarray, bool]:
        seen = self.game.observe(self.state, self.view)
        actions = np.empty((self.episodes, self.game.spec.seats), dtype=np.int64)
        for learner, lanes, log in zip(self.learners, self.lanes, logs, strict=True):
            features, legal = _gather(seen.features, lanes), _gather(seen.legal, lanes)
            chosen = sample(learner(features, legal), torch.rand(len(legal), generator=luck).numpy())
            log.features.append(features)
            log.legal.append(legal)
            log.actions.append(chosen)
            _scatter(actions, chosen, lanes)
        self._partners_act(seen, actions)
        self.state, step = self.game.step(self.state, actions)
        self.returns += step.rewards
        self.step += 1
        return step.rewards + np.float32(shaping) * step.shaping, self.step == self.game.spec.horizon

    def _partners_act(self, seen: Observation, actions: np.ndarray) -> None:
        views = {self.view: seen}
        for i, (policy, lane, memory) in enumerate(self.frozen):
            if policy.view not in views:
                views[policy.view] = self.game.observe(self.state, policy.view)
            chosen, memory = policy.act(views[policy.view].of(lane.seat, lane.rows), memory)
            actions[lane.rows, lane.seat] = chosen
            self.frozen[i] = (policy, lane, memory)


class _Log:
    def __init__(self) -> None:
        self.features: list[np.ndarray] = []
        self.legal: list[np.ndarray] = []
        self.actions: list[np.ndarray] = []
        self.rewards: list[np.ndarray] = []
        self.cut: list[bool] = []
        self.after: list[np.ndarray] = []

    def experience(self, device: torch.device) -> Experience:
        def stacked(arrays: list[np.ndarray]) -> Tensor:
            return torch.from_numpy(np.stack(arrays)).to(device)

        return Experience(
            stacked(self.features),
            stacked(self.legal),
            stacked(self.actions),
            stacked(self.rewards).float(),
            torch.tensor(self.cut, device=device),
            stacked(self.after),
        )


def _gather(array: np.ndarray, lanes: Sequence[Lane]) -> np.ndarray:
    return np.concatenate([array[lane.rows, lane.seat] for lane in lanes])


def _scatter(target: np.ndarray, values: Any, lanes: Sequence[Lane]) -> None:
    start = 0
    for lane in lanes:
        count = lane.rows.stop - lane.rows.start
        target[lane.rows, lane.seat] = values[start : start + count]
        start += count
