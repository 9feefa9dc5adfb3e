"""What a trainer is, and how it teaches several seeds at once. How the loop runs is in `learning.py`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from pydantic import PositiveInt
from torch import Tensor

from crossplay.agents import ppo as algorithm
from crossplay.agents.chooser import Chooser, chooser
from crossplay.agents.networks import Architecture, PolicyNet
from crossplay.agents.objective import PPO, Leash, Samples
from crossplay.agents.rollout import Experience
from crossplay.agents.seating import Seating
from crossplay.agents.stack import Stack
from crossplay.benchmark.config import config
from crossplay.benchmark.game import Game
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.registry import Registry

TRAINERS = Registry("trainer")


class Update(NamedTuple):
    """Handed to `on_update` after every update, once for every seed."""

    member: int  # which of the seeds taught together
    steps: int  # environment steps so far, joint steps counted once
    total: int  # environment steps in all
    samples: int  # what one network of this seed has learned from so far
    episode_return: float | None  # mean over seats of the last finished batch of episodes; None before the first
    seconds: float  # since this process began training
    stats: dict[str, float]  # means over learners: entropy, kl, explained …
    net: PolicyNet


OnUpdate = Callable[[Update], None]


def nothing(update: Update) -> None:
    """The `on_update` of who does not want to know."""


@config
class Budget:
    """How long to train, on how many games at once, and how shaped reward fades."""

    steps: PositiveInt = 1_000_000  # environment steps, rounded up to whole updates
    games: PositiveInt = 16  # played at once
    shaping_steps: int = -1  # shaped reward falls linearly to 0 over these steps; −1: half of `steps`
    team_shaping: Literal[True] | None = None  # every seat is paid all seats' shaped reward instead of its own

    def shaping(self, steps: int) -> float:
        """Weight of shaped reward after so many steps."""
        fade = self.steps // 2 if self.shaping_steps < 0 else self.shaping_steps
        return max(0.0, 1 - steps / fade) if fade else 0.0


class Plan(NamedTuple):
    """What one seed starts from."""

    net: PolicyNet  # what is trained and returned
    seatings: Callable[[int], Sequence[Seating]]  # batch of episodes → tables; rows count this seed's games
    games: int  # played at once
    foes: PolicyNet | None = None  # further learners, numbered after the net's own
    ledger: Tensor | None = None  # what the seatings remember from batch to batch, changed in place
    arena: Game | None = None  # played in training instead of the game itself


class Lesson(NamedTuple):
    """What one learner is to be updated with."""

    learner: int  # its number
    samples: Samples
    ppo: PPO
    leash: Leash | None = None


class Method(Protocol):
    """How experience becomes lessons: where algorithms built on PPO differ. A learner is a stack, a slice a seed."""

    @property
    def learners(self) -> Sequence[Stack]:
        """Numbered as in the seatings."""
        ...

    @property
    def choosers(self) -> Sequence[Chooser]:
        """How each of them picks actions."""
        ...

    @property
    def memory(self) -> Mapping[str, Tensor | Sequence[Tensor]]:
        """Tensors besides the learners' that a checkpoint has to hold: [K, …], or K of them where sizes differ."""
        ...

    @property
    def pair(self) -> tuple[int, ...]:
        """Learners by seat whose returns together are worth watching, where training never seats them so; or empty."""
        ...

    def lessons(self, seen: list[Experience], progress: float) -> tuple[list[Lesson], dict[str, Tensor]]:
        """Lessons for some or all learners, and numbers [K] to watch; `progress` runs from 0 to 1."""
        ...


class Trainer(Protocol):
    """A registered `config` class in TRAINERS."""

    @property
    def ppo(self) -> PPO: ...

    @property
    def budget(self) -> Budget: ...

    @property
    def architecture(self) -> Architecture: ...

    def plan(self, game: Game, partners: Sequence[Policy], seed: int) -> Plan:
        """One seed's beginning; no partners: self-play. Raises Refused where the trainer is not for this."""
        ...

    def method(self, plans: Sequence[Plan]) -> Method:
        """How these seeds are taught together."""
        ...


class Independent:
    """Every learner learns from what its seat was paid."""

    pair = ()

    def __init__(self, plans: Sequence[Plan], ppo: PPO) -> None:
        self._ppo, self._terminal = ppo, plans[0].net.spec.terminal
        ledgers = [plan.ledger for plan in plans if plan.ledger is not None]
        self.memory: Mapping[str, Tensor | Sequence[Tensor]] = {"ledgers": ledgers} if ledgers else {}
        self.learners = stacks([plan.net for plan in plans])
        self.choosers = [chooser(learner) for learner in self.learners]

    def lessons(self, seen: list[Experience], progress: float) -> tuple[list[Lesson], dict[str, Tensor]]:
        """One lesson for every learner."""
        return [self.lesson(k, experience) for k, experience in enumerate(seen)], {}

    def lesson(self, number: int, seen: Experience) -> Lesson:
        """What a learner makes of its experience."""
        return Lesson(number, algorithm.prepare(self.learners[number], seen, self._ppo, self._terminal), self._ppo)


def stacks(nets: Sequence[PolicyNet]) -> list[Stack]:
    """A stack for every learner of equally built nets, one slice a net."""
    return [Stack([net.of(seat) for net in nets]) for seat in range(len(nets[0].nets))]


class Pupil(NamedTuple):
    """One seed to teach, whom it learns with, and where its training is kept meanwhile: seeds may share a file."""

    seed: int
    partners: Sequence[Policy] = ()
    checkpoint: Path | None = None


def train(
    trainer: Trainer, game: Game, pupils: Sequence[Pupil], *, device: str = "cpu", on_update: OnUpdate = nothing
) -> list[PolicyNet]:
    """Teaches all pupils at once and returns their nets on the CPU: bit for bit what each alone would end with.

    Where checkpoints lie, goes on from them; pupils that have come equally far go on together. Raises Diverged, with
    the others' nets, where a training came to nothing.
    """
    from crossplay.agents.divergence import Diverged
    from crossplay.agents.learning import learn, steps_done

    done = [steps_done(pupil.checkpoint) for pupil in pupils]
    nets: dict[int, PolicyNet] = {}
    faults: dict[int, str] = {}
    for reached in sorted(set(done)):
        members = [k for k, steps in enumerate(done) if steps == reached]

        def tell(update: Update, members: list[int] = members) -> None:
            on_update(update._replace(member=members[update.member]))

        made, failed = learn(trainer, game, [pupils[k] for k in members], device, tell)
        nets |= {k: net for i, (k, net) in enumerate(zip(members, made, strict=True)) if i not in failed}
        faults |= {members[i]: why for i, why in failed.items()}
    if faults:
        raise Diverged(faults, nets)
    return [nets[k] for k in range(len(pupils))]


def train_one(
    trainer: Trainer,
    game: Game,
    partners: Sequence[Policy] = (),
    *,
    seed: int,
    device: str = "cpu",
    on_update: OnUpdate = nothing,
    checkpoint: Path | None = None,
) -> PolicyNet:
    """`train` for a single seed."""
    return train(trainer, game, [Pupil(seed, partners, checkpoint)], device=device, on_update=on_update)[0]
