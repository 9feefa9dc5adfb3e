"""Diverse conventions in good faith [Sarkar2023], in paper order: who is like it, mixed play, training.

Conventions are found one after the other. The n-th is a policy that gets on with itself, not with the earlier one that
it gets on with best, and is of use to itself wherever meetings with that one lead,

    max  J(π, π) − α J(π, π_m*) + β J_mixed(π, π_m*),      m* = argmax_m J(π, π_m).

Mixed play goes to a random step by tossing, step by step, whether one seat is played by π or by π_m*; from there on
π plays with itself, and learns. Who only feigned to fail with strangers would fail there.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from pydantic import NonNegativeFloat
from torch import Tensor

from crossplay.agents.intrusion import Intruder
from crossplay.agents.ippo import IPPO, OfMember
from crossplay.agents.networks import PolicyNet
from crossplay.agents.objective import PPO, Samples
from crossplay.agents.rollout import Experience
from crossplay.agents.seating import Seating
from crossplay.agents.team import Acquaintance
from crossplay.agents.trainer import Independent, Lesson, Method, Plan
from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.seeding import derive

Paid = tuple[tuple[float, ...], ...]


@config
class CoMeDi(OfMember):
    """One convention, given the earlier ones as partners; without partners self-play. In no registry: partners only."""

    kind: ClassVar[str] = "comedi"  # for its table
    alpha: NonNegativeFloat = 1.0  # weight of what is earned with the most compatible earlier convention
    beta: NonNegativeFloat = 0.5  # weight of mixed play
    member: IPPO = IPPO()

    def plan(self, game: Game, partners: Sequence[Policy], seed: int) -> Plan:
        """Raises Refused where the game or the network does not fit, or games cannot be dealt to the tables."""
        spec, games, a = game.spec, self.budget.games, self.architecture
        if spec.seats != 2 or games % 8 or not self.member.shared:
            given = f"{spec.seats} seats, {games} games, shared = {self.member.shared}"
            raise Refused(f"comedi wants a game for two, games by eights and one network for both seats; given {given}")
        if a.body == "gru" or a.context or a.central:
            raise Refused("comedi wants plain networks (no gru, context or central critic)")
        if not partners:
            return self.member.plan(game, partners, seed)
        net = PolicyNet(a, spec, shared=True, seed=derive(seed, "weights"))
        met = Acquaintance(1 + len(partners))  # itself is number 0

        def seatings(batch: int) -> list[Seating]:
            rng = np.random.default_rng(derive(seed, "seating", batch))
            best = met.rival(0, range(1, 1 + len(partners)), rng)
            return self.tables(partners[best - 1], best, met, games // 8, switch(batch, spec.horizon))

        return Plan(net, seatings, games, ledger=met.returns)

    def tables(self, rival: Policy, number: int, met: Acquaintance, size: int, until: int) -> list[Seating]:
        """Half of the games with itself, a quarter with the rival, a quarter of mixed play; both seats alike.

        The latter two are half as many as the first and are paid twice their weights.
        """

        def told(returns: np.ndarray) -> None:
            met.note(0, number, returns)

        cost, worth = -2 * self.alpha, 2 * self.beta
        found = [Seating(slice(0, 4 * size), (0, 0))]
        for seat in range(2):
            start = (4 + seat) * size
            players = (0, rival) if seat == 0 else (rival, 0)
            found.append(Seating(slice(start, start + size), players, _own(cost), told))
        for seat in range(2):
            start = (6 + seat) * size
            stranger = Intruder(rival, seat, until)
            found.append(Seating(slice(start, start + size), (0, 0), _own(worth), intruder=stranger))
        return found

    def method(self, plans: Sequence[Plan]) -> Method:
        """Nothing is learned from mixed play before it turns into self-play."""
        first = [plan.ledger is None for plan in plans]
        if any(first) != all(first):
            raise Refused(f"comedi teaches first conventions and later ones apart; given {sum(first)} of {len(first)}")
        return Independent(plans, self.ppo) if first[0] else GoodFaith(plans, self.ppo, self.budget.steps)


def _own(weight: float) -> Paid:
    return ((weight, 0.0), (0.0, weight))


def switch(batch: int, horizon: int) -> int:
    """The step at which mixed play of a batch of episodes turns into self-play: the same for all seeds in a stack."""
    return int(np.random.default_rng(derive(0, "mixed play", batch)).integers(horizon))


class GoodFaith(Independent):
    """Everything is learned but what happens at tables with a stranger's hand before it is taken away."""

    def __init__(self, plans: Sequence[Plan], ppo: PPO, steps: int) -> None:
        super().__init__(plans, ppo)
        self._games, self._horizon, self._steps = plans[0].games, plans[0].net.spec.horizon, steps

    def lessons(self, seen: list[Experience], progress: float) -> tuple[list[Lesson], dict[str, Tensor]]:
        """One lesson."""
        lesson = self.lesson(0, seen[0])
        taught = self.taught(round(progress * self._steps) // self._games, *seen[0].actions.shape[1:])
        kept = torch.from_numpy(np.flatnonzero(taught.ravel())).to(seen[0].actions.device)
        parts = [None if part is None else part[:, kept] for part in lesson.samples[:-1]]
        return [lesson._replace(samples=Samples._make([*parts, lesson.samples.thread]))], {}

    def taught(self, start: int, steps: int, places: int) -> np.ndarray:
        """Which samples count, bool [steps, places], of a rollout that began after `start` steps a game.

        A learner's places go by tables: its own games in both seats, those with the rival, mixed play in both seats.
        """
        found = np.ones((steps, places), dtype=bool)
        mixed = self._games // 8 * 4  # places: a quarter of the games, two seats each
        for t in range(steps):
            batch, step = divmod(start + t, self._horizon)
            found[t, places - mixed :] = step >= switch(batch, self._horizon)
        return found
