"""Collecting experience: learners of K seeds, their doubles and frozen partners, stepped through episode ends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from crossplay.agents.chooser import Chooser, Recurrent
from crossplay.agents.company import Company, Guest
from crossplay.agents.intrusion import Intrusion
from crossplay.agents.seating import Double, Places, Seating, pays, places, wishes
from crossplay.benchmark.game import Game, Observation
from crossplay.benchmark.seeding import derive, sample, spread


class Experience(NamedTuple):
    """What one learner saw, did and earned in each of K seeds; n counts its places at a seed's tables, T the steps."""

    features: Tensor  # [K, T, n, *view], uint8 or float32; for central critics [K, T, n, seats, *view], own first
    legal: Tensor  # [K, T, n, actions]
    actions: Tensor  # [K, T, n]
    rewards: Tensor  # [K, T, n], as its seat is paid
    cut: Tensor  # [T] bool: the episode ended with this step
    after: Tensor  # [K, ends, n, *view]: what it saw after each cut step and after the last step, in order
    others: Tensor  # [K, T, n, seats − 1]: what the seats after its own did, in turn
    memory: Tensor | None = None  # [K, n, 2 · width] before the first step, of learners that remember


NOTHING = Experience(*[torch.empty(0)] * 7)  # of a learner that had no place


@dataclass
class Collector:
    """Plays `episodes` games a seed at once and remembers where it stopped: rollouts may be shorter than episodes."""

    game: Game
    view: str
    learners: Sequence[Chooser]  # how each of them picks actions, K seeds at once
    seatings: Sequence[Callable[[int], Sequence[Seating]]]  # per seed: batch number → tables, asked for at every reset
    episodes: int
    seeds: Sequence[int]
    device: torch.device
    context: int | None = None  # views to a learner's features, present one last; None: just that one
    central: bool = False  # learners' critics read what all seats see
    team: bool = False  # every seat is paid all seats' shaped reward
    batch: int = -1  # number of the current batch of episodes
    step: int = 0  # inside it
    alike: np.ndarray | None = None  # bool [K]: whether all seats were paid the same in every finished episode

    def reset(self) -> None:
        """Fresh episodes: their luck derives from the batch number, so a resumed training meets the same."""
        self.batch += 1
        self.step = 0
        for learner in self.learners:
            if isinstance(learner, Recurrent):
                learner.forget()
        self.tables = tables = [list(seating(self.batch)) for seating in self.seatings]
        luck = [spread(derive(seed, "episodes", self.batch), self.episodes) for seed in self.seeds]
        self.state = self.game.reset(np.concatenate(luck))
        self.returns = np.zeros((len(self.seeds) * self.episodes, self.game.spec.seats))
        self.past = None
        if self.context:
            shape = (*self.returns.shape, self.context, *self.game.spec.views[self.view])
            self.past = np.zeros(shape, dtype=np.float32)
        self.places = [places(tables, learner, self.episodes) for learner in range(len(self.learners))]
        self.pays = pays(tables, self.episodes, self.game.spec.seats)
        self.wishes = wishes(tables, self.episodes, self.game.spec)
        self.frozen = Company(
            Guest(policy, rows, seat, self._partner_luck(k, i, seat, rows))
            for k, seatings in enumerate(tables)
            for i, t in enumerate(seatings)
            for seat, policy in enumerate(t.players)
            if not isinstance(policy, int | Double)
            for rows in [self._rows(k, t)]
        )
        self.intruders = [
            Intrusion(t.intruder, self._rows(k, t), self._partner_luck(k, i, t.intruder.seat, t.rows))
            for k, seatings in enumerate(tables)
            for i, t in enumerate(seatings)
            if t.intruder
        ]

    def _rows(self, k: int, table: Seating) -> slice:
        return slice(k * self.episodes + table.rows.start, k * self.episodes + table.rows.stop)

    def _partner_luck(self, k: int, table: int, seat: int, rows: slice) -> np.ndarray:
        return spread(derive(self.seeds[k], "partner", self.batch, table, seat), rows.stop - rows.start)

    def collect(
        self, steps: int, shaping: float, luck: Sequence[torch.Generator]
    ) -> tuple[list[Experience], np.ndarray]:
        """`steps` steps for every learner (reward = reward + shaping·shaped), and finished returns [K, episodes]."""
        if self.batch < 0:
            self.reset()
        logs = [_Log(self._memory(*pair)) for pair in zip(self.learners, self.places, strict=True)]
        finished = []
        total = sum(place.rows.shape[1] for place in self.places)
        draws = np.stack([torch.rand(steps, total, generator=mine).numpy() for mine in luck])
        for t in range(steps):
            paid, ended = self._advance(logs, shaping, draws[:, t])
            for log, place in zip(logs, self.places, strict=True):
                log.rewards.append(_gather(paid, place, place.taught))
                log.cut.append(ended)
            if ended or t == steps - 1:
                seen = self._look()
                for log, place in zip(logs, self.places, strict=True):
                    log.after.append((_around if self.central else _gather)(seen.features, place, place.taught))
            if ended:
                finished.append(self.returns.mean(axis=1).reshape(len(self.seeds), self.episodes))
                self._tell()
                self.reset()
        latest = finished[-1] if finished else np.empty((len(self.seeds), 0))
        return [log.experience(self.device) if log.features else NOTHING for log in logs], latest

    def _memory(self, learner: Chooser, place: Places) -> Tensor | None:
        """What a learner remembers where it is taught."""
        if not isinstance(learner, Recurrent):
            return None
        return learner.remembered(place.rows.shape[1])[:, : place.taught]

    def _tell(self) -> None:
        """Tells those who want to know what their tables returned, and notes whether all seats earned alike."""
        equal = (self.returns == self.returns[:, :1]).reshape(len(self.seeds), -1).all(axis=1)
        self.alike = equal if self.alike is None else self.alike & equal
        for mine, returns in zip(self.tables, np.split(self.returns, len(self.seeds)), strict=True):
            for table in mine:
                if table.told:
                    table.told(returns[table.rows])

    def _look(self, keep: bool = False) -> Observation:
        """What everybody sees; with a context its last views, the oldest forgotten for good if `keep`."""
        seen = self.game.observe(self.state, self.view)
        if self.past is None:
            return seen
        views = np.concatenate([self.past[:, :, 1:], seen.features[:, :, None]], axis=2)
        if keep:
            self.past = views
        return Observation(views, seen.legal)

    def _advance(self, logs: list["_Log"], shaping: float, draws: np.ndarray) -> tuple[np.ndarray, bool]:
        seen = self._look(keep=True)
        actions = np.empty(self.returns.shape, dtype=np.int64)
        start = 0
        for learner, place, log in zip(self.learners, self.places, logs, strict=True):
            if not place.rows.size:
                continue
            features, legal = _gather(seen.features, place), _gather(seen.legal, place)
            odds = learner(features, legal)
            if place.taught < odds.shape[1]:
                odds = _blurred(odds, legal, place)
            stop = start + odds.shape[1]
            chosen = sample(odds.reshape(-1, odds.shape[-1]), draws[:, start:stop].ravel()).reshape(odds.shape[:2])
            start = stop
            log.add(_around(seen.features, place) if self.central else features, legal, chosen, place.taught)
            actions[place.rows, place.seats] = chosen
        self._partners_act(seen, actions)
        for log, place in zip(logs, self.places, strict=True):
            log.others.append(_others(actions, place))
        self.state, step = self.game.step(self.state, actions)
        self.returns += step.rewards
        self.step += 1
        shaped = step.shaping.sum(axis=1, keepdims=True) if self.team else step.shaping
        paid = step.rewards + np.float32(shaping) * shaped
        if self.pays is not None:
            paid = np.einsum("esj,ej->es", self.pays, paid)
        if self.wishes is not None:
            paid = self.wishes.granted(paid, step)
        return paid, self.step == self.game.spec.horizon

    def _partners_act(self, seen: Observation, actions: np.ndarray) -> None:
        views = {} if self.context else {self.view: seen}
        busy = [intruder for intruder in self.intruders if self.step < intruder.who.until]
        for view in self.frozen.views.union(intruder.who.policy.view for intruder in busy) - views.keys():
            views[view] = self.game.observe(self.state, view)
        self.frozen.act(views, actions)
        for intruder in busy:
            intruder.act(views, actions)


