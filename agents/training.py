"""One training as a task: from a trainer, a game and a seed to a card on disk; resumable, and done only once."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from crossplay.agents.networks import PolicyNet
from crossplay.agents.trainer import Trainer, Update
from crossplay.benchmark.card import CARD_FILE, NAME, Card, load_card
from crossplay.benchmark.config import canonical, sha256, to_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.seeding import derive

CURVE_POINTS = 50  # of the learning curve a card keeps


def nothing(update: Update) -> None:
    """The `on_update` of who does not want to know."""


class Training(NamedTuple):
    """What to train and where its card goes. Partners are cards at rest, so the task can travel to another process."""

    name: str
    family: str
    game: Game
    trainer: Trainer
    out: Path  # the card's folder
    seed: int  # the suite's; the training's own derives from it and the name
    partners: tuple[Card, ...] = ()
    trained_with: tuple[str, ...] = ()  # further digests to declare, such as the population's
    device: str = "cpu"

    @property
    def recipe(self) -> str:
        """SHA-256 over all that decides the outcome: a card made by the same recipe need not be made again."""
        tables = [to_table(self.game), to_table(self.trainer)]
        partners = [card.digest for card in self.partners]
        return sha256(canonical([*tables, self.name, self.seed, self.device, partners]))

    @property
    def lineage(self) -> str:
        """All checkpoints of this training, and of no other, share it."""
        return f"{self.game.spec.name}/{self.name}/{self.seed}"

    def done(self) -> Card | None:
        """The card, if this very training has already ended."""
        if not (self.out / CARD_FILE).is_file():
            return None
        card = load_card(self.out)
        return card if card.record.get("recipe") == self.recipe else None

    def make(self) -> list[Card]:
        """The training as a task that makes cards: one."""
        return [self.run()]

    def run(self, on_update: Callable[[Update], None] = nothing) -> Card:
        """Trains, or goes on where an earlier run stopped, and saves the card. A done training is only loaded."""
        return self.done() or self._train(on_update)

    def _check(self) -> None:
        """Raises Refused now for what would lose a finished training later: a name or a place that will not do."""
        if not re.match(NAME, self.name):
            raise Refused(f"{self.name!r} cannot be a card's name: want letters, digits and any of . + ~ = @ _ -")
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refused(f"cannot write card {self.name!r} to {self.out}: {error.strerror or error}") from None

    def _train(self, on_update: Callable[[Update], None]) -> Card:
        self._check()
        checkpoint = self.out / f"{self.recipe[:16]}.training"
        drawn = checkpoint.with_suffix(".curve")
        curve: list[list[float]] = json.loads(drawn.read_text()) if checkpoint.exists() and drawn.exists() else []

        def watch(update: Update) -> None:
            while curve and curve[-1][0] >= update.steps:  # drawn after the checkpoint we went on from
                curve.pop()
            due = len(curve) * update.total / CURVE_POINTS
            if update.episode_return is not None and (update.steps >= due or update.steps >= update.total):
                curve.append([update.steps, round(update.episode_return, 3), round(update.stats["entropy"], 4)])
                self._draw(drawn, curve)
            on_update(update)

        began = time.perf_counter()
        net = self.trainer.train(
            self.game,
            [card.policy(self.game) for card in self.partners],
            seed=derive(self.seed, "train", self.game.spec.name, self.name),
            device=self.device,
            on_update=watch,
            checkpoint=checkpoint,
        )
        record = {"seconds": round(time.perf_counter() - began, 1), "curve": curve}
        card = self.card(self.name, net, record).save(self.out, net.contents())
        checkpoint.unlink(missing_ok=True)
        drawn.unlink(missing_ok=True)
        return card

    def _draw(self, path: Path, curve: list[list[float]]) -> None:
        draft = path.with_suffix(".curve-draft")
        draft.write_text(json.dumps(curve))
        draft.replace(path)

    def card(self, name: str, net: PolicyNet, record: dict[str, Any]) -> Card:
        """A card of this training's lineage for a state of its network; its files are still to be saved."""
        return Card(
            name=name,
            maker=net.maker(),
            game=self.game.spec.name,
            family=self.family,
            lineage=self.lineage,
            trained_with=(*(card.digest for card in self.partners), *self.trained_with),
            record={"trainer": to_table(self.trainer), "seed": self.seed, "recipe": self.recipe, **record},
        )


def pick_device(device: str) -> str:
    """`device`, checked: cpu, or a CUDA device that is there."""
    try:
        kind = torch.device(device).type
    except RuntimeError:
        raise Refused(f"unknown device {device!r}; wanted cpu or cuda[:number]") from None
    if kind == "cuda" and not torch.cuda.is_available():
        raise Refused(f"device {device!r} given, but this torch ({torch.__version__}) sees no CUDA device; use cpu")
    return device
