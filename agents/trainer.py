"""What a trainer is, and the loop all PPO trainers share: collect, update, report, checkpoint."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from pydantic import PositiveInt
from torch import nn

from crossplay.agents import ppo as algorithm
from crossplay.agents.chooser import Chooser, chooser
from crossplay.agents.networks import ActorCritic, PolicyNet
from crossplay.agents.ppo import PPO, Leash, Samples
from crossplay.agents.rollout import Collector, Experience, Seating
from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.registry import Registry
from crossplay.benchmark.seeding import derive
from crossplay.benchmark.workers import single_threaded

TRAINERS = Registry("trainer")


class Update(NamedTuple):
    """Handed to `on_update` after every update."""

    steps: int  # environment steps so far, joint steps counted once
    total: int  # environment steps in all
    episode_return: float | None  # mean over seats of the last finished batch of episodes; None before the first
    seconds: float  # since this process began training
    stats: dict[str, float]  # means over learners: entropy, kl, explained …
    net: PolicyNet


OnUpdate = Callable[[Update], None]


class Trainer(Protocol):
    """A registered `config` class in TRAINERS."""

    def train(
        self,
        game: Game,
        partners: Sequence[Policy],
        *,
        seed: int,
        device: str,
        on_update: OnUpdate,
        checkpoint: Path | None = None,
    ) -> PolicyNet:
        """Trains with these partners (none: self-play). With a checkpoint file, goes on where that one stopped."""
        ...


@config
class Budget:
    """How long to train, on how many games at once, and how shaped reward fades."""

    steps: PositiveInt = 1_000_000  # environment steps, rounded up to whole updates
    games: PositiveInt = 16  # played at once
    shaping_steps: int = -1  # shaped reward falls linearly to 0 over these steps; −1: half of `steps`

    def shaping(self, steps: int) -> float:
        """Weight of shaped reward after so many steps."""
        fade = self.steps // 2 if self.shaping_steps < 0 else self.shaping_steps
        return max(0.0, 1 - steps / fade) if fade else 0.0


class Lesson(NamedTuple):
    """What one learner is to be updated with."""

    learner: int  # its number
    samples: Samples
    ppo: PPO
    leash: Leash | None = None


class Method(Protocol):
    """How experience becomes lessons: where algorithms built on PPO differ."""

    @property
    def learners(self) -> Sequence[ActorCritic]:
        """Numbered as in the seatings."""
        ...

    @property
    def choosers(self) -> Sequence[Chooser]:
        """How each of them picks actions."""
        ...

    @property
    def module(self) -> nn.Module:
        """All of them, and whatever else a checkpoint has to hold."""
        ...

    def lessons(self, seen: list[Experience], progress: float) -> tuple[list[Lesson], dict[str, float]]:
        """Lessons for some or all learners, and numbers to watch; `progress` runs from 0 to 1."""
        ...


class Independent:
    """Every learner learns from what it earned itself."""

    def __init__(self, net: PolicyNet, ppo: PPO) -> None:
        self.module, self._ppo = net, ppo
        self.learners = [net.of(seat) for seat in range(len(net.nets))]
        self.choosers = [chooser(learner) for learner in self.learners]

    def lessons(self, seen: list[Experience], progress: float) -> tuple[list[Lesson], dict[str, float]]:
        """One lesson for every learner."""
        terminal = self.module.spec.terminal
        return [
            Lesson(k, algorithm.prepare(learner, experience, self._ppo, terminal), self._ppo)
            for k, (learner, experience) in enumerate(zip(self.learners, seen, strict=True))
        ], {}


@dataclass
class Learning:
    """One training under way: networks, optimisers, luck and experience; all that a checkpoint has to hold."""

    method: Method
    ppo: PPO
    budget: Budget
    collector: Collector
    luck: torch.Generator
    optimisers: list[torch.optim.Optimizer]
    steps: int = 0
    last_return: float | None = None
    stats: dict[str, float] = field(default_factory=dict)

    def iterate(self) -> None:
        """One rollout and one update of every learner."""
        if self.ppo.anneal:
            for optimiser in self.optimisers:
                for group in optimiser.param_groups:
                    group["lr"] = self.ppo.learning_rate * max(0.0, 1 - self.steps / self.budget.steps)
        seen, finished = self.collector.collect(self.ppo.rollout, self.budget.shaping(self.steps), self.luck)
        lessons, numbers = self.method.lessons(seen, self.steps / self.budget.steps)
        watched = [
            algorithm.update(self.method.learners[number], self.optimisers[number], samples, settings, self.luck, leash)
            for number, samples, settings, leash in lessons
        ]
        self.steps += self.ppo.rollout * self.budget.games
        self.stats = {k: sum(w[k] for w in watched) / len(watched) for k in watched[0]} | numbers
        if finished:
            self.last_return = sum(finished[-self.budget.games :]) / min(len(finished), self.budget.games)

    @property
    def between_episodes(self) -> bool:
        """Whether every game has just been reset: the only moments worth saving, as no game state is lost."""
        return self.collector.step == 0

    def save(self, path: Path) -> None:
        """Writes the training to a file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        torch.save(
            {
                "net": self.method.module.state_dict(),
                "optimisers": [o.state_dict() for o in self.optimisers],
                "luck": self.luck.get_state(),
                "steps": self.steps,
                "batch": self.collector.batch,
                "last_return": self.last_return,
            },
            draft,
        )
        draft.replace(path)

    def load(self, path: Path) -> None:
        """Goes on from a saved training."""
        try:
            saved: dict[str, Any] = torch.load(path, weights_only=True)
            self.method.module.load_state_dict(saved["net"])
            for optimiser, state in zip(self.optimisers, saved["optimisers"], strict=True):
                optimiser.load_state_dict(state)
        except Exception as error:  # torch raises many kinds for a file that is cut short or not its own
            raise Refused(f"{path}: not a checkpoint of this training; delete it to start anew ({error})") from None
        self.luck.set_state(saved["luck"])
        self.steps, self.last_return = saved["steps"], saved["last_return"]
        self.collector.batch = saved["batch"] - 1
        self.collector.reset()


