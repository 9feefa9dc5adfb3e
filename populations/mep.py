"""Maximum-entropy partners [Zhao2023]: seeds trained jointly to be unlike each other, each kept at three stages."""

from pathlib import Path

from pydantic import Field, NonNegativeFloat, PositiveInt

from crossplay.agents.ippo import IPPO
from crossplay.agents.mep import MEP
from crossplay.agents.training import Training
from crossplay.benchmark.config import config
from crossplay.benchmark.game import Game
from crossplay.populations.generator import GENERATORS, Jointly
from crossplay.populations.stages import Stages


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
