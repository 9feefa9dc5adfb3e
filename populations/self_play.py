"""Self-play partners: independently trained seeds of one trainer."""

from pathlib import Path

from pydantic import Field, PositiveInt

from crossplay.agents.ippo import IPPO
from crossplay.agents.training import Training
from crossplay.benchmark.config import config
from crossplay.benchmark.game import Game
from crossplay.populations.generator import GENERATORS


@GENERATORS.register("self_play")
@config
class SelfPlay:
    """`seeds` partners named `name`-0, `name`-1, …; another name makes other partners."""

    name: str = Field(default="sp", pattern=r"^[\w.-]+$")
    seeds: PositiveInt = 3
    trainer: IPPO = IPPO()

    def tasks(self, game: Game, out: Path, *, seed: int, device: str) -> list[Training]:
        """One training a seed."""
        names = [f"{self.name}-{i}" for i in range(self.seeds)]
        return [Training(name, "self_play", game, self.trainer, out / name, seed, device=device) for name in names]