def _blurred(odds: np.ndarray, legal: np.ndarray, place: Places) -> np.ndarray:
    """Odds as probabilities, those of doubles mixed with uniform play."""
    odds = odds / odds.sum(axis=-1, keepdims=True)
    noise = place.noise[..., None]
    return (1 - noise) * odds + noise * legal / legal.sum(axis=-1, keepdims=True)


class _Log:
    def __init__(self, memory: Tensor | None) -> None:
        self.memory = memory
        self.features: list[np.ndarray] = []
        self.legal: list[np.ndarray] = []
        self.actions: list[np.ndarray] = []
        self.rewards: list[np.ndarray] = []
        self.cut: list[bool] = []
        self.after: list[np.ndarray] = []
        self.others: list[np.ndarray] = []

    def add(self, features: np.ndarray, legal: np.ndarray, actions: np.ndarray, taught: int) -> None:
        self.features.append(features[:, :taught])
        self.legal.append(legal[:, :taught])
        self.actions.append(actions[:, :taught])

    def experience(self, device: torch.device) -> Experience:
        def stacked(arrays: list[np.ndarray]) -> Tensor:
            return torch.from_numpy(np.stack(arrays, axis=1)).to(device)

        def seen(views: list[np.ndarray]) -> Tensor:
            found = stacked(views)
            return found if found.dtype == torch.uint8 else found.float()

        return Experience(
            seen(self.features),
            stacked(self.legal),
            stacked(self.actions),
            stacked(self.rewards).float(),
            torch.tensor(self.cut, device=device),
            seen(self.after),
            stacked(self.others),
            self.memory,
        )


def _others(actions: np.ndarray, place: Places) -> np.ndarray:
    rows, seats = place.rows[:, : place.taught, None], place.seats[:, : place.taught, None]
    found: np.ndarray = actions[rows, (seats + np.arange(1, actions.shape[1])) % actions.shape[1]]
    return found


def _gather(array: np.ndarray, place: Places, count: int | None = None) -> np.ndarray:
    """What is at a learner's places, [K, n, …]."""
    found: np.ndarray = array[place.rows[:, :count], place.seats[:, :count]]
    return found


def _around(array: np.ndarray, place: Places, count: int | None = None) -> np.ndarray:
    """What is at all seats of a learner's tables, its own first, [K, n, seats, …]."""
    rows, seats = place.rows[:, :count, None], place.seats[:, :count, None]
    found: np.ndarray = array[rows, (seats + np.arange(array.shape[1])) % array.shape[1]]
    return found
