"""Maximum-entropy population [Zhao2023], in paper order: the mean policy, what rarity is paid, the joint training.

N members learn in self-play, each paid on top of its reward for actions that the population as a whole seldom takes:

    r_i(s, a) + α · (−log π̄(a|s)),   π̄ = (π_1 + … + π_N)/N

which raises the entropy of π̄, that is, how unlike one another the members are. The stack is the population: here, and
nowhere among the trainers of the board, one slice looks at another, so all members are always taught together.
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor

from crossplay.agents.ippo import IPPO, OfMember
from crossplay.agents.objective import PPO
from crossplay.agents.rollout import Experience
from crossplay.agents.stack import Stack
from crossplay.agents.trainer import Independent, Lesson, Method, Plan
from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.policy import Policy

FLOOR = 1e-5  # least mean probability that is told from none: no action earns more than 11.5 α [Zhao2023]


def mean_policy(population: Stack, seen: Experience) -> Tensor:
    """π̄(a|s) of every action that was taken, [N, T, n]; the members' parameters are those they now have."""
    found = []
    for features, legal, actions in zip(seen.features, seen.legal, seen.actions, strict=True):
        flat = [part.flatten(0, 1).expand(len(population.nets), -1, *part.shape[2:]) for part in (features, legal)]
        odds = population.log_policy(*flat).exp().mean(dim=0)
        found.append(odds.gather(1, actions.flatten()[:, None]).view_as(actions))
    return torch.stack(found)


def rarity(population: Stack, seen: Experience) -> Tensor:
    """−log max(π̄(a|s), FLOOR) of every action that was taken, in nats, [N, T, n]."""
    with torch.no_grad():
        return -mean_policy(population, seen).clamp(min=FLOOR).log()


class MaximumEntropy:
    """Every seat of every member learns from what it was paid and how rare in the population its action was."""

    pair = ()

    def __init__(self, plans: Sequence[Plan], ppo: PPO, alpha: float) -> None:
        self._each, self._alpha = Independent(plans, ppo), alpha
        self.learners, self.choosers, self.memory = self._each.learners, self._each.choosers, self._each.memory

    def lessons(self, seen: list[Experience], progress: float) -> tuple[list[Lesson], dict[str, Tensor]]:
        """One lesson for every learner, and the mean rarity of what each member did, `population_nats` [N]."""
        nats = [rarity(learner, mine) for learner, mine in zip(self.learners, seen, strict=True)]
        paid = [mine._replace(rewards=mine.rewards + self._alpha * n) for mine, n in zip(seen, nats, strict=True)]
        lessons, numbers = self._each.lessons(paid, progress)
        return lessons, numbers | {"population_nats": torch.stack([n.mean(dim=(1, 2)) for n in nats]).mean(dim=0)}


@config
class MEP(OfMember):
    """`members` self-play trainings as one population; in no registry, since a population is no entry of a board."""

    kind: ClassVar[str] = "mep"  # for its table
    alpha: NonNegativeFloat = 0.01  # reward per nat; 0: independent trainings, bit for bit
    members: PositiveInt = 3
    member: IPPO = IPPO()

    def plan(self, game: Game, partners: Sequence[Policy], seed: int) -> Plan:
        """One member's beginning. Raises Refused when handed partners: a population makes its own."""
        return self.member.plan(game, partners, seed)

    def method(self, plans: Sequence[Plan]) -> Method:
        """Raises Refused where somebody is missing, as when members' checkpoints have come unequally far."""
        if len(plans) != self.members:
            raise Refused(f"mep teaches its {self.members} members together, from one checkpoint; given {len(plans)}")
        return MaximumEntropy(plans, self.ppo, self.alpha)
