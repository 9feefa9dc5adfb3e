"""The duel inside SRPO [Qu2026]: heroes, and the adversaries that take their partners' seats on a leash."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import BeforeValidator, Field, NonNegativeFloat
from torch import Tensor

from crossplay.agents import ppo as algorithm
from crossplay.agents.chooser import Chooser, chooser
from crossplay.agents.objective import PPO, Leash, log_policy
from crossplay.agents.rollout import Experience
from crossplay.agents.stack import Stack
from crossplay.agents.trainer import Lesson, Plan, stacks
from crossplay.benchmark.config import config

DEAREST = 1e3  # price of a nat at the start of the ramp, where τ is 0 (ours)
ADAPT = 0.05  # largest relative step of an adapted price, per update (ours)
FLOOR = -12.0  # least log-probability of a reference: a partner that never does a thing still leaves some room (ours)
# infinity goes by name, since JSON and hashes know no other way to write it
Tau = Annotated[NonNegativeFloat | Literal["inf"], BeforeValidator(lambda given: "inf" if given == inf else given)]


@config
class Risk:
    """What the adversary may do, and what it pays.

    direction, placement: KL(φ‖θ) in the loss is the paper's; KL(θ‖φ) is what its code does for gridworld and Tag; in
    the reward, −(1/τ)(log φ − log θ), what its code does for language models [Qu2026]. All but these and τ are ours.
    """

    tau: Tau = 10.0  # larger: more risk-averse; 0: independent PPO; inf: free of charge
    budget: float | None = Field(default=None, gt=0)  # nats: instead of a price, the price that holds this divergence
    direction: Literal["adversary_partner", "partner_adversary"] = "adversary_partner"  # KL of which from which
    placement: Literal["loss", "reward"] = "loss"  # exact in the loss, or sampled in the reward
    adversary: Literal["net", "residual"] = "net"  # a net of its own, or one that is added to the partner's logits
    tremble: float = Field(default=0.0, ge=0, le=1)  # the reference is (1 − q)·partner + q·uniform
    off: float = Field(default=0.0, ge=0, le=1)  # share of the training before the adversary moves at all
    ramp: float = Field(default=0.0, ge=0, le=1)  # share after that over which τ grows from 0
    meet: float = Field(default=0.0, ge=0, lt=1)  # share of the games in which heroes meet each other (ours)
    foes: int | None = Field(default=None, ge=1)  # adversaries at a table of more than two seats; None: all but one

    def price(self, progress: float) -> float:
        """1/τ of U^τ [Qu2026] when this share of the training is done; the ramp is ours."""
        if self.tau == "inf":
            return 0.0
        grown = min(1.0, (progress - self.off) / self.ramp) if self.ramp else 1.0
        return min(DEAREST, 1 / (self.tau * grown)) if grown > 0 else DEAREST


class Duel:
    """Heroes and adversaries as PPO learners, heroes numbered first; adversary k plays against hero k."""

    def __init__(self, plans: Sequence[Plan], ppo: PPO, risk: Risk) -> None:
        spec = plans[0].net.spec
        self._terminal, self._ppo, self._risk = spec.terminal, ppo, risk
        self._foe_ppo = replace(ppo, entropy=0.0)  # its objective has no entropy in it [Qu2026]
        self.heroes = stacks([plan.net for plan in plans])
        self.foes = stacks([plan.foes for plan in plans if plan.foes])
        self.learners = [*self.heroes, *self.foes]
        self.partners = self.heroes[::-1]  # whose seat adversary k has taken; one net for all seats is its own partner
        self.pair = tuple(seat if len(self.heroes) > 1 else 0 for seat in range(spec.seats))
        start = torch.full((len(plans),), risk.price(0.0), dtype=torch.float64, device=self.heroes[0].flat.device)
        self.memory = {"price": start}
        self._restart()
        tied = [tethered(foe, partner, risk) for foe, partner in zip(self.foes, self.partners, strict=True)]
        self.choosers = [chooser(hero) for hero in self.heroes] + tied

    def _restart(self) -> None:
        for foe, partner in zip(self.foes, self.partners, strict=True):
            begin(foe, partner, self._risk)

    @property
    def price(self) -> Tensor:
        """1/τ, [K]."""
        return self.memory["price"]

    def lessons(self, seen: list[Experience], progress: float) -> tuple[list[Lesson], dict[str, Tensor]]:
        """Heroes learn from what they earned, adversaries from what they cost them, references as they are now."""
        count = len(self.heroes)
        taught = [
            Lesson(k, algorithm.prepare(hero, seen[k], self._ppo, self._terminal), self._ppo)
            for k, hero in enumerate(self.heroes)
        ]
        if progress < self._risk.off:
            self._restart()
            return taught, {"adversary_nats": torch.zeros_like(self.price), "price": self.price.clone()}
        if self._risk.budget is None:
            self.price.fill_(self._risk.price(progress))
        nats = []
        for k, (foe, partner) in enumerate(zip(self.foes, self.partners, strict=True)):
            leash, experience, divergence = self._tether(foe, partner, seen[count + k])
            samples = algorithm.prepare(foe, experience, self._foe_ppo, self._terminal, leash)
            taught.append(Lesson(count + k, samples, self._foe_ppo, leash))
            nats.append(divergence)
        mean = torch.stack(nats).mean(dim=0)
        numbers = {"adversary_nats": mean, "price": self.price.clone()}
        if self._risk.budget is not None:
            off_target = (mean.double() / self._risk.budget - 1).clamp(-1.0, 1.0)
            # the price that holds a divergence (ours)
            self.price.mul_((ADAPT * off_target).exp()).clamp_(1e-4, DEAREST)
        return taught, numbers

    def _tether(self, foe: Stack, partner: Stack, seen: Experience) -> tuple[Leash, Experience, Tensor]:
        """KL(φ‖θ)/τ of [Qu2026] as a leash or taken off the rewards; the experience then; the divergence in nats."""
        risk, price = self._risk, self.price.float()
        features, legal = seen.features.flatten(1, 2), seen.legal.flatten(1, 2)
        with torch.no_grad():
            held = reference(partner.log_policy(features, legal), legal, risk.tremble)
            in_loss = price if risk.placement == "loss" else torch.zeros_like(price)
            leash = Leash(held, in_loss, risk.adversary == "residual", risk.direction == "partner_adversary")
            policy = log_policy(foe.logits(features), legal, leash)
            nats = leash.divergence(policy, legal).mean(dim=1)
            if risk.placement == "reward":
                chosen = seen.actions.flatten(1, 2)[..., None]
                paid = price[:, None, None] * (policy - held).gather(2, chosen).view_as(seen.rewards)
                seen = seen._replace(rewards=seen.rewards - paid)
        return leash, seen, nats


def reference(log_policy: Tensor, legal: Tensor, tremble: float) -> Tensor:
    """Log-probabilities [..., actions] of (1 − q)·partner + q·uniform, no legal action below e^FLOOR (ours)."""
    if tremble:
        uniform = legal / legal.sum(dim=-1, keepdim=True)
        log_policy = ((1 - tremble) * log_policy.exp() + tremble * uniform).log()
    return torch.log_softmax(log_policy.clamp(min=FLOOR).masked_fill(~legal, -torch.inf), dim=-1)


def begin(foe: Stack, partner: Stack, risk: Risk) -> None:
    """Makes φ_i the θ_−i it replaces: divergence 0 where nothing trembles (ours)."""
    if risk.adversary == "net":
        foe.become(partner)
    else:
        foe.say_nothing()


def tethered(foe: Stack, partner: Stack, risk: Risk) -> Chooser:
    """How an adversary picks actions: by its own net, or φ ∝ reference · exp(net), the residual form (ours)."""
    if risk.adversary == "net":
        return chooser(foe)
    base, tilt = chooser(partner), chooser(foe)

    def choose(features: np.ndarray, legal: np.ndarray) -> np.ndarray:
        odds = base(features, legal)
        held = reference(
            torch.from_numpy(odds / odds.sum(axis=-1, keepdims=True)).log(), torch.from_numpy(legal), risk.tremble
        )
        return np.asarray(held.exp().numpy() * tilt(features, legal))

    return choose
