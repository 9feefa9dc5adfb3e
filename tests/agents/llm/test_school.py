"""Trainings of debaters that are stopped: what they end in is, bit for bit, what they would have ended in."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from crossplay.agents.llm import school
from crossplay.agents.llm.arms import DebateIPPO, DebateSRPO
from crossplay.agents.llm.policy import ADAPTERS
from crossplay.agents.llm.training import DebateTraining
from crossplay.benchmark.config import build
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.debate import Debate
from crossplay.benchmark.games.debate.arith import Arith

GAME = Debate(arith=Arith(train=40, test=12))
SHAPE = {"hidden": 16, "inner": 32, "layers": 1, "heads": 2}
ON = {"warm": {"shape": SHAPE, "steps": 2, "batch": 4}, "gate": {"low": 0.0, "high": 1.0, "questions": 4}}
LEARN = {"steps": 4, "batch": 6, "epochs": 2, "tokens": 4, "watch": 2}
ARMS = [build(arm, {"on": ON, "learn": LEARN}) for arm in (DebateIPPO, DebateSRPO)]


def task(arm, out):
    return DebateTraining("a", "arm", GAME, arm, out / "a", 0)


def ended(card, out):
    return card.digest, (out / "a" / ADAPTERS).read_bytes(), card.record["curve"], card.record["alarms"]


class Stopped(Exception):
    pass


def stop_at(steps):
    def see(update):
        if update.steps >= steps:
            raise Stopped

    return see


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.kind)
def test_a_training_that_is_stopped_ends_as_it_would_have(arm, tmp_path, monkeypatch):
    monkeypatch.setattr(school, "CHECKPOINT_SECONDS", 0.0)
    whole = ended(task(arm, tmp_path / "whole").run(), tmp_path / "whole")
    assert not task(arm, tmp_path / "whole").checkpoint.exists()
    for steps in (12, 18):  # the checkpoint lies one update before the stop
        with pytest.raises(Stopped):
            task(arm, tmp_path / "parts").run(stop_at(steps))
    assert task(arm, tmp_path / "parts").checkpoint.is_file()
    seen = []
    card = task(arm, tmp_path / "parts").run(lambda update: seen.append(update.steps))
    assert seen == [18, 24]
    assert ended(card, tmp_path / "parts") == whole
    assert not task(arm, tmp_path / "parts").checkpoint.exists()


KILLED = """
import os, signal, sys
sys.path.insert(0, os.path.dirname(sys.argv[1]))
import test_school as t
from pathlib import Path
t.school.CHECKPOINT_SECONDS = 0.0
def see(update):
    if update.steps >= 18:
        os.kill(os.getpid(), signal.SIGKILL)
t.task(t.ARMS[0], Path(sys.argv[2])).run(see)
"""


def test_a_training_that_is_killed_ends_as_it_would_have(tmp_path):
    killed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLED, __file__, str(tmp_path / "x")], env=os.environ
    )
    assert killed.returncode == -signal.SIGKILL
    assert task(ARMS[0], tmp_path / "x").checkpoint.is_file()
    seen = []
    card = task(ARMS[0], tmp_path / "x").run(lambda update: seen.append(update.steps))
    assert seen[0] == 18
    assert ended(card, tmp_path / "x") == ended(task(ARMS[0], tmp_path / "y").run(), tmp_path / "y")


def test_another_recipe_does_not_go_on_from_it(tmp_path):
    other = replace(ARMS[0], learn=replace(ARMS[0].learn, lr=1e-4))
    assert task(other, tmp_path).checkpoint != task(ARMS[0], tmp_path).checkpoint


def test_what_is_no_checkpoint_is_refused(tmp_path):
    mine = task(ARMS[0], tmp_path)
    mine.checkpoint.parent.mkdir(parents=True)
    mine.checkpoint.write_bytes(b"half a file")
    with pytest.raises(Refused, match=r"\.training: not a checkpoint of this training; delete it"):
        mine.run()
