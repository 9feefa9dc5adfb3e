"""Trainings that come to nothing: numbers that are not finite, or a policy with no choice left that earns no more.

A collapse is told only where it cannot be mistaken for a learned agent, which may well be sure of every action:

- the method is the plain one: nobody learns for another goal than the returns, and no adversary keeps them down;
- all seats were paid alike in every episode: where they are not, doing worse may be an equilibrium;
- shaped reward has faded, so that nothing is learned from it any more;
- through a twentieth of the training every update had less than `SURE` nats of entropy, and no batch of episodes
  returned more than the first, played before learning; taken together they returned less, by `CLEAR` standard errors,
  or else both returned the very same in every single episode.

A sure agent that has learned something earns more than it did by chance, and one that was unlucky is within the
standard errors. Where nothing can be earned a sure agent is told too: it has learned nothing, and will not.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from crossplay.agents.networks import PolicyNet
from crossplay.agents.objective import PPO
from crossplay.agents.stack import Stack
from crossplay.benchmark.errors import Refused

SURE = 1e-3  # nats: the likeliest action has a probability of about 0.9999
PATIENCE = 20  # parts of a training: one of them has to pass
FEWEST = 10  # batches of episodes in it
CLEAR = 3.0
REMEDY = {
    "not finite": "a lower ppo.learning_rate or ppo.max_norm",
    "collapsed": "more ppo.entropy, a longer budget.shaping_steps, more budget.games or another seed",
}


class Diverged(Refused):
    """Trainings that came to nothing, and why each did; `nets` are those taught beside them, by number.

    `notes` are of this run alone, such as which checkpoint is left; `faults` are the same in every run. `game` is the
    spec name of the game they were for, where who raises it knows.
    """

    def __init__(
        self,
        faults: Mapping[Any, str],
        nets: Mapping[int, PolicyNet] | None = None,
        notes: Mapping[Any, str] | None = None,
        game: str = "",
    ) -> None:
        self.game = game
        self.faults, self.nets, self.notes = dict(faults), dict(nets or {}), dict(notes or {})
        super().__init__("; ".join(f"{who}: {why}{self.notes.get(who, '')}" for who, why in faults.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        """How it travels between processes: without nets, which are saved by then."""
        return Diverged, (self.faults, None, self.notes, self.game)


class Span(NamedTuple):
    """Batches of episodes: how many, the sum of their means, and of the squared standard errors of these."""

    batches: int
    returns: float
    errors: float

    def __add__(self, other: "Span") -> "Span":  # type: ignore[override]
        return Span(self.batches + other.batches, self.returns + other.returns, self.errors + other.errors)

    @property
    def mean(self) -> float:
        return self.returns / self.batches

    @property
    def error(self) -> float:
        return float(np.sqrt(self.errors)) / self.batches


def span(returns: np.ndarray) -> Span:
    """Of one batch, returns [episodes]."""
    error = returns.var(ddof=1) / len(returns) if len(returns) > 1 else 0.0
    return Span(1, float(returns.mean()), float(error))


def no_better(before: Span, now: Span) -> bool:
    """Whether episodes surely return less than those before, or the very same."""
    error, gap = float(np.hypot(before.error, now.error)), now.mean - before.mean
    return gap < -CLEAR * error if error else gap <= 0


class Health:
    """What is known of each of K trainings; `faults` names those that have come to nothing."""

    def __init__(self, count: int, total: int, ppo: PPO, plain: bool) -> None:
        self._total, self._ppo, self._plain = total, ppo, plain
        self.before: list[Span | None] = [None] * count
        self.since: list[tuple[int, Span] | None] = [None] * count  # since which step it has looked like a collapse
        self.faults: dict[int, str] = {}

    def suspect(self, k: int) -> bool:
        """Whether a training's present state may not be worth keeping."""
        return k in self.faults or self.since[k] is not None

    def played(self, k: int, returns: np.ndarray, steps: int, stuck: bool) -> None:
        """A batch of finished episodes, returns [episodes]; `stuck`: a sure policy whose returns may be judged."""
        latest = span(returns)
        before = self.before[k] = self.before[k] or latest
        if not self._plain or not stuck or latest.mean > before.mean:
            self.since[k] = None
            return
        began, seen = self.since[k] or (steps, Span(0, 0.0, 0.0))
        now = seen + latest
        self.since[k] = began, now
        if steps - began >= self._total / PATIENCE and now.batches >= FEWEST and no_better(before, now):
            found = f"{now.mean:g} an episode since {began}, {before.mean:g} before learning"
            self._tell(k, "collapsed", f"entropy below {SURE:g} nats and no better returns: {found}", steps)

    def checked(self, stacks: Sequence[Stack], losses: Mapping[str, Sequence[float]], steps: int) -> None:
        """Looks at every learner's weights, and at the update's losses."""
        finite = torch.stack([torch.isfinite(s.flat.detach()).all(dim=1) for s in stacks]).all(dim=0).tolist()
        for k, fine in enumerate(finite):
            wrong = [name for name in ("policy_loss", "value_loss") if not np.isfinite(losses[name][k])]
            if not fine or wrong:
                self._tell(k, "not finite", f"{', '.join(wrong) or 'weights'} not finite", steps)

    def _tell(self, k: int, kind: str, what: str, steps: int) -> None:
        ppo = self._ppo
        settings = f"learning_rate {ppo.learning_rate:g}, entropy {ppo.entropy:g}, max_norm {ppo.max_norm:g}"
        said = f"stopped at step {steps} of {self._total}: {what} ({settings}); try {REMEDY[kind]}"
        self.faults.setdefault(k, said)
