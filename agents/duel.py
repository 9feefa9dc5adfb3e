"""The duel inside SRPO [Qu2026]: heroes, and the adversaries that take their partners' seats on a leash."""

from math import exp, inf
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import BeforeValidator, Field, NonNegativeFloat
from torch import Tensor, nn

from crossplay.agents import ppo as algorithm
from crossplay.agents.chooser import Chooser, chooser
from crossplay.agents.networks import ActorCritic, PolicyNet
from crossplay.agents.ppo import PPO, Leash
from crossplay.agents.rollout import Experience
from crossplay.agents.trainer import Lesson
from crossplay.benchmark.config import config

DEAREST = 1e3  # price of a nat at the start of the ramp, where τ is 0
ADAPT = 0.05  # largest relative step of an adapted price, per update
FLOOR = -12.0  # least log-probability of a reference: a partner that never does a thing still leaves some room
# infinity goes by name, since JSON and hashes know no other way to write it
Tau = Annotated[NonNegativeFloat | Literal["inf"], BeforeValidator(lambda given: "inf" if given == inf else given)]


@config
class Risk:
    """What the adversary may do, and what it pays."""

    tau: Tau = 10.0  # larger: more risk-averse; 0: independent PPO; inf: free of charge
    budget: float | None = Field(default=None, gt=0)  # nats: instead of a price, the price that holds this divergence
    direction: Literal["adversary_partner", "partner_adversary"] = "adversary_partner"  # KL of which from which
    placement: Literal["loss", "reward"] = "loss"  # exact in the loss, or sampled in the reward
    adversary: Literal["net", "residual"] = "net"  # a net of its own, or one that is added to the partner's logits
    tremble: float = Field(default=0.0, ge=0, le=1)  # the reference is (1 − q)·partner + q·uniform
    off: float = Field(default=0.0, ge=0, le=1)  # share of the training before the adversary moves at all
    ramp: float = Field(default=0.0, ge=0, le=1)  # share after that over which τ grows from 0

    def price(self, progress: float) -> float:
        """1/τ when this share of the training is done."""
        if self.tau == "inf":
            return 0.0
        grown = min(1.0, (progress - self.off) / self.ramp) if self.ramp else 1.0
        return min(DEAREST, 1 / (self.tau * grown)) if grown > 0 else DEAREST


class Duel(nn.Module):
    """Heroes and adversaries as PPO learners, heroes numbered first; adversary k plays against hero k."""

    price: Tensor

    def __init__(self, heroes: PolicyNet, foes: PolicyNet, ppo: PPO, risk: Risk) -> None:
        super().__init__()
        self.heroes, self.foes = heroes, foes
        self._ppo, self._risk = ppo, risk
        self._foe_ppo = ppo.__class__(**{**ppo.__dict__, "entropy": 0.0})  # its objective has no entropy in it
        seats = range(len(heroes.nets))
        self._partners = [heroes.of(seat) for seat in seats][::-1]  # whose seat adversary k has taken
        self.learners: list[ActorCritic] = [*(heroes.of(seat) for seat in seats), *(foes.of(seat) for seat in seats)]
        self.register_buffer("price", torch.tensor(risk.price(0.0), dtype=torch.float64))
        for foe, partner in self._pairs():
            begin(foe, partner, risk)
        free = [chooser(learner) for learner in self.learners[: len(seats)]]
        self.choosers = free + [tethered(foe, partner, risk) for foe, partner in self._pairs()]

    @property
    def module(self) -> nn.Module:
        """Everything a checkpoint has to hold."""
        return self

    def _pairs(self) -> list[tuple[ActorCritic, ActorCritic]]:
        return list(zip(self.learners[len(self._partners) :], self._partners, strict=True))

    def lessons(self, seen: list[Experience], progress: float) -> tuple[list[Lesson], dict[str, float]]:
        """Heroes learn from what they earned, adversaries from what they cost them, references as they are now."""
        count, terminal = len(self._partners), self.heroes.spec.terminal
        taught = [
            Lesson(k, algorithm.prepare(self.learners[k], seen[k], self._ppo, terminal), self._ppo)
            for k in range(count)
        ]
        if progress < self._risk.off:
            for foe, partner in self._pairs():
                begin(foe, partner, self._risk)
            return taught, {}
        if self._risk.budget is None:
            self.price.fill_(self._risk.price(progress))
        nats = []
        for k, (foe, partner) in enumerate(self._pairs()):
            experience = seen[count + k]._replace(rewards=-seen[k].rewards)
            leash, experience, divergence = self._tether(foe, partner, experience)
            samples = algorithm.prepare(foe, experience, self._foe_ppo, terminal, leash)
            taught.append(Lesson(count + k, samples, self._foe_ppo, leash))
            nats.append(divergence)
        mean = sum(nats) / count
        if self._risk.budget is not None:
            self.price.mul_(exp(ADAPT * max(-1.0, min(1.0, mean / self._risk.budget - 1)))).clamp_(1e-4, DEAREST)
        return taught, {"adversary_nats": mean, "price": float(self.price)}

    def _tether(self, foe: ActorCritic, partner: ActorCritic, seen: Experience) -> tuple[Leash, Experience, float]:
        """The adversary's leash, its experience with the price in the rewards where it belongs there, and its nats."""
        risk, price = self._risk, float(self.price)
        features, legal = seen.features.flatten(0, 1), seen.legal.flatten(0, 1)
        with torch.no_grad():
            held = reference(partner.log_policy(features, legal), legal, risk.tremble)
            in_loss = price if risk.placement == "loss" else 0.0
            leash = Leash(held, in_loss, risk.adversary == "residual", risk.direction == "partner_adversary")
            policy = leash.log_policy(foe, features, legal)
            nats = float(leash.divergence(policy, legal).mean())
            if risk.placement == "reward":
                chosen = seen.actions.flatten()[:, None]
                paid = price * (policy - held).gather(1, chosen).view_as(seen.rewards)
                seen = seen._replace(rewards=seen.rewards - paid)
        return leash, seen, nats


def reference(log_policy: Tensor, legal: Tensor, tremble: float) -> Tensor:
    """Log-probabilities [n, actions] of what an adversary is tethered to; no legal action below e^FLOOR."""
    if tremble:
        uniform = legal / legal.sum(dim=1, keepdim=True)
        log_policy = ((1 - tremble) * log_policy.exp() + tremble * uniform).log()
    return torch.log_softmax(log_policy.clamp(min=FLOOR).masked_fill(~legal, -torch.inf), dim=-1)


def begin(foe: ActorCritic, partner: ActorCritic, risk: Risk) -> None:
    """Makes the adversary the partner it replaces: divergence 0 where nothing trembles."""
    with torch.no_grad():
        if risk.adversary == "net":
            foe.actor.load_state_dict(partner.actor.state_dict())
        else:
            last = foe.actor[-1]
            assert isinstance(last, nn.Linear)
            last.weight.zero_()
            last.bias.zero_()


def tethered(foe: ActorCritic, partner: ActorCritic, risk: Risk) -> Chooser:
    """How an adversary picks actions: by its own net, or by the partner's odds times what its net adds."""
    if risk.adversary == "net":
        return chooser(foe)
    base, tilt = chooser(partner), chooser(foe)

    def choose(features: np.ndarray, legal: np.ndarray) -> np.ndarray:
        odds = base(features, legal)
        held = reference(
            torch.from_numpy(odds / odds.sum(axis=1, keepdims=True)).log(), torch.from_numpy(legal), risk.tremble
        )
        return np.asarray(held.exp().numpy() * tilt(features, legal))

    return choose
