"""Trainings that come to nothing are stopped and told; those that go well, and those beside them, are let be."""

import pickle

import numpy as np
import pytest
import torch

from crossplay.agents import learning
from crossplay.agents.divergence import CLEAR, Diverged, Health, Span, no_better, span
from crossplay.agents.ippo import IPPO
from crossplay.agents.objective import PPO
from crossplay.agents.srpo import SRPO
from crossplay.agents.trainer import Budget, Pupil, train, train_one
from crossplay.agents.training import Training, teach
from crossplay.benchmark.card import load_card
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.matrix import Matrix
from tests.agents.echo import Echo

SMALL = IPPO(ppo=PPO(rollout=5), budget=Budget(steps=1600, games=8))
TOTAL = 1000


def health(plain=True):
    return Health(1, TOTAL, PPO(), plain)


def lived(batches, stuck=True, first=(0.0, 0.0, 0.0, 0.0), plain=True):
    """What is found after `first`, played before learning, and then these batches, 10 steps each."""
    found = health(plain)
    found.played(0, np.array(first), 10, False)
    for number, batch in enumerate(batches):
        found.played(0, np.array(batch, dtype=float), 20 + 10 * number, stuck)
    return found


def test_a_span_is_the_mean_and_its_standard_error():
    found = span(np.array([1.0, 3.0])) + span(np.array([2.0, 2.0]))
    assert found == Span(2, 4.0, 1.0)
    assert (found.mean, found.error) == (2.0, 0.5)


@pytest.mark.parametrize(
    ("before", "now", "hit"),
    [
        (Span(1, 1.0, 0.0), Span(1, 1.0, 0.0), True),  # the very same, always
        (Span(1, 1.0, 0.0), Span(1, 1.0001, 0.0), False),
        (Span(1, 1.0, 0.0), Span(1, 0.5, 0.0), True),
        (Span(1, 1.0, 0.01), Span(1, 1.0, 0.0), False),  # no worse than chance may have been
        (Span(1, 1.0, 0.01), Span(1, 1.0 - 0.09 * CLEAR, 0.0), False),
        (Span(1, 1.0, 0.01), Span(1, 1.0 - 0.11 * CLEAR, 0.0), True),
        (Span(1, 1.0, 0.01), Span(1, 2.0, 0.0), False),
    ],
)
def test_what_counts_as_no_better(before, now, hit):
    assert no_better(before, now) is hit


def test_a_collapse_is_told_after_a_twentieth_of_the_training_and_ten_batches():
    assert not lived([[0, 0, 0, 0]] * 9).faults
    assert lived([[0, 0, 0, 0]] * 9).suspect(0), "what may be a collapse is not saved"
    (why,) = lived([[0, 0, 0, 0]] * 10).faults.values()
    for said in (
        "stopped at step 110 of 1000",
        "entropy below 0.001",
        "learning_rate",
        "try more ppo.entropy",
        "since 20, 0 before",
    ):
        assert said in why


def test_sure_agents_that_are_no_worse_than_chance_are_let_be():
    better, mixed = [1, 1, 1, 1], [0, 0, 1, -1]
    assert not lived([better] * 90).faults, "it learned"
    assert not lived([better] * 90).suspect(0)
    assert not lived([[0, 0, 0, 0]] * 9 + [better] + [[0, 0, 0, 0]] * 9).faults, "now and then it is better"
    assert not lived([mixed] * 90).faults, "as good as chance, as far as one can tell"
    assert not lived([[0.5] * 4] * 90, first=(0, 0, 0, 3)).faults, "below a lucky beginning"
    assert not lived([[0, 0, 0, 0]] * 90, stuck=False).faults, "not sure, unlike paid, or still shaped"
    assert not lived([[0, 0, 0, 0]] * 90, plain=False).faults, "it learns for something else"


def sure(monkeypatch):
    """Everybody counts as sure of what it does."""
    monkeypatch.setattr(learning, "SURE", 10.0)


def test_an_agent_that_learns_is_never_told_however_sure(monkeypatch):
    sure(monkeypatch)
    train_one(SMALL, Echo(), seed=0)
    agree = Matrix(game="custom", payoffs=((1.0, 0.0), (0.0, 1.0)))
    train(SMALL, agree, [Pupil(seed) for seed in range(4)])


def test_defectors_are_an_equilibrium_not_a_collapse(monkeypatch):
    """Each does what is best for it, and both end below what chance paid them."""
    sure(monkeypatch)
    dilemma = Matrix(game="custom", payoffs=(((2.0, 2.0), (-3.0, 3.0)), ((3.0, -3.0), (0.0, 0.0))))
    curve = []
    trainer = IPPO(ppo=PPO(rollout=5, entropy=0.0, learning_rate=0.01), budget=Budget(steps=4000, games=8))
    train_one(trainer, dilemma, seed=0, on_update=lambda update: curve.append(update.episode_return))
    assert curve[-1] == pytest.approx(0.0, abs=0.3)


