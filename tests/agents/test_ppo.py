"""PPO in numbers: advantages against a slow loop and closed forms, learning on a trivial game."""

import numpy as np
import pytest
import torch

from crossplay.agents import learning
from crossplay.agents.best_response import BestResponse
from crossplay.agents.chooser import chooser
from crossplay.agents.inference import NetworkPolicy
from crossplay.agents.ippo import IPPO
from crossplay.agents.networks import Architecture, PolicyNet
from crossplay.agents.objective import PPO
from crossplay.agents.ppo import advantages
from crossplay.agents.rollout import Collector
from crossplay.agents.seating import Seating
from crossplay.agents.stack import Stack
from crossplay.agents.trainer import Budget, Update, train_one
from crossplay.benchmark.config import to_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.match import play
from crossplay.benchmark.policy import Uniform
from tests.agents.echo import Echo

FAST = PPO(rollout=10, learning_rate=5e-3)


def slow_advantages(rewards, values, after, cut, gamma, lam, terminal):
    """Sums of discounted one-step errors, written out for every start."""
    steps, lanes = rewards.shape
    ends = [t for t in range(steps) if cut[t] or t == steps - 1]
    result = np.zeros((steps, lanes))
    for lane in range(lanes):
        for start in range(steps):
            total, weight = 0.0, 1.0
            for t in range(start, steps):
                beyond = after[ends.index(t), lane] if t in ends else values[t + 1, lane]
                if cut[t] and terminal:
                    beyond = 0.0
                total += weight * (rewards[t, lane] + gamma * beyond - values[t, lane])
                if cut[t]:
                    break
                weight *= gamma * lam
            result[start, lane] = total
    return result


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("cuts", [(), (3,), (0, 3, 6), (6,)])
def test_advantages_equal_the_slow_loop(terminal, cuts):
    rng = np.random.default_rng(3)
    rewards, values = rng.normal(size=(7, 2)), rng.normal(size=(7, 2))
    cut = np.isin(np.arange(7), cuts)
    after = rng.normal(size=(len(set(cuts) | {6}), 2))
    fast = advantages(*map(torch.tensor, (rewards, values, after, cut)), 0.9, 0.8, terminal)
    assert np.allclose(fast, slow_advantages(rewards, values, after, cut, 0.9, 0.8, terminal))


def test_advantages_in_closed_form():
    """λ = 1 and zero values: the advantage is the discounted sum of rewards to the cut."""
    ones, zeros, cut = torch.ones(5, 1), torch.zeros(5, 1), torch.tensor([False, False, True, False, False])
    found = advantages(ones, zeros, torch.zeros(2, 1), cut, 0.5, 1.0, terminal=True)
    assert found.squeeze().tolist() == [1.75, 1.5, 1.0, 1.5, 1.0]


def test_a_time_limit_bootstraps_from_what_is_seen_after_it():
    ones, zeros, cut = torch.ones(2, 1), torch.zeros(2, 1), torch.tensor([False, True])
    found = advantages(ones, zeros, torch.full((1, 1), 10.0), cut, 0.5, 1.0, terminal=False)
    assert found.squeeze().tolist() == [1 + 0.5 * 6, 1 + 0.5 * 10]


def returns(net, game):
    policy = NetworkPolicy(net)
    return play(game, [policy, policy], episodes=100, game_seed=1, policy_seeds=[2, 3]).returns.mean(axis=0)


@pytest.mark.parametrize("shared", [True, False])
def test_ippo_solves_a_trivial_game(shared):
    trainer = IPPO(shared=shared, ppo=FAST, budget=Budget(steps=16_000))
    net = train_one(trainer, Echo(), seed=0)
    assert (returns(net, Echo()) > 4.7).all()


def test_best_response_solves_it_beside_a_stranger():
    game = Echo()
    trainer = BestResponse(ppo=FAST, budget=Budget(steps=16_000))
    net = train_one(trainer, game, [Uniform().make(game, None)], seed=0)
    assert (returns(net, game) > 4.7).all()


def test_partners_are_wanted_exactly_where_they_belong():
    partner = Uniform().make(Echo(), None)
    with pytest.raises(Refused, match="takes no partners"):
        IPPO().plan(Echo(), [partner], 0)
    with pytest.raises(Refused, match="needs partners"):
        BestResponse().plan(Echo(), [], 0)


