"""Updates one after the other, watched, and saved so that a training that was stopped ends where it would have."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from crossplay.agents.llm.brain import Brain
from crossplay.agents.llm.learner import Learner, Lesson
from crossplay.agents.llm.talk import Debated, debate
from crossplay.agents.trainer import OnUpdate, Update
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.debate import Debate
from crossplay.benchmark.seeding import derive

if TYPE_CHECKING:
    from crossplay.agents.llm.arms import Arm, Cast

COLUMNS = ("steps", "return", "entropy", "length", "adversary_nats", "base_nats")
CHECKPOINT_SECONDS = 20.0
Lessons = dict[str, list[Lesson]]


class School:
    """A brain's adapters under training: all that a checkpoint has to hold. `game` is the one to train with."""

    def __init__(self, arm: "Arm", game: Debate, brain: Brain, seed: int) -> None:
        self._arm, self._brain, self._seed = arm, brain, seed
        self._game = game if arm.rounds is None else game.shortened(arm.rounds)
        names = sorted({name for cast in arm.casts for name in cast.seats})
        for name in names:
            brain.add(name, seed=derive(seed, "adapter", name))
        self._learners = {name: Learner(brain, name, arm.learn) for name in names}
        self.curve: list[list[float]] = []  # a point an update, by COLUMNS
        self.alarms: list[str] = []
        self.tokens, self.seconds = 0, 0.0  # said, and what it took to say and to learn from them: of this run only
        rng = np.random.default_rng(derive(seed, "questions"))
        size = (arm.learn.steps, len(arm.casts), arm.learn.batch // len(arm.casts))
        self._numbers = rng.integers(0, len(self._game.questions), size=size)

    def run(self, checkpoint: Path, on_update: OnUpdate | None = None) -> None:
        """All updates that are still to be done; goes on from `checkpoint` where there is one."""
        if checkpoint.exists():
            self.load(checkpoint)
        began = saved = time.perf_counter()
        while len(self.curve) < self._arm.learn.steps:
            before = time.perf_counter()
            self._update(len(self.curve))
            now = time.perf_counter()
            self.seconds += now - before
            if on_update:
                on_update(self._told(now - began))
            if now - saved > CHECKPOINT_SECONDS and len(self.curve) < self._arm.learn.steps:
                self.save(checkpoint)
                saved = time.perf_counter()

    def save(self, path: Path) -> None:
        """Writes the training whole or not at all."""
        draft = path.with_suffix(".draft")
        states = {name: one.state() for name, one in self._learners.items()}
        torch.save({"curve": self.curve, "alarms": self.alarms, "learners": states}, draft)
        draft.replace(path)

    def load(self, path: Path) -> None:
        """Goes on from a saved training. Raises Refused where the file holds none."""
        try:
            saved: dict[str, Any] = torch.load(path, map_location=self._brain.device, weights_only=True)
            for name, one in self._learners.items():
                one.restore(saved["learners"][name])
            self.curve, self.alarms = saved["curve"], saved["alarms"]
        except Exception as error:  # torch raises many kinds for what is not its own
            raise Refused(f"{path}: not a checkpoint of this training; delete it to start anew ({error})") from None

    def _update(self, step: int) -> None:
        arm, scores = self._arm, []
        lessons: Lessons = {name: [] for name in self._learners}
        for number, cast in enumerate(arm.casts):
            luck = derive(self._seed, "luck", step, number)
            talk = debate(self._brain, self._game, cast.seats, self._numbers[step, number], arm.learn.tokens, luck)
            scores.append(talk.right[-1].mean())
            self.tokens += sum(int(one.mask.sum()) for both in talk.said for one in both)
            assign(lessons, talk, arm, cast)
        watched = {name: one.update(lessons[name], arm.price) for name, one in self._learners.items()}
        due = step % arm.learn.watch == 0 or step == arm.learn.steps - 1
        nats = from_base(self._brain, lessons) if due else None
        self.curve.append(_point((step + 1) * arm.learn.batch, float(np.mean(scores)), watched, nats, self.curve))
        if nats is not None and nats > arm.learn.alarm:
            self.alarms.append(f"update {step}: {nats:.2f} nats a token from the base, past {arm.learn.alarm}")

    def _told(self, seconds: float) -> Update:
        point, learn = self.curve[-1], self._arm.learn
        stats = dict(zip(COLUMNS[2:], point[2:], strict=True))
        samples = int(point[0]) // len(self._arm.casts)
        return Update(0, int(point[0]), learn.steps * learn.batch, samples, point[1], seconds, stats, None)  # type: ignore[arg-type]


def assign(lessons: Lessons, talk: Debated, arm: "Arm", cast: "Cast") -> None:
    """Every answer that is taught, to whom it is taught."""
    placed = arm.placed(talk.paid, cast)
    for r, said in enumerate(talk.said):
        for seat, name in enumerate(cast.seats):
            if not np.isnan(placed[r, :, seat]).any():
                reference = f"agent{seat}" if cast.hero is not None and seat != cast.hero else None
                lessons[name].append(Lesson(said[seat], placed[r, :, seat], reference))


def from_base(brain: Brain, lessons: Lessons) -> float:
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