def learn(
    game: Game,
    net: PolicyNet,
    seatings: Callable[[int], Sequence[Seating]],
    *,
    ppo: PPO,
    budget: Budget,
    seed: int,
    device: str,
    on_update: OnUpdate,
    checkpoint: Path | None,
    method: Callable[[PolicyNet, PPO], Method] = Independent,
    checkpoint_seconds: float = 20.0,
) -> PolicyNet:
    """PPO for every network in `net`, at the tables `seatings(batch)` sets; returns the trained net on the CPU."""
    taught = method(net.to(device), ppo)
    luck = derive(seed, "rollout")
    learning = Learning(
        taught,
        ppo,
        budget,
        Collector(game, net.view, taught.choosers, seatings, budget.games, luck, torch.device(device)),
        torch.Generator().manual_seed(derive(seed, "luck")),
        [torch.optim.Adam(n.parameters(), lr=ppo.learning_rate, eps=1e-5, fused=True) for n in taught.learners],
    )
    if checkpoint and checkpoint.exists():
        learning.load(checkpoint)
    with single_threaded():
        _loop(learning, net, on_update, checkpoint, checkpoint_seconds)
    return net.cpu()


def _loop(
    learning: Learning, net: PolicyNet, on_update: OnUpdate, checkpoint: Path | None, checkpoint_seconds: float
) -> None:
    budget = learning.budget
    began = saved = time.perf_counter()
    while learning.steps < budget.steps:
        learning.iterate()
        now = time.perf_counter()
        on_update(Update(learning.steps, budget.steps, learning.last_return, now - began, learning.stats, net))
        if checkpoint and learning.between_episodes and now - saved > checkpoint_seconds:
            learning.save(checkpoint)
            saved = now
