"""The loop all PPO trainers share: collect, update, report, checkpoint; several seeds side by side."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from crossplay.agents import ppo as algorithm
from crossplay.agents.divergence import SURE, Health, Span
from crossplay.agents.networks import PolicyNet
from crossplay.agents.rollout import Collector
from crossplay.agents.seating import Seating
from crossplay.agents.trainer import Independent, Method, OnUpdate, Plan, Pupil, Trainer, Update
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.seeding import derive
from crossplay.benchmark.workers import single_threaded

PROBES = 20  # times a training in which a pair that never trains together is watched
CHECKPOINT_SECONDS = 20.0


@dataclass
class Learning:
    """One training under way: all that a checkpoint has to hold, a slice a seed."""

    method: Method
    trainer: Trainer
    collector: Collector
    probe: Collector
    luck: list[torch.Generator]
    optimisers: list[torch.optim.Optimizer]
    health: Health
    steps: int = 0
    samples: int = 0  # of the first learner, a seed
    returns: np.ndarray | None = None  # [K], of the last finished batch of episodes
    stats: dict[str, list[float]] = field(default_factory=dict)  # [K] each
    paired: list[float] | None = None  # [K], returns of the method's pair when last watched

    def iterate(self) -> None:
        """One rollout and one update of every learner."""
        ppo, budget = self.trainer.ppo, self.trainer.budget
        if ppo.anneal:
            for optimiser in self.optimisers:
                for group in optimiser.param_groups:
                    group["lr"] = ppo.learning_rate * max(0.0, 1 - self.steps / budget.steps)
        shaping = budget.shaping(self.steps)
        with np.errstate(over="ignore", invalid="ignore"):  # `health` tells of it
            seen, finished = self.collector.collect(ppo.rollout, shaping, self.luck)
        lessons, numbers = self.method.lessons(seen, self.steps / budget.steps)
        watched = [
            algorithm.update(self.method.learners[number], self.optimisers[number], samples, settings, self.luck, leash)
            for number, samples, settings, leash in lessons
        ]
        self.stats = {k: torch.stack([w[k] for w in watched]).mean(dim=0).tolist() for k in watched[0]}
        self.stats |= {k: v.tolist() for k, v in numbers.items()}
        self._watch_pair(budget.steps)
        self.steps += ppo.rollout * self.collector.episodes
        self.samples += seen[0].actions[0].numel()
        if finished.size:
            self.returns = finished.mean(axis=1)
        self._examine(finished, shaping)

    def _examine(self, finished: np.ndarray, shaping: float) -> None:
        """Notes which trainings have come to nothing, and keeps their numbers finite: nobody is taught by them."""
        self.health.checked(self.method.learners, self.stats, self.steps)
        for k, returns in enumerate(finished):
            alike = self.collector.alike is not None and bool(self.collector.alike[k])
            stuck = alike and not shaping and self.stats["entropy"][k] < SURE
            if not stuck:  # also where no episode ended with this update
                self.health.since[k] = None
            if returns.size:
                self.health.played(k, returns, self.steps, stuck)
        for k in self.health.faults:
            for part in self._parts():
                part[k].nan_to_num_(0.0, 0.0, 0.0)

    def _watch_pair(self, total: int) -> None:
        """Plays the method's pair for a batch of episodes, `PROBES` times a training; nobody learns from it."""
        if not self.method.pair:
            return
        due = self.steps * PROBES // total
        if self.paired is None or due > self.probe.batch:
            self.probe.batch = due - 1
            self.probe.reset()
            luck = [torch.Generator().manual_seed(derive(seed, "pair", due)) for seed in self.probe.seeds]
            self.paired = self.probe.collect(self.probe.game.spec.horizon, 0.0, luck)[1].mean(axis=1).tolist()
            self.probe.batch = due
        self.stats["pair_return"] = self.paired

    @property
    def between_episodes(self) -> bool:
        """Whether every game has just been reset: the only moments worth saving, as no game state is lost."""
        return self.collector.step == 0

    def save(self, members: Sequence[int], path: Path) -> None:
        """Writes the trainings of some seeds to one file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        states = [self._state(k) for k in members]
        torch.save({"steps": self.steps, "samples": self.samples, "members": states}, draft)
        draft.replace(path)

    def _state(self, k: int) -> dict[str, Any]:
        return {
            "steps": self.steps,
            "samples": self.samples,
            "batch": self.collector.batch,
            "return": None if self.returns is None else float(self.returns[k]),
            "paired": None if self.paired is None else self.paired[k],
            "before": tuple(self.health.before[k] or ()),
            "alike": self.collector.alike is not None and bool(self.collector.alike[k]),
            "luck": self.luck[k].get_state(),
            "slices": [part[k].clone() for part in self._parts()],
            "optimiser_steps": [float(self._moments(o)["step"]) for o in self.optimisers],
        }

    def _moments(self, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
        """An optimiser's state for its one stacked parameter; made where it has not stepped yet."""
        flat = optimiser.param_groups[0]["params"][0]
        if not optimiser.state[flat]:
            zeros = {"exp_avg": torch.zeros_like(flat), "exp_avg_sq": torch.zeros_like(flat)}
            optimiser.state[flat] = {"step": torch.zeros((), device=flat.device), **zeros}
        return optimiser.state[flat]

    def _parts(self) -> list[Tensor | Sequence[Tensor]]:
        """Every tensor [K, …] of the training, stacked or one a seed, in a fixed order."""
        moments = [self._moments(o)[name] for o in self.optimisers for name in ("exp_avg", "exp_avg_sq")]
        return [*(s.flat.detach() for s in self.method.learners), *moments, *self.method.memory.values()]

    def load(self, paths: Sequence[Path]) -> None:
        """Goes on from saved trainings that have come equally far; `paths` names a file once for each seed in it."""
        saved: list[dict[str, Any]] = []
        held = {path: iter(read(path)["members"]) for path in paths}
        for k, path in enumerate(paths):
            try:
                mine = next(held[path])
                for part, value in zip(self._parts(), mine["slices"], strict=True):
                    part[k].copy_(value)
                self.luck[k].set_state(mine["luck"])
            except Exception as error:  # torch raises many kinds for what is not its own
                raise _foreign(path, error) from None
            saved.append(mine)
        for optimiser, steps in zip(self.optimisers, saved[0]["optimiser_steps"], strict=True):
            self._moments(optimiser)["step"].fill_(steps)
        self.steps, self.samples = saved[0]["steps"], saved[0]["samples"]
        if saved[0]["return"] is not None:
            self.returns = np.array([mine["return"] for mine in saved])
        if saved[0]["paired"] is not None:
            self.paired = [mine["paired"] for mine in saved]
            self.probe.batch = (self.steps - 1) * PROBES // self.trainer.budget.steps
        self.health.before = [Span(*mine["before"]) if mine.get("before") else None for mine in saved]
        self.collector.alike = np.array([mine.get("alike", False) for mine in saved])
        self.collector.batch = saved[0]["batch"] - 1
        self.collector.reset()


