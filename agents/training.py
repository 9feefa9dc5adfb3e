"""One training as a task: from a trainer, a game and a seed to a card on disk; resumable, and done only once."""

import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from crossplay.agents.divergence import Diverged
from crossplay.agents.networks import PolicyNet
from crossplay.agents.trainer import OnUpdate, Pupil, Trainer, Update, nothing, train
from crossplay.benchmark.card import CARD_FILE, NAME, Card, load_card
from crossplay.benchmark.config import canonical, sha256, to_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.seeding import derive

CURVE_POINTS = 50  # of the learning curve a card keeps
# where a trainer tells them
COLUMNS = ("entropy", "clipped", "explained", "adversary_nats", "price", "pair_return", "population_nats")


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
    line: str = ""  # what its lineage is called, where others share it that are trained apart; empty: its own name
    group: tuple[str, ...] = ()  # names of all that are trained jointly, this one among them, in order; empty: alone

    @property
    def recipe(self) -> str:
        """SHA-256 over all that decides the outcome: a card made by the same recipe need not be made again."""
        tables = [to_table(self.game), to_table(self.trainer)]
        partners = [card.digest for card in self.partners]
        joint = [list(self.group)] if self.group else []
        return sha256(canonical([*tables, self.name, self.seed, self.device, partners, *joint]))

    @property
    def lineage(self) -> str:
        """All checkpoints of this training, and of those it is trained jointly with, share it."""
        return f"{self.game.spec.name}/{'+'.join(self.group) or self.line or self.name}/{self.seed}"

    def done(self) -> Card | None:
        """The card, if this very training has already ended."""
        if not (self.out / CARD_FILE).is_file():
            return None
        card = load_card(self.out)
        return card if card.record.get("recipe") == self.recipe else None

    @property
    def kin(self) -> str:
        """SHA-256 over what trainings have to share to be taught together."""
        return sha256(canonical([to_table(self.game), to_table(self.trainer), self.device]))

    @property
    def training(self) -> "Training":
        """The training behind this task: itself."""
        return self

    def watch(self, update: Update) -> None:
        """What this task wants to see of its training: nothing."""

    def finish(self, card: Card) -> list[Card]:
        """The cards that come of it."""
        return [card]

    def make(self) -> list[Card]:
        """The training as a task that makes cards: one."""
        return [self.run()]

    def run(self, on_update: OnUpdate = nothing) -> Card:
        """Trains, or goes on where an earlier run stopped, and saves the card. A done training is only loaded."""
        return self.done() or teach([self], [on_update])[0]

    def check(self) -> None:
        """Raises Refused now for what would lose a finished training later: a name or a place that will not do."""
        if not re.match(NAME, self.name):
            raise Refused(f"{self.name!r} cannot be a card's name: want letters, digits and any of . + ~ = @ _ -")
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refused(f"cannot write card {self.name!r} to {self.out}: {error.strerror or error}") from None

    @property
    def checkpoint(self) -> Path:
        """Where it is kept meanwhile: a group in one file, since no member can go on without the others."""
        name = self.group[0] if self.group else self.name
        first = self._replace(name=name, out=self.out.with_name(name) if self.group else self.out)
        return first.out / f"{first.recipe[:16]}.training"

    def pupil(self) -> Pupil:
        """The seed to teach; it derives from the names of game and card."""
        partners = [card.policy(self.game) for card in self.partners]
        return Pupil(derive(self.seed, "train", self.game.spec.name, self.name), partners, self.checkpoint)

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


class Curve:
    """The learning curve of a training, kept beside its checkpoint: [steps, return, entropy, …] at `CURVE_POINTS`."""

    def __init__(self, training: Training) -> None:
        self._path = training.out / f"{training.recipe[:16]}.curve"
        resumed = training.checkpoint.exists() and self._path.exists()
        self.points: list[list[float]] = json.loads(self._path.read_text()) if resumed else []
        self.columns: list[str] = []
        self.budget: dict[str, int] = {}

    def add(self, update: Update) -> None:
        """Notes an update where a point is due."""
        while self.points and self.points[-1][0] >= update.steps:  # drawn after the checkpoint we went on from
            self.points.pop()
        self.budget = {"steps": update.steps, "samples_per_hero": update.samples}
        due = len(self.points) * update.total / CURVE_POINTS
        if update.episode_return is None or not (update.steps >= due or update.steps >= update.total):
            return
        numbers = [round(update.stats[name], 4) for name in COLUMNS if name in update.stats]
        self.columns = ["steps", "return", *(name for name in COLUMNS if name in update.stats)]
        self.points.append([update.steps, round(update.episode_return, 3), *numbers])
        draft = self._path.with_suffix(".curve-draft")
        draft.write_text(json.dumps(self.points))
        draft.replace(self._path)

    def record(self) -> dict[str, Any]:
        """For the card."""
        return {**self.budget, "columns": self.columns, "curve": self.points}

    def forget(self) -> None:
        """Removes the file."""
        self._path.unlink(missing_ok=True)


def task_for(trainer: Trainer, name: str, family: str, game: Game, out: Path, seed: int, **more: Any) -> Any:
    """The task that ends in a trainer's card; one whose learners are no networks of ours has its own `schooling`."""
    return getattr(trainer, "schooling", Training)(name, family, game, trainer, out, seed, **more)


def teach(trainings: Sequence[Training], watches: Sequence[OnUpdate]) -> list[Card]:
    """Trains kin in one stack, or goes on where an earlier run stopped, and saves their cards.

    Raises Diverged where trainings came to nothing, once the cards of the others are saved.
    """
    for training in trainings:
        training.check()
    curves = [Curve(training) for training in trainings]

    def see(update: Update) -> None:
        curves[update.member].add(update)
        watches[update.member](update)

    began = time.perf_counter()
    first = trainings[0]
    pupils = [training.pupil() for training in trainings]
    faults: dict[int, str] = {}
    try:
        nets = dict(enumerate(train(first.trainer, first.game, pupils, device=first.device, on_update=see)))
    except Diverged as diverged:
        nets, faults = diverged.nets, diverged.faults
    seconds = round((time.perf_counter() - began) / len(trainings), 1)
    cards = []
    for k, net in nets.items():
        record = {"seconds": seconds, **curves[k].record()}
        cards.append(trainings[k].card(trainings[k].name, net, record).save(trainings[k].out, net.contents()))
    lost = {trainings[k].checkpoint for k in faults}
    for k in nets:  # once all are safe: they may share a checkpoint
        if trainings[k].checkpoint not in lost:
            trainings[k].checkpoint.unlink(missing_ok=True)
        curves[k].forget()
    if faults:
        ended = {trainings[k].name: why for k, why in sorted(faults.items())}
        notes = {trainings[k].name: _kept(trainings[k].checkpoint) for k in faults}
        raise Diverged(ended, notes=notes, game=first.game.spec.name)
    return cards


def _kept(checkpoint: Path) -> str:
    return f"; its last good state is kept in {checkpoint}" if checkpoint.exists() else "; nothing had been saved yet"


def pick_device(device: str) -> str:
    """`device`, checked: cpu, or a CUDA device that is there."""
    try:
        kind = torch.device(device).type
    except RuntimeError:
        raise Refused(f"unknown device {device!r}; wanted cpu or cuda[:number]") from None
    if kind == "cuda" and not torch.cuda.is_available():
        raise Refused(f"device {device!r} given, but this torch ({torch.__version__}) sees no CUDA device; use cpu")
    return device
