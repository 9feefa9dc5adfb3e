"""Cooperative open-ended learning [Li2023], in paper order: the graph, its Shapley values, the mixture, training.

A strategy is trained on, generation by generation, and what it was at the end of each stays behind as a partner. With
J_ij what strategies i and j earn together, edges of a graph, a coalition C of strategies is worth

    v(C) = (1/|C|) Σ_{i,j in C} σ_j J_ij,   σ = softmax(−10 · PageRank of C's edges)

and the next generation learns from itself and from partners drawn by how little they add to coalitions,

    max  J(π, π) + E_{j~φ} J(π, π_j),   φ = softmax(−10 · SV/‖SV‖),   SV_j the Shapley value of j under v

so that nobody is left behind whom few get on with.
"""

from collections.abc import Sequence
from functools import cached_property, partial
from itertools import combinations
from math import comb

import numpy as np
import torch
from pydantic import Field, PositiveInt
from torch import Tensor

from crossplay.agents.chooser import chooser
from crossplay.agents.inference import NetworkPolicy
from crossplay.agents.ledger import moved
from crossplay.agents.networks import Architecture, PolicyNet
from crossplay.agents.objective import PPO
from crossplay.agents.rollout import Experience
from crossplay.agents.seating import Double, Seating
from crossplay.agents.trainer import TRAINERS, Budget, Independent, Lesson, Method, Plan, stacks
from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.seeding import derive

DAMPING = 0.85  # of PageRank
SHARPNESS = 10.0  # of both softmaxes


def pagerank(edges: np.ndarray) -> np.ndarray:
    """Shares [n] of a random walker's time who follows edges [n, n] by weight, and starts anew in 15 % of its steps."""
    count, out = len(edges), edges.sum(axis=1, keepdims=True)
    steps = np.where(out > 0, edges / np.where(out > 0, out, 1.0), 1 / count)
    found: np.ndarray = np.linalg.solve(np.eye(count) - DAMPING * steps.T, np.full(count, (1 - DAMPING) / count))
    return found


def worth(edges: np.ndarray) -> float:
    """v of the coalition whose edges these are, [n, n]."""
    return float((edges @ softmin(pagerank(edges))).sum() / len(edges)) if len(edges) else 0.0


def shapley(edges: np.ndarray) -> np.ndarray:
    """What each strategy adds to v on average over all orders in which a coalition can grow, [n], exactly."""
    count = len(edges)
    value = {c: worth(edges[np.ix_(c, c)]) for size in range(count + 1) for c in combinations(range(count), size)}
    found = np.zeros(count)
    for coalition, before in value.items():
        share = 1 / (count * comb(count - 1, len(coalition))) if len(coalition) < count else 0.0
        for j in set(range(count)) - set(coalition):
            found[j] += share * (value[tuple(sorted((*coalition, j)))] - before)
    return found


def softmin(values: np.ndarray) -> np.ndarray:
    """Odds that fall with the values, [n]."""
    found = np.exp(-SHARPNESS * (values - values.min()))
    return found / found.sum()


def hard_to_join(returns: np.ndarray) -> np.ndarray:
    """φ from what strategies earn together, [n, n]; returns below 0 are counted from the lowest one."""
    values = shapley(returns - min(0.0, float(returns.min())))
    norm = float(np.linalg.norm(values))
    return softmin(values / norm if norm else values)


