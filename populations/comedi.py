"""Partners of diverse conventions in good faith [Sarkar2023], found one after the other."""

from pathlib import Path
from typing import NamedTuple

from pydantic import Field, NonNegativeFloat, PositiveInt

from crossplay.agents.comedi import CoMeDi
from crossplay.agents.ippo import IPPO
from crossplay.agents.training import Training
from crossplay.benchmark.card import Card
from crossplay.benchmark.config import config
from crossplay.benchmark.game import Game
from crossplay.populations.generator import GENERATORS


class Conventions(NamedTuple):
    """A task: trainings of which each is handed the cards of all earlier ones."""

    trainings: tuple[Training, ...]

    def make(self) -> list[Card]:
        """The cards; those that are done are kept, and later ones go on from there."""
        made: list[Card] = []
        for training in self.trainings:
            made.append(training._replace(partners=tuple(made)).run())
        return made


@GENERATORS.register("comedi")
@config
class DiverseConventions:
    """`seeds` conventions of one lineage: `name`-0, plain self-play, `name`-1, …; each declares those it avoided.

    Unlike in other populations, more of them leave the first ones as they are.
    """

    name: str = Field(default="comedi", pattern=r"^[\w.-]+$")
    seeds: PositiveInt = 4  # conventions
    alpha: NonNegativeFloat = 1.0  # weight of what is earned with the most compatible earlier one
    beta: NonNegativeFloat = 0.5  # weight of mixed play
    trainer: IPPO = IPPO()

    def tasks(self, game: Game, out: Path, *, seed: int, device: str) -> list[Conventions]:
        """One for all of them."""
        trainer = CoMeDi(alpha=self.alpha, beta=self.beta, member=self.trainer)
        names = [f"{self.name}-{i}" for i in range(self.seeds)]
        return [
            Conventions(
                tuple(
                    Training(name, "comedi", game, trainer, out / name, seed, device=device, line=self.name)
                    for name in names
                )
            )
        ]