def read(path: Path) -> dict[str, Any]:
    """Saved trainings. Raises Refused where the file holds none."""
    try:
        saved: dict[str, Any] = torch.load(path, weights_only=True)
        saved["steps"] + saved["samples"]
        saved.setdefault("members", [saved])  # a file of an older version is its one member's state
    except Exception as error:  # torch raises many kinds for a file that is cut short
        raise _foreign(path, error) from None
    return saved


def _foreign(path: Path, error: Exception) -> Refused:
    return Refused(f"{path}: not a checkpoint of this training; delete it to start anew ({error})")


def steps_done(path: Path | None) -> int:
    """How far a saved training has come; 0 where none is."""
    return int(read(path)["steps"]) if path and path.exists() else 0


def learn(
    trainer: Trainer, game: Game, pupils: Sequence[Pupil], device: str, on_update: OnUpdate
) -> tuple[list[PolicyNet], dict[int, str]]:
    """PPO for every network of every pupil, and why it came to nothing, by number, where it did.

    Pupils with checkpoints have to have come equally far.
    """
    plans = [trainer.plan(game, pupil.partners, pupil.seed) for pupil in pupils]
    for plan in plans:
        for net in (plan.net, plan.foes):
            if net is not None:
                net.to(device)
    with single_threaded():
        learning = _begin(trainer, game, pupils, plans, torch.device(device))
        _loop(learning, plans, pupils, on_update)
    return [plan.net.cpu() for plan in plans], learning.health.faults


def _begin(
    trainer: Trainer, game: Game, pupils: Sequence[Pupil], plans: Sequence[Plan], device: torch.device
) -> Learning:
    method, net = trainer.method(plans), plans[0].net

    def seated(seatings: list[Callable[[int], Sequence[Seating]]], luck: str) -> Collector:
        seeds = [derive(pupil.seed, luck) for pupil in pupils]
        played, a, team = plans[0].arena or game, net.architecture, trainer.budget.team_shaping is not None
        return Collector(
            played, net.view, method.choosers, seatings, plans[0].games, seeds, device, a.context, a.central, team
        )

    pair = [Seating(slice(0, plans[0].games), method.pair)]
    learning = Learning(
        method,
        trainer,
        seated([plan.seatings for plan in plans], "rollout"),
        seated([lambda batch: pair] * len(plans), "probe"),
        [torch.Generator().manual_seed(derive(pupil.seed, "luck")) for pupil in pupils],
        [torch.optim.Adam([s.flat], lr=trainer.ppo.learning_rate, eps=1e-5, fused=True) for s in method.learners],
        Health(len(plans), trainer.budget.steps, trainer.ppo, plain=type(method) is Independent),
    )
    saved = [p.checkpoint for p in pupils if p.checkpoint and p.checkpoint.exists()]
    if saved:
        learning.load(saved)
    return learning


def _loop(learning: Learning, plans: Sequence[Plan], pupils: Sequence[Pupil], on_update: OnUpdate) -> None:
    total = learning.trainer.budget.steps
    began = saved = time.perf_counter()
    health = learning.health
    while learning.steps < total and len(health.faults) < len(plans):
        learning.iterate()
        now = time.perf_counter()
        for k, plan in ((k, plan) for k, plan in enumerate(plans) if k not in health.faults):
            earned = None if learning.returns is None else float(learning.returns[k])
            stats = {name: values[k] for name, values in learning.stats.items()}
            on_update(Update(k, learning.steps, total, learning.samples, earned, now - began, stats, plan.net))
        if learning.between_episodes and now - saved > CHECKPOINT_SECONDS and learning.steps < total:
            saved = now
            kept = {pupil.checkpoint for k, pupil in enumerate(pupils) if health.suspect(k)}
            for path in {pupil.checkpoint for pupil in pupils if pupil.checkpoint} - kept:
                learning.save([k for k, pupil in enumerate(pupils) if pupil.checkpoint == path], path)
