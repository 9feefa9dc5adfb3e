"""Partners of diverse trajectories [Lupu2021]: seeds trained jointly to do unlike things; the last networks."""

from pathlib import Path

from pydantic import Field, NonNegativeFloat, PositiveInt

from crossplay.agents.ippo import IPPO
from crossplay.agents.training import Training
from crossplay.agents.trajedi import TrajeDi
from crossplay.benchmark.config import config
from crossplay.benchmark.game import Game
from crossplay.populations.generator import GENERATORS, Jointly


@GENERATORS.register("trajedi")
@config
class DiverseTrajectories:
    """`seeds` partners of one population and lineage: `name`-0, `name`-1, …; none declares the others as met."""

    name: str = Field(default="trajedi", pattern=r"^[\w.-]+$")
    seeds: PositiveInt = 3  # members: another number makes other partners
    alpha: NonNegativeFloat = 1.0  # return per nat
    gamma: float = Field(default=0.5, ge=0, le=1)  # of the kernel: 1 compares whole trajectories, 0 single actions
    trainer: IPPO = IPPO()

    def tasks(self, game: Game, out: Path, *, seed: int, device: str) -> list[Jointly]:
        """One for all members."""
        names = tuple(f"{self.name}-{i}" for i in range(self.seeds))
        trainer = TrajeDi(alpha=self.alpha, gamma=self.gamma, members=self.seeds, member=self.trainer)
        return [
            Jointly(
                tuple(
                    Training(name, "trajedi", game, trainer, out / name, seed, device=device, group=names)
                    for name in names
                )
            )
        ]
