"""A suite says everything a board depends on: games, partners made and held back, entries, episodes and one seed."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PositiveFloat, PositiveInt, TypeAdapter

from crossplay.agents import (  # noqa: F401  registers the trainers
    best_response,
    cole,
    e3t,
    ippo,
    mappo,
    noisy_self_play,
    srpo,
    state_augmented,
)
from crossplay.agents import graph as _graph  # noqa: F401
from crossplay.agents.llm import arms as _arms  # noqa: F401
from crossplay.agents.llm import policy as _policy  # noqa: F401
from crossplay.agents.presets import preset
from crossplay.agents.trainer import TRAINERS, Trainer
from crossplay.benchmark import games as _games  # noqa: F401  registers the games
from crossplay.benchmark.card import Card
from crossplay.benchmark.config import build, config, from_table, from_text, merge, read_toml, scalar, to_table
from crossplay.benchmark.errors import Refused, unknown
from crossplay.benchmark.game import Game
from crossplay.benchmark.registry import GAMES
from crossplay.populations import adopted, bc, brdiv, comedi, debaters, fcp, hsp, lipo, mep, self_play, trajedi  # noqa: F401  generators
from crossplay.populations.generator import GENERATORS, PartnerGenerator
from crossplay.populations.llm import cooks as _cooks  # noqa: F401
from crossplay.populations.llm import generator as _programs  # noqa: F401
from crossplay.populations.llm import live as _live  # noqa: F401
from crossplay.populations.scripted import generator as _scripted  # noqa: F401
from crossplay.populations.stages import Stage

NAME = r"^[\w.-]+$"


def folder(game: str) -> str:
    """Where a game's cards and manifest lie, from its spec name."""
    return game.replace("/", "-")


def short(game: str, apart: str = "/") -> str:
    """A game's name without version, and without a kind that goes without saying; `apart` parts kind and rest."""
    name = game.rpartition("-v")[0]
    kind, _, rest = name.partition(apart)
    return rest if rest and kind in ("overcooked", "matrix") else name


def nicknames(game: str) -> tuple[str, ...]:
    """What a game may be called on the command line: short, as its folder, as other commands spell it, in full."""
    return short(game), folder(game), game.rpartition("-v")[0].replace("/", ":"), game


@config
class GameSetting:
    """A game, and the training settings that suit it; entries and generators may override them."""

    game: dict[str, Any]
    training: dict[str, Any] = Field(default_factory=dict)
    held_out: tuple[dict[str, Any], ...] = ()  # of partners for this game only, after the suite's


@config
class Entry:
    """A row of the board: one trainer, several independently trained seeds, perhaps a population to train with."""

    name: str = Field(pattern=NAME)
    trainer: dict[str, Any]
    seeds: PositiveInt = 3
    partners: str = ""  # name of a train population; empty: self-play
    stages: tuple[Stage, ...] = ()  # of partners kept at several stages of skill only these; empty: all
    times: PositiveFloat = 1.0  # so many times the steps the game's training settings give

    def meets(self, partner: Card) -> bool:
        """Whether a partner of the population is one to train with."""
        stage = partner.record.get("stage")
        return not self.stages or stage is None or stage in self.stages


