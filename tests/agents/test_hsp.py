"""Hidden-utility pairs: what a seat with wishes is paid, which wishes there are, and that both learn what they want."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from crossplay.agents import learning
from crossplay.agents.hsp import HSP
from crossplay.agents.inference import NetworkPolicy
from crossplay.agents.ippo import IPPO
from crossplay.agents.objective import PPO
from crossplay.agents.rollout import Collector
from crossplay.agents.seating import Seating, wishes
from crossplay.agents.trainer import Budget, Pupil, train, train_one
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Step
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.match import play
from tests.agents.echo import Echo

SMALL = IPPO(ppo=PPO(rollout=5, minibatches=2), budget=Budget(steps=400, games=8))
HATES = HSP(events=("right",), weights=(-10.0,), reward=0.0, member=SMALL)


def test_a_wish_is_paid_by_hand():
    """Table 0: seat 1 wants 2 an `a`, −3 a `b` and half its reward; table 1: nobody wants anything else."""
    spec = replace(Echo().spec, events=("a", "b"))
    tables = [[Seating(slice(0, 2), (0, 1), wishes=((), (2.0, -3.0, 0.5))), Seating(slice(2, 3), (0, 1))]]
    found = wishes(tables, 3, spec)
    events = np.array([[[9, 9], [1, 2]], [[0, 0], [0, 1]], [[5, 5], [5, 5]]])
    rewards = np.array([[1.0, 4.0], [1.0, -2.0], [1.0, 1.0]])
    paid = found.granted(np.full((3, 2), 7.0), Step(rewards, rewards * 0, rewards * 0, events))
    assert paid.tolist() == [[7.0, 2 - 6 + 2.0], [7.0, -3 - 1.0], [7.0, 7.0]]
    assert wishes([[Seating(slice(0, 3), (0, 1))]], 3, spec) is None


def test_shaped_reward_is_for_those_without_wishes():
    game = Overcooked(horizon=200)
    wish = (*(float(event == "onion_pickup") for event in game.spec.events), 0.0)
    tables = [Seating(slice(0, 8), (0, 1), wishes=(wish, ()))]
    luck = np.random.default_rng(0)

    def wander(features, legal):
        return luck.random(legal.shape) ** 4 + np.eye(6)[5]  # often `interact`

    collector = Collector(game, "compact", [wander] * 2, [lambda batch: tables], 8, [0], torch.device("cpu"))
    seen, _ = collector.collect(200, 1.0, [torch.Generator().manual_seed(0)])
    paid = [one.rewards.numpy() for one in seen]
    assert set(np.unique(paid[0])) == {0.0, 1.0}
    assert paid[1].sum() > 0
    assert not set(np.unique(paid[1])) & {1.0}


def test_wishes_are_few_and_drawn_from_what_may_be_wished():
    spec = Overcooked().spec
    trainer = HSP(events=("onion_pickup", "dish_pickup", "idle", "soup_delivery"), weights=(-5.0, 7.0), most=3)
    drawn = [trainer.wish(spec, seed) for seed in range(60)]
    assert drawn == [trainer.wish(spec, seed) for seed in range(60)]
    events = np.array(drawn)[:, :-1]
    assert set(np.count_nonzero(events, axis=1)) == {1, 2, 3}
    assert set(np.unique(events)) == {-5.0, 0.0, 7.0}
    assert {spec.events[k] for k in np.flatnonzero(events.any(axis=0))} == set(trainer.events)
    assert {row[-1] for row in drawn} == {0.0, 1.0}


def test_each_learns_what_it_wants():
    """The partner hates to be right, the mate is paid for it: of five numbers one never names its own."""
    long = replace(SMALL, budget=Budget(steps=20_000, games=16))
    net = train_one(replace(HATES, member=long), Echo(), seed=0)
    pair = NetworkPolicy(net)
    found = play(Echo(), [pair, pair], episodes=100, game_seed=0, policy_seeds=[0, 1]).returns.mean(axis=0)
    assert found[0] < 0.3
    assert found[1] > 4.5


def test_a_stack_ends_as_its_members_alone():
    together = train(HATES, Echo(), [Pupil(seed) for seed in (3, 1)])
    assert [net.contents() for net in together] == [train_one(HATES, Echo(), seed=s).contents() for s in (3, 1)]


def test_stopped_and_gone_on_is_never_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "CHECKPOINT_SECONDS", 0.0)

    def stop(update):
        if update.steps >= 200:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_one(HATES, Echo(), seed=0, on_update=stop, checkpoint=tmp_path / "training")
    again = train_one(HATES, Echo(), seed=0, checkpoint=tmp_path / "training")
    assert again.contents() == train_one(HATES, Echo(), seed=0).contents()


def test_what_cannot_be_is_refused():
    with pytest.raises(Refused, match="no partners, two seats, even games; given 1 partners"):
        HATES.plan(Echo(), [object()], 0)
    with pytest.raises(Refused, match="unknown event of test/echo-v1 'rihgt'; did you mean 'right'"):
        replace(HATES, events=("rihgt",)).plan(Echo(), (), 0)
    with pytest.raises(Refused, match="counts no events"):
        replace(HATES, events=()).plan(Echo(), (), 0)
