"""PPO on whole answers for one adapter [Schulman2017] [Qu2026].

An answer has one return R and a baseline V from a linear critic that reads the adapter's last hidden state at the end
of the prompt. A = R − V is centred and scaled for every agent and every round on its own, never by how many rounds or
tokens there were. What an adversary pays for its tokens, −(1/τ)(log π_adv − log π_hero) each, is summed from each token
to the end of the answer and divided by the same scale, so that scaling does not change τ.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from crossplay.agents.llm.brain import Brain, Spoken
from crossplay.agents.llm.talk import flat
from crossplay.benchmark.errors import Refused

if TYPE_CHECKING:
    from crossplay.agents.llm.arms import Learn

FLOOR = 0.05  # of the scale: where all answers are equally good, luck is not to be blown up


class Lesson(NamedTuple):
    """What one adapter said in one round of one cast, and the return of each answer, float64 [episodes]."""

    said: Spoken
    returns: np.ndarray
    reference: str | None = None  # the adapter that an adversary pays for being unlike


class Learner:
    """An adapter, its critic and their optimisers."""

    def __init__(self, brain: Brain, name: str, learn: "Learn") -> None:
        self.brain, self.name, self._learn = brain, name, learn
        self.critic = torch.nn.utils.skip_init(torch.nn.Linear, brain.hidden, 1, device=brain.device)
        torch.nn.init.zeros_(self.critic.weight)
        torch.nn.init.zeros_(self.critic.bias)
        self._weights = brain.weights(name)
        self._actor = torch.optim.Adam(self._weights, lr=learn.lr)
        self._judge = torch.optim.Adam(self.critic.parameters(), lr=learn.critic_lr)

    def state(self) -> dict[str, Any]:
        """All that has to be kept for `restore` to go on exactly."""
        return {
            "weights": [weight.detach() for weight in self._weights],
            "critic": self.critic.state_dict(),
            "actor": self._actor.state_dict(),
            "judge": self._judge.state_dict(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from a `state`."""
        with torch.no_grad():
            for weight, kept in zip(self._weights, state["weights"], strict=True):
                weight.copy_(kept)
        self.critic.load_state_dict(state["critic"])
        self._actor.load_state_dict(state["actor"])
        self._judge.load_state_dict(state["judge"])

    def update(self, lessons: list[Lesson], price: float) -> dict[str, float]:
        """One batch, some epochs; numbers to watch. Raises Refused where weights stop being numbers."""
        leashes = [self._leash(lesson) for lesson in lessons]
        advantages = [self._advantages(one, leash, price) for one, leash in zip(lessons, leashes, strict=True)]
        asked, tokens, mask, logs, seen = flat([lesson.said for lesson in lessons])
        width = tokens.shape[1]
        better = torch.cat([torch.nn.functional.pad(a, (0, width - a.shape[1])) for a in advantages])
        for _ in range(self._learn.epochs):
            entropy = self._step(asked, tokens, mask, logs, better)
        returns = np.concatenate([lesson.returns for lesson in lessons])
        self._judged(seen, torch.from_numpy(returns).float().to(seen.device))
        watched = {"entropy": entropy, "length": float(mask.sum(dim=1).float().mean())}
        if any(lesson.reference for lesson in lessons):
            watched["nats"] = float(sum(leash.sum() for leash in leashes) / mask.sum())
        return watched

    def _leash(self, lesson: Lesson) -> Tensor:
        """log π − log π_reference of every token as it was said, float32 [rows, tokens]; 0 without a reference."""
        if lesson.reference is None:
            return torch.zeros_like(lesson.said.logs)
        said = lesson.said
        with torch.no_grad():
            other, _ = self.brain.scored(said.asked, said.tokens, said.mask, lesson.reference)
        return (said.logs - other) * said.mask

    def _advantages(self, lesson: Lesson, leash: Tensor, price: float) -> Tensor:
        """Of every token of one agent's answers in one round, float32 [rows, tokens]."""
        with torch.no_grad():
            value = self.critic(lesson.said.seen)[:, 0]
        raw = torch.from_numpy(lesson.returns).float().to(value.device) - value
        return advantages(raw, leash, price) * lesson.said.mask

    def _step(self, asked: list[list[int]], tokens: Tensor, mask: Tensor, logs: Tensor, better: Tensor) -> float:
        total, entropies = mask.sum(), 0.0
        self._actor.zero_grad()
        for start in range(0, len(asked), self._learn.micro):
            part = slice(start, start + self._learn.micro)
            now, entropy = self.brain.scored(asked[part], tokens[part], mask[part], self.name)
            gain = clipped((now - logs[part]).exp(), better[part], self._learn.clip)
            keep = mask[part]
            loss = -((gain + self._learn.entropy * entropy) * keep).sum() / total
            loss.backward()
            entropies += float((entropy.detach() * keep).sum() / total)
        norm = torch.nn.utils.clip_grad_norm_(self._weights, 1.0)
        if not torch.isfinite(norm):
            raise Refused(
                f"{self.name}: the gradient is {float(norm)}; training came to nothing, try a smaller learn.lr"
            )
        self._actor.step()
        return entropies

    def _judged(self, seen: Tensor, returns: Tensor) -> None:
        for _ in range(self._learn.epochs):
            loss = (self.critic(seen)[:, 0] - returns).square().mean()
            self._judge.zero_grad()
            loss.backward()
            self._judge.step()


def advantages(raw: Tensor, leash: Tensor, price: float) -> Tensor:
    """raw [rows] and leash [rows, tokens] → [rows, tokens]: centred, scaled, and less what is still to be paid."""
    scale = raw.std(correction=0).clamp(min=FLOOR)
    owed = price * leash.flip(1).cumsum(dim=1).flip(1)
    return ((raw - raw.mean())[:, None] - owed + (owed[:, :1].mean() if price else 0.0)) / scale


def clipped(ratio: Tensor, better: Tensor, clip: float) -> Tensor:
    """PPO's surrogate of every token."""
    return torch.minimum(ratio * better, ratio.clamp(1 - clip, 1 + clip) * better)
