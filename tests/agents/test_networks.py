"""Networks at the table: weights that will not do are refused; play follows the probabilities and the legal moves."""

import numpy as np
import pytest
import safetensors.torch
import torch

from crossplay.agents.chooser import chooser
from crossplay.agents.inference import Network, NetworkPolicy
from crossplay.agents.ippo import IPPO
from crossplay.agents.networks import WEIGHTS, Architecture, PolicyNet
from crossplay.agents.objective import PPO
from crossplay.agents.stack import Stack
from crossplay.agents.trainer import Budget, train_one
from crossplay.benchmark.config import build
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Observation
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.match import play
from crossplay.benchmark.seeding import spread
from tests.agents.echo import Echo

GAME = Echo()


def saved(tmp_path, change=lambda weights: weights, **architecture):
    net = PolicyNet(Architecture(**architecture), GAME.spec, shared=True, seed=1)
    safetensors.torch.save_file(change(dict(net.state_dict())), tmp_path / WEIGHTS)
    return net


def test_weights_come_back(tmp_path):
    net = saved(tmp_path)
    loaded = Network().make(GAME, tmp_path).net
    assert all(torch.equal(a, b) for a, b in zip(net.state_dict().values(), loaded.state_dict().values(), strict=True))


def without_first(weights):
    weights.pop("nets.0.actor.1.weight")
    return weights


def with_nan(weights):
    weights["nets.0.actor.1.bias"][0] = float("nan")
    return weights


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without_first, r"missing tensor nets\.0\.actor\.1\.weight"),
        (lambda w: {**w, "more": torch.zeros(1)}, "unexpected tensor more"),
        (lambda w: {**w, "nets.0.actor.1.bias": torch.zeros(3)}, r"bias has shape \[3\], wanted \[64\]"),
        (with_nan, "not finite"),
    ],
)
def test_weights_that_do_not_fit_are_refused(tmp_path, change, words):
    saved(tmp_path, change)
    with pytest.raises(Refused, match=words):
        Network().make(GAME, tmp_path)


def test_a_file_cut_short_is_refused(tmp_path):
    saved(tmp_path)
    path = tmp_path / WEIGHTS
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(Refused, match="not a readable safetensors file"):
        Network().make(GAME, tmp_path)


def observation(rows):
    legal = np.ones((rows, 4), dtype=bool)
    legal[:, 2] = False
    return Observation(np.eye(4, dtype=np.float32)[np.arange(rows) % 4], legal)


def test_play_follows_the_networks_probabilities(tmp_path):
    net = saved(tmp_path)
    with torch.no_grad():
        net.nets[0].actor[-1].bias += torch.tensor([0.0, 1.0, 2.0, 0.5])
    policy = NetworkPolicy(net)
    seen = observation(40_000)
    actions, _ = policy.act(seen, policy.begin(spread(0, 40_000), 0))
    with torch.no_grad():
        wanted = net.of(0).log_policy(torch.from_numpy(seen.features[:4]), torch.from_numpy(seen.legal[:4])).exp()
    for shown in range(4):
        found = np.bincount(actions[shown::4], minlength=4) / 10_000
        assert found == pytest.approx(wanted[shown].numpy(), abs=0.02)
    assert not (actions == 2).any()


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_odds_are_torchs_probabilities_before_and_after_training(activation):
    net = PolicyNet(Architecture(activation=activation), GAME.spec, shared=True, seed=3).of(0)
    odds_of, seen = chooser(net), observation(4)
    for _ in range(2):
        odds = odds_of(seen.features, seen.legal)
        with torch.no_grad():
            wanted = net.log_policy(torch.from_numpy(seen.features), torch.from_numpy(seen.legal)).exp().numpy()
            for parameter in net.parameters():
                parameter += 0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0))
        assert odds / odds.sum(axis=1, keepdims=True) == pytest.approx(wanted, abs=1e-6)


def test_the_likeliest_action_can_be_asked_for(tmp_path):
    policy = NetworkPolicy(saved(tmp_path), "argmax")
    first, _ = policy.act(observation(8), policy.begin(spread(0, 8), 0))
    again, _ = policy.act(observation(8), policy.begin(spread(1, 8), 0))
    assert (first == again).all()


def test_outputs_that_are_not_finite_are_refused(tmp_path):
    policy = NetworkPolicy(saved(tmp_path))
    seen = Observation(np.full((3, 4), np.nan, dtype=np.float32), np.ones((3, 4), dtype=bool))
    with pytest.raises(Refused, match="logits are not finite"):
        policy.act(seen, policy.begin(spread(0, 3), 0))


def test_views_and_bodies_are_checked_against_the_game():
    with pytest.raises(Refused, match="did you mean 'shown'"):
        PolicyNet(Architecture(view="shwn"), GAME.spec, shared=True, seed=0)
    with pytest.raises(Refused, match=r"a cnn reads \[width, height, planes\]"):
        PolicyNet(Architecture(body="cnn"), GAME.spec, shared=True, seed=0)
    with pytest.raises(Refused, match="precision = 'bfloat16' given; that is for convolutions, not for a mlp"):
        PolicyNet(Architecture(precision="bfloat16"), GAME.spec, shared=True, seed=0)
    with pytest.raises(Refused, match="hidden"):
        build(Architecture, {"hidden": []})


def test_half_precision_is_for_convolutions_alone():
    view = torch.randint(0, 2, (2, 64, 5, 4, 26), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))

    def stack(precision):
        a = Architecture(body="cnn", view="lossless", channels=(8, 8), hidden=(16,), precision=precision)
        return Stack([PolicyNet(a, Overcooked().spec, shared=True, seed=seed).of(0) for seed in (1, 2)])

    full, half = (stack(precision).value(view) for precision in (None, "bfloat16"))
    assert half.dtype == torch.float32
    assert 1e-5 < (full - half).abs().max() < 3e-2 * full.abs().max()  # bfloat16 keeps 8 bits


@pytest.mark.parametrize("precision", [None, "bfloat16"])
def test_a_cnn_trains_on_planes_and_plays_what_it_learned(precision, tmp_path):
    game = Overcooked(horizon=40)
    trainer = IPPO(
        architecture=Architecture(
            body="cnn", view="lossless", channels=(8,), hidden=(16,), activation="relu", precision=precision
        ),
        ppo=PPO(rollout=20),
        budget=Budget(steps=320, games=4),
    )
    net = train_one(trainer, game, seed=0)
    (tmp_path / WEIGHTS).write_bytes(net.contents()[WEIGHTS])
    maker = {key: value for key, value in net.maker().items() if key != "kind"}
    policy = build(Network, maker).make(game, tmp_path)
    seen = game.observe(game.reset(spread(0, 3)), "lossless").of(1, slice(0, 3))
    with torch.no_grad():
        wanted = net.of(1).log_policy(torch.from_numpy(seen.features), torch.from_numpy(seen.legal)).exp().numpy()
    odds = chooser(policy.net.of(1))(seen.features, seen.legal)
    assert odds / odds.sum(axis=1, keepdims=True) == pytest.approx(wanted, abs=1e-5)
    assert play(game, [policy, policy], episodes=3, game_seed=0, policy_seeds=[1, 2]).returns.shape == (3, 2)