class Generations:
    """One seed's strategy and what it was before, what they have been earning together, and who meets next."""

    def __init__(self, hero: PolicyNet, past: PolicyNet, budget: Budget, horizon: int, seed: int) -> None:
        self.hero, self.past, self._games, self._seed = hero, past, budget.games, seed
        self.count = 1 + len(past.nets)
        self._batches = max(1, -(-budget.steps // (budget.games * horizon)))
        # moving means [generations, generations], NaN where not met; the last row says whose copy was taken
        self.ledger = torch.full((self.count + 1, self.count), torch.nan, dtype=torch.float64)
        self._odds: dict[int, np.ndarray] = {}
        self._frozen: dict[int, NetworkPolicy] = {}

    @cached_property
    def returns(self) -> Tensor:
        """The ledger's moving means."""
        return self.ledger[:-1]

    def generation(self, batch: int) -> int:
        """Which one a batch of episodes belongs to."""
        return min(self.count - 1, batch * self.count // self._batches)

    def keep(self, now: int) -> None:
        """Takes copies of what has been; once each, since a training that is taken up again has learned on."""
        for g in range(now):
            if torch.isnan(self.ledger[-1, g]):
                self.past.nets[g].load_state_dict(self.hero.nets[0].state_dict())
                self.ledger[-1, g] = 1.0

    def was(self, generation: int) -> NetworkPolicy:
        """What it was."""
        if generation not in self._frozen:
            self._frozen[generation] = NetworkPolicy(self.past.alone(generation))
        return self._frozen[generation]

    def note(self, one: int, other: int, returns: np.ndarray) -> None:
        """Finished episodes of two generations, returns [episodes, seats]."""
        mean = moved(float(self.returns[one, other]), float(returns.mean()))
        self.returns[one, other] = self.returns[other, one] = mean

    def odds(self, now: int) -> np.ndarray:
        """φ over the earlier generations, [now]; it stands throughout a generation."""
        if now not in self._odds:
            self._odds[now] = hard_to_join(self.returns[:now, :now].numpy())
        return self._odds[now]

    def partners(self, now: int, count: int, rng: np.random.Generator) -> list[int]:
        """Who of the earlier ones is met next: those not met by this generation yet, then by φ."""
        unmet = np.flatnonzero(torch.isnan(self.returns[now, :now]).numpy())
        first = rng.permutation(unmet)[:count].tolist()
        return [*first, *rng.choice(now, size=count - len(first), p=self.odds(now)).tolist()]

    def seatings(self, batch: int, tables: int, alone: int) -> list[Seating]:
        """Tables of a batch of episodes, the first `alone` of them for self-play; at the others it learns in one seat.

        Before there is a past it meets its double there, so that a batch always teaches as many samples.
        """
        now, size = self.generation(batch), self._games // tables
        self.keep(now)
        rng = np.random.default_rng(derive(self._seed, "seating", batch))
        others = tables - alone
        met = [now] * alone + (self.partners(now, others, rng) if now else [now] * others)
        found = []
        for i, who in enumerate(met):
            guest = 0 if i < alone else Double(0) if who == now else self.was(who)
            players = (0, guest) if (i + batch) % 2 else (guest, 0)
            found.append(Seating(slice(i * size, (i + 1) * size), players, told=partial(self.note, now, who)))
        return found


class Growing(Independent):
    """The strategy alone learns; what it was counts as learners too, without a place, so that checkpoints hold it."""

    def __init__(self, plans: Sequence[Plan], ppo: PPO) -> None:
        super().__init__(plans, ppo)
        past = stacks([plan.foes for plan in plans if plan.foes is not None])
        self.learners += past
        self.choosers += [chooser(learner) for learner in past]

    def lessons(self, seen: list[Experience], progress: float) -> tuple[list[Lesson], dict[str, Tensor]]:
        """The strategy's."""
        return [self.lesson(0, seen[0])], {}


@TRAINERS.register("cole")
@config
class COLE:
    """One network for all seats, trained with itself and with what it was, the hardest to get on with most."""

    architecture: Architecture = Architecture()
    ppo: PPO = PPO()
    budget: Budget = Budget()
    generations: int = Field(default=8, ge=2, le=12)  # 2^generations coalitions are weighed
    tables: PositiveInt = 8  # the games are dealt evenly among them
    alone: float = Field(default=0.5, gt=0, lt=1)  # share of the tables for self-play

    def plan(self, game: Game, partners: Sequence[Policy], seed: int) -> Plan:
        """Raises Refused when handed partners, beyond two seats, or where games cannot be dealt evenly to tables."""
        spec, games, a = game.spec, self.budget.games, self.architecture
        if partners or spec.seats != 2:
            raise Refused(f"cole makes its own partners for two seats; given {len(partners)}, {spec.seats} seats")
        if games % self.tables or not 0 < self._own < self.tables:
            given = f"{games} games, {self.tables} tables, alone = {self.alone}"
            raise Refused(f"cole wants games dealt evenly to tables of both kinds; given {given}")
        if a.context or a.central:
            raise Refused("cole wants networks without context or central critic")
        if (
            self.budget.steps // (games * spec.horizon * self.generations) * (self.tables - self._own)
            < self.generations
        ):
            raise Refused(f"cole: {self.budget.steps} steps are too few for {self.generations} generations to meet")
        hero = PolicyNet(a, spec, shared=True, seed=derive(seed, "weights"))
        past = PolicyNet(a, spec, shared=False, seed=derive(seed, "past"), count=self.generations - 1)
        line = Generations(hero, past, self.budget, spec.horizon, seed)
        return Plan(
            hero, partial(line.seatings, tables=self.tables, alone=self._own), games, foes=past, ledger=line.ledger
        )

    @property
    def _own(self) -> int:
        return round(self.alone * self.tables)

    def method(self, plans: Sequence[Plan]) -> Method:
        """The strategy alone learns."""
        return Growing(plans, self.ppo)
