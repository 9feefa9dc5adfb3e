"""Partners with diverse best responses [Rahman2023]: the answer to one is no answer to another."""

from pathlib import Path

from pydantic import Field, NonNegativeFloat

from crossplay.agents.brdiv import BRDiv
from crossplay.agents.ippo import IPPO
from crossplay.benchmark.config import config
from crossplay.benchmark.game import Game
from crossplay.populations.generator import GENERATORS
from crossplay.populations.team import Members, team


@GENERATORS.register("brdiv")
@config
class BestResponseDiversity:
    """`seeds` members of one population: `name`-0, `name`-1, …; their mates are taught, and get no cards."""

    name: str = Field(default="brdiv", pattern=r"^[\w.-]+$")
    seeds: int = Field(default=4, ge=2)  # members: another number makes other partners
    alpha: NonNegativeFloat = 1.0  # weight of each difference of best responses
    trainer: IPPO = IPPO()

    def tasks(self, game: Game, out: Path, *, seed: int, device: str) -> list[Members]:
        """One for all members."""
        trainer = BRDiv(members=self.seeds, alpha=self.alpha, member=self.trainer)
        return team("brdiv", self.name, self.seeds, trainer, game, out, seed, device)
