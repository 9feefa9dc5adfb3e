"""Partners of incompatible conventions [Charakorn2023]: each plays well with itself and badly with the others."""

from pathlib import Path

from pydantic import Field, NonNegativeFloat

from crossplay.agents.ippo import IPPO
from crossplay.agents.lipo import LIPO
from crossplay.benchmark.config import config
from crossplay.benchmark.game import Game
from crossplay.populations.generator import GENERATORS
from crossplay.populations.team import Members, team


@GENERATORS.register("lipo")
@config
class IncompatiblePopulation:
    """`seeds` members of one population: `name`-0, `name`-1, …"""

    name: str = Field(default="lipo", pattern=r"^[\w.-]+$")
    seeds: int = Field(default=4, ge=2)  # members: another number makes other partners
    price: NonNegativeFloat = 1.0  # λ, of what is earned with the best rival
    trainer: IPPO = IPPO()

    def tasks(self, game: Game, out: Path, *, seed: int, device: str) -> list[Members]:
        """One for all members."""
        trainer = LIPO(members=self.seeds, price=self.price, member=self.trainer)
        return team("lipo", self.name, self.seeds, trainer, game, out, seed, device)
