"""Cloning: the loss by hand, a known policy recovered, whole games set aside, the best epoch kept."""

from math import exp, log

import numpy as np
import pytest
import torch

from crossplay.agents.cloning import Cloning, Examples, frequencies, log_policy, loss, score, scored
from crossplay.agents.networks import Architecture, PolicyNet
from crossplay.benchmark.errors import Refused
from tests.agents.echo import Echo

SPEC = Echo().spec
POLICY = np.array([[[0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25]], [[0.1, 0.1, 0.2, 0.6], [0.05, 0.9, 0.05, 0.0]]])


def net(shared=True, seed=3):
    return PolicyNet(Architecture(hidden=(16,)), SPEC, shared=shared, seed=seed)


def played(games=8, frames=600, seed=0):
    """What seats that see one of two signs do by `POLICY` [seat, sign, action]."""
    rng = np.random.default_rng(seed)
    seats, signs = rng.integers(2, size=(2, games * frames))
    actions = (rng.random((games * frames, 1)) > POLICY[seats, signs].cumsum(axis=1)).sum(axis=1)
    features = np.eye(4, dtype=np.float32)[signs]
    return Examples(features, actions, seats, np.repeat(np.arange(games), frames))


def by_hand(net, examples):
    """Mean −log of the softmax, an example and a sum at a time."""
    total = 0.0
    for features, action, seat in zip(examples.features, examples.actions, examples.seats, strict=True):
        with torch.no_grad():
            logits = net.of(int(seat)).actor(torch.from_numpy(features)[None])[0].tolist()
        total -= logits[action] - log(sum(exp(x) for x in logits))
    return total / examples.size


@pytest.mark.parametrize("shared", [True, False])
def test_loss_and_score_are_what_a_slow_sum_says(shared):
    mine, seen = net(shared), played(frames=20)
    with torch.no_grad():
        for parameter in mine.parameters():
            parameter += torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
    wanted = by_hand(mine, seen)
    assert loss(mine, seen).item() == pytest.approx(wanted, abs=1e-5)
    assert score(mine, seen).log_likelihood == pytest.approx(-wanted, abs=1e-5)


def test_scores_of_a_table_by_hand():
    odds = np.log([[0.5, 0.5 - 1e-9, 1e-9], [0.2, 0.7, 0.1], [0.2, 0.7, 0.1]])
    found = scored(odds, np.array([0, 1, 2]))
    assert found.log_likelihood == pytest.approx(log(0.5 * 0.7 * 0.1) / 3)
    assert found.accuracy == pytest.approx(2 / 3)
    four = played(frames=1)._replace(actions=np.array([0, 0, 1, 1, 1, 3, 3, 3]))
    assert np.exp(frequencies(four, 4)) == pytest.approx(np.array([3, 4, 1, 4]) / 12)


@pytest.mark.parametrize("shared", [True, False])
def test_a_known_policy_is_recovered(shared):
    mine, seen = net(shared), played()
    Cloning(epochs=30, learning_rate=3e-3).fit(mine, seen, seed=0)
    signs = np.repeat([0, 1], 2)
    shown = Examples(np.eye(4, dtype=np.float32)[signs], np.zeros(4, int), np.array([0, 1, 0, 1]), np.zeros(4, int))
    wanted = POLICY[[0, 1, 0, 1], signs] if not shared else POLICY.mean(axis=0)[signs]
    with torch.no_grad():
        assert log_policy(mine, shown).exp().numpy() == pytest.approx(wanted, abs=0.06)


def test_whole_games_are_set_aside_and_change_no_weights():
    """With the actions of the games set aside replaced, the first epoch learns the same."""
    seen, plan = played(), Cloning(epochs=1, validation=0.3)
    one, other = net(), net()
    fit = plan.fit(one, seen, seed=5)
    assert len(fit.games) == 2
    aside = np.isin(seen.games, fit.games)
    altered = seen._replace(actions=np.where(aside, 3 - seen.actions, seen.actions))
    assert plan.fit(other, altered, seed=5).validation != fit.validation
    assert one.contents() == other.contents()


def test_the_best_epoch_is_kept_and_patience_ends_it():
    """Two games of which one contradicts the other: what helps the one is worse for the other at every epoch."""
    first = played(games=1)
    second = first._replace(actions=3 - first.actions, games=first.games + 1)
    seen = Examples(*(np.concatenate(arrays) for arrays in zip(first, second, strict=True)))
    told = []

    def epochs(patience):
        mine = net()
        told.append(Cloning(epochs=40, patience=patience, learning_rate=0.01).fit(mine, seen, seed=0))
        return mine.contents()

    assert epochs(2) == epochs(8)
    assert told[0] == told[1]
    assert told[0].epochs < 40
    aside = seen.rows(np.isin(seen.games, told[0].games))
    kept = net()
    fit = Cloning(epochs=40, patience=2, learning_rate=0.01).fit(kept, seen, seed=0)
    assert score(kept, aside) == fit.validation


def test_equal_seeds_make_equal_clones_and_others_do_not():
    def clone(seed, plan):
        mine = net()
        plan.fit(mine, played(frames=100), seed=seed)
        return mine.contents()

    plan = Cloning(epochs=2)
    assert clone(1, plan) == clone(1, plan)
    assert clone(1, plan) != clone(2, plan)


def test_critics_stay_as_they_began():
    mine, fresh = net(), net()
    Cloning(epochs=2).fit(mine, played(frames=50), seed=0)
    assert all(map(torch.equal, mine.of(0).critic.parameters(), fresh.of(0).critic.parameters()))
    assert not all(map(torch.equal, mine.of(0).actor.parameters(), fresh.of(0).actor.parameters()))


def test_what_cannot_be_cloned_is_refused():
    with pytest.raises(Refused, match="1 recorded games given; wanted two or more"):
        Cloning().fit(net(), played(games=1), seed=0)
    lost = played(frames=10)
    with pytest.raises(Refused, match="likelihood was lost in epoch 1"):
        Cloning().fit(net(), lost._replace(features=lost.features * np.nan), seed=0)
