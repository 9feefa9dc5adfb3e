"""Recurrent networks: against torch's own, at the table as in training, over cuts and stops, and what memory is for."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from crossplay.agents import learning
from crossplay.agents.best_response import BestResponse
from crossplay.agents.chooser import chooser
from crossplay.agents.gru import Gru, step, unroll
from crossplay.agents.inference import NetworkPolicy
from crossplay.agents.ippo import IPPO
from crossplay.agents.networks import Architecture, PolicyNet
from crossplay.agents.noisy_self_play import NoisySelfPlay
from crossplay.agents.objective import PPO
from crossplay.agents.ppo import minibatches, prepare
from crossplay.agents.rollout import Collector
from crossplay.agents.seating import Seating
from crossplay.agents.srpo import SRPO
from crossplay.agents.stack import Stack
from crossplay.agents.trainer import Budget, train_one
from crossplay.benchmark.card import Card, load_card
from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Observation
from crossplay.benchmark.match import play
from crossplay.benchmark.seeding import spread
from tests.agents.echo import Echo

NAMES = ("weight_in", "weight_back", "bias_in", "bias_back")
THEIRS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
GRU = Architecture(body="gru", hidden=(8, 8))
SMALL = PPO(rollout=5, minibatches=2, learning_rate=1e-3)
BUDGET = Budget(steps=400, games=8)


def parts(seeds, inputs, hidden):
    generator = torch.Generator().manual_seed(0)
    cells = [Gru(inputs, hidden, generator) for _ in range(seeds)]
    for cell in cells:
        cell.bias_in.data.normal_(generator=generator)
        cell.bias_back.data.normal_(generator=generator)
    return tuple(torch.stack([getattr(c, name) for c in cells]).detach().requires_grad_() for name in NAMES)


def test_it_is_torchs_forwards_and_backwards_over_a_cut():
    torch.manual_seed(0)
    mine = parts(seeds=2, inputs=5, hidden=4)
    x, memory = torch.randn(2, 7, 3, 5, requires_grad=True), torch.randn(2, 3, 4)
    starts = torch.arange(7) == 3
    found = unroll(x, memory, starts, mine)
    pull = torch.randn_like(found)
    slopes = torch.autograd.grad(found, [x, *mine], pull)
    for k in range(2):
        theirs = torch.nn.GRU(5, 4)
        for name, value in zip(THEIRS, mine, strict=True):
            getattr(theirs, name).data = value[k].detach().clone()
        given = x[k].detach().clone().requires_grad_()
        wanted = torch.cat([theirs(given[:3], memory[k][None])[0], theirs(given[3:])[0]])
        torch.testing.assert_close(found[k], wanted)
        right = torch.autograd.grad(wanted, [given, *theirs.parameters()], pull[k])
        for ours, reference in zip(slopes, right, strict=True):
            torch.testing.assert_close(ours[k], reference, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(step(x[:, 0], memory, mine), found[:, 0])


def collector(net, game, episodes=6):
    odds = []
    choose = chooser(net)

    class Watched(type(choose)):
        def __call__(self, features, legal):
            found = super().__call__(features, legal)
            odds.append(found / found.sum(axis=-1, keepdims=True))
            return found

    choose.__class__ = Watched
    tables = [Seating(slice(0, episodes), (0, 0))]
    seeds = range(len(net.nets))
    seatings = [lambda batch: tables for _ in seeds]
    return Collector(game, game.spec.view, [choose], seatings, episodes, list(seeds), torch.device("cpu")), odds


def test_what_is_learned_from_is_what_was_done():
    """In rollouts that begin and end in mid-episode, the second with an episode's end inside."""
    game, ppo = Echo(horizon=8), PPO(rollout=5)
    net = Stack([PolicyNet(GRU, game.spec, shared=True, seed=k).of(0) for k in range(2)])
    net.flat.data *= 3  # far from uniform
    table, odds = collector(net, game)
    luck = [torch.Generator().manual_seed(k) for k in range(2)]
    for number in range(2):
        (seen,), _ = table.collect(5, 0.0, luck)
        samples = prepare(net, seen, ppo, terminal=False)
        said = torch.from_numpy(np.stack(odds[5 * number : 5 * number + 5], axis=1))  # [K, T, n, actions]
        chosen = said.gather(3, seen.actions[..., None])[..., 0].log().flatten(1)
        torch.testing.assert_close(samples.log_probs.float(), chosen.float(), rtol=1e-4, atol=1e-5)
    assert seen.cut.tolist() == [False, False, True, False, False]


def test_values_after_a_cut_are_the_critics_with_all_it_remembers():
    game, episodes = Echo(horizon=3), 4
    net = Stack([PolicyNet(GRU, game.spec, shared=True, seed=0).of(0)])
    net.flat.data *= 3
    (seen,), _ = collector(net, game, episodes)[0].collect(5, 0.0, [torch.Generator().manual_seed(0)])
    samples = prepare(net, seen, PPO(gamma=1.0, lam=0.0), terminal=False)
    memory, values = torch.zeros(1, 2 * episodes, 8), []
    for t in range(3):
        said, memory = net.recall("critic", seen.features[:, t], memory)
        values.append(said[..., 0])
    beyond = net.recall("critic", seen.after[:, 0], memory)[0][..., 0]
    torch.testing.assert_close(samples.values[0].view(5, -1)[2], values[2][0].detach())
    torch.testing.assert_close(samples.targets[0].view(5, -1)[2], (seen.rewards[:, 2] + beyond)[0].detach())
    fresh = net.recall("critic", seen.features[:, 3], torch.zeros_like(memory))[0][..., 0]
    torch.testing.assert_close(samples.values[0].view(5, -1)[3], fresh[0].detach())


