"""Hidden-utility self-play [Yu2023]: a partner with wishes of its own, and a mate who wants what the game pays.

The partner maximises ⟨w, φ⟩ over φ, the counts of what it does (events), with few weights that are not zero; its mate
maximises the game's reward. So the two find out how one plays with somebody who, say, hates to carry dishes.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field, PositiveInt

from crossplay.agents.ippo import IPPO, OfMember
from crossplay.agents.networks import PolicyNet
from crossplay.agents.seating import Seating
from crossplay.agents.trainer import Independent, Method, Plan
from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused, unknown
from crossplay.benchmark.game import Game, GameSpec
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.seeding import derive

WISHED = 0  # the learner with wishes; its mate is the next


@config
class HSP(OfMember):
    """A pair: network 0 has wishes, drawn by its seed, network 1 is its mate; both play both seats.

    In no registry, since what it trains is a partner, not an entry of a board.
    """

    kind: ClassVar[str] = "hsp"  # for its table
    events: tuple[str, ...]  # that may be wished for or against
    weights: tuple[float, ...] = (-20.0, -10.0, 10.0, 20.0)  # reward per event, to draw from
    most: PositiveInt = 3  # events with a weight
    reward: float = Field(default=0.5, ge=0, le=1)  # probability of wanting what the game pays as well
    member: IPPO = IPPO()

    def wish(self, spec: GameSpec, seed: int) -> tuple[float, ...]:
        """The partner's weight for every event of the game, and for its reward.

        Raises Refused where an event is not one of the game's.
        """
        for event in self.events:
            if event not in spec.events:
                raise unknown(f"event of {spec.name}", event, spec.events)
        rng = np.random.default_rng(derive(seed, "wish"))
        count = min(int(rng.integers(1, self.most + 1)), len(self.events))
        chosen = rng.choice(len(self.events), size=count, replace=False)
        drawn = dict(zip((self.events[i] for i in chosen), rng.choice(self.weights, size=count), strict=True))
        return (*(float(drawn.get(event, 0.0)) for event in spec.events), float(rng.random() < self.reward))

    def plan(self, game: Game, partners: Sequence[Policy], seed: int) -> Plan:
        """Raises Refused when handed partners, beyond two seats, or where nothing is counted that could be wished."""
        spec, games = game.spec, self.budget.games
        if partners or spec.seats != 2 or games % 2:
            given = f"{len(partners)} partners, {spec.seats} seats, {games} games"
            raise Refused(
                f"hsp trains a pair of its own in both seats: no partners, two seats, even games; given {given}"
            )
        if not self.events:
            raise Refused(f"hsp: {spec.name} counts no events, so there is nothing to wish for")
        net = PolicyNet(self.architecture, spec, shared=False, seed=derive(seed, "weights"))
        wish, half = self.wish(spec, seed), games // 2
        tables = [
            Seating(slice(0, half), (WISHED, 1), wishes=(wish, ())),
            Seating(slice(half, games), (1, WISHED), wishes=((), wish)),
        ]
        return Plan(net, lambda batch: tables, games)

    def method(self, plans: Sequence[Plan]) -> Method:
        """Everybody for itself."""
        return Wishful(plans, self.ppo)


class Wishful(Independent):
    """Independent learners, of whom some learn for another goal than the game's returns."""