@config
class Suite:
    """The plan of a board. `train` and `held_out` are tables for GENERATORS; train populations go by their `name`."""

    name: str = Field(pattern=NAME)
    about: str = ""
    seed: int = 0
    episodes: PositiveInt = 64  # per match
    noise: tuple[Annotated[float, Field(gt=0, le=1)], ...] = ()  # the held-out are met once more, trembling so much
    thin: bool = False  # near-duplicates among the held-out partners are taken out
    bounds: bool = False  # a run also measures the held-out partners' bounds and diversity
    games: tuple[GameSetting, ...] = Field(min_length=1)
    train: tuple[dict[str, Any], ...] = ()
    held_out: tuple[dict[str, Any], ...] = Field(min_length=1)
    entries: tuple[Entry, ...] = ()  # none: a board for agents from outside alone

    def game(self, setting: GameSetting) -> Game:
        """The game of a setting."""
        found: Game = from_table(GAMES, setting.game, f"suite {self.name}: games")
        return found

    def only(self, names: Sequence[str]) -> "Suite":
        """The same plan for some of its games: what is made for them is what the whole suite would make.

        A name is one of its `nicknames`, as `coordination_ring`. Raises Refused where there is none of it.
        """
        known = {name: setting for setting in self.games for name in nicknames(self.game(setting).spec.name)}
        for name in names:
            if name not in known:
                raise unknown(f"game of suite {self.name}", name, known)
        return replace(self, games=tuple(one for one in self.games if one in [known[name] for name in names]))

    def held_out_of(self, setting: GameSetting) -> tuple[dict[str, Any], ...]:
        """The tables of everybody held out in a game: the suite's, then the game's own."""
        return self.held_out + setting.held_out

    def trainer(self, entry: Entry, setting: GameSetting) -> Trainer:
        """An entry's trainer with the game's training settings underneath its own."""
        under = training(setting)
        budget = under.get("budget", {})
        if "steps" in budget:
            spans = {name: budget[name] for name in ("steps", "shaping_steps") if budget.get(name, -1) >= 0}
            under = merge(under, {"budget": {name: round(span * entry.times) for name, span in spans.items()}})
        elif entry.times != 1:
            raise Refused(f"suite {self.name}: entry {entry.name}: `times` needs budget.steps in the game's training")
        table = merge(under, entry.trainer)
        found: Trainer = from_table(TRAINERS, table, f"suite {self.name}: entry {entry.name}")
        return found

    def generators(self, tables: tuple[dict[str, Any], ...], setting: GameSetting) -> list[PartnerGenerator]:
        """The generators of `train` or `held_out`, those that train with the game's training settings."""
        found = []
        for table in tables:
            where = f"suite {self.name}: generator {table.get('name', table.get('kind'))}"
            cls = GENERATORS[table["kind"]] if "kind" in table else None
            if cls and "trainer" in {field.name for field in fields(cls)}:
                table = {**table, "trainer": merge(training(setting), table.get("trainer", {}))}
            found.append(from_table(GENERATORS, table, where))
        return found

    def check(self) -> None:
        """Raises Refused for anything in the plan that cannot be carried out, before any work is done."""
        populations = [table.get("name", table.get("kind", "")) for table in self.train]
        names = [entry.name for entry in self.entries]
        for twice in (n for n in [*names, *populations] if [*names, *populations].count(n) > 1):
            raise Refused(f"suite {self.name}: the name {twice!r} is given twice")
        for entry in self.entries:
            if entry.stages and not entry.partners:
                raise Refused(f"suite {self.name}: entry {entry.name}: `stages` given without `partners`")
            if entry.partners and entry.partners not in populations:
                raise Refused(
                    f"suite {self.name}: entry {entry.name}: {unknown('population', entry.partners, populations)}"
                )
            for setting in self.games:
                self.trainer(entry, setting)
        for setting in self.games:
            self.game(setting)
            self.generators(self.train + self.held_out_of(setting), setting)


def training(setting: GameSetting) -> dict[str, Any]:
    """A game's training settings: its preset, and over it what the suite says."""
    return merge(preset(setting.game), setting.training)


def trainer_for(kind: str, game: str, settings: list[str]) -> tuple[Game, Trainer]:
    """The game a text spells, and the trainer for it: the game's preset with `field=value` settings over it."""
    played: Game = from_text(GAMES, game)
    return played, trainer_on(kind, played, {}, settings)


def trainer_on(kind: str, game: Game, under: Mapping[str, Any], settings: Sequence[str]) -> Trainer:
    """The trainer for a game: its preset, over it the settings in `under`, over both `field=value` settings."""
    table = merge(merge(preset(to_table(game)), under), {"kind": kind})
    found: Trainer = from_table(TRAINERS, _set(table, settings), kind)
    return found


def generator_for(kind: str, game: str, settings: list[str]) -> tuple[Game, PartnerGenerator]:
    """The game a text spells, and the generator for it, with the game's preset for its trainer."""
    played: Game = from_text(GAMES, game)
    trains = "trainer" in {field.name for field in fields(GENERATORS[kind])}
    table = {"kind": kind, **({"trainer": preset(to_table(played))} if trains else {})}
    return played, from_table(GENERATORS, _set(table, settings), kind)


def _set(table: dict[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    for text in settings:
        path, equals, value = text.partition("=")
        if not equals:
            raise Refused(f"--set {text}: wanted field=value, as in ppo.learning_rate=1e-3")
        inner: Any = scalar(value)
        for part in reversed(path.split(".")):
            inner = {part: inner}
        table = merge(table, inner)
    return table


def shipped() -> dict[str, Path]:
    """Suites that come with the package: name → file."""
    folder = Path(str(resources.files("crossplay.leaderboard"))) / "suites"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_suite(name: str) -> Suite:
    """A shipped suite by name, or any TOML file by path; checked. Raises Refused where something in it will not do."""
    known = shipped()
    path = Path(name) if name.endswith(".toml") else known.get(name)
    if path is None:
        raise unknown("suite", name, known)
    suite = build(Suite, read_toml(path), str(path))
    suite.check()
    return suite


def as_table(suite: Suite) -> dict[str, Any]:
    """The suite as a TOML table."""
    return dict(TypeAdapter(Suite).dump_python(suite, mode="json", exclude_none=True))
