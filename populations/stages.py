"""A training kept at three stages of skill, as fictitious co-play wants its partners [Strouse2021]."""

import shutil
from pathlib import Path
from typing import Literal, NamedTuple

import safetensors.torch

from crossplay.agents.networks import WEIGHTS, PolicyNet
from crossplay.agents.trainer import Update
from crossplay.agents.training import Training
from crossplay.benchmark.card import CARD_FILE, Card, load_card

Stage = Literal["first", "half", "last"]
STAGES: tuple[Stage, ...] = ("first", "half", "last")


class Stages(NamedTuple):
    """A task: one training, and cards for what it was before, half-way and in the end."""

    training: Training
    snapshots: int

    def make(self) -> list[Card]:
        """The cards, trained for alone."""
        return self.finish(self.training.run(self.watch))

    def finish(self, card: Card) -> list[Card]:
        """The untrained net, the snapshot whose return was nearest half the final one, and the final net."""
        out = self.training.out
        folders = [out.with_name(f"{out.name}-{stage}") for stage in STAGES]
        if all((folder / CARD_FILE).is_file() for folder in folders):
            cards = [load_card(folder) for folder in folders]
            if all(each.record.get("recipe") == self.training.recipe for each in cards):
                return cards
        return [self._save(folder, stage, card) for folder, stage in zip(folders, STAGES, strict=True)]

    @property
    def _shots(self) -> Path:
        return self.training.out / f"{self.training.recipe[:16]}.snapshots"

    def watch(self, update: Update) -> None:
        """Keeps one state a slice of the training; its return is part of the file's name."""
        slot = update.steps * self.snapshots // update.total
        if update.episode_return is None or list(self._shots.glob(f"{slot:04d}_*")):
            return
        self._shots.mkdir(parents=True, exist_ok=True)
        draft = self._shots / "draft"
        draft.write_bytes(update.net.contents()[WEIGHTS])
        draft.replace(self._shots / f"{slot:04d}_{update.steps}_{update.episode_return:.4f}")

    def _save(self, folder: Path, stage: str, final: Card) -> Card:
        steps, weights = self._stage(stage, final)
        net = self._empty()
        net.load_state_dict(safetensors.torch.load(weights))
        record = {"stage": stage, "steps": steps}
        return self.training.card(folder.name, net, record).save(folder, {WEIGHTS: weights})

    def _stage(self, stage: str, final: Card) -> tuple[int, bytes]:
        if stage == "first":
            return 0, self._empty().contents()[WEIGHTS]
        if stage == "last":
            return self.training.trainer.budget.steps, (self.training.out / WEIGHTS).read_bytes()
        goal = final.record["curve"][-1][1] / 2
        best = min(self._shots.glob("[0-9]*"), key=lambda path: (abs(float(path.name.split("_")[2]) - goal), path.name))
        return int(best.name.split("_")[1]), best.read_bytes()

    def _empty(self) -> PolicyNet:
        """The net as its training found it."""
        t = self.training
        return t.trainer.plan(t.game, (), t.pupil().seed).net


def forget_snapshots(out: Path) -> None:
    """Removes the snapshots of finished trainings below a folder."""
    for folder in out.glob("*/*.snapshots"):
        shutil.rmtree(folder)
