"""Human proxies: networks cloned from the games people played with people in the 2019 study [Carroll2019]."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from pydantic import Field, PositiveInt

from crossplay.agents.cloning import Cloning, Examples, Fit, frequencies, score, scored
from crossplay.agents.networks import Architecture, PolicyNet
from crossplay.benchmark.card import CARD_FILE, Card, load_card
from crossplay.benchmark.config import canonical, config, sha256, to_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.games.overcooked.humans import Recording, Split, recordings
from crossplay.benchmark.games.overcooked.layouts import CLASSIC_FIVE
from crossplay.benchmark.seeding import derive
from crossplay.populations import unstuck  # noqa: F401  registers the policy
from crossplay.populations.generator import GENERATORS

OTHER: dict[Split, Split] = {"train": "test", "test": "train"}


@GENERATORS.register("bc")
@config
class BC:
    """Clones of the people in one half of the recorded Overcooked games; clones of `test` are for holding out.

    Nothing is ever fitted to the other half: it only says how good a clone is. Cards are named `name`-`split`-0, ….
    """

    home: ClassVar[Game] = Overcooked()

    name: str = Field(default="bc", pattern=r"^[\w.-]+$")
    split: Split = "train"
    seeds: PositiveInt = 3
    unstuck: bool = False  # play by the rule of `unstuck`; the network is the same, its card's name ends in -unstuck
    shared: bool = True  # one network for both seats
    architecture: Architecture = Architecture()
    cloning: Cloning = Cloning()

    def tasks(self, game: Game, out: Path, *, seed: int, device: str) -> Sequence["_Clone"]:
        """One clone a seed. Raises Refused for a game in which nobody was recorded, or a network with a context."""
        kitchen = _recorded(game)
        if self.architecture.context:
            raise Refused(f"bc: context = {self.architecture.context} given; a clone looks at the present view only")
        self.architecture.view_of(game.spec)
        return [_Clone(f"{self.name}-{self.split}-{i}", kitchen, self, out, seed, device) for i in range(self.seeds)]


def _recorded(game: Game) -> Overcooked:
    """The game, if people were recorded in it."""
    if not isinstance(game, Overcooked):
        raise Refused(f"bc: people were recorded in overcooked only; given {game.spec.name}")
    if game.layout not in CLASSIC_FIVE:
        raise Refused(f"bc: nobody was recorded in layout {game.layout!r}; those with games: {', '.join(CLASSIC_FIVE)}")
    if game.dynamics != "classic":
        raise Refused(f"bc: people were recorded under classic dynamics; given {game.dynamics!r}")
    return game


class _Clone(NamedTuple):
    name: str  # of the network; an unstuck card's name is longer
    game: Overcooked
    plan: BC
    out: Path
    seed: int
    device: str

    @property
    def recipe(self) -> str:
        """SHA-256 over all that decides the outcome: a card made by the same recipe need not be made again."""
        return sha256(canonical([to_table(self.game), to_table(self.plan), self.name, self.seed, self.device]))

    def make(self) -> list[Card]:
        """The card, cloned or, where this very clone is there already, loaded."""
        folder = self.out / (f"{self.name}-unstuck" if self.plan.unstuck else self.name)
        if (folder / CARD_FILE).is_file() and (card := load_card(folder)).record.get("recipe") == self.recipe:
            return [card]
        plan = self.plan
        seed = derive(self.seed, "clone", self.game.spec.name, self.name)
        net = PolicyNet(plan.architecture, self.game.spec, shared=plan.shared, seed=derive(seed, "weights"))
        seen = examples(self.game.layout, plan.split, net.view)
        fit = plan.cloning.fit(net, seen, seed=seed, device=self.device)
        return [self._card(folder.name, net, self._record(net, seen, fit)).save(folder, net.contents())]

    def _card(self, name: str, net: PolicyNet, record: dict[str, Any]) -> Card:
        maker = net.maker()
        return Card(
            name=name,
            maker={"kind": "unstuck", "maker": maker} if self.plan.unstuck else maker,
            game=self.game.spec.name,
            family="bc",
            lineage=f"{self.game.spec.name}/bc/{self.plan.split}",  # seeds of a half are clones of the same people
            record=record,
        )

    def _record(self, net: PolicyNet, seen: Examples, fit: Fit) -> dict[str, Any]:
        """How it was made, and how well the network, before any rule, foretells the half it has not seen."""
        judge = examples(self.game.layout, OTHER[self.plan.split], net.view)
        base = np.tile(frequencies(seen, len(self.game.spec.actions)), (judge.size, 1))
        return {
            "generator": to_table(self.plan),
            "seed": self.seed,
            "recipe": self.recipe,
            "split": self.plan.split,
            "frames": seen.size,  # of both seats
            "epochs": fit.epochs,
            "set_aside": list(fit.games),
            "validation": _rounded(fit.validation._asdict()),
            "held_out_frames": judge.size,
            **_rounded(score(net, judge)._asdict()),
            "frequencies": _rounded(scored(base, judge.actions)._asdict()),
        }


def _rounded(numbers: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in numbers.items()}


def examples(layout: str, split: Split, view: str) -> Examples:
    """What both people of every recorded game in a kitchen saw and did, a row a frame and seat.

    The urgency flag is that of their own game, which lasted about 1,200 frames; games are numbered by their pair.
    """
    return _joined([_examples(game, view) for game in recordings(split) if game.layout == layout])


def _examples(game: Recording, view: str) -> Examples:
    features = game.before.observe(view).features
    frames, seats = game.actions.shape
    return Examples(
        features.reshape(frames * seats, *features.shape[2:]).copy(),
        game.actions.reshape(-1),
        np.tile(np.arange(seats), frames),
        np.full(frames * seats, game.pair),
    )


def _joined(parts: list[Examples]) -> Examples:
    return Examples(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