class Shaped(Echo):
    """Echo that pays in shaped reward only, and remembers what was collected."""

    def step(self, state, actions):
        state, paid = super().step(state, actions)
        return state, paid._replace(rewards=0 * paid.rewards, shaping=paid.rewards)


def test_shaped_reward_fades_to_nothing():
    budget = Budget(steps=1000, shaping_steps=400)
    assert [budget.shaping(steps) for steps in (0, 100, 400, 900)] == [1.0, 0.75, 0.0, 0.0]
    assert Budget(steps=1000).shaping(250) == 0.5
    assert Budget(steps=1000, shaping_steps=0).shaping(0) == 0.0
    net = PolicyNet(Architecture(), Shaped().spec, shared=True, seed=0)
    tables = [Seating(slice(0, 4), (0, 0))]

    def collected(weight):
        learners = [chooser(Stack([net.of(0)]))]
        collector = Collector(Shaped(), "shown", learners, [lambda batch: tables], 4, [0], torch.device("cpu"))
        (seen,), returns = collector.collect(10, weight, [torch.Generator().manual_seed(0)])
        assert returns.tolist() == [[0.0] * 4], "shaped reward is never part of a return"
        return seen.rewards.sum().item()

    assert collected(1.0) > 0
    assert collected(0.25) == pytest.approx(collected(1.0) / 4)
    assert collected(0.0) == 0.0


class Lopsided(Echo):
    """Echo whose seats earn nothing but shaped reward, 1 and 2 a step."""

    def step(self, state, actions):
        state, paid = super().step(state, actions)
        return state, paid._replace(rewards=0 * paid.rewards, shaping=0 * paid.rewards + [1, 2])


@pytest.mark.parametrize(("team", "wanted"), [(False, [1.0, 2.0]), (True, [3.0, 3.0])])
def test_shaped_reward_is_a_seats_own_or_the_teams(team, wanted):
    net = PolicyNet(Architecture(), Lopsided().spec, shared=False, seed=0)
    learners = [chooser(Stack([net.of(seat)])) for seat in (0, 1)]
    tables = [Seating(slice(0, 4), (0, 1))]
    device = torch.device("cpu")
    collector = Collector(Lopsided(), "shown", learners, [lambda batch: tables], 4, [0], device, team=team)
    seen, returns = collector.collect(10, 0.5, [torch.Generator().manual_seed(0)])
    assert [one.rewards.unique().tolist() for one in seen] == [[0.5 * each] for each in wanted]
    assert returns.tolist() == [[0.0] * 4]


def test_a_trainer_shares_shaped_reward_where_its_budget_says_so():
    own, team = (IPPO(ppo=FAST, budget=Budget(steps=2_000, team_shaping=each)) for each in (None, True))
    assert "team_shaping" not in to_table(own)["budget"], "what was trained before keeps its hash"
    assert train_one(own, Lopsided(), seed=0).contents() != train_one(team, Lopsided(), seed=0).contents()


def weights(trainer, seed, checkpoint=None, on_update=lambda update: None):
    net = train_one(trainer, Echo(), seed=seed, on_update=on_update, checkpoint=checkpoint)
    return net.contents()


def test_equal_seeds_give_equal_weights():
    trainer = IPPO(ppo=FAST, budget=Budget(steps=2_000))
    assert weights(trainer, 1) == weights(trainer, 1)
    assert weights(trainer, 1) != weights(trainer, 2)


def test_an_interrupted_training_ends_with_the_same_weights(tmp_path, monkeypatch):
    trainer = IPPO(ppo=FAST, budget=Budget(steps=4_000))
    monkeypatch.setattr(learning, "CHECKPOINT_SECONDS", 0.0)
    seen: list[int] = []

    def stop(update: Update) -> None:
        seen.append(update.steps)
        if update.steps >= 2_000:
            raise KeyboardInterrupt

    path = tmp_path / "training"
    with pytest.raises(KeyboardInterrupt):
        weights(trainer, 1, path, stop)
    resumed: list[int] = []
    again = weights(trainer, 1, path, lambda update: resumed.append(update.steps))
    assert resumed[0] > 1_000, "it went on instead of starting anew"
    assert again == weights(trainer, 1)


def test_a_broken_checkpoint_is_refused(tmp_path):
    path = tmp_path / "training"
    path.write_bytes(b"half a file")
    with pytest.raises(Refused, match="delete it to start anew"):
        weights(IPPO(ppo=FAST, budget=Budget(steps=100)), 1, path)
