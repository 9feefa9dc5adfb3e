"""PPO against frozen partners: the best response to a population.

Partners are drawn uniformly [Strouse2021], or those the ego does worst with more often [Zhao2023].
"""

from collections.abc import Sequence
from functools import partial
from typing import Literal

import numpy as np
from pydantic import NonNegativeFloat, PositiveInt

from crossplay.agents.ledger import Ledger
from crossplay.agents.networks import Architecture, PolicyNet
from crossplay.agents.objective import PPO
from crossplay.agents.seating import Seating
from crossplay.agents.trainer import TRAINERS, Budget, Independent, Method, Plan
from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.seeding import derive


@TRAINERS.register("best_response")
@config
class BestResponse:
    """One network for all seats; at every reset each table draws a partner, and tables take the ego's seat in turn."""

    architecture: Architecture = Architecture()
    ppo: PPO = PPO()
    budget: Budget = Budget()
    tables: PositiveInt = 8  # partners met at once; the games are dealt evenly among them
    beta: NonNegativeFloat | None = None  # partners come up by rank^beta, the worst ranks highest; None: uniformly
    goal: Literal["team"] | None = None  # the ego is paid the mean over the seats; None: what its own seat earns

    def plan(self, game: Game, partners: Sequence[Policy], seed: int) -> Plan:
        """Raises Refused without partners, or where games cannot be dealt evenly to the tables."""
        if not partners:
            raise Refused("best_response needs partners to respond to; given none")
        if self.budget.games % self.tables:
            raise Refused(f"best_response: {self.budget.games} games cannot be dealt evenly to {self.tables} tables")
        net = PolicyNet(self.architecture, game.spec, shared=True, seed=derive(seed, "weights"))
        ledger = None if self.beta is None else Ledger(len(partners), self.beta)
        return Plan(
            net,
            lambda batch: self._seatings(partners, game.spec.seats, seed, batch, ledger),
            self.budget.games,
            ledger=None if ledger is None else ledger.returns,
        )

    def method(self, plans: Sequence[Plan]) -> Method:
        """The ego alone learns."""
        return Independent(plans, self.ppo)

    def _seatings(
        self, partners: Sequence[Policy], seats: int, seed: int, batch: int, ledger: Ledger | None
    ) -> list[Seating]:
        """Tables of batch number `batch`: a partner drawn for each, the ego's seat moving on by one."""
        rng = np.random.default_rng(derive(seed, "seating", batch))
        if ledger is None:
            drawn = rng.integers(len(partners), size=self.tables)
        else:
            drawn = rng.choice(len(partners), size=self.tables, p=ledger.odds())
        size = self.budget.games // self.tables
        found = []
        for i, who in enumerate(drawn.tolist()):
            ego = (i + batch) % seats
            players = tuple(0 if seat == ego else partners[who] for seat in range(seats))
            told = None if ledger is None else partial(ledger.note, who, ego)
            found.append(Seating(slice(i * size, (i + 1) * size), players, self._pays(seats), told=told))
        return found

    def _pays(self, seats: int) -> tuple[tuple[float, ...], ...]:
        return ((1 / seats,) * seats,) * seats if self.goal else ()
