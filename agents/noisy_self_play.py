"""Self-play with a partner whose hand slips: the control every form of risk aversion has to beat.

Each hero plays with a double of the other (or of itself) that acts at random with probability `noise`. It differs from
self-play in what the hero has to put up with, and from SRPO in that nobody chooses it.
"""

from collections.abc import Sequence

from pydantic import Field

from crossplay.agents.networks import Architecture, PolicyNet
from crossplay.agents.objective import PPO
from crossplay.agents.seating import Double, Seating
from crossplay.agents.trainer import TRAINERS, Budget, Independent, Method, Plan
from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.seeding import derive


@TRAINERS.register("noisy_self_play")
@config
class NoisySelfPlay:
    """Every hero trains with a trembling double of its partner; seats take the hero in equal parts."""

    noise: float = Field(default=0.5, ge=0, le=1)  # share of the partner's actions that are random
    shared: bool = True
    architecture: Architecture = Architecture()
    ppo: PPO = PPO()
    budget: Budget = Budget()

    def plan(self, game: Game, partners: Sequence[Policy], seed: int) -> Plan:
        """Raises Refused when handed partners, or where games cannot be dealt evenly to the seats."""
        seats, games = game.spec.seats, self.budget.games
        if partners:
            raise Refused(f"noisy_self_play makes its own partners; given {len(partners)}; use best_response")
        if games % seats:
            raise Refused(f"noisy_self_play: {games} games cannot be dealt evenly to {seats} seats")
        net = PolicyNet(self.architecture, game.spec, shared=self.shared, seed=derive(seed, "weights"))
        tables = trembling(games, seats, self.shared, self.noise)
        return Plan(net, lambda batch: tables, games)

    def method(self, plans: Sequence[Plan]) -> Method:
        """The heroes learn, their doubles do not."""
        return Independent(plans, self.ppo)


def trembling(games: int, seats: int, shared: bool, noise: float) -> list[Seating]:
    """A table a seat: there the hero sits, everywhere else a double of whoever plays that seat."""
    size = games // seats
    whose = [0 if shared else seat for seat in range(seats)]
    return [
        Seating(
            slice(hero * size, (hero + 1) * size),
            tuple(whose[seat] if seat == hero else Double(whose[seat], noise) for seat in range(seats)),
        )
        for hero in range(seats)
    ]
