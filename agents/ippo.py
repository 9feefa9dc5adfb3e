"""Independent PPO in self-play [deWitt2020]: every seat learns from its own reward, one network for all or one each."""

from collections.abc import Sequence

from crossplay.agents.networks import Architecture, PolicyNet
from crossplay.agents.objective import PPO
from crossplay.agents.seating import Seating
from crossplay.agents.trainer import TRAINERS, Budget, Independent, Method, Plan
from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.seeding import derive


@TRAINERS.register("ippo")
@config
class IPPO:
    """Self-play: the learners are each other's only partners."""

    shared: bool = True
    architecture: Architecture = Architecture()
    ppo: PPO = PPO()
    budget: Budget = Budget()

    def plan(self, game: Game, partners: Sequence[Policy], seed: int) -> Plan:
        """Raises Refused when handed partners: self-play has none."""
        if partners:
            raise Refused(f"ippo trains in self-play and takes no partners; given {len(partners)}; use best_response")
        net = PolicyNet(self.architecture, game.spec, shared=self.shared, seed=derive(seed, "weights"))
        players = tuple(0 if self.shared else seat for seat in range(game.spec.seats))
        tables = [Seating(slice(0, self.budget.games), players)]
        return Plan(net, lambda batch: tables, self.budget.games)

    def method(self, plans: Sequence[Plan]) -> Method:
        """Everybody for itself."""
        return Independent(plans, self.ppo)


class OfMember:
    """What a joint training has of its `member`: the settings that all learners share."""

    member: IPPO

    @property
    def ppo(self) -> PPO:
        """Of every learner."""
        return self.member.ppo

    @property
    def budget(self) -> Budget:
        """Of every learner."""
        return self.member.budget

    @property
    def architecture(self) -> Architecture:
        """Of every learner."""
        return self.member.architecture