def test_where_nothing_is_earned_a_sure_agent_is_told(monkeypatch):
    sure(monkeypatch)
    updates = []
    with pytest.raises(Diverged, match=r"stopped at step 1200 of 1600: entropy below") as told:
        train_one(SMALL, Matrix(game="custom", payoffs=((1.0, 1.0), (1.0, 1.0))), seed=0, on_update=updates.append)
    assert updates[-1].steps < 1600
    assert not told.value.nets


def test_one_update_that_is_not_sure_starts_the_count_anew(monkeypatch):
    """Rollouts of half an episode: every other update sees none end, and there the policy is not sure."""
    real = learning.Learning._examine

    def unsure(self, finished, shaping):
        self.stats["entropy"] = [0.0 if finished.size else 1.0] * len(self.luck)
        real(self, finished, shaping)

    monkeypatch.setattr(learning.Learning, "_examine", unsure)
    flat = Matrix(game="custom", payoffs=((1.0, 1.0), (1.0, 1.0)), rounds=4)
    half, whole = (IPPO(ppo=PPO(rollout=rollout), budget=Budget(steps=4000, games=8)) for rollout in (2, 4))
    train_one(half, flat, seed=0)
    with pytest.raises(Diverged):
        train_one(whole, flat, seed=0)


def test_an_adversarial_training_is_not_judged_by_what_its_heroes_earn(monkeypatch):
    sure(monkeypatch)
    trainer = SRPO(ppo=PPO(rollout=5), budget=Budget(steps=800, games=8))
    train_one(trainer, Matrix(game="custom", payoffs=((1.0, 1.0), (1.0, 1.0))), seed=0)


def poison(monkeypatch, member, steps):
    """After so many steps the weights of one of the stack's slices are not numbers; undone by what is returned."""
    real = Health.checked

    def poisoned(self, stacks, losses, done):
        if done > steps and len(stacks[0].flat) > member:
            stacks[0].flat.data[member] = float("nan")
        real(self, stacks, losses, done)

    monkeypatch.setattr(Health, "checked", poisoned)
    return lambda: monkeypatch.setattr(Health, "checked", real)


def test_one_lost_seed_costs_the_others_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "CHECKPOINT_SECONDS", 0.0)
    names = ("ann", "bob", "cid")
    alone = [Training(n, "f", Echo(), SMALL, tmp_path / "alone" / n, 0).run() for n in names]
    tasks = [Training(n, "f", Echo(), SMALL, tmp_path / n, 0) for n in names]
    heal = poison(monkeypatch, 1, 800)
    heard = [[], [], []]
    with pytest.raises(Refused, match=r"^bob: stopped at step 840 of 1600: weights not finite") as told:
        teach(tasks, [steps.append for steps in heard])
    assert [updates[-1].steps for updates in heard] == [1600, 800, 1600]
    assert f"its last good state is kept in {tasks[1].checkpoint}" in str(told.value)
    assert [load_card(tasks[k].out).digest for k in (0, 2)] == [alone[k].digest for k in (0, 2)]
    assert tasks[1].done() is None
    assert learning.steps_done(tasks[1].checkpoint) == 800
    heal()
    assert tasks[1].run().digest == alone[1].digest, "what was kept is good to go on from"


def test_all_lost_is_stopped_at_once(monkeypatch):
    """A learning rate that throws the weights out of all numbers."""
    wild = IPPO(ppo=PPO(rollout=5, learning_rate=1e38), budget=Budget(steps=16_000, games=8))
    updates = []
    with pytest.raises(Diverged, match=r"try a lower ppo\.learning_rate"):
        train(wild, Echo(), [Pupil(0), Pupil(1)], on_update=updates.append)
    assert len(updates) < 20


def test_a_healthy_training_is_saved_with_what_its_health_is_judged_by(tmp_path, monkeypatch):
    """Interrupted and gone on with, a collapse is told at the same step."""
    sure(monkeypatch)
    monkeypatch.setattr(learning, "CHECKPOINT_SECONDS", 0.0)
    flat = Matrix(game="custom", payoffs=((1.0, 1.0), (1.0, 1.0)))
    with pytest.raises(Diverged) as whole:
        train_one(SMALL, flat, seed=0)
    checkpoint = tmp_path / "x.training"

    def stop(update):
        if update.steps >= 900:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_one(SMALL, flat, seed=0, checkpoint=checkpoint, on_update=stop)
    assert learning.steps_done(checkpoint) < 900, "what looked like a collapse was not saved"
    with pytest.raises(Diverged) as resumed:
        train_one(SMALL, flat, seed=0, checkpoint=checkpoint)
    assert resumed.value.faults == whole.value.faults


def test_the_refusal_travels_between_processes():
    told = pickle.loads(pickle.dumps(Diverged({"ann": "why"}, {0: torch.nn.Linear(1, 1)}, {"ann": "; kept"})))
    assert (str(told), told.faults, told.nets) == ("ann: why; kept", {"ann": "why"}, {})
