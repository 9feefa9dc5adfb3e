"""Learning incompatible policies [Charakorn2023]: members that get on with themselves, and with nobody else.

    max  J(π_i, π_i) − λ max_{j ≠ i} J(π_i, π_j)

All members are taught at once. Similar policies are compatible, so those that cannot play together are not similar:
each has to find another solution.
"""

from typing import ClassVar

import numpy as np
from pydantic import NonNegativeFloat, PositiveInt

from crossplay.agents.ippo import IPPO
from crossplay.agents.seating import Seating
from crossplay.agents.team import Acquaintance, OfTeam, apart, together
from crossplay.benchmark.config import config


@config
class LIPO(OfTeam):
    """`members` networks, each with tables for itself and for whom it does best with. In no registry: partners only."""

    kind: ClassVar[str] = "lipo"  # for its table
    members: PositiveInt = 4
    price: NonNegativeFloat = 1.0  # λ, of what is earned with the best rival
    member: IPPO = IPPO()

    def tables(self, met: Acquaintance, rng: np.random.Generator, size: int) -> list[Seating]:
        found = []
        for i in range(self.members):
            rival = met.rival(i, [j for j in range(self.members) if j != i], rng)
            found += together(4 * i * size, size, i, i)
            found += apart((4 * i + 2) * size, size, i, rival, self.price, met)
        return found
