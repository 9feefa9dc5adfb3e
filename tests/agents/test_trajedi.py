"""Trajectory diversity: the divergence and its slope against a tree played out in full, and what it does to members."""

import itertools
import math

import numpy as np
import pytest
import torch

from crossplay.agents import learning
from crossplay.agents.ippo import IPPO
from crossplay.agents.networks import Architecture, PolicyNet
from crossplay.agents.objective import PPO, Samples
from crossplay.agents.rollout import Experience
from crossplay.agents.stack import Stack
from crossplay.agents.trainer import Budget, Pupil, train
from crossplay.agents.trajedi import TrajeDi, diversity, everybody, log_odds
from crossplay.benchmark.errors import Refused
from tests.agents.echo import Echo
from tests.agents.test_mep import CONVENTIONS, spread_of

SMALL = IPPO(ppo=PPO(rollout=10, minibatches=2), budget=Budget(steps=800, games=8))
TREE = list(itertools.product(range(2), range(2)))  # two actions, two steps
LOGITS = np.array([[[0.3, -0.2], [1.0, 0.1], [-0.7, 0.4]], [[-0.5, 0.6], [0.2, -1.1], [0.8, 0.5]]])
GAMMAS = [0.0, 0.5, 1.0]


def odds(logits, trajectory):
    """Both steps' probabilities; after the first action there are two nodes, 1 and 2."""
    nodes = (0, 1 + trajectory[0])
    return [
        math.exp(logits[node][a]) / sum(map(math.exp, logits[node])) for node, a in zip(nodes, trajectory, strict=True)
    ]


def jsd(logits, gamma):
    """By the definition, every trajectory in turn."""
    found = 0.0
    for mine, trajectory in itertools.product(logits, TREE):
        each = [odds(one, trajectory) for one in logits]
        inner = 0.0
        for t in range(2):
            deltas = [math.prod(p ** (gamma ** abs(t - u)) for u, p in enumerate(one)) for one in each]
            own = math.prod(p ** (gamma ** abs(t - u)) for u, p in enumerate(odds(mine, trajectory)))
            inner += math.log(sum(deltas) / len(deltas) / own) / 2
        found -= math.prod(odds(mine, trajectory)) * inner / len(logits)
    return found


def estimate():
    """Log-probabilities [j, i, T, n] of all trajectories, how likely each is for i, and their slopes in the logits."""
    logs = np.log([[[odds(one, tr)[t] for tr in TREE] for t in range(2)] for one in LOGITS])
    chance = np.exp(logs.sum(axis=1))
    slopes = np.zeros((2, 2, 4, 3, 2))  # [j, t, n, node, action] of log π_j
    for j, t, n in np.ndindex(2, 2, 4):
        node = 0 if t == 0 else 1 + TREE[n][0]
        total = np.exp(LOGITS[j, node]).sum()
        slopes[j, t, n, node] = -np.exp(LOGITS[j, node]) / total
        slopes[j, t, n, node, TREE[n][t]] += 1
    return torch.tensor(np.repeat(logs[:, None], 2, axis=1)), chance, slopes


@pytest.mark.parametrize("gamma", GAMMAS)
def test_the_divergence_is_that_of_a_tree_played_out(gamma):
    logs, chance, _ = estimate()
    rises = diversity(logs, gamma).rises.numpy()
    assert (chance * rises.sum(axis=1)).sum() / 2 == pytest.approx(jsd(LOGITS, gamma), abs=1e-6)
    if gamma == 1:
        mean = chance.mean(axis=0)
        assert jsd(LOGITS, 1) == pytest.approx(float((chance * np.log(chance / mean)).sum() / 2))


@pytest.mark.parametrize("gamma", GAMMAS)
def test_rewards_and_pulls_are_its_slope(gamma):
    """Policy gradient of the rises still to come, and the pulls at everybody's samples: finite differences agree."""
    logs, chance, slopes = estimate()
    rises, pulls = (part.numpy() for part in diversity(logs, gamma))
    ahead = np.flip(np.flip(rises, 1).cumsum(axis=1), 1)
    paid = np.einsum("jn,jtn,jtnxa->jxa", chance, ahead, slopes) / 2
    pushed = np.einsum("in,jitn,jtnxa->jxa", chance, pulls, slopes) / 2
    for index in np.ndindex(LOGITS.shape):
        step = np.zeros_like(LOGITS)
        step[index] = 1e-5
        wanted = (jsd(LOGITS + step, gamma) - jsd(LOGITS - step, gamma)) / 2e-5
        assert (paid + pushed)[index] == pytest.approx(wanted, abs=1e-6)
    if gamma == 1:
        assert np.abs(pushed).max() < 1e-6


