"""One training of two debaters as a task: from an arm, a game and a seed to a card of two adapters, done only once."""

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from crossplay.agents.trainer import OnUpdate
from crossplay.benchmark.card import CARD_FILE, NAME, Card, load_card
from crossplay.benchmark.config import canonical, sha256, to_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.debate import Debate
from crossplay.benchmark.seeding import derive
from crossplay.benchmark.workers import single_threaded

if TYPE_CHECKING:
    from crossplay.agents.llm.arms import Arm, On
    from crossplay.agents.llm.brain import Brain


class DebateTraining(NamedTuple):
    """What to train and where its card goes; fields as of `agents.training.Training`."""

    name: str
    family: str
    game: Debate
    trainer: "Arm"
    out: Path
    seed: int
    partners: tuple[Card, ...] = ()
    trained_with: tuple[str, ...] = ()
    device: str = "cpu"

    @property
    def recipe(self) -> str:
        """SHA-256 over all that decides the outcome."""
        return sha256(canonical([to_table(self.game), to_table(self.trainer), self.name, self.seed, self.device]))

    def done(self) -> Card | None:
        """The card, if this very training has already ended."""
        if not (self.out / CARD_FILE).is_file():
            return None
        card = load_card(self.out)
        return card if card.record.get("recipe") == self.recipe else None

    @property
    def checkpoint(self) -> Path:
        """Where it is kept meanwhile."""
        return self.out / f"{self.recipe[:16]}.training"

    def make(self) -> list[Card]:
        """The training as a task that makes cards: one."""
        return [self.run()]

    def run(self, on_update: OnUpdate | None = None) -> Card:
        """Trains, or goes on where an earlier run stopped, and saves the card; a done training is only loaded.

        Raises Refused where the base fails its gate, or the checkpoint is none.
        """
        if card := self.done():
            return card
        check(self)
        if self.partners:
            raise Refused(
                f"{self.family}: debaters train with each other or their adversaries; given {self.partners!r:.80}"
            )
        with single_threaded():
            return _trained(self, on_update) if hasattr(self.trainer, "learn") else _warmed(self)


def check(training: Any) -> None:
    """Raises Refused now for what would be lost later: a game without debates, a name or a place that will not do."""
    if not isinstance(training.game, Debate):
        raise Refused(f"{training.family} teaches debaters; given {training.game.spec.name}, wanted debate")
    if not re.match(NAME, training.name):
        raise Refused(f"{training.name!r} cannot be a card's name: want letters, digits and any of . + ~ = @ _ -")
    try:
        training.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"cannot write card {training.name!r} to {training.out}: {error.strerror or error}") from None


def _warmed(task: DebateTraining) -> Card:
    from crossplay.agents.llm.warm import obtain

    return obtain(task.trainer.on.warm, task.game, task.out)


def _trained(task: DebateTraining, on_update: OnUpdate | None) -> Card:
    from crossplay.agents.llm.policy import ADAPTERS, packed
    from crossplay.agents.llm.school import COLUMNS, School
    from crossplay.agents.llm.use import taken

    began = time.perf_counter()
    arm, seed = task.trainer, derive(task.seed, "train", task.game.spec.name, task.name)
    brain, maker, files = _stand(arm.on, task)
    gate = _gate(brain, arm, task)
    school = School(arm, task.game.training(), brain, seed)
    school.run(task.checkpoint, on_update)
    heroes = {name: brain.tensors(name) for name in ("agent0", "agent1")}
    card = Card(
        name=task.name,
        maker=maker,
        game=task.game.spec.name,
        family=task.family,
        lineage=f"{task.game.spec.name}/{task.name}/{task.seed}",
        trained_with=task.trained_with,
        record={
            "trainer": to_table(arm),
            "seed": task.seed,
            "recipe": task.recipe,
            "gate": gate,
            "alarms": school.alarms,
            "columns": list(COLUMNS),
            "curve": school.curve,
            "steps": arm.learn.steps * arm.learn.batch,  # debates
            "samples_per_hero": arm.learn.steps * (arm.learn.batch // len(arm.casts)),
            "seconds": round(time.perf_counter() - began, 1),
            **taken(brain.device, school.tokens, school.seconds),
        },
    )
    made = card.save(task.out, {**files, ADAPTERS: packed(heroes)})
    task.checkpoint.unlink(missing_ok=True)
    return made


def _stand(on: "On", task: DebateTraining) -> tuple["Brain", dict[str, Any], dict[str, bytes]]:
    """The base with no adapter yet, what a card says of it, and the files a card has to bring along."""
    from crossplay.agents.llm.base import hashed, load, located
    from crossplay.agents.llm.brain import Brain
    from crossplay.agents.llm.warm import obtain, place

    files: dict[str, bytes] = {}
    if on.model:
        folder = located(on.model)
    else:
        card = obtain(on.warm, task.game, place(on.warm, task.game, task.out.parent))
        folder = card.root or task.out
        files = {name: (folder / name).read_bytes() for name in card.files}
    model, words = load(folder, on.dtype, task.device)
    base = {"name": on.model, "sha256": hashed(folder), "dtype": on.dtype}
    maker = {"kind": "debater", "base": base, "lora": to_table(on.lora), "tokens": task.trainer.learn.tokens}
    return Brain(model, words, on.lora, "blank"), maker, files


def _gate(brain: "Brain", arm: "Arm", task: DebateTraining) -> float:
    """Joint accuracy of the untuned base on training questions. Raises Refused where it is outside the gate."""
    from crossplay.agents.llm.talk import accuracy, debate

    gate, game = arm.on.gate, task.game.training()
    numbers = np.arange(min(gate.questions, len(game.questions)))
    found = accuracy(debate(brain, game, (None, None), numbers, arm.learn.tokens, None))
    if not gate.low <= found <= gate.high:
        raise Refused(
            f"{task.name}: the untuned base answers {found:.3f} of the training questions right, jointly; wanted "
            f"{gate.low} to {gate.high} (on.gate): training would show nothing"
        )
    return round(found, 4)
