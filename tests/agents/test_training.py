"""Trainings as tasks: done once, stamped with their recipe, resumed where they stopped."""

import pytest

from crossplay.agents import learning
from crossplay.agents.best_response import BestResponse
from crossplay.agents.ippo import IPPO
from crossplay.agents.objective import PPO
from crossplay.agents.trainer import Budget
from crossplay.agents.training import Training, pick_device
from crossplay.benchmark.card import load_card
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.matrix import Matrix

GAME = Matrix()
SMALL = IPPO(ppo=PPO(rollout=4), budget=Budget(steps=640))


def training(out, **changes):
    fields = {"name": "ann", "family": "f", "game": GAME, "trainer": SMALL, "out": out, "seed": 0}
    return Training(**{**fields, **changes})


def test_a_training_is_done_once(tmp_path):
    task = training(tmp_path / "ann")
    made = task.run()
    assert load_card(tmp_path / "ann").digest == made.digest
    updates = []
    assert task.run(updates.append) == made
    assert not updates
    assert made.record["curve"][-1][0] == 640
    assert made.game == GAME.spec.name


def test_an_interrupted_training_keeps_its_whole_curve(tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "CHECKPOINT_SECONDS", 0.0)
    whole = training(tmp_path / "whole" / "ann").run()

    def stop(update):
        if update.steps >= 320:
            raise KeyboardInterrupt

    task = training(tmp_path / "ann")
    with pytest.raises(KeyboardInterrupt):
        task.run(stop)
    resumed = task.run()
    assert resumed.record["curve"] == whole.record["curve"]
    assert resumed.digest == whole.digest
    assert {path.name for path in (tmp_path / "ann").iterdir()} == {"card.toml", "weights.safetensors"}


@pytest.mark.parametrize("changes", [{"seed": 1}, {"name": "bob"}, {"trainer": IPPO(budget=Budget(steps=641))}])
def test_another_recipe_is_another_training(tmp_path, changes):
    training(tmp_path / "ann").run()
    other = training(tmp_path / "ann", **changes)
    assert other.done() is None
    assert other.recipe != training(tmp_path / "ann").recipe


def test_cards_declare_what_they_trained_with(tmp_path):
    partner = training(tmp_path / "ann").run()
    trainer = BestResponse(ppo=PPO(rollout=4), budget=Budget(steps=64))
    task = training(tmp_path / "bob", name="bob", trainer=trainer, partners=(partner,), trained_with=("population",))
    ego = task.run()
    assert ego.trained_with == (partner.digest, "population")


def test_devices_are_checked():
    assert pick_device("cpu") == "cpu"
    with pytest.raises(Refused, match="unknown device 'gpu'"):
        pick_device("gpu")
