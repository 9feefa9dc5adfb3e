"""Generators make partners: each turns a game into tasks, and each task into cards of one family."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from crossplay.benchmark.card import Card
from crossplay.benchmark.game import Game
from crossplay.benchmark.registry import Registry

GENERATORS = Registry("generator")


class Task(Protocol):
    """Work that may be done in any process; doing it again only loads what is there."""

    def make(self) -> list[Card]: ...


class PartnerGenerator(Protocol):
    """A registered `config` class in GENERATORS."""

    def tasks(self, game: Game, out: Path, *, seed: int, device: str) -> Sequence[Task]:
        """The work, in pieces that do not depend on each other."""
        ...


def make(task: Task) -> list[Card]:
    """task.make(), as a function that can be sent to another process."""
    return task.make()


def generate(generator: PartnerGenerator, game: Game, out: Path, *, seed: int, device: str = "cpu") -> list[Card]:
    """All of a generator's partners for a game, made in this process."""
    return [card for task in generator.tasks(game, out, seed=seed, device=device) for card in task.make()]
