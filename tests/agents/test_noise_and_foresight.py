"""Trembling doubles and E3T's foresight: who is taught what, and what a predictor learns to expect."""

import math

import numpy as np
import pytest
import torch

from crossplay.agents.best_response import BestResponse
from crossplay.agents.chooser import chooser
from crossplay.agents.e3t import E3T
from crossplay.agents.inference import NetworkPolicy
from crossplay.agents.networks import Architecture, PolicyNet
from crossplay.agents.noisy_self_play import NoisySelfPlay, trembling
from crossplay.agents.objective import PPO
from crossplay.agents.ppo import surprise
from crossplay.agents.rollout import Collector
from crossplay.agents.seating import Double, Seating, pays, places
from crossplay.agents.stack import Stack
from crossplay.agents.trainer import Budget, train_one
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Observation
from crossplay.benchmark.games.matrix import Matrix
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.match import play
from crossplay.benchmark.policy import Constant
from crossplay.benchmark.seeding import spread
from tests.agents.echo import Echo

FAST = PPO(rollout=10, learning_rate=5e-3)


def test_tables_of_trembling_doubles():
    assert trembling(4, 2, shared=False, noise=0.3) == [
        Seating(slice(0, 2), (0, Double(1, 0.3))),
        Seating(slice(2, 4), (Double(0, 0.3), 1)),
    ]
    assert trembling(3, 3, shared=True, noise=1.0)[1].players == (Double(0, 1.0), 0, Double(0, 1.0))


def test_places_and_payments_of_two_seeds_by_hand():
    tables = [Seating(slice(0, 2), (0, Double(0, 0.5)), ((1, 0), (-1, 0))), Seating(slice(2, 3), (1, 0))]
    found = places([tables, tables], 0, 3)
    assert found.rows.tolist() == [[0, 1, 2, 0, 1], [3, 4, 5, 3, 4]]
    assert found.seats.tolist() == [[0, 0, 1, 1, 1]] * 2
    assert found.noise.tolist() == [[0, 0, 0, 0.5, 0.5]] * 2
    assert found.taught == 3
    weights = pays([tables, tables], 3, 2)
    assert weights[4].tolist() == [[1, 0], [-1, 0]]
    assert weights[5].tolist() == [[1, 0], [0, 1]]
    assert pays([[Seating(slice(0, 3), (0, 1))]], 3, 2) is None


@pytest.mark.parametrize("noise", [0.0, 0.4, 1.0])
def test_a_double_plays_its_learners_odds_mixed_with_uniform(noise):
    """Four numbers shown evenly; the learner names each with odds .7 .1 .1 .1; one number is illegal in seat 1."""
    game = Echo()

    def learner(features, legal):
        return np.where(legal, 0.1 + 0.6 * features, 0.0)

    tables = [Seating(slice(0, 4000), (0, Double(0, noise)))]
    collector = Collector(game, "shown", [learner], [lambda batch: tables], 4000, [0], torch.device("cpu"))
    (seen,), _ = collector.collect(1, 0.0, [torch.Generator().manual_seed(0)])
    assert seen.actions.shape == (1, 1, 4000), "the double is not taught"
    named = game.observe(game.reset(spread_of(collector)), "shown").features[:, 1].argmax(axis=1)
    right = (seen.others[0, 0, :, 0].numpy() == named).mean()
    assert right == pytest.approx((1 - noise) * 0.7 / 0.9 + noise / 3, abs=0.03)


def spread_of(collector):
    from crossplay.benchmark.seeding import derive

    return spread(derive(collector.seeds[0], "episodes", 0), collector.episodes)


def test_noisy_self_play_and_e3t_solve_a_trivial_game():
    for trainer in (
        NoisySelfPlay(noise=0.5, shared=False, ppo=FAST, budget=Budget(steps=32_000)),
        E3T(context=2, ppo=FAST, budget=Budget(steps=32_000)),
    ):
        policy = NetworkPolicy(train_one(trainer, Echo(), seed=0))
        paid = play(Echo(), [policy, policy], episodes=100, game_seed=1, policy_seeds=[2, 3]).returns.mean(axis=0)
        assert (paid > 4.5).all()


