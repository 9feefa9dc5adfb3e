"""Maximum-entropy partners [Zhao2023]: seeds trained jointly to be unlike each other, each kept at three stages."""

from pathlib import Path
from typing import NamedTuple

from pydantic import Field, NonNegativeFloat, PositiveInt

from crossplay.agents.ippo import IPPO
from crossplay.agents.mep import MEP
from crossplay.agents.training import Training, teach
from crossplay.benchmark.card import Card
from crossplay.benchmark.config import config
from crossplay.benchmark.game import Game
from crossplay.populations.generator import GENERATORS
from crossplay.populations.stages import Stages


class Jointly(NamedTuple):
    """A task whose trainings cannot be told apart into pieces: all members are taught in one stack."""

    members: tuple[Stages, ...]

    def make(self) -> list[Card]:
        """The cards, member by member; where some are done and some are not, all go on from their checkpoint."""
        trainings = [member.training for member in self.members]
        done = [training.done() for training in trainings]
        cards = [card for card in done if card]
        if len(cards) < len(done):
            cards = teach(trainings, [member.watch for member in self.members])
        return [each for member, card in zip(self.members, cards, strict=True) for each in member.finish(card)]


@GENERATORS.register("mep")
@config
class MaximumEntropyPopulation:
    """3 × `seeds` partners of one population: `name`-0-first, `name`-0-half, `name`-0-last, `name`-1-first, …

    All have one lineage, so no split parts them: every member was shaped by the others' probabilities. None of them
    declares the others as trained with, since they never met at a table.
    """

    name: str = Field(default="mep", pattern=r"^[\w.-]+$")
    seeds: PositiveInt = 3  # members: another number makes other partners
    alpha: NonNegativeFloat = 0.01  # reward per nat of rarity
    snapshots: PositiveInt = 50  # states to choose the half-way one from
    trainer: IPPO = IPPO()

    def tasks(self, game: Game, out: Path, *, seed: int, device: str) -> list[Jointly]:
        """One for all members."""
        names = tuple(f"{self.name}-{i}" for i in range(self.seeds))
        trainer = MEP(alpha=self.alpha, members=self.seeds, member=self.trainer)
        trainings = [
            Training(name, "mep", game, trainer, out / name, seed, device=device, group=names) for name in names
        ]
        return [Jointly(tuple(Stages(training, self.snapshots) for training in trainings))]
