"""Seeds taught together: every one ends, bit for bit, as it would have alone, whoever stands beside it."""

import numpy as np
import pytest
import torch

from crossplay.agents import company, learning
from crossplay.agents.best_response import BestResponse
from crossplay.agents.chooser import chooser
from crossplay.agents.duel import Risk
from crossplay.agents.inference import NetworkPolicy
from crossplay.agents.ippo import IPPO
from crossplay.agents.mappo import MAPPO
from crossplay.agents.networks import Architecture, PolicyNet
from crossplay.agents.noisy_self_play import NoisySelfPlay
from crossplay.agents.objective import PPO
from crossplay.agents.srpo import SRPO
from crossplay.agents.stack import Stack
from crossplay.agents.state_augmented import StateAugmented
from crossplay.agents.trainer import Budget, Pupil, train, train_one
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.policy import Constant, Uniform
from tests.agents.echo import Echo

SMALL = PPO(rollout=5, minibatches=2, learning_rate=1e-3)
BUDGET = Budget(steps=400, games=8)
CNN = Architecture(body="cnn", view="lossless", channels=(8,), hidden=(16,), activation="relu")
TRAINERS = {
    "ippo": (IPPO(ppo=SMALL, budget=BUDGET), Echo()),
    "ippo, whole batches": (IPPO(shared=False, ppo=PPO(rollout=25, minibatches=1), budget=BUDGET), CollabGrid()),
    "noisy": (NoisySelfPlay(shared=False, ppo=SMALL, budget=BUDGET), Echo()),
    "srpo": (SRPO(ppo=SMALL, budget=BUDGET), Echo()),
    "srpo, budget": (SRPO(risk=Risk(budget=0.3, adversary="residual", meet=0.5), ppo=SMALL, budget=BUDGET), Echo()),
    "gru": (IPPO(architecture=Architecture(body="gru", hidden=(8, 8)), ppo=SMALL, budget=BUDGET), Echo(horizon=8)),
    "mappo": (MAPPO(shared=False, ppo=SMALL, budget=BUDGET), CollabGrid()),
    "state-augmented": (StateAugmented(ppo=SMALL, budget=Budget(steps=80, games=4)), Overcooked(horizon=10)),
    "cnn": (IPPO(architecture=CNN, ppo=SMALL, budget=Budget(steps=80, games=4)), Overcooked(horizon=10)),
}

BUILDS = [((8,), True), ((8,), False), ((8,), True), ((6,), True)]


@pytest.mark.parametrize("name", TRAINERS)
def test_a_stack_ends_as_its_members_alone(name):
    trainer, game = TRAINERS[name]
    together = train(trainer, game, [Pupil(seed) for seed in (3, 1, 4)])
    alone = [train_one(trainer, game, seed=seed) for seed in (3, 1, 4)]
    assert [net.contents() for net in together] == [net.contents() for net in alone]
    assert together[0].contents() != together[1].contents()


@pytest.mark.parametrize("goal", [None, "team"])
def test_everyone_may_have_partners_of_its_own(goal):
    game = Echo()
    trainer = BestResponse(ppo=SMALL, budget=BUDGET, goal=goal)
    partners = [[Uniform().make(game, None)], [Constant(action=1).make(game, None)]]
    together = train(trainer, game, [Pupil(0, partners[0]), Pupil(0, partners[1])])
    alone = [train_one(trainer, game, mine, seed=0) for mine in partners]
    assert [net.contents() for net in together] == [net.contents() for net in alone]


def test_network_partners_act_together_as_each_would_alone(monkeypatch):
    """In one stacked call, beside other builds, one net twice and no networks."""
    game = CollabGrid()
    nets = [PolicyNet(Architecture(hidden=h), game.spec, shared=s, seed=k) for k, (h, s) in enumerate(BUILDS)]
    partners = [*(NetworkPolicy(net) for net in nets), Uniform().make(game, None)]
    trainer = BestResponse(ppo=SMALL, budget=Budget(steps=2_000, games=16))
    pupils = [Pupil(0, partners), Pupil(1, partners[:2])]
    stacked = [net.contents() for net in train(trainer, game, pupils)]
    monkeypatch.setattr(company, "_build", lambda guest: None)
    assert stacked == [net.contents() for net in train(trainer, game, pupils)]


