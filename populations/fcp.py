"""Fictitious co-play [Strouse2021]: self-play seeds, each kept at three stages of skill."""

from pathlib import Path

from pydantic import Field, PositiveInt

from crossplay.agents.ippo import IPPO
from crossplay.agents.training import Training
from crossplay.benchmark.config import config
from crossplay.benchmark.game import Game
from crossplay.populations.generator import GENERATORS
from crossplay.populations.stages import Stages


@GENERATORS.register("fcp")
@config
class FCP:
    """3 × `seeds` partners: `name`-0-first, `name`-0-half, `name`-0-last, `name`-1-first, …"""

    name: str = Field(default="fcp", pattern=r"^[\w.-]+$")
    seeds: PositiveInt = 3
    snapshots: PositiveInt = 50  # states to choose the half-way one from
    trainer: IPPO = IPPO()

    def tasks(self, game: Game, out: Path, *, seed: int, device: str) -> list[Stages]:
        """One training a seed."""
        names = [f"{self.name}-{i}" for i in range(self.seeds)]
        return [
            Stages(Training(name, "fcp", game, self.trainer, out / name, seed, device=device), self.snapshots)
            for name in names
        ]
