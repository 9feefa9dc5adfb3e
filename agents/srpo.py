"""Strategically risk-averse policy optimisation on PPO, in paper order [Qu2026].

Hero i never meets its partner in training. It meets an adversary that takes the partner's seat, wants hero i to earn
little, and pays 1/τ per nat for playing unlike that partner: what survives works with every partner near the real one.
Heroes alone are deployed. Both objectives are those of SRPO in [Qu2026]:

    hero i         L^CLIP(θ_i; φ_i) + ε H(θ_i)                      rewards r_i
    adversary i    −(hero i's return) − KL(φ_i ‖ θ_−i)/τ            rewards −r_i

In one step they rest at the RQE of [Mazumdar2024]; beyond it see docs/theory.md (ours).

Half the games pair hero 0 (or the shared hero in seat 0) with its adversary, half hero 1: the environment steps are
those of self-play, the samples a hero half as many (ours). The paper's code plays both pairs in full, `two_phase`.
With more than two seats one hero net and one adversary net share out the seats, by lot in every game.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Literal

import numpy as np

from crossplay.agents.duel import Duel, Risk
from crossplay.agents.ippo import IPPO
from crossplay.agents.networks import Architecture, PolicyNet
from crossplay.agents.objective import PPO
from crossplay.agents.seating import Seating
from crossplay.agents.trainer import TRAINERS, Budget, Independent, Method, Plan
from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.seeding import derive


@TRAINERS.register("srpo")
@config
class SRPO:
    """Heroes that train against an adversary tethered to their partner; one net a seat, or one for all."""

    shared: bool = False
    risk: Risk = Risk()
    batch: Literal["split", "two_phase"] = "split"  # `budget.games` for all pairs together, or for each of them
    architecture: Architecture = Architecture()
    ppo: PPO = PPO(rescale=True)
    budget: Budget = Budget()

    @property
    def _neutral(self) -> IPPO | None:
        """What this is at τ = 0, where no adversary is left: independent PPO, bit for bit (ours)."""
        if self.risk.tau == 0 and self.risk.budget is None:
            return IPPO(shared=self.shared, architecture=self.architecture, ppo=self.ppo, budget=self.budget)
        return None

    def plan(self, game: Game, partners: Sequence[Policy], seed: int) -> Plan:
        """Raises Refused when handed partners, or where the games cannot be dealt to the pairs."""
        if self._neutral:
            return self._neutral.plan(game, partners, seed)
        self._check(game, partners)
        net = PolicyNet(self.architecture, game.spec, shared=self.shared, seed=derive(seed, "weights"))
        foes = PolicyNet(self.architecture, game.spec, shared=self.shared, seed=derive(seed, "adversary"))
        if game.spec.seats > 2:
            return Plan(net, lambda batch: self._lots(game.spec.seats, seed, batch), self._games, foes)
        tables = self._pairs()
        return Plan(net, lambda batch: tables, self._games, foes)

    def method(self, plans: Sequence[Plan]) -> Method:
        """Heroes against adversaries; at τ = 0 everybody for itself."""
        return Independent(plans, self.ppo) if self._neutral else Duel(plans, self.ppo, self.risk)

    @property
    def _games(self) -> int:
        return self.budget.games * (2 if self.batch == "two_phase" else 1)

    def _meetings(self) -> int:
        """Games in which heroes meet each other."""
        return round(self.risk.meet * self._games / 2) * 2

    def _pairs(self) -> list[Seating]:
        """Two seats: hero 0 and its adversary, hero 1 and its adversary, perhaps the heroes."""
        first, second = (0, 0) if self.shared else (0, 1)
        foe_of = 1 if self.shared else 2  # adversaries are numbered after heroes
        met, games = self._meetings(), self._games
        half = (games - met) // 2
        tables = [
            # an adversary is paid minus the HERO's reward, its private cost included [Qu2026]
            Seating(slice(0, half), (first, foe_of + first), ((1, 0), (-1, 0))),
            Seating(slice(half, 2 * half), (foe_of + second, second), ((0, -1), (0, 1))),
        ]
        return tables + ([Seating(slice(2 * half, games), (first, second))] if met else [])

    def _lots(self, seats: int, seed: int, batch: int) -> list[Seating]:
        """More seats: in every game lots say who holds the adversary, which is paid minus the heroes' mean reward."""
        rng = np.random.default_rng(derive(seed, "lots", batch))
        casts = list(combinations(range(seats), self.risk.foes or seats - 1))
        counts = rng.multinomial(self._games - self._meetings(), np.full(len(casts), 1 / len(casts)))
        tables, start = [], 0
        for foes, count in zip(casts, counts.tolist(), strict=True):
            if count:
                players = tuple(int(seat in foes) for seat in range(seats))
                tables.append(Seating(slice(start, start + count), players, _pays(players)))
            start += count
        return tables + ([Seating(slice(start, self._games), (0,) * seats)] if self._meetings() else [])

    def _check(self, game: Game, partners: Sequence[Policy]) -> None:
        seats = game.spec.seats
        if partners:
            raise Refused(f"srpo trains with its own adversary and takes no partners; given {len(partners)}")
        if self.architecture.body == "gru" and not self._neutral:
            raise Refused("srpo's adversary keeps no sequences, which a gru is taught by; use an mlp or a cnn")
        if seats > 2 and not self.shared:
            raise Refused(f"srpo needs shared = true beyond two seats; {game.spec.name} has {seats}")
        if self.risk.foes and not (seats > 2 and self.risk.foes < seats):
            raise Refused(f"risk.foes = {self.risk.foes} given; {game.spec.name} has {seats} seats, one a hero's")
        if self.budget.games % 2:
            raise Refused(f"srpo deals games to two pairs; given an odd number, {self.budget.games}")


def _pays(players: tuple[int, ...]) -> tuple[tuple[float, ...], ...]:
    """Heroes (0) are paid their own, adversaries (1) minus the mean of the heroes', private costs included [Qu2026]."""
    heroes = players.count(0)
    cost = tuple(0.0 if foe else -1 / heroes for foe in players)
    own = [tuple(float(seat == other) for other in range(len(players))) for seat in range(len(players))]
    return tuple(cost if foe else own[seat] for seat, foe in enumerate(players))


@TRAINERS.register("pure_adversary")
@config
class PureAdversary:
    """SRPO at τ = ∞: an adversary that pays nothing for playing unlike the partner. A control."""

    shared: bool = False
    architecture: Architecture = Architecture()
    ppo: PPO = PPO(rescale=True)
    budget: Budget = Budget()

    @property
    def _srpo(self) -> SRPO:
        free = Risk(tau="inf")
        return SRPO(shared=self.shared, risk=free, architecture=self.architecture, ppo=self.ppo, budget=self.budget)

    def plan(self, game: Game, partners: Sequence[Policy], seed: int) -> Plan:
        """As srpo."""
        return self._srpo.plan(game, partners, seed)

    def method(self, plans: Sequence[Plan]) -> Method:
        """As srpo."""
        return self._srpo.method(plans)
