"""E3T [Yan2023]: self-play with a partner that is partly oneself and partly random, and foresight of what it will do.

The partner is a double of the ego that acts at random with probability `noise`. A predictor, trained by cross-entropy
on what the partner did, tells the actor the odds of the partner's next action. The source reads the last five states
and partner's actions; a policy here sees its own views only, so the predictor reads the last `context` views, in which
the partner's moves can be seen.
"""

from collections.abc import Sequence
from dataclasses import replace

from pydantic import Field

from crossplay.agents.networks import Architecture
from crossplay.agents.noisy_self_play import NoisySelfPlay
from crossplay.agents.objective import PPO
from crossplay.agents.trainer import TRAINERS, Budget, Method, Plan
from crossplay.benchmark.config import config
from crossplay.benchmark.game import Game
from crossplay.benchmark.policy import Policy


@TRAINERS.register("e3t")
@config
class E3T:
    """One network for all seats; `architecture.context` is set by `context`."""

    noise: float = Field(default=0.25, ge=0, le=1)  # share of the partner's actions that are random
    context: int = Field(default=5, ge=1)  # views to foresee the partner's action from, present one included
    architecture: Architecture = Architecture()
    ppo: PPO = PPO()
    budget: Budget = Budget()

    @property
    def _noisy(self) -> NoisySelfPlay:
        seeing = replace(self.architecture, context=self.context)
        return NoisySelfPlay(noise=self.noise, architecture=seeing, ppo=self.ppo, budget=self.budget)

    def plan(self, game: Game, partners: Sequence[Policy], seed: int) -> Plan:
        """As noisy self-play, with a context. Raises Refused when handed partners."""
        return self._noisy.plan(game, partners, seed)

    def method(self, plans: Sequence[Plan]) -> Method:
        """The ego learns to act and to foresee."""
        return self._noisy.method(plans)
