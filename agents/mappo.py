"""Multi-agent PPO [Yu2022]: self-play whose critic reads what all seats see; the actor reads its own view alone.

The critic is there in training only, so it may know what no seat does: a seat's own view and, behind it, the others'.
It speaks in normalised returns, whatever the game pays.
"""

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from crossplay.agents import ppo as algorithm
from crossplay.agents.ippo import IPPO
from crossplay.agents.networks import Architecture
from crossplay.agents.objective import PPO
from crossplay.agents.rollout import Experience
from crossplay.agents.scale import Scale
from crossplay.agents.trainer import TRAINERS, Budget, Independent, Lesson, Method, Plan
from crossplay.benchmark.config import config
from crossplay.benchmark.game import Game
from crossplay.benchmark.policy import Policy


@TRAINERS.register("mappo")
@config
class MAPPO:
    """As ippo, with `architecture.central` set and the critic's move clipped, as in the source."""

    shared: bool = True
    architecture: Architecture = Architecture()
    ppo: PPO = PPO(clip_value=True)
    budget: Budget = Budget()

    def plan(self, game: Game, partners: Sequence[Policy], seed: int) -> Plan:
        """As ippo. Raises Refused when handed partners, or for a network that cannot have a central critic."""
        central = replace(self.architecture, central=True)
        own = IPPO(shared=self.shared, architecture=central, ppo=self.ppo, budget=self.budget)
        return own.plan(game, partners, seed)

    def method(self, plans: Sequence[Plan]) -> Method:
        """Everybody for itself, by critics with units of their own."""
        return Central(plans, self.ppo)


class Central(Independent):
    """Every learner learns from what its seat was paid; its critic's scale is part of what a checkpoint holds."""

    def __init__(self, plans: Sequence[Plan], ppo: PPO) -> None:
        super().__init__(plans, ppo)
        self._scales = [Scale(len(plans), learner.flat.device) for learner in self.learners]
        self.memory = {f"scale {number}": scale.sums for number, scale in enumerate(self._scales)}

    def lessons(self, seen: list[Experience], progress: float) -> tuple[list[Lesson], dict[str, Tensor]]:
        """One lesson for every learner."""
        samples = [
            algorithm.prepare(learner, mine, self._ppo, self._terminal, scale=scale)
            for learner, mine, scale in zip(self.learners, seen, self._scales, strict=True)
        ]
        return [Lesson(k, mine, self._ppo) for k, mine in enumerate(samples)], {}
