"""Trajectory diversity [Lupu2021], in paper order: the divergence, what a member is paid and pushed for it, training.

N members learn in self-play, and on top of their returns from how unlike the trajectories are that they bring about:

    Σ_i J(π_i, π_i) + α · JSD_γ,   JSD_γ = (1/N) Σ_i E_{τ~π_i} (1/T) Σ_t log δ_i,t(τ) / δ̂_t(τ),
    δ_i,t(τ) = Π_u π_i(a_u|s_u)^(γ^|t−u|),   δ̂_t = (δ_1,t + … + δ_N,t)/N

γ = 1 tells whole trajectories apart, γ = 0 single actions. The stack is the population, as in `mep`.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, NamedTuple

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import Tensor

from crossplay.agents.ippo import IPPO, OfMember
from crossplay.agents.objective import PPO, Samples
from crossplay.agents.rollout import Experience
from crossplay.agents.stack import Stack
from crossplay.agents.trainer import Independent, Lesson, Method, Plan
from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.policy import Policy


class Diversity(NamedTuple):
    """Of sampled trajectories, N · JSD_γ's parts: [i, T, n] for what i played."""

    rises: Tensor  # [i, T, n]: by how much log δ_i / δ̂, the mean over t, rises with this step's actions
    pulls: Tensor  # [j, i, T, n]: its slope in log π_j of them


def diversity(log_probs: Tensor, gamma: float) -> Diversity:
    """From log π_j of what was done in i's whole episodes, [j, i, T, n]. Rises over an episode sum to its log-ratio."""
    count, steps = len(log_probs), log_probs.shape[2]
    far = torch.arange(steps, device=log_probs.device)
    kernel = torch.as_tensor(gamma, dtype=torch.float64, device=far.device) ** (far[:, None] - far).abs()
    logs, own = log_probs.double(), torch.arange(count, device=log_probs.device)
    total = torch.zeros_like(logs[0])
    for row in kernel:  # δ of every t, with the factors known by every step: T × T numbers, a row at a time
        so_far = (row[:, None] * logs).cumsum(dim=2)
        total += so_far[own, own] - (so_far.logsumexp(dim=0) - math.log(count))
    rises = torch.diff(total, dim=1, prepend=torch.zeros_like(total[:, :1])) / steps
    shares = torch.softmax(kernel @ logs, dim=0)
    mine = torch.eye(count, dtype=torch.float64, device=log_probs.device)[:, :, None, None]
    return Diversity(rises.float(), (kernel @ (mine - shares) / steps).float())


def log_odds(population: Stack, seen: Experience) -> Tensor:
    """log π_j of every action that i took, [j, i, T, n]."""
    found = []
    with torch.no_grad():
        for features, legal, actions in zip(seen.features, seen.legal, seen.actions, strict=True):
            flat = [part.flatten(0, 1).expand(len(population.nets), -1, *part.shape[2:]) for part in (features, legal)]
            odds, taken = population.log_policy(*flat), actions.flatten().expand(len(population.nets), -1)
            found.append(odds.gather(2, taken[..., None]).view(-1, *actions.shape))
    return torch.stack(found, dim=1)


def everybody(population: Stack, own: Samples, logs: Tensor, pulls: Tensor) -> Samples:
    """Own samples, then all others' in turn, of which only the pulls [j, i, n] are learned: critics keep to theirs."""
    count = len(population.nets)
    each, parts = torch.arange(count, device=logs.device), []
    for ahead in range(count):
        whose = (each + ahead) % count
        features, legal, actions = (part[whose] for part in own[:3])
        with torch.no_grad():
            values = own.values if not ahead else population.value(features)
        pull, log = pulls[each, whose], logs[each, whose]
        gains, targets = (own.advantages + pull, own.targets) if not ahead else (pull, values)
        parts.append((features, legal, actions, log, values, gains, targets))
    return Samples._make([*(torch.cat(part, dim=1) for part in zip(*parts, strict=True)), None, None])


