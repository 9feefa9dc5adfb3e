"""Rank-prioritised partners: odds by hand, who is met, what is learned; stacks and resuming are exact."""

import numpy as np
import pytest
import torch

from crossplay.agents import learning
from crossplay.agents.best_response import BestResponse
from crossplay.agents.ledger import RATE, Ledger
from crossplay.agents.objective import PPO
from crossplay.agents.trainer import Budget, Pupil, train, train_one
from crossplay.benchmark.config import to_table
from crossplay.benchmark.games.matrix import Matrix
from crossplay.benchmark.policy import Constant, Uniform

AGREE = Matrix(game="custom", payoffs=((1.0, 0.0), (0.0, 1.0)))  # paid for agreeing
SMALL = PPO(rollout=5, minibatches=2)
BUDGET = Budget(steps=800, games=8)


def ledger(*returns, beta=1.0):
    found = Ledger(len(returns), beta)
    found.returns[:] = torch.tensor(returns, dtype=torch.float64)
    return found


@pytest.mark.parametrize(
    ("returns", "beta", "wanted"),
    [
        ((10.0, 5.0, 20.0), 1.0, (2 / 6, 3 / 6, 1 / 6)),
        ((10.0, 5.0, 20.0), 3.0, (8 / 36, 27 / 36, 1 / 36)),
        ((10.0, 5.0, 20.0), 0.0, (1 / 3, 1 / 3, 1 / 3)),
        ((-1.0, -1.0, 7.0), 1.0, (2.5 / 6, 2.5 / 6, 1 / 6)),
        ((10.0, float("nan"), 0.0, float("nan")), 1.0, (1 / 10, 3.5 / 10, 2 / 10, 3.5 / 10)),
        ((float("nan"),) * 4, 3.0, (0.25,) * 4),
        ((3.0,), 2.0, (1.0,)),
    ],
)
def test_odds_by_hand(returns, beta, wanted):
    """The worst ranks highest, ties share their ranks, who is still to be met ranks as the worst."""
    assert ledger(*returns, beta=beta).odds() == pytest.approx(wanted)


def test_odds_go_with_partners_not_with_places():
    odds = ledger(3.0, 1.0, 2.0, 1.0).odds()
    assert ledger(1.0, 1.0, 3.0, 2.0).odds().tolist() == odds[[1, 3, 0, 2]].tolist()


def test_a_ledger_keeps_a_moving_mean_of_the_egos_own_returns():
    book = Ledger(2, 1.0)
    book.note(1, 0, np.array([[4.0, 9.0], [6.0, 9.0]]))
    assert book.returns.isnan().tolist() == [True, False]
    assert book.returns[1] == 5.0
    book.note(1, 1, np.array([[0.0, 8.0]]))
    assert float(book.returns[1]) == pytest.approx(5.0 + RATE * 3.0)


def test_only_a_ledger_changes_the_recipe():
    assert "beta" not in to_table(BestResponse())
    assert to_table(BestResponse(beta=3.0))["beta"] == 3.0


def constants(*actions, game=AGREE):
    return [Constant(action=action).make(game, None) for action in actions]


def test_tables_draw_by_rank_and_tell_the_ledger():
    """By the book of a plan that was told partner 0 is the worst of three."""
    plan = BestResponse(ppo=SMALL, budget=BUDGET, tables=8, beta=2.0).plan(AGREE, constants(0, 1, 1), 0)
    plan.ledger[:] = torch.tensor([0.0, 2.0, 1.0])
    drawn = [table.told.args[0] for batch in range(500) for table in plan.seatings(batch)]
    assert np.bincount(drawn) / len(drawn) == pytest.approx(np.array([9, 1, 4]) / 14, abs=0.03)
    table = plan.seatings(1)[0]
    assert table.players.index(0) == 1, "in odd batches the first table's ego has seat 1"
    table.told(np.array([[0.0, 12.0]]))
    who = table.told.args[0]
    assert float(plan.ledger[who]) == pytest.approx((0.0, 2.0, 1.0)[who] * (1 - RATE) + 12 * RATE)


def test_an_ego_learns_to_get_on_with_the_partner_it_did_worst_with():
    """Three partners want one action and one the other; drawn uniformly the one is given up."""
    ppo, budget = PPO(rollout=8, learning_rate=3e-3, entropy=0.0), Budget(steps=24_000, games=16)

    def least(beta):
        trainer = BestResponse(ppo=ppo, budget=budget, beta=beta)
        net = train_one(trainer, AGREE, constants(0, 0, 0, 1), seed=0)
        seen = AGREE.observe(AGREE.reset(np.zeros(1, np.uint64)), net.view)
        with torch.no_grad():
            odds = net.of(0).log_policy(*(torch.from_numpy(part[:, 0]) for part in seen)).exp()[0]
        return float(odds[1])

    assert least(None) < 0.05 < 0.2 < least(3.0)


AGAIN = Matrix(game="custom", payoffs=AGREE.payoffs, rounds=5)
PARTNERS = [Uniform().make(AGAIN, None), *constants(0, 1, 1, game=AGAIN)]
PUPILS = [(3, PARTNERS), (1, PARTNERS[:2]), (4, PARTNERS[1:])]


def test_a_stack_ends_as_its_members_alone_with_any_number_of_partners():
    trainer = BestResponse(ppo=SMALL, budget=BUDGET, beta=3.0)
    together = train(trainer, AGAIN, [Pupil(*pupil) for pupil in PUPILS])
    alone = [train_one(trainer, AGAIN, partners, seed=seed) for seed, partners in PUPILS]
    assert [net.contents() for net in together] == [net.contents() for net in alone]
    uniform = train_one(BestResponse(ppo=SMALL, budget=BUDGET), AGAIN, PARTNERS, seed=3)
    assert uniform.contents() != alone[0].contents()


@pytest.mark.parametrize("rollout", [5, 3])
def test_members_stopped_at_different_times_go_on_with_their_books(rollout, tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "CHECKPOINT_SECONDS", 0.0)
    trainer = BestResponse(ppo=PPO(rollout=rollout, minibatches=2), budget=BUDGET, beta=3.0)
    paths = [tmp_path / str(seed) for seed, _ in PUPILS]

    def stop(after):
        def see(update):
            if update.steps >= after:
                raise KeyboardInterrupt

        return see

    for (seed, partners), path, after in zip(PUPILS[:2], paths, (240, 480), strict=False):
        with pytest.raises(KeyboardInterrupt):
            train_one(trainer, AGAIN, partners, seed=seed, on_update=stop(after), checkpoint=path)
    first = {}
    again = train(
        trainer,
        AGAIN,
        [Pupil(seed, partners, path) for (seed, partners), path in zip(PUPILS, paths, strict=True)],
        on_update=lambda update: first.setdefault(update.member, update.steps),
    )
    assert first[2] < first[0] < first[1]
    whole = train(trainer, AGAIN, [Pupil(*pupil) for pupil in PUPILS])
    assert [net.contents() for net in again] == [net.contents() for net in whole]
