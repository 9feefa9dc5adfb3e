"""State-augmented self-play [Gessler2025]: training starts where strangers might leave the game, not where it begins.

Self-play agents fail with strangers in states they have never seen, rather than for want of agreement. The source mixes
states that strangers might lead to into the start states; here things start scattered at random, which contains them.
"""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace

from pydantic import Field

from crossplay.agents.ippo import IPPO
from crossplay.agents.networks import Architecture
from crossplay.agents.objective import PPO
from crossplay.agents.trainer import TRAINERS, Budget, Independent, Method, Plan
from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.policy import Policy


@TRAINERS.register("state_augmented")
@config
class StateAugmented:
    """Self-play in the game's variant with random starts; the agent is one of the game itself."""

    starts: float = Field(default=0.5, gt=0, le=1)  # probability with which each thing starts at random
    shared: bool = True
    architecture: Architecture = Architecture()
    ppo: PPO = PPO()
    budget: Budget = Budget()

    def plan(self, game: Game, partners: Sequence[Policy], seed: int) -> Plan:
        """As ippo. Raises Refused when handed partners, or where a game's starts cannot be scattered."""
        plain = IPPO(shared=self.shared, architecture=self.architecture, ppo=self.ppo, budget=self.budget)
        return plain.plan(game, partners, seed)._replace(arena=scattered(game, self.starts))

    def method(self, plans: Sequence[Plan]) -> Method:
        """Everybody for itself."""
        return Independent(plans, self.ppo)


def scattered(game: Game, starts: float) -> Game:
    """The variant of a game in which things start at random with this probability. Raises Refused if there is none."""
    if not is_dataclass(game) or "random_starts" not in {field.name for field in fields(game)}:
        raise Refused(f"state_augmented needs a game with `random_starts`, as overcooked; given {game.spec.name}")
    variant: Game = replace(game, random_starts=starts)
    return variant