def test_members_that_were_stopped_at_different_times_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "CHECKPOINT_SECONDS", 0.0)
    trainer, game = TRAINERS["srpo"]
    paths = [tmp_path / name for name in ("a", "b", "c")]

    def stop(after):
        def see(update):
            if update.steps >= after:
                raise KeyboardInterrupt

        return see

    for path, after in zip(paths, (160, 320), strict=False):
        with pytest.raises(KeyboardInterrupt):
            train_one(trainer, game, seed=paths.index(path), on_update=stop(after), checkpoint=path)
    first = {}
    again = train(
        trainer,
        game,
        [Pupil(seed, (), path) for seed, path in enumerate(paths)],
        on_update=lambda update: first.setdefault(update.member, update.steps),
    )
    assert 40 == first[2] < first[0] < first[1]
    whole = train(trainer, game, [Pupil(seed) for seed in range(3)])
    assert [net.contents() for net in again] == [net.contents() for net in whole]


def test_a_checkpoint_of_an_older_version_is_gone_on_from(tmp_path, monkeypatch):
    """Then a file was one seed's state; now it holds the states of all that go on together."""
    monkeypatch.setattr(learning, "CHECKPOINT_SECONDS", 0.0)
    (trainer, game), path = TRAINERS["srpo"], tmp_path / "training"

    def stop(update):
        if update.steps >= 200:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_one(trainer, game, seed=0, on_update=stop, checkpoint=path)
    (state,) = learning.read(path)["members"]
    torch.save(state, path)
    resumed = []
    again = train_one(trainer, game, seed=0, checkpoint=path, on_update=lambda update: resumed.append(update.steps))
    assert resumed[0] == 200
    assert again.contents() == train_one(trainer, game, seed=0).contents()


def test_a_stack_is_its_networks_and_they_are_it():
    nets = [PolicyNet(Architecture(), Echo().spec, shared=True, seed=seed).of(0) for seed in range(3)]
    features, legal = torch.rand(3, 5, 4), torch.ones(3, 5, 4, dtype=torch.bool)
    legal[:, :, 1] = False
    before = torch.stack([net.log_policy(f, m) for net, f, m in zip(nets, features, legal, strict=True)])
    stack = Stack(nets)
    assert torch.allclose(stack.log_policy(features, legal), before, atol=1e-6)
    with torch.no_grad():
        stack.flat += 0.1
    after = torch.stack([net.log_policy(f, m) for net, f, m in zip(nets, features, legal, strict=True)])
    assert torch.allclose(stack.log_policy(features, legal), after, atol=1e-6)
    assert not torch.allclose(before, after, atol=1e-3)
    odds = chooser(stack)(features.numpy(), legal.numpy())
    assert np.allclose(odds / odds.sum(axis=-1, keepdims=True), after.detach().exp().numpy(), atol=1e-6)


def test_a_step_is_adams_on_every_slices_own_clipped_gradient():
    """Against torch's Adam and gradient clipping on each network alone."""
    nets = [PolicyNet(Architecture(hidden=(8,)), Echo().spec, shared=True, seed=seed) for seed in range(2)]
    twins = [PolicyNet(Architecture(hidden=(8,)), Echo().spec, shared=True, seed=seed) for seed in range(2)]
    features, legal = torch.rand(2, 6, 4), torch.ones(2, 6, 4, dtype=torch.bool)
    stack = Stack([net.of(0) for net in nets])
    optimiser = torch.optim.Adam([stack.flat], lr=1e-2)
    for _ in range(3):
        loss = (stack.log_policy(features, legal)[..., 0] ** 2).mean(dim=1) * torch.tensor([1.0, 100.0])
        stack.descend([loss + stack.value(features).mean(dim=1)], [torch.ones(2)], optimiser, 0.5)
    for k, twin in enumerate(twins):
        actor, critic = twin.of(0).actor, twin.of(0).critic
        alone = torch.optim.Adam(twin.parameters(), lr=1e-2)
        for _ in range(3):
            alone.zero_grad()
            policy = torch.log_softmax(actor(features[k]), dim=-1)[..., 0] ** 2
            (policy.mean() * (1.0, 100.0)[k] + critic(features[k]).mean()).backward()
            torch.nn.utils.clip_grad_norm_(twin.parameters(), 0.5)
            alone.step()
        for mine, other in zip(nets[k].parameters(), twin.parameters(), strict=True):
            assert torch.allclose(mine, other, atol=1e-5)
