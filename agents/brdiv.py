"""Best-response diversity [Rahman2023]: partners whose best responses are of no use to each other.

Every member is a policy π_i and a mate m_i that answers it. With J_ij = J(π_i, m_j),

    max  Σ_i [ J_ii + α Σ_{j ≠ i} ( (J_ii − J_ij) + (J_ii − J_ji) ) ]

over policies and mates: what is lost by answering one member as if it were another.
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
class BRDiv:
    """Policies are numbered from 0, their mates from `members` on. In no registry: it makes partners only."""

    kind: ClassVar[str] = "brdiv"  # for its table
    members: PositiveInt = 4
    alpha: NonNegativeFloat = 1.0
    member: IPPO = IPPO()

    @property
    def ppo(self) -> PPO:
        """Of every policy and mate."""
        return self.member.ppo

    @property
    def budget(self) -> Budget:
        """Of all members."""
        return team_budget(self.member, self.members)

    @property
    def architecture(self) -> Architecture:
        """Of every policy and mate."""
        return self.member.architecture

    @property
    def price(self) -> float:
        """What a table with a rival pays for a point, where one with the own mate pays 1.

        Above J_ii counts 1 + 2α(n − 1) times and every J_ij 2α times; and of tables with rivals there are half as many.
        """
        others = 2 * (self.members - 1) * self.alpha
        return 2 * others / (1 + others)

    def plan(self, game: Game, partners: Sequence[Policy], seed: int) -> Plan:
        """Raises Refused when handed partners, or where the game does not fit."""
        alone(self.kind, partners)
        return team_plan(self.kind, self.member, self.members, game, seed, 2 * self.members, self._tables)

    def method(self, plans: Sequence[Plan]) -> Method:
        """Everybody for what it is paid."""
        return Meeting(plans, self.ppo)

    def _tables(self, met: Acquaintance, rng: np.random.Generator, size: int) -> list[Seating]:
        """Of the four tables a member, two are its own pair's; at one its policy, at one its mate meets another's."""
        count, found = self.members, []
        for i in range(count):
            j, k = ((i + int(rng.integers(1, count))) % count for _ in range(2))
            found += together(4 * i * size, size, i, count + i)
            first, swapped = int(rng.integers(2)), int(rng.integers(2))
            start = (4 * i + 2) * size
            found.append(apart(start - first * size, size, i, count + j, self.price, met)[first])
            found.append(apart(start + (1 - swapped) * size, size, count + i, k, self.price, met)[swapped])
        return found
