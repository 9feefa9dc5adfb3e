"""Partners that are taught as one team: a task for the team, a card for every member."""

from pathlib import Path
from typing import NamedTuple

import safetensors.torch

from crossplay.agents.networks import WEIGHTS, PolicyNet
from crossplay.agents.trainer import Trainer
from crossplay.agents.training import Training
from crossplay.benchmark.card import Card
from crossplay.benchmark.game import Game


class Members(NamedTuple):
    """A task: one training of a team, and cards `name`-0, `name`-1, … for the first networks of it.

    All have one lineage, so no split parts them. None declares the others as trained with: whom it met at rivals'
    tables it was taught to fail with.
    """

    training: Training
    names: tuple[str, ...]

    def make(self) -> list[Card]:
        """The members' cards."""
        card = self.training.run()
        weights = safetensors.torch.load((self.training.out / WEIGHTS).read_bytes())
        nets = 1 + max(int(name.split(".")[1]) for name in weights)
        plain = self.training.trainer.architecture
        team = PolicyNet(plain, self.training.game.spec, shared=False, seed=0, count=nets)
        team.load_state_dict(weights)
        return [self._member(number, name, team, card) for number, name in enumerate(self.names)]

    def _member(self, number: int, name: str, team: PolicyNet, card: Card) -> Card:
        net = team.alone(number)
        out = self.training.out.with_name(name)
        return self.training.card(name, net, {"steps": card.record["steps"]}).save(out, net.contents())


def team(
    family: str, name: str, members: int, trainer: Trainer, game: Game, out: Path, seed: int, device: str
) -> list[Members]:
    """The one task of such a population."""
    training = Training(f"{name}-team", family, game, trainer, out / f"{name}-team", seed, device=device)
    return [Members(training, tuple(f"{name}-{i}" for i in range(members)))]
