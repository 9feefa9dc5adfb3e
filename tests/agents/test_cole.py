"""Cooperative open-ended learning: its Shapley values against all orders, who stays as it was, who meets whom."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch

from crossplay.agents import learning
from crossplay.agents.cole import COLE, DAMPING, Generations, hard_to_join, pagerank, shapley, softmin, worth
from crossplay.agents.inference import NetworkPolicy
from crossplay.agents.networks import Architecture, PolicyNet
from crossplay.agents.objective import PPO
from crossplay.agents.seating import Double
from crossplay.agents.trainer import Budget, Pupil, train, train_one
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.matrix import Matrix
from crossplay.benchmark.match import play
from crossplay.benchmark.policy import Uniform
from tests.agents.echo import Echo

SMALL = COLE(ppo=PPO(rollout=5, minibatches=2, learning_rate=1e-3), budget=Budget(steps=640, games=8), generations=3)
# two get on with themselves and each other, the third with itself alone
CLIQUE = np.array([[10.0, 10.0, 0.0], [10.0, 10.0, 0.0], [0.0, 0.0, 10.0]])


def test_pagerank_is_where_a_walker_is_found():
    edges = np.array([[0.0, 3.0, 1.0], [0.0, 0.0, 0.0], [2.0, 0.0, 2.0]])
    steps = np.array([[0, 3 / 4, 1 / 4], [1 / 3, 1 / 3, 1 / 3], [1 / 2, 0, 1 / 2]])
    found = np.full(3, 1 / 3)
    for _ in range(400):
        found = (1 - DAMPING) / 3 + DAMPING * found @ steps
    assert pagerank(edges) == pytest.approx(found)
    assert pagerank(edges).sum() == pytest.approx(1)


def test_a_coalitions_worth_by_hand():
    assert worth(np.zeros((0, 0))) == 0
    assert worth(np.array([[6.0]])) == 6
    edges = np.array([[4.0, 2.0], [2.0, 0.0]])
    one, other = softmin(pagerank(edges))
    assert one < other, "who is walked to least weighs most"
    assert worth(edges) == pytest.approx((one * (4 + 2) + other * (2 + 0)) / 2)


def test_shapley_values_are_the_mean_over_all_orders():
    edges = np.random.default_rng(3).uniform(0, 20, size=(5, 5))
    wanted = np.zeros(5)
    for order in permutations(range(5)):
        for place, j in enumerate(order):
            before, after = list(order[:place]), list(order[: place + 1])
            wanted[j] += (worth(edges[np.ix_(after, after)]) - worth(edges[np.ix_(before, before)])) / 120
    assert shapley(edges) == pytest.approx(wanted)
    assert shapley(edges).sum() == pytest.approx(worth(edges))


def test_who_is_hard_to_get_on_with_comes_up_more():
    odds = hard_to_join(CLIQUE)
    assert odds.sum() == pytest.approx(1)
    assert odds[0] == pytest.approx(odds[1])
    assert odds[2] > 2 * odds[0]
    assert hard_to_join(np.zeros((3, 3))) == pytest.approx([1 / 3] * 3)
    assert hard_to_join(CLIQUE - 50) == pytest.approx(hard_to_join(CLIQUE)), "counted from the lowest return"


def line(generations=3, steps=640):
    spec = Echo().spec
    hero = PolicyNet(Architecture(), spec, shared=True, seed=1)
    past = PolicyNet(Architecture(), spec, shared=False, seed=2, count=generations - 1)
    return Generations(hero, past, Budget(steps=steps, games=8), spec.horizon, seed=0)


def test_generations_take_turns():
    mine = line()  # 640 steps are 16 batches of 8 games of 5 steps
    assert [mine.generation(batch) for batch in range(17)] == [0] * 6 + [1] * 5 + [2] * 6


def test_before_there_is_a_past_all_is_self_play():
    tables = line().seatings(0, 4, 2)
    assert [table.rows for table in tables] == [slice(i, i + 2) for i in range(0, 8, 2)]
    assert [table.players for table in tables] == [(0, 0), (0, 0), (Double(0), 0), (0, Double(0))]


def test_half_the_tables_meet_the_past_in_either_seat():
    mine = line()
    mine.returns[:2, :2] = torch.tensor([[9.0, 1.0], [1.0, 9.0]])
    met = [table.players for batch in range(11, 17) for table in mine.seatings(batch, 4, 2)[2:]]
    assert {players.index(0) for players in met} == {0, 1}
    assert {who for players in met for who in players} == {0, mine.was(0), mine.was(1)}


def test_whom_a_generation_has_not_met_comes_first():
    mine, rng = line(), np.random.default_rng(0)
    mine.returns[:2, :2] = torch.tensor([[9.0, 0.0], [0.0, 9.0]])
    assert {tuple(sorted(mine.partners(2, 2, rng))) for _ in range(20)} == {(0, 1)}
    mine.note(2, 0, np.array([[4.0, 4.0], [2.0, 2.0]]))
    assert mine.returns[2, 0] == mine.returns[0, 2] == 3
    assert all(mine.partners(2, 2, rng)[0] == 1 for _ in range(20))


def test_copies_are_taken_once():
    mine = line()
    now, first, second = (next(net.actor.parameters()) for net in (*mine.hero.nets, *mine.past.nets))
    mine.returns[:2, :2] = 1.0
    mine.seatings(6, 4, 2)
    before = now.detach().clone()
    with torch.no_grad():
        now += 1
    mine.seatings(7, 4, 2)
    assert torch.equal(first, before)
    mine.seatings(11, 4, 2)
    assert torch.equal(first, before)
    assert torch.equal(second, now)
    assert torch.equal(next(mine.was(0).net.nets[0].actor.parameters()), before)


@pytest.mark.parametrize("body", ["mlp", "gru"])
def test_a_stack_ends_as_its_members_alone(body):
    whole = replace(SMALL.ppo, rollout=8)  # minibatches that no matrix library cuts unlike alone and in a stack
    trainer = replace(SMALL, ppo=whole, architecture=Architecture(body=body, hidden=(8, 8)))
    together = train(trainer, Echo(), [Pupil(seed) for seed in (3, 1)])
    alone = [train_one(trainer, Echo(), seed=seed) for seed in (3, 1)]
    assert [net.contents() for net in together] == [net.contents() for net in alone]
    assert together[0].shared


@pytest.mark.parametrize("after", [200, 240, 280, 440, 520])
def test_stopped_in_any_generation_it_ends_the_same(after, tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "CHECKPOINT_SECONDS", 0.0)

    def stop(update):
        if update.steps >= after:
            raise KeyboardInterrupt

    path = tmp_path / "training"
    with pytest.raises(KeyboardInterrupt):
        train_one(SMALL, Echo(), seed=5, on_update=stop, checkpoint=path)
    first = []
    again = train_one(SMALL, Echo(), seed=5, checkpoint=path, on_update=lambda update: first.append(update.steps))
    assert first[0] > 40, "it went on instead of starting anew"
    assert again.contents() == train_one(SMALL, Echo(), seed=5).contents()


def test_it_learns():
    game = Echo(numbers=4)
    trainer = COLE(
        ppo=PPO(rollout=25, minibatches=2, learning_rate=3e-3), budget=Budget(steps=20_000, games=16), generations=4
    )
    policy = NetworkPolicy(train_one(trainer, game, seed=0))
    paid = play(game, [policy, policy], episodes=64, game_seed=0, policy_seeds=[1, 2])
    assert paid.returns.mean() > 4.5  # of 5


def test_it_gets_on_with_what_it_was():
    game = Matrix(game="custom", payoffs=((1.0, 0.0), (0.0, 1.0)))
    trainer = COLE(
        ppo=PPO(rollout=20, minibatches=2, learning_rate=3e-3), budget=Budget(steps=12_000, games=16), generations=3
    )
    pupil_plans = []
    plan = COLE.plan

    def watched(self, *args):
        pupil_plans.append(plan(self, *args))
        return pupil_plans[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(COLE, "plan", watched)
        train_one(trainer, game, seed=1)
    returns = pupil_plans[0].ledger[:-1].numpy()
    assert not np.isnan(returns).any(), "every generation met every earlier one"
    assert returns[2].min() > 0.8, "the last one gets on with all of them"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tables": 3}, "8 games, 3 tables"),
        ({"budget": Budget(steps=80, games=8)}, "80 steps are too few for 3 generations"),
        ({"alone": 0.01}, "tables of both kinds"),
        ({"architecture": Architecture(central=True)}, "central critic"),
    ],
)
def test_what_does_not_fit_is_refused(changes, words):
    with pytest.raises(Refused, match=words):
        train_one(replace(SMALL, **changes), Echo(), seed=0)


def test_partners_are_refused():
    with pytest.raises(Refused, match="makes its own partners"):
        train_one(SMALL, Echo(), [Uniform().make(Echo(), None)], seed=0)
