"""Networks that are taught together because they meet: some pairs are to get on, others are not.

For populations whose members are told apart by whom they can play with [Charakorn2023] [Rahman2023]. Every member has
tables of its own, half of them with its mate, half with rivals. At those its reward is negative, shaped reward too:
what helps a rival serve a soup is as bad as the soup.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

import numpy as np
import torch

from crossplay.agents.ippo import OfMember
from crossplay.agents.ledger import moved
from crossplay.agents.networks import PolicyNet
from crossplay.agents.objective import PPO
from crossplay.agents.seating import Double, Seating
from crossplay.agents.trainer import Budget, Independent, Method, Plan
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.seeding import derive

CURIOUS = 0.25  # share of meetings that are with anybody (ours: returns of those not met grow old)


class Acquaintance:
    """What two learners have been earning together: moving means, NaN where they have not met."""

    def __init__(self, members: int) -> None:
        self.returns = torch.full((members, members), torch.nan, dtype=torch.float64)

    def note(self, one: int, other: int, returns: np.ndarray) -> None:
        """Finished episodes of two members, returns [episodes, seats]."""
        self.returns[one, other] = moved(float(self.returns[one, other]), float(returns.mean()))

    def rival(self, one: int, others: Sequence[int], rng: np.random.Generator) -> int:
        """Who has been earning most with `one`; somebody it has never met; now and then anybody, to stay informed."""
        known = self.returns[one, list(others)].numpy()
        unmet = np.flatnonzero(np.isnan(known))
        if len(unmet) or rng.random() < CURIOUS:
            return others[int(rng.choice(unmet if len(unmet) else len(others)))]
        return others[int(known.argmax())]


class Meeting(Independent):
    """Everybody learns from what it is paid, some of it for other goals than the game's; a team at a time."""

    def __init__(self, plans: Sequence[Plan], ppo: PPO) -> None:
        if len(plans) != 1:
            raise Refused(f"teams are taught alone, since who meets whom differs; given {len(plans)}")
        super().__init__(plans, ppo)


class OfTeam(OfMember):
    """A trainer of a team; the budget counts environment steps over everybody's games."""

    kind: ClassVar[str]
    members: int

    @property
    def budget(self) -> Budget:
        """The member's, for all of them."""
        own = self.member.budget
        fade = own.shaping_steps if own.shaping_steps < 0 else own.shaping_steps * self.members
        return replace(own, steps=own.steps * self.members, games=own.games * self.members, shaping_steps=fade)

    @property
    def nets(self) -> int:
        """Networks of the team."""
        return self.members

    def tables(self, met: Acquaintance, rng: np.random.Generator, size: int) -> list[Seating]:
        """Four tables of `size` games a member."""
        raise NotImplementedError

    def plan(self, game: Game, partners: Sequence[Policy], seed: int) -> Plan:
        """Raises Refused when handed partners, or where the game does not fit."""
        if partners:
            raise Refused(f"{self.kind} makes partners and takes none; given {len(partners)}")
        games = self.member.budget.games
        if game.spec.seats != 2 or games % 4 or self.members < 2:
            given = f"{game.spec.seats} seats, {games} games, {self.members} members"
            wanted = "a game for two, games by fours a member, and at least two members"
            raise Refused(f"{self.kind} wants {wanted}; given {given}")
        net = PolicyNet(self.architecture, game.spec, shared=False, seed=derive(seed, "weights"), count=self.nets)
        met = Acquaintance(self.nets)

        def seatings(batch: int) -> list[Seating]:
            return self.tables(met, np.random.default_rng(derive(seed, "seating", batch)), games // 4)

        return Plan(net, seatings, self.budget.games, ledger=met.returns)

    def method(self, plans: Sequence[Plan]) -> Method:
        """Everybody for what it is paid."""
        return Meeting(plans, self.ppo)


def together(start: int, size: int, one: int, mate: int) -> list[Seating]:
    """Two tables of `size` games from row `start` on: the two in either order, each paid its own."""
    return [
        Seating(slice(start, start + size), (one, mate)),
        Seating(slice(start + size, start + 2 * size), (mate, one)),
    ]


def apart(start: int, size: int, one: int, rival: int, price: float, met: Acquaintance) -> list[Seating]:
    """Two tables likewise, where `one` is paid −price times its reward and the rival, a double, is taught nothing."""
    told = partial(met.note, one, rival)
    return [
        Seating(slice(start, start + size), (one, Double(rival)), ((-price, 0.0), (0.0, 1.0)), told),
        Seating(slice(start + size, start + 2 * size), (Double(rival), one), ((1.0, 0.0), (0.0, -price)), told),
    ]
