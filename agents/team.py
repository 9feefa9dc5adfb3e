"""Networks that are taught together because they meet: some pairs are to get on, others are not.

For populations whose members are told apart by whom they can play with [Charakorn2023] [Rahman2023]. Every member has
tables of its own, half of them with its mate, half with rivals. At those its reward is negative, shaped reward too:
what helps a rival serve a soup is as bad as the soup.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch

from crossplay.agents.ippo import IPPO
from crossplay.agents.networks import PolicyNet
from crossplay.agents.objective import PPO
from crossplay.agents.seating import Double, Seating
from crossplay.agents.trainer import Budget, Independent, Plan
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.seeding import derive

CURIOUS = 0.25  # share of meetings that are with anybody (ours: returns of those not met grow old)
RATE = 0.1  # weight of the newest meeting in what is remembered of two members


class Acquaintance:
    """What two learners have been earning together: moving means, NaN where they have not met."""

    def __init__(self, members: int) -> None:
        self.returns = torch.full((members, members), torch.nan, dtype=torch.float64)

    def note(self, one: int, other: int, returns: np.ndarray) -> None:
        """Finished episodes of two members, returns [episodes, seats]."""
        earned, before = float(returns.mean()), float(self.returns[one, other])
        self.returns[one, other] = earned if np.isnan(before) else before + RATE * (earned - before)

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


Tables = Callable[[Acquaintance, np.random.Generator, int], list[Seating]]  # games a table → everybody's tables


def alone(kind: str, partners: Sequence[object]) -> None:
    """Raises Refused when handed partners."""
    if partners:
        raise Refused(f"{kind} makes partners and takes none; given {len(partners)}")


def team_budget(member: IPPO, members: int) -> Budget:
    """The member's budget for all of them: environment steps are counted over everybody's games."""
    own = member.budget
    fade = own.shaping_steps if own.shaping_steps < 0 else own.shaping_steps * members
    return Budget(steps=own.steps * members, games=own.games * members, shaping_steps=fade)


def team_plan(kind: str, member: IPPO, members: int, game: Game, seed: int, nets: int, tables: Tables) -> Plan:
    """A team of so many networks, and `members` times four tables. Raises Refused where the game does not fit."""
    games = member.budget.games
    if game.spec.seats != 2 or games % 4 or members < 2:
        given = f"{game.spec.seats} seats, {games} games, {members} members"
        raise Refused(f"{kind} wants a game for two, games by fours a member, and at least two members; given {given}")
    net = PolicyNet(member.architecture, game.spec, shared=False, seed=derive(seed, "weights"), count=nets)
    met = Acquaintance(nets)

    def seatings(batch: int) -> list[Seating]:
        return tables(met, np.random.default_rng(derive(seed, "seating", batch)), games // 4)

    return Plan(net, seatings, games * members, ledger=met.returns)


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
