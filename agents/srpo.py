"""Strategically risk-averse policy optimisation on PPO, in paper order [Qu2026].

Hero i never meets its partner in training. It meets an adversary that takes the partner's seat, wants hero i to earn
little, and pays 1/τ per nat for playing unlike that partner: what survives works with every partner near the real one.
Heroes alone are deployed.

Half the games pair hero 0 (or the shared hero in seat 0) with its adversary, half hero 1: the environment steps are
those of self-play, the samples a hero half as many. The paper's code plays both pairs in full; that is `games` × 2.
"""

from collections.abc import Sequence
from pathlib import Path

from crossplay.agents.duel import Duel, Risk
from crossplay.agents.ippo import IPPO
from crossplay.agents.networks import Architecture, PolicyNet
from crossplay.agents.ppo import PPO
from crossplay.agents.rollout import Seating
from crossplay.agents.trainer import TRAINERS, Budget, OnUpdate, learn
from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.seeding import derive


@TRAINERS.register("srpo")
@config
class SRPO:
    """Heroes that train against an adversary tethered to their partner; one net a seat, or one for both."""

    shared: bool = False
    risk: Risk = Risk()
    architecture: Architecture = Architecture()
    ppo: PPO = PPO(rescale=True)
    budget: Budget = Budget()

    def train(
        self,
        game: Game,
        partners: Sequence[Policy],
        *,
        seed: int,
        device: str,
        on_update: OnUpdate,
        checkpoint: Path | None = None,
    ) -> PolicyNet:
        """Raises Refused when handed partners, for games without two seats, or for an odd number of games."""
        if self.risk.tau == 0 and self.risk.budget is None:
            alone = IPPO(shared=self.shared, architecture=self.architecture, ppo=self.ppo, budget=self.budget)
            return alone.train(game, partners, seed=seed, device=device, on_update=on_update, checkpoint=checkpoint)
        self._check(game, partners)
        net = PolicyNet(self.architecture, game.spec, shared=self.shared, seed=derive(seed, "weights"))
        foes = PolicyNet(self.architecture, game.spec, shared=self.shared, seed=derive(seed, "adversary"))
        half = self.budget.games // 2
        heroes = (0, 0) if self.shared else (0, 1)
        players = [(heroes[0], len(net.nets) + heroes[0]), (len(net.nets) + heroes[1], heroes[1])]
        tables = [Seating(slice(0, half), players[0]), Seating(slice(half, 2 * half), players[1])]
        return learn(
            game,
            net,
            lambda batch: tables,
            ppo=self.ppo,
            budget=self.budget,
            seed=seed,
            device=device,
            on_update=on_update,
            checkpoint=checkpoint,
            method=lambda heroes, ppo: Duel(heroes, foes.to(device), ppo, self.risk),
        )

    def _check(self, game: Game, partners: Sequence[Policy]) -> None:
        if partners:
            raise Refused(f"srpo trains with its own adversary and takes no partners; given {len(partners)}")
        if game.spec.seats != 2:
            raise Refused(f"srpo is for two seats; {game.spec.name} has {game.spec.seats}")
        if self.budget.games % 2:
            raise Refused(f"srpo deals games to two pairs; given an odd number, {self.budget.games}")