def test_surprise_by_hand():
    net = PolicyNet(Architecture(context=2), Echo().spec, shared=True, seed=0)
    stack, features = Stack([net.of(0)]), torch.rand(1, 3, 2, 4)
    with torch.no_grad():
        odds = torch.softmax(net.of(0).predictor(features[0]), dim=-1)
        found = float(surprise(stack, features, torch.tensor([[[2], [0], [3]]])))
    assert found == pytest.approx(-sum(math.log(odds[i, a]) for i, a in enumerate((2, 0, 3))) / 3, abs=1e-5)


def test_a_predictor_learns_what_its_partner_does():
    """The partner always plays its second action; the third seat its first."""
    game = Matrix(seats=3, rounds=5)
    partners = [Constant(action=1).make(game, None)]
    trainer = BestResponse(architecture=Architecture(context=3), ppo=FAST, budget=Budget(steps=8_000))
    net = train_one(trainer, game, partners, seed=0).of(0)
    seen = game.observe(game.reset(spread(0, 1)), game.spec.view).features[:, 0]
    context = torch.from_numpy(np.stack([0 * seen, 0 * seen, seen], axis=1)).float()
    with torch.no_grad():
        odds = torch.softmax(net.predictor(context).view(2, 2), dim=-1)
    assert (odds[:, 1] > 0.9).all()


def test_what_is_seen_in_training_is_seen_at_the_table():
    """A collector's context against the memory of the policy that plays: the last views, zeros before the start."""
    game, shown = Echo(horizon=6), []
    net = PolicyNet(Architecture(context=3), game.spec, shared=True, seed=0)
    policy = NetworkPolicy(net)

    def watched(features, legal):
        shown.append(features[0, :2].copy())
        return chooser(Stack([net.of(0)]))(features, legal)

    tables = [Seating(slice(0, 2), (0, 0))]
    collector = Collector(game, "shown", [watched], [lambda batch: tables], 2, [5], torch.device("cpu"), context=3)
    collector.collect(9, 0.0, [torch.Generator().manual_seed(0)])
    state = game.reset(spread_of(collector))
    memory = policy.begin(spread(0, 2), 0)
    views = []
    for step in range(6):
        seen = game.observe(state, "shown").of(0, slice(0, 2))
        views.append(seen.features)
        wanted = np.stack([*([np.zeros((2, 4))] * max(0, 2 - step)), *views[-3:]], axis=1)
        assert np.array_equal(shown[step], wanted)
        _, memory = policy.act(seen, memory)
        assert np.array_equal(memory.past, wanted[:, 1:])
        state = (state[0], state[1] + 1)
    assert not shown[6][:, :2].any(), "a new episode starts with nothing seen"


@pytest.mark.parametrize("body", ["stack", "alone"])
def test_a_network_with_foresight_chooses_by_its_probabilities(body):
    net = PolicyNet(Architecture(context=3), Echo().spec, shared=True, seed=3).of(0)
    rng = np.random.default_rng(0)
    features, legal = rng.random((5, 3, 4), dtype=np.float32), np.ones((5, 4), dtype=bool)
    legal[:, 1] = False
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0))
        wanted = net.log_policy(torch.from_numpy(features), torch.from_numpy(legal)).exp().numpy()
    odds = chooser(Stack([net]))(features[None], legal[None])[0] if body == "stack" else chooser(net)(features, legal)
    assert odds / odds.sum(axis=-1, keepdims=True) == pytest.approx(wanted, abs=1e-6)


def test_what_these_are_not_for_is_refused():
    with pytest.raises(Refused, match="3 games cannot be dealt evenly to 2 seats"):
        NoisySelfPlay(budget=Budget(games=3)).plan(Echo(), (), 0)
    with pytest.raises(Refused, match="makes its own partners; given 1"):
        E3T().plan(Echo(), [object()], 0)
    with pytest.raises(Refused, match="foresight is for an mlp"):
        PolicyNet(Architecture(body="cnn", view="lossless", context=2), Overcooked().spec, shared=True, seed=0)


def test_observations_are_left_alone():
    """The context copies what a game may overwrite."""
    seen = Observation(np.zeros((2, 4), dtype=np.float32), np.ones((2, 4), dtype=bool))
    policy = NetworkPolicy(PolicyNet(Architecture(context=2), Echo().spec, shared=True, seed=0))
    _, memory = policy.act(seen, policy.begin(spread(0, 2), 0))
    seen.features[...] = 7
    assert not memory.past.any()
