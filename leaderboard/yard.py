"""Where a population is measured: its game, its held-out partners, and what has been played beside its manifest."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from crossplay.agents.trainer import Trainer
from crossplay.agents.training import Training
from crossplay.benchmark.card import Card
from crossplay.benchmark.config import from_table
from crossplay.benchmark.crossplay import Match, fixtures
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.match import Returns
from crossplay.benchmark.registry import GAMES
from crossplay.leaderboard.store import ResultStore
from crossplay.leaderboard.work import Tell, play_missing
from crossplay.populations.bounds import Bounds
from crossplay.populations.diversity import Diversity
from crossplay.populations.population import Population, verify

MEASURED = "measured"


class Yard(NamedTuple):
    """Where and with whom it is measured."""

    population: Population
    root: Path
    game: Game
    held_out: tuple[Card, ...]
    seed: int  # the population's: the games are those of its board
    jobs: int
    tell: Tell

    def played(self, pairs: Sequence[Match], episodes: int, seed: int | None = None) -> list[Returns]:
        """What matches paid, in this order; those that are missing are played. `seed`: other games than the board's."""
        wanted = list(fixtures(self.game, pairs, episodes=episodes, seed=self.seed if seed is None else seed))
        if not wanted:
            return []
        place = self.root / MEASURED / "matches.sqlite"
        try:
            place.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise Refused(f"cannot measure in {self.root}: {error.strerror or error}") from None
        play_missing(place, wanted, self.jobs, self.tell)
        with ResultStore(place) as store:
            found = store.load([one.pairing.key for one in wanted])
        return [found[one.pairing.key].returns for one in wanted]

    @property
    def spots(self) -> list[tuple[Card, int]]:
        """Every held-out partner and seat of the ego."""
        return [(card, seat) for card in self.held_out for seat in range(self.game.spec.seats)]

    @property
    def training(self) -> dict[str, Any]:
        """The training settings the population was made with."""
        return dict(self.population.recipe.get("training", {}))

    def response(self, partner: Card, trainer: Trainer, device: str) -> Training:
        """The training of a best response to one partner, in all seats in turn."""
        name = f"br-{partner.name}"
        out = self.root / MEASURED / name
        return Training(name, "best_response", self.game, trainer, out, self.seed, (partner,), device=device)

    def write(self, **measured: Bounds | Diversity) -> Population:
        """The population's manifest with what was measured."""
        population = replace(self.population, **measured)  # type: ignore[arg-type]
        population.save(self.root)
        return population


def yard(root: Path, jobs: int, tell: Tell) -> Yard:
    """A population, re-hashed, and its game. Raises Refused where its recipe does not say what is played."""
    population = verify(root)
    root = root if root.is_dir() else root.parent
    if "game" not in population.recipe:
        raise Refused(f"population {population.name!r}: its recipe names no game, so nothing can be played")
    game: Game = from_table(GAMES, population.recipe["game"], f"population {population.name!r}")
    seed = int(population.recipe.get("seed", 0))
    return Yard(population, root, game, population.cards(root)[1], seed, jobs, tell)