def test_minibatches_are_places_with_all_their_steps():
    game = Echo(horizon=8)
    net = Stack([PolicyNet(GRU, game.spec, shared=True, seed=k).of(0) for k in range(2)])
    table, _ = collector(net, game)
    luck = [torch.Generator().manual_seed(k) for k in range(2)]
    table.collect(5, 0.0, luck)
    samples = prepare(net, table.collect(5, 0.0, luck)[0][0], PPO(), terminal=False)
    whole, seen = samples.log_probs.view(2, 5, 12), []
    for part, _ in minibatches(samples, PPO(epochs=1, minibatches=3), luck, None):
        assert part.thread.memory.shape == (2, 4, 16)
        with torch.no_grad():
            again = net.logits(part.features, part.thread)
        found = torch.log_softmax(again.masked_fill(~part.legal, -torch.inf), dim=-1)
        torch.testing.assert_close(
            found.gather(2, part.actions[..., None])[..., 0], part.log_probs, rtol=1e-4, atol=1e-5
        )
        seen.append(part.log_probs.view(2, 5, 4))
    for k in range(2):
        columns = torch.cat([s[k] for s in seen], dim=1).T.tolist()
        assert sorted(columns) == sorted(whole[k].T.tolist())


def test_stopped_and_gone_on_is_never_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "CHECKPOINT_SECONDS", 0.0)
    trainer, game = IPPO(architecture=GRU, ppo=SMALL, budget=BUDGET), Echo(horizon=8)

    def stop(update):
        if update.steps >= 330:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_one(trainer, game, seed=0, on_update=stop, checkpoint=tmp_path / "training")
    assert learning.steps_done(tmp_path / "training") == 320
    again = train_one(trainer, game, seed=0, checkpoint=tmp_path / "training")
    assert again.contents() == train_one(trainer, game, seed=0).contents()


@config
class Recall(Echo):
    """A number is shown at the first step only, and naming it is paid at every step."""

    @property
    def spec(self):
        return replace(super().spec, name="test/recall-v1")

    def _shown(self, state):
        return super()._shown((state[0], 0))

    def observe(self, state, view):
        seen = super().observe((state[0], 0), view)
        return Observation(seen.features * (state[1] == 0), np.ones_like(seen.legal))

    def step(self, state, actions):
        return (state[0], state[1] + 1), super().step((state[0], 0), actions)[1]


def earned(architecture):
    """Return of eight steps; by chance 2, with the first step's number 8, without a memory at most 2.75."""
    ppo = PPO(rollout=8, learning_rate=1e-2)
    net = train_one(IPPO(architecture=architecture, ppo=ppo, budget=Budget(steps=30_000, games=64)), RECALL, seed=0)
    policy = NetworkPolicy(net)
    return play(RECALL, [policy, policy], episodes=200, game_seed=0, policy_seeds=[1, 2]).returns.mean()


RECALL = Recall(horizon=8)


def test_it_remembers_what_no_plain_network_can():
    assert earned(Architecture(body="gru", hidden=(16, 16))) > 7
    assert earned(Architecture(hidden=(16, 16))) < 3


def test_a_card_plays_as_its_stack_chose(tmp_path):
    game = Echo(horizon=6)
    net = PolicyNet(GRU, game.spec, shared=True, seed=3)
    card = Card(
        name="ann", maker=net.maker(), game=game.spec.name, family="ippo", lineage="ann", trained_with=(), record={}
    )
    card.save(tmp_path / "ann", net.contents())
    policy = load_card(tmp_path / "ann").policy(game)
    choose, memory = chooser(Stack([net.of(0)])), policy.begin(spread(0, 5), 0)
    state = game.reset(spread(1, 5))
    for _ in range(6):
        seen = game.observe(state, "shown")
        own = seen.of(0, slice(None))
        wanted = choose(own.features[None], own.legal[None])[0]
        found, _ = memory.odds_of(own, memory.past)
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
        actions, memory = policy.act(own, memory)
        state, _ = game.step(state, np.stack([actions, seen.legal[:, 1].argmax(axis=1)], axis=1))


def test_it_meets_frozen_recurrent_partners_and_doubles():
    game = Echo(horizon=8)
    partner = NetworkPolicy(train_one(NoisySelfPlay(architecture=GRU, ppo=SMALL, budget=BUDGET), game, seed=0))
    net = train_one(BestResponse(architecture=GRU, ppo=SMALL, budget=BUDGET), game, [partner], seed=1)
    assert net.contents() != PolicyNet(GRU, game.spec, shared=True, seed=1).contents()


def test_what_cannot_be_is_refused():
    with pytest.raises(Refused, match="srpo's adversary keeps no sequences"):
        train_one(SRPO(architecture=GRU, ppo=SMALL, budget=BUDGET), Echo(), seed=0)
    with pytest.raises(Refused, match="a gru wants its memory"):
        PolicyNet(GRU, Echo().spec, shared=True, seed=0).of(0).logits(torch.zeros(1, 4))
    with pytest.raises(Refused, match="a gru wants layers before its own"):
        PolicyNet(Architecture(body="gru", hidden=(8,)), Echo().spec, shared=True, seed=0)
    with pytest.raises(Refused, match="foresight is for an mlp, not for a gru"):
        PolicyNet(Architecture(body="gru", context=2), Echo().spec, shared=True, seed=0)
