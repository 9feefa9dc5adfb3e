"""MAPPO: what its critic reads and its actor does not, the units it speaks in; and training from scattered starts."""

import numpy as np
import pytest
import torch

from crossplay.agents import learning
from crossplay.agents.chooser import chooser
from crossplay.agents.inference import NetworkPolicy
from crossplay.agents.mappo import MAPPO
from crossplay.agents.networks import Architecture, PolicyNet
from crossplay.agents.objective import PPO
from crossplay.agents.rollout import Collector
from crossplay.agents.scale import FADE, Scale
from crossplay.agents.seating import Seating
from crossplay.agents.stack import Stack
from crossplay.agents.state_augmented import StateAugmented
from crossplay.agents.trainer import Budget, train_one
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.benchmark.games.matrix import Matrix
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.match import play

SMALL = PPO(rollout=5, minibatches=2, learning_rate=1e-3, clip_value=True)
BUDGET = Budget(steps=400, games=8)


def central(game, **kwargs):
    return PolicyNet(Architecture(hidden=(8,), central=True, **kwargs), game.spec, shared=True, seed=1)


def test_the_critic_reads_all_seats_and_the_actor_its_own():
    game = CollabGrid()
    net = Stack([central(game).of(0)])
    torch.manual_seed(0)
    features = torch.rand(1, 6, 2, *game.spec.views[game.spec.view])
    other = features.clone()
    other[:, :, 1] += 1
    assert torch.equal(net.logits(features), net.logits(other))
    assert not torch.equal(net.value(features), net.value(other))
    own = features.clone()
    own[:, :, 0] += 1
    assert not torch.equal(net.logits(features), net.logits(own))


def test_it_chooses_alike_where_there_is_no_fast_way(monkeypatch):
    game = CollabGrid()
    net = Stack([central(game).of(0)])
    features = np.random.default_rng(0).random((1, 6, *game.spec.views[game.spec.view]), dtype=np.float32)
    legal = np.ones((1, 6, len(game.spec.actions)), dtype=bool)
    fast = chooser(net)(features, legal)
    monkeypatch.setattr("crossplay.agents.chooser._simple", lambda bodies: False)
    np.testing.assert_allclose(chooser(net)(features, legal), fast, rtol=1e-5)


def test_experience_has_ones_own_view_first_in_every_seat():
    game, episodes = CollabGrid(), 4
    tables = [Seating(slice(0, episodes), (0, 0))]

    def still(features, legal):
        assert features.ndim == 3  # its own view only
        return legal * (np.arange(legal.shape[-1]) == 4)

    collector = Collector(
        game, game.spec.view, [still], [lambda batch: tables], episodes, [0], torch.device("cpu"), central=True
    )
    (seen,), _ = collector.collect(3, 0.0, [torch.Generator()])
    wide = seen.features[0].unflatten(1, (2, episodes))  # [T, seat, episode, seats, *view]
    assert torch.equal(wide[:, 0, :, 0], wide[:, 1, :, 1])
    assert torch.equal(wide[:, 0, :, 1], wide[:, 1, :, 0])
    assert not torch.equal(wide[:, 0, :, 0], wide[:, 0, :, 1])
    assert seen.after.shape[-2:] == wide.shape[-2:]


def test_units_are_running_moments_of_each_seeds_returns():
    torch.manual_seed(0)
    batches = torch.randn(40, 2, 30, dtype=torch.float64) * torch.tensor([[3.0], [50.0]]) + torch.tensor(
        [[7.0], [-9.0]]
    )
    scale = Scale(2, torch.device("cpu"))
    assert torch.equal(scale.units(batches[0].float()), batches[0].float())  # nothing seen yet: a unit is a point
    mean = square = weight = 0.0
    for batch in batches:
        scale.move(batch.float())
        mean, square = FADE * mean + (1 - FADE) * batch.mean(1), FADE * square + (1 - FADE) * (batch**2).mean(1)
        weight = FADE * weight + (1 - FADE)
    deviation = (square / weight - (mean / weight) ** 2).sqrt()
    wanted = (batches[0] - (mean / weight)[:, None]) / deviation[:, None]
    torch.testing.assert_close(scale.units(batches[0].float()).double(), wanted, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(scale.returns(scale.units(batches[0].float())), batches[0].float(), rtol=1e-3, atol=1e-3)


def test_it_learns_and_deploys_as_any_agent():
    """Everybody is paid 20 for agreeing on one of four actions, so that units matter; by chance a quarter of that."""
    agree = tuple(tuple(20.0 * (a == b) for b in range(4)) for a in range(4))
    game = Matrix(game="custom", payoffs=agree)
    trainer = MAPPO(ppo=PPO(rollout=5, learning_rate=3e-3, clip_value=True), budget=Budget(steps=40_000, games=32))
    policy = NetworkPolicy(train_one(trainer, game, seed=0))
    found = play(game, [policy, policy], episodes=256, game_seed=0, policy_seeds=[1, 2])
    assert found.returns.mean() > 18


@pytest.mark.parametrize("trainer", [MAPPO(ppo=SMALL, budget=BUDGET), StateAugmented(ppo=SMALL, budget=BUDGET)])
def test_stopped_and_gone_on_is_never_stopped(trainer, tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "CHECKPOINT_SECONDS", 0.0)
    game = Overcooked(horizon=10)

    def stop(update):
        if update.steps >= 200:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_one(trainer, game, seed=0, on_update=stop, checkpoint=tmp_path / "training")
    again = train_one(trainer, game, seed=0, checkpoint=tmp_path / "training")
    assert again.contents() == train_one(trainer, game, seed=0).contents()


def test_starts_are_scattered_in_training_only():
    trainer, game = StateAugmented(starts=0.7), Overcooked()
    plan = trainer.plan(game, (), 0)
    assert plan.arena == Overcooked(random_starts=0.7)
    assert plan.net.spec == game.spec


def test_what_cannot_be_is_refused():
    with pytest.raises(Refused, match="needs a game with `random_starts`, as overcooked; given collab-grid"):
        StateAugmented().plan(CollabGrid(), (), 0)
    with pytest.raises(Refused, match="central critic is for a plain mlp"):
        central(Overcooked(), body="cnn", view="lossless")
    with pytest.raises(Refused, match="takes no partners"):
        MAPPO().plan(CollabGrid(), [object()], 0)
