"""A maximum-entropy population: its bonus against a slow reference and by hand, what it does to a population."""

import math

import numpy as np
import pytest
import torch

from crossplay.agents import learning
from crossplay.agents.ippo import IPPO
from crossplay.agents.mep import FLOOR, MEP, rarity
from crossplay.agents.networks import Architecture, PolicyNet
from crossplay.agents.objective import PPO
from crossplay.agents.rollout import Experience
from crossplay.agents.stack import Stack
from crossplay.agents.trainer import Budget, Pupil, train
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.matrix import Matrix
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.policy import Uniform
from tests.agents.echo import Echo

SMALL = IPPO(ppo=PPO(rollout=5, minibatches=2), budget=Budget(steps=800, games=8))
CNN = Architecture(body="cnn", view="lossless", channels=(8,), hidden=(16,), activation="relu")
# everybody is paid for agreeing, whatever on
CONVENTIONS = Matrix(game="custom", payoffs=tuple(tuple(float(a == b) for b in range(4)) for a in range(4)))


def population(*odds):
    """Members that play with these probabilities whatever they see."""
    nets = [PolicyNet(Architecture(), Echo().spec, shared=True, seed=k).of(0) for k in range(len(odds))]
    with torch.no_grad():
        for net, mine in zip(nets, odds, strict=True):
            net.actor[-1].weight.zero_()
            net.actor[-1].bias.copy_(torch.tensor(mine).log())
    return Stack(nets)


def experience(features, legal, actions):
    rest = [torch.empty(0)] * 4
    return Experience(features, legal, actions, *rest)


def test_rarity_by_hand():
    """π̄ = (.45, .4, .15 − 1e-9, 1e-9); the fourth action is beneath the floor. With the third forbidden odds rise."""
    members = population((0.7, 0.2, 0.1 - 1e-9, 1e-9), (0.2, 0.6, 0.2 - 1e-9, 1e-9))
    legal = torch.ones(2, 2, 2, 4, dtype=torch.bool)
    legal[1, 1, 1, 2] = False
    actions = torch.tensor([[[0, 1], [2, 3]], [[3, 0], [1, 1]]])
    found = rarity(members, experience(torch.rand(2, 2, 2, 4), legal, actions))
    forbidden = (0.2 / 0.9 + 0.6 / 0.8) / 2
    wanted = [[[0.45, 0.4], [0.15, FLOOR]], [[FLOOR, 0.45], [0.4, forbidden]]]
    assert np.allclose(found.numpy(), -np.log(wanted), atol=1e-5)
    assert found.max() == pytest.approx(math.log(1e5), abs=1e-5)


@pytest.mark.parametrize(("game", "architecture"), [(Echo(), Architecture()), (Overcooked(horizon=10), CNN)])
def test_rarity_equals_the_slow_reference(game, architecture):
    """Every sample of every member through every member's own network, one by one."""
    nets = [PolicyNet(architecture, game.spec, shared=True, seed=k).of(0) for k in range(3)]
    view, count = game.spec.views[architecture.view_of(game.spec)], len(game.spec.actions)
    rng = torch.Generator().manual_seed(0)
    features = torch.rand(3, 4, 2, *view, generator=rng)
    legal = torch.rand(3, 4, 2, count, generator=rng) < 0.8
    legal[..., 1] = True
    actions = legal.float().flatten(0, 2).multinomial(1, generator=rng).view(3, 4, 2)
    wanted = np.empty((3, 4, 2))
    for index in np.ndindex(3, 4, 2):
        with torch.no_grad():
            odds = [net.log_policy(features[index][None], legal[index][None]).exp()[0, actions[index]] for net in nets]
        wanted[index] = -math.log(max(float(sum(odds)) / 3, FLOOR))
    assert np.allclose(rarity(Stack(nets), experience(features, legal, actions)).numpy(), wanted, atol=1e-5)


