"""Generators make partners: each turns a game into tasks, and each task into cards of one family."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from crossplay.agents.trainer import Update
from crossplay.agents.training import Training, teach
from crossplay.benchmark.card import Card
from crossplay.benchmark.game import Game
from crossplay.benchmark.registry import Registry

GENERATORS = Registry("generator")
STACK = 8  # trainings taught together at most: past that dispatch no longer costs much


class Task(Protocol):
    """Work that may be done in any process; doing it again only loads what is there."""

    def make(self) -> list[Card]: ...


@runtime_checkable
class Schooling(Task, Protocol):
    """A task with one training at its heart, which may therefore be taught together with its kin."""

    @property
    def training(self) -> Training: ...

    def watch(self, update: Update) -> None:
        """Sees every update."""
        ...

    def finish(self, card: Card) -> list[Card]:
        """The task's cards, once the training's own is there."""
        ...


class Jointly(NamedTuple):
    """A task whose trainings cannot be told apart into pieces: all members are taught in one stack."""

    members: tuple[Schooling, ...]

    def make(self) -> list[Card]:
        """The cards, member by member; where some are done and some are not, all go on from their checkpoint."""
        trainings = [member.training for member in self.members]
        cards = [card for training in trainings if (card := training.done())]
        if len(cards) < len(trainings):
            cards = teach(trainings, [member.watch for member in self.members])
        return [each for member, card in zip(self.members, cards, strict=True) for each in member.finish(card)]


class PartnerGenerator(Protocol):
    """A registered `config` class in GENERATORS. One that is not for every game names one it is for, as `home`."""

    def tasks(self, game: Game, out: Path, *, seed: int, device: str) -> Sequence[Task]:
        """The work, in pieces that do not depend on each other."""
        ...


def bundles(tasks: Sequence[Task], jobs: int = 1) -> list[list[int]]:
    """The numbers of tasks that are best done together: trainings of a kind in stacks, the rest alone.

    How they are bundled changes no outcome. `jobs` processes are all given work where there is enough.
    """
    kin: dict[str, list[int]] = {}
    alone = []
    for number, task in enumerate(tasks):
        if isinstance(task, Schooling) and not task.training.done():
            kin.setdefault(task.training.kin, []).append(number)
        else:
            alone.append([number])
    found = []
    for members in kin.values():
        pieces = max(-(-len(members) // STACK), min(len(members), -(-jobs // len(kin))))
        found += [members[i::pieces] for i in range(pieces)]
    return alone + found  # what cannot be parted first: it takes longest


def make(tasks: Sequence[Task]) -> list[list[Card]]:
    """A bundle's cards, task by task, as a function that can be sent to another process."""
    trainings = [task for task in tasks if isinstance(task, Schooling)]
    if len(tasks) == 1 or len(trainings) < len(tasks) or any(task.training.done() for task in trainings):
        return [task.make() for task in tasks]
    cards = teach([task.training for task in trainings], [task.watch for task in trainings])
    return [task.finish(card) for task, card in zip(trainings, cards, strict=True)]


def generate(generator: PartnerGenerator, game: Game, out: Path, *, seed: int, device: str = "cpu") -> list[Card]:
    """All of a generator's partners for a game, made in this process."""
    tasks = list(generator.tasks(game, out, seed=seed, device=device))
    made = {
        number: cards
        for bundle in bundles(tasks)
        for number, cards in zip(bundle, make([tasks[i] for i in bundle]), strict=True)
    }
    return [card for number in range(len(tasks)) for card in made[number]]
