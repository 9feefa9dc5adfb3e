"""Best-response diversity [Rahman2023]: partners whose best responses are of no use to each other.

Every member is a policy π_i and a mate m_i that answers it. With J_ij = J(π_i, m_j),

    max  Σ_i [ J_ii + α Σ_{j ≠ i} ( (J_ii − J_ij) + (J_ii − J_ji) ) ]

over policies and mates: what is lost by answering one member as if it were another.
"""

from typing import ClassVar

import numpy as np
from pydantic import NonNegativeFloat, PositiveInt

from crossplay.agents.ippo import IPPO
from crossplay.agents.seating import Seating
from crossplay.agents.team import Acquaintance, OfTeam, apart, together
from crossplay.benchmark.config import config


@config
class BRDiv(OfTeam):
    """Policies are numbered from 0, their mates from `members` on. In no registry: it makes partners only."""

    kind: ClassVar[str] = "brdiv"  # for its table
    members: PositiveInt = 4
    alpha: NonNegativeFloat = 1.0
    member: IPPO = IPPO()

    @property
    def nets(self) -> int:
        """Policies and mates."""
        return 2 * self.members

    @property
    def price(self) -> float:
        """What a table with a rival pays for a point, where one with the own mate pays 1.

        Above J_ii counts 1 + 2α(n − 1) times and every J_ij 2α times; and of tables with rivals there are half as many.
        """
        others = 2 * (self.members - 1) * self.alpha
        return 2 * others / (1 + others)

    def tables(self, met: Acquaintance, rng: np.random.Generator, size: int) -> list[Seating]:
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