def taught(alpha, game=None, member=SMALL, seeds=(3, 1, 4), **options):
    pupils = [Pupil(seed) for seed in seeds]
    return train(MEP(alpha=alpha, members=len(seeds), member=member), game or Echo(), pupils, **options)


@pytest.mark.parametrize("shared", [True, False])
def test_without_a_bonus_members_are_independent_trainings(shared):
    member = IPPO(shared=shared, ppo=SMALL.ppo, budget=SMALL.budget)
    alone = [net.contents() for net in train(member, Echo(), [Pupil(seed) for seed in (3, 1, 4)])]
    assert [net.contents() for net in taught(0.0, member=member)] == alone
    assert all(mine.contents() != other for mine, other in zip(taught(0.1, member=member), alone, strict=True))


def test_the_bonus_is_no_part_of_the_return():
    seen = []
    taught(1e3, on_update=seen.append)
    returns = [update.episode_return for update in seen if update.episode_return is not None]
    assert max(returns) <= Echo().horizon
    assert all(0 < update.stats["population_nats"] <= math.log(1 / FLOOR) for update in seen)


def spread_of(nets):
    """Jensen–Shannon divergence of the members' first moves, nats, and what the least agreeable earns with itself."""
    features = torch.from_numpy(CONVENTIONS.observe(CONVENTIONS.reset(np.zeros(1, np.uint64)), nets[0].view).features)
    legal = torch.ones(1, 4, dtype=torch.bool)
    with torch.no_grad():
        odds = torch.stack([net.of(0).log_policy(features[:, 0], legal).exp()[0] for net in nets])
    entropy = -(odds * odds.log()).sum(dim=1)
    mean = odds.mean(dim=0)
    return float(-(mean * mean.log()).sum() - entropy.mean()), float((odds**2).sum(dim=1).min())


def test_a_bonus_makes_members_differ_where_many_conventions_are_as_good():
    member = IPPO(ppo=PPO(rollout=16, learning_rate=3e-3, entropy=0.0), budget=Budget(steps=24_000, games=16))
    alone, rare = (spread_of(taught(alpha, CONVENTIONS, member, range(4))) for alpha in (0.0, 1.0))
    assert rare[0] > 1.25 > 1.15 > alone[0], "four members, four conventions: log 4 = 1.386 nats"
    assert rare[1] > 0.8, "and each of them still agrees with itself"


def test_an_interrupted_population_ends_with_the_same_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "CHECKPOINT_SECONDS", 0.0)
    path, resumed = tmp_path / "population", {}
    trainer, pupils = MEP(alpha=0.1, member=SMALL), [Pupil(seed, (), path) for seed in (3, 1, 4)]

    def stop(update):
        if update.steps >= 400:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(trainer, Echo(), pupils, on_update=stop)
    again = train(trainer, Echo(), pupils, on_update=lambda u: resumed.setdefault(u.member, u.steps))
    assert set(resumed.values()) == {400}, "all went on from the same moment"
    assert [net.contents() for net in again] == [net.contents() for net in taught(0.1)]
    with pytest.raises(Refused, match="not a checkpoint of this training"):
        train(MEP(members=4, member=SMALL), Echo(), [*pupils, pupils[0]])


def test_a_member_cannot_go_on_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "CHECKPOINT_SECONDS", 0.0)
    trainer = MEP(members=2, member=SMALL)
    pupils = [Pupil(seed, (), tmp_path / str(seed)) for seed in range(2)]

    def stop(update):
        if update.steps >= 400:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(trainer, Echo(), pupils, on_update=stop)
    (tmp_path / "1").unlink()
    with pytest.raises(Refused, match="teaches its 2 members together, from one checkpoint; given 1"):
        train(trainer, Echo(), pupils)


def test_a_population_takes_no_partners():
    with pytest.raises(Refused, match="takes no partners"):
        MEP().plan(Echo(), [Uniform().make(Echo(), None)], 0)