def test_everybody_is_pushed_at_everybodys_samples():
    """Slice by slice: own samples keep advantage and target, others' have the pull alone and cost no critic."""
    nets = [PolicyNet(Architecture(), Echo().spec, shared=True, seed=k).of(0) for k in range(3)]
    rng = torch.Generator().manual_seed(0)
    features, legal = torch.rand(3, 10, 2, 4, generator=rng), torch.ones(3, 10, 2, 4, dtype=torch.bool)
    actions = torch.randint(4, (3, 10, 2), generator=rng)
    empty = torch.empty(0)
    logs = log_odds(Stack(nets), Experience(features, legal, actions, empty, empty, empty, empty))
    pulls = torch.rand(3, 3, 20, generator=rng)
    flat = [part.flatten(1, 2) for part in (features, legal, actions)]
    rest = [torch.rand(3, 20, generator=rng) for _ in range(3)]
    found = everybody(Stack(nets), Samples(*flat, torch.zeros(3, 20), *rest), logs.flatten(2), pulls)
    for i, ahead in itertools.product(range(3), range(3)):
        j, part = (i + ahead) % 3, slice(20 * ahead, 20 * ahead + 20)
        with torch.no_grad():
            wanted = nets[i].log_policy(flat[0][j], flat[1][j]).gather(1, flat[2][j][:, None])[:, 0]
        assert torch.allclose(found.log_probs[i, part], wanted, atol=1e-6)
        assert torch.equal(found.features[i, part], flat[0][j])
        assert torch.equal(found.actions[i, part], flat[2][j])
        assert torch.equal(found.advantages[i, part], pulls[i, j] + (rest[1][i] if i == j else 0))
        if i == j:
            assert torch.equal(found.targets[i, part], rest[2][i])
        else:
            assert torch.equal(found.targets[i, part], found.values[i, part])


def test_steps_and_episodes_are_the_same_numbers():
    """Two episodes of five steps in three games, there and back."""
    method = TrajeDi(members=1, member=IPPO(ppo=SMALL.ppo, budget=Budget(steps=80, games=3)))
    method = method.method([method.plan(Echo(), (), 0)])
    steps = torch.arange(30.0).view(1, 10, 3)
    episodes = method._by_episode(steps)
    assert episodes.shape == (1, 5, 6)
    for e, g in itertools.product(range(2), range(3)):
        assert torch.equal(episodes[0, :, 3 * e + g], steps[0, 5 * e : 5 * e + 5, g])
    assert torch.equal(method._by_step(episodes), steps)


def taught(alpha, game=None, member=SMALL, seeds=(3, 1, 4), **fields):
    trainer = TrajeDi(alpha=alpha, members=len(seeds), member=member, **fields)
    return train(trainer, game or Echo(), [Pupil(seed) for seed in seeds])


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("gamma", [0.5, 1.0])
def test_without_a_price_members_are_independent_trainings(shared, gamma):
    member = IPPO(shared=shared, ppo=SMALL.ppo, budget=SMALL.budget)
    alone = [net.contents() for net in train(member, Echo(), [Pupil(seed) for seed in (3, 1, 4)])]
    assert [net.contents() for net in taught(0.0, member=member, gamma=gamma)] == alone
    assert all(a.contents() != b for a, b in zip(taught(1.0, member=member, gamma=gamma), alone, strict=True))


@pytest.mark.parametrize("gamma", [0.5, 1.0])
def test_members_differ_where_many_conventions_are_as_good(gamma):
    member = IPPO(ppo=PPO(rollout=16, learning_rate=3e-3, entropy=0.0), budget=Budget(steps=24_000, games=16))
    alone, unlike = (spread_of(taught(alpha, CONVENTIONS, member, range(4), gamma=gamma)) for alpha in (0.0, 4.0))
    assert unlike[0] > 1.25 > 1.15 > alone[0], "four members, four conventions: log 4 = 1.386 nats"
    assert unlike[1] > 0.8, "and each of them still agrees with itself"


def test_an_interrupted_population_ends_with_the_same_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "CHECKPOINT_SECONDS", 0.0)
    trainer = TrajeDi(member=SMALL)
    pupils = [Pupil(seed, (), tmp_path / "population") for seed in (3, 1, 4)]

    def stop(update):
        if update.steps >= 400:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(trainer, Echo(), pupils, on_update=stop)
    assert learning.steps_done(tmp_path / "population") > 0
    assert [net.contents() for net in train(trainer, Echo(), pupils)] == [net.contents() for net in taught(1.0)]


def test_what_cannot_be_is_refused():
    with pytest.raises(Refused, match=r"given rollout = 7, test/echo-v1 has 5 steps"):
        TrajeDi(member=IPPO(ppo=PPO(rollout=7))).plan(Echo(), (), 0)
    with pytest.raises(Refused, match="plain networks"):
        TrajeDi(member=IPPO(ppo=SMALL.ppo, architecture=Architecture(body="gru"))).plan(Echo(), (), 0)
    with pytest.raises(Refused, match="takes no partners"):
        TrajeDi(member=SMALL).plan(Echo(), [object()], 0)
    with pytest.raises(Refused, match="teaches its 3 members together; given 1"):
        train(TrajeDi(member=SMALL), Echo(), [Pupil(0)])