class Trajectories:
    """Every member learns from its returns, and to make the members' trajectories tell who played them."""

    pair = ()

    def __init__(self, plans: Sequence[Plan], ppo: PPO, alpha: float, gamma: float) -> None:
        self._each, self._ppo, self._alpha, self._gamma = Independent(plans, ppo), ppo, alpha, gamma
        self._games, self._horizon = plans[0].games, plans[0].net.spec.horizon
        self.learners, self.choosers, self.memory = self._each.learners, self._each.choosers, self._each.memory

    def lessons(self, seen: list[Experience], progress: float) -> tuple[list[Lesson], dict[str, Tensor]]:
        """One lesson for every learner, and each member's share of N · JSD_γ, `trajectory_nats` [N]."""
        logs = [log_odds(learner, mine) for learner, mine in zip(self.learners, seen, strict=True)]
        joint = torch.stack([log.unflatten(3, (-1, self._games)).sum(dim=3) for log in logs]).sum(dim=0)
        rises, pulls = (self._by_step(part) for part in diversity(self._by_episode(joint), self._gamma))
        price = self._alpha / len(rises)
        paid = [mine._replace(rewards=mine.rewards + price * _seats(rises, mine)) for mine in seen]
        lessons, _ = self._each.lessons(paid, progress)
        if price and self._gamma < 1:  # at 1 the pulls' expectation is nothing
            lessons = [
                self._pushed(lesson, log, price * _seats(pulls, mine))
                for lesson, log, mine in zip(lessons, logs, seen, strict=True)
            ]
        return lessons, {"trajectory_nats": rises.sum(dim=1).mean(dim=1) * self._horizon / rises.shape[1]}

    def _by_episode(self, found: Tensor) -> Tensor:
        """[…, T, n] as […, horizon, episodes · n]."""
        return found.unflatten(-2, (-1, self._horizon)).transpose(-3, -2).flatten(-2)

    def _by_step(self, found: Tensor) -> Tensor:
        """And back."""
        return found.unflatten(-1, (-1, self._games)).transpose(-3, -2).flatten(-3, -2)

    def _pushed(self, lesson: Lesson, logs: Tensor, pulls: Tensor) -> Lesson:
        own, count = lesson.samples, len(pulls)
        if self._ppo.normalise:  # here, since others' samples have no part in it
            gains = own.advantages - own.advantages.mean(dim=1, keepdim=True)
            unit = (gains**2).mean(dim=1, keepdim=True).sqrt() + 1e-8
            own, pulls = own._replace(advantages=gains / unit), pulls / unit[:, :, None, None]
        samples = everybody(self.learners[lesson.learner], own, logs.flatten(2), pulls.flatten(2))
        ppo = replace(self._ppo, normalise=False, value=self._ppo.value * count, entropy=self._ppo.entropy * count)
        return lesson._replace(samples=samples._replace(advantages=samples.advantages * count), ppo=ppo)


def _seats(found: Tensor, seen: Experience) -> Tensor:
    """What is said of whole tables [..., n], at each of a learner's places there."""
    return found.repeat(*[1] * (found.dim() - 1), seen.actions.shape[2] // found.shape[-1])


@config
class TrajeDi(OfMember):
    """`members` self-play trainings as one population; in no registry, since a population is no entry of a board."""

    kind: ClassVar[str] = "trajedi"  # for its table
    alpha: NonNegativeFloat = 1.0  # return per nat; 0: independent trainings, bit for bit
    gamma: float = Field(default=0.5, ge=0, le=1)  # of the kernel: how far apart actions still belong together
    members: PositiveInt = 3
    member: IPPO = IPPO()

    def plan(self, game: Game, partners: Sequence[Policy], seed: int) -> Plan:
        """One member's beginning. Raises Refused for partners, broken episodes, rescaled units and odd networks."""
        plain, a = not self.ppo.rescale, self.architecture
        if self.ppo.rollout % game.spec.horizon:
            given = f"rollout = {self.ppo.rollout}, {game.spec.name} has {game.spec.horizon} steps"
            raise Refused(f"trajedi compares whole episodes, so a rollout has to hold some exactly; given {given}")
        if not plain or a.body == "gru" or a.context or a.central:
            raise Refused("trajedi wants plain networks (no gru, context or central critic), and rescale = false")
        return self.member.plan(game, partners, seed)

    def method(self, plans: Sequence[Plan]) -> Method:
        """Raises Refused where somebody is missing, as when members' checkpoints have come unequally far."""
        if len(plans) != self.members:
            raise Refused(f"trajedi teaches its {self.members} members together; given {len(plans)}")
        return Trajectories(plans, self.ppo, self.alpha, self.gamma)
