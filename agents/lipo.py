"""Learning incompatible policies [Charakorn2023]: members that get on with themselves, and with nobody else.

    max  J(π_i, π_i) − λ max_{j ≠ i} J(π_i, π_j)

All members are taught at once. Similar policies are compatible, so those that cannot play together are not similar:
each has to find another solution.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import NonNegativeFloat, PositiveInt

from crossplay.agents.ippo import IPPO
from crossplay.agents.networks import Architecture
from crossplay.agents.objective import PPO
from crossplay.agents.seating import Seating
from crossplay.agents.team import Acquaintance, Meeting, alone, apart, team_budget, team_plan, together
from crossplay.agents.trainer import Budget, Method, Plan
from crossplay.benchmark.config import config
from crossplay.benchmark.game import Game
from crossplay.benchmark.policy import Policy


@config
class LIPO:
    """`members` networks, each with tables for itself and for whom it does best with. In no registry: partners only."""

    kind: ClassVar[str] = "lipo"  # for its table
    members: PositiveInt = 4
    price: NonNegativeFloat = 1.0  # λ, of what is earned with the best rival
    member: IPPO = IPPO()

    @property
    def ppo(self) -> PPO:
        """Of every member."""
        return self.member.ppo

    @property
    def budget(self) -> Budget:
        """Of all members."""
        return team_budget(self.member, self.members)

    @property
    def architecture(self) -> Architecture:
        """Of every member."""
        return self.member.architecture

    def plan(self, game: Game, partners: Sequence[Policy], seed: int) -> Plan:
        """Raises Refused when handed partners, or where the game does not fit."""
        alone(self.kind, partners)
        return team_plan(self.kind, self.member, self.members, game, seed, self.members, self._tables)

    def method(self, plans: Sequence[Plan]) -> Method:
        """Everybody for what it is paid."""
        return Meeting(plans, self.ppo)

    def _tables(self, met: Acquaintance, rng: np.random.Generator, size: int) -> list[Seating]:
        found = []
        for i in range(self.members):
            rival = met.rival(i, [j for j in range(self.members) if j != i], rng)
            found += together(4 * i * size, size, i, i)
            found += apart((4 * i + 2) * size, size, i, rival, self.price, met)
        return found
