"""SRPO beyond one step: on the corridor its heroes come to rest where backward induction says."""

from functools import cache

import numpy as np
import pytest
import torch

from crossplay.agents.duel import Risk
from crossplay.agents.networks import Architecture
from crossplay.agents.objective import PPO
from crossplay.agents.srpo import SRPO
from crossplay.agents.trainer import Budget, Pupil, train
from crossplay.benchmark.games.corridor import Corridor, Walk
from crossplay.benchmark.theory.duel import apart, solve_duel
from crossplay.benchmark.theory.markov import solve_markov

GAME = Corridor(cells=2, horizon=4, pickup=0.1, delivery=1.0, move=0.1)
EPS, TAU = 0.2, 5.0  # one resting point in every state that play reaches; its policies are well mixed


@cache
def truth(tau):
    found = solve_duel(GAME.tabular, tau, EPS)
    assert found.residual <= 1e-9
    return found


@cache
def markov_equilibrium():
    return solve_markov(GAME.tabular, TAU, EPS, entropy_counts=False, starts=1).policies


def play_of(net):
    """Both heroes' policies as arrays [horizon, states, actions]: the network asked about every step and state."""
    states = len(GAME.tabular.start)
    policies = ([], [])
    for time in range(GAME.horizon):
        walk = Walk(np.zeros(states, dtype=np.uint64), time, np.arange(states))
        seen = GAME.observe(walk, "flat")
        for seat, policy in enumerate(policies):
            features, legal = (torch.from_numpy(array[:, seat]) for array in seen)
            with torch.no_grad():
                policy.append(net.of(seat).log_policy(features, legal).exp().numpy())
    return np.array(policies[0]), np.array(policies[1])


@cache
def trained():
    """Three seeds. γ = λ = 1, an episode a rollout: advantages are plain returns less a baseline, in game units."""
    ppo = PPO(
        rollout=GAME.horizon,
        minibatches=1,
        learning_rate=2e-2,
        entropy=EPS,
        normalise=False,
        max_norm=1e9,
        gamma=1.0,
        lam=1.0,
    )
    trainer = SRPO(
        shared=False,
        risk=Risk(placement="reward", tau=TAU),
        architecture=Architecture(hidden=(32,)),
        ppo=ppo,
        budget=Budget(steps=300_000, games=256),
    )
    return [play_of(net) for net in train(trainer, GAME, [Pupil(seed) for seed in range(3)])]


def test_the_ground_truth_can_be_told_from_risk_neutral_play():
    risky, neutral = truth(TAU), truth(0.0)
    assert (risky.choices <= 1).all(), "one resting point, so that there is no doubt where to come to rest"
    assert max(apart(risky.heroes, neutral.heroes, risky.occupancy)) > 0.07, "one seat works harder at τ = 0"
    for x in risky.heroes:
        assert 0.1 < x[0, GAME.tabular.start.argmax()].max() < 0.9


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_heroes_come_to_rest_where_backward_induction_says(seed):
    """And not where risk-neutral play does, nor at the Markov equilibrium, where players count the price as theirs."""
    found, risky = trained()[seed], truth(TAU)
    near = apart(found, risky.heroes, risky.occupancy)
    assert max(near) <= 0.05
    assert sum(near) < 0.6 * sum(apart(found, truth(0.0).heroes, risky.occupancy))
    assert sum(near) < 0.8 * sum(apart(found, markov_equilibrium(), risky.occupancy))
