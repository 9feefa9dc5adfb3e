"""One training of two debaters as a task: from an arm, a game and a seed to a card of two adapters, done only once."""

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from crossplay.agents.trainer import OnUpdate, Update
from crossplay.benchmark.card import CARD_FILE, NAME, Card, load_card
from crossplay.benchmark.config import canonical, sha256, to_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.debate import Debate
from crossplay.benchmark.seeding import derive
from crossplay.benchmark.workers import single_threaded

if TYPE_CHECKING:
    from crossplay.agents.llm.arms import Arm, Cast, On
    from crossplay.agents.llm.brain import Brain
    from crossplay.agents.llm.learner import Learner, Lesson

    Learners = dict[str, Learner]
COLUMNS = ("steps", "return", "entropy", "length", "adversary_nats", "base_nats")


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

    def make(self) -> list[Card]:
        """The training as a task that makes cards: one."""
        return [self.run()]

    def run(self, on_update: OnUpdate | None = None) -> Card:
        """Trains and saves the card; a done training is only loaded. Raises Refused where the base fails its gate."""
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

    began = time.perf_counter()
    arm, seed = task.trainer, derive(task.seed, "train", task.game.spec.name, task.name)
    brain, maker, files = _stand(arm.on, task)
    gate = _gate(brain, arm, task)
    learners = _learners(brain, arm, seed)
    curve, alarms = _school(task, brain, learners, seed, on_update)
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
            "alarms": alarms,
            "columns": list(COLUMNS),
            "curve": curve,
            "steps": arm.learn.steps * arm.learn.batch,  # debates
            "samples_per_hero": arm.learn.steps * (arm.learn.batch // len(arm.casts)),
            "seconds": round(time.perf_counter() - began, 1),
        },
    )
    return card.save(task.out, {**files, ADAPTERS: packed(heroes)})


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


def _learners(brain: "Brain", arm: "Arm", seed: int) -> "Learners":
    from crossplay.agents.llm.learner import Learner

    names = sorted({name for cast in arm.casts for name in cast.seats})
    for name in names:
        brain.add(name, seed=derive(seed, "adapter", name))
    return {name: Learner(brain, name, arm.learn) for name in names}


def _school(
    task: DebateTraining, brain: "Brain", learners: "Learners", seed: int, on_update: OnUpdate | None
) -> tuple[list[list[float]], list[str]]:
    """All updates; the curve, and what the alarm said."""
    from crossplay.agents.llm.talk import debate

    arm, game = task.trainer, task.game.training()
    game = game if arm.rounds is None else game.shortened(arm.rounds)
    rng = np.random.default_rng(derive(seed, "questions"))
    curve: list[list[float]] = []
    alarms: list[str] = []
    began = time.perf_counter()
    share = arm.learn.batch // len(arm.casts)
    for step in range(arm.learn.steps):
        lessons: dict[str, list[Lesson]] = {name: [] for name in learners}
        scores = []
        for number, cast in enumerate(arm.casts):
            numbers = rng.integers(0, len(game.questions), size=share)
            talk = debate(brain, game, cast.seats, numbers, arm.learn.tokens, derive(seed, "luck", step, number))
            scores.append(talk.right[-1].mean())
            _assign(lessons, talk, arm, cast)
        watched = {name: one.update(lessons[name], arm.price) for name, one in learners.items()}
        nats = _from_base(brain, lessons) if step % arm.learn.watch == 0 or step == arm.learn.steps - 1 else None
        curve.append(_point((step + 1) * arm.learn.batch, float(np.mean(scores)), watched, nats, curve))
        if on_update:
            on_update(_update(arm, curve[-1], time.perf_counter() - began))
        if nats is not None and nats > arm.learn.alarm:
            alarms.append(f"update {step}: {nats:.2f} nats a token from the base, past {arm.learn.alarm}")
    return curve, alarms


def _update(arm: "Arm", point: list[float], seconds: float) -> Update:
    stats = dict(zip(COLUMNS[2:], point[2:], strict=True))
    samples = int(point[0]) // len(arm.casts)
    return Update(0, int(point[0]), arm.learn.steps * arm.learn.batch, samples, point[1], seconds, stats, None)  # type: ignore[arg-type]


def _assign(lessons: dict[str, list["Lesson"]], talk: Any, arm: "Arm", cast: "Cast") -> None:
    """Every answer that is taught, to whom it is taught."""
    from crossplay.agents.llm.learner import Lesson

    placed = arm.placed(talk.paid, cast)
    for r, said in enumerate(talk.said):
        for seat, name in enumerate(cast.seats):
            if not np.isnan(placed[r, :, seat]).any():
                reference = f"agent{seat}" if cast.hero is not None and seat != cast.hero else None
                lessons[name].append(Lesson(said[seat], placed[r, :, seat], reference))


def _from_base(brain: "Brain", lessons: dict[str, list["Lesson"]]) -> float:
    """KL(agent ‖ base), nats a token over what agents said, estimated by e^−x − 1 + x of log-ratios x."""
    total = count = 0.0
    with torch.no_grad():
        for name in ("agent0", "agent1"):
            said = lessons[name][0].said
            base, _ = brain.scored(said.asked, said.tokens, said.mask, None)
            gap = base - said.logs
            total += float(((gap.exp() - 1 - gap) * said.mask).sum())
            count += float(said.mask.sum())
    return total / count


def _point(
    steps: int, score: float, watched: dict[str, dict[str, float]], nats: float | None, before: list[list[float]]
) -> list[float]:
    heroes = [watched["agent0"], watched["agent1"]]
    foes = [one["nats"] for one in watched.values() if "nats" in one]
    means = [float(np.mean([hero[what] for hero in heroes])) for what in ("entropy", "length")]
    leash = float(np.mean(foes)) if foes else 0.0
    known = nats if nats is not None else before[-1][-1]
    return [steps, *(round(value, 4) for value in (score, *means, leash, known))]
