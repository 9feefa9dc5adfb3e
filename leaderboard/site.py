"""One game of a suite and its folder: which partners and entries are wanted there, and which are there already."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from crossplay.agents.training import Training, task_for
from crossplay.benchmark.card import CARD_FILE, Card, load_card
from crossplay.benchmark.config import to_table
from crossplay.benchmark.crossplay import Fixture
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.leaderboard.copies import known
from crossplay.leaderboard.lost import told
from crossplay.leaderboard.pool import parted
from crossplay.leaderboard.roster import Roster
from crossplay.leaderboard.submission.entrants import cards
from crossplay.leaderboard.suite import Entry, GameSetting, Suite, folder, training
from crossplay.populations.diversity import Near
from crossplay.populations.fingerprint import thin
from crossplay.populations.generator import Task
from crossplay.populations.llm.live import asks
from crossplay.populations.population import Population, Shipped, assemble, load_population, shipped

HELD_OUT = ""  # the role of a held-out partner; train populations go by their names, which are never empty


class Site(NamedTuple):
    """Cards lie in root/cards/<name>, the manifest in root."""

    suite: Suite
    setting: GameSetting
    game: Game
    root: Path
    device: str = "cpu"

    @property
    def cards(self) -> Path:
        return self.root / "cards"

    def partner_tasks(self) -> list[tuple[str, Task]]:
        """(role, task) for every partner of the game; held-out ones that come with the package are not made again."""
        suite, fixed = self.suite, self.shipped()
        held_out = self.not_in(fixed)
        train = suite.train if suite.entries else ()  # a board of guests alone needs nobody to train with
        roles = [str(table.get("name", table["kind"])) for table in train] + [HELD_OUT] * len(held_out)
        generators = suite.generators(train + held_out, self.setting)
        made: list[tuple[str, Task]] = [
            (role, task)
            for role, generator in zip(roles, generators, strict=True)
            for task in generator.tasks(self.game, self.cards, seed=suite.seed, device=self.device)
        ]
        return [*made, (HELD_OUT, fixed)] if fixed else made

    @property
    def recipe(self) -> dict[str, Any]:
        """What the partners come from."""
        return {
            "seed": self.suite.seed,
            "training": training(self.setting),
            "game": to_table(self.game),
            "train": list(self.suite.train),
            "held_out": list(self.suite.held_out_of(self.setting)),
        }

    def not_in(self, fixed: Shipped | None) -> tuple[dict[str, Any], ...]:
        """The generators of held-out partners that do not come with the package."""
        return self.suite.held_out_of(self.setting)[len(fixed.population.recipe["held_out"]) if fixed else 0 :]

    def shipped(self) -> Shipped | None:
        """The held-out partners, thinned and measured, where they come with the package."""
        found = shipped(self.suite.name, self.root.name, self.recipe, self.cards)
        return found if found and ("removed" in found.population.recipe) == self.suite.thin else None

    def seeds(self, entry: Entry) -> list[str]:
        """Names of an entry's cards."""
        return [f"{entry.name}-{i}" for i in range(entry.seeds)]

    def trainings(self, entry: Entry, partners: Sequence[Card] = (), population: str = "") -> list[Training]:
        """An entry's seeds; `population` is the digest of what the partners come from."""
        trainer = self.suite.trainer(entry, self.setting)
        declared = (population,) if population else ()
        names = self.seeds(entry)
        more = {"partners": tuple(partners), "trained_with": declared, "device": self.device}
        return [task_for(trainer, n, entry.name, self.game, self.cards / n, self.suite.seed, **more) for n in names]

    def populate(self, made: Sequence[tuple[str, list[Card]]]) -> Population:
        """The manifest of the partners that were made, (role, cards), written to the site's folder.

        What has been measured of the same partners stays in it.
        """
        train = [card for role, cards in made for card in cards if role != HELD_OUT]
        held_out = [card for role, cards in made for card in cards if role == HELD_OUT]
        recipe, fixed = self.recipe, self.shipped()
        if self.suite.thin:
            held_out, gone = _thinned(self.game, held_out) if self.not_in(fixed) else (held_out, ())
            before = fixed.population.recipe["removed"] if fixed else []
            recipe["removed"] = [*before, *map(to_table, gone)]
        population = assemble(self.suite.name, self.game.spec.name, self.root, train, held_out, recipe)
        population = population.measured_as(self.root)
        if fixed and population.bounds is None:  # also where a run began before bounds came with the package
            population = population.measured_as(fixed.root)
        population.save(self.root)
        return population

    def roster(self) -> Roster:
        """Who plays here, read back from disk and re-hashed; which of the suite's own agents are still to be made."""
        population = load_population(self.root)
        train, held_out = population.cards(self.root)
        scored, apart = parted(held_out)
        there = {entry.name: [n for n in self.seeds(entry) if self._has(n)] for entry in self.suite.entries}
        entries = {name: tuple(load_card(self.cards / n) for n in names) for name, names in there.items() if names}
        lacking = {entry.name: sorted({*self.seeds(entry)} - {*there[entry.name]}) for entry in self.suite.entries}
        guests = cards(self.root.parent, self.game)
        for name in guests:
            if name in there:
                raise Refused(f"{self.root.parent}: the agent {name!r} from outside has the name of one of the suite's")
        spec = self.game.spec
        roster = Roster(
            game=spec.name,
            seats=spec.seats,
            entries=entries | guests,
            guests=tuple(guests),
            held_out=scored,
            train=train,
            apart=apart,
            bounds=population.bounds,
            noise=self.suite.noise,
            absent={name: told(self.root, names) for name, names in lacking.items() if names},
        )
        return replace(roster, near=known(self.root, roster).of(roster))

    def _has(self, name: str) -> bool:
        return (self.cards / name / CARD_FILE).is_file()

    def fixtures(self, roster: Roster) -> list[Fixture]:
        """Every match of the board."""
        return roster.fixtures(self.game, self.suite.episodes, self.suite.seed)


def _thinned(game: Game, held_out: Sequence[Card]) -> tuple[list[Card], tuple[Near, ...]]:
    """Near-duplicates taken out; language models stay, since the fingerprint of one takes thousands of answers."""
    models = [card for card in held_out if asks(card.maker)]
    rest, gone = thin(game, [card for card in held_out if card not in models])
    return [card for card in held_out if card in models or card in rest], gone


def sites(suite: Suite, out: Path, device: str = "cpu") -> list[Site]:
    """A site for every game of the suite, below `out`."""
    found = []
    for setting in suite.games:
        game = suite.game(setting)
        found.append(Site(suite, setting, game, out / folder(game.spec.name), device))
    return found
