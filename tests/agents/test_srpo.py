"""SRPO: on one-step games it lands on the risk-averse equilibrium; at τ = 0 it is independent PPO bit for bit."""

import math

import numpy as np
import pytest
import torch

from crossplay.agents import learning
from crossplay.agents.duel import FLOOR, Risk, reference
from crossplay.agents.ippo import IPPO
from crossplay.agents.networks import Architecture
from crossplay.agents.objective import PPO, Leash
from crossplay.agents.seating import Seating
from crossplay.agents.srpo import SRPO
from crossplay.agents.trainer import Budget, train_one
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.benchmark.games.matrix import Matrix
from crossplay.benchmark.theory.bimatrix import bimatrix
from crossplay.benchmark.theory.rqe import solve
from tests.agents.echo import Echo

SMALL = PPO(rollout=5, minibatches=2, learning_rate=1e-3, normalise=True)


def play_of(game, eps, steps=300_000, shared=False, **risk):
    """Both heroes' strategies, and the last update's numbers."""
    ppo = PPO(rollout=4, minibatches=1, learning_rate=1e-2, entropy=eps, normalise=False, max_norm=1e9)
    budget = Budget(steps=steps, games=256)
    trainer = SRPO(shared=shared, risk=Risk(**risk), architecture=Architecture(hidden=(16,)), ppo=ppo, budget=budget)
    last = {}
    net = train_one(trainer, game, seed=0, on_update=lambda update: last.update(update.stats))
    seen = game.observe(game.reset(np.arange(1, dtype=np.uint64)), game.spec.view)
    with torch.no_grad():
        found = [
            net.of(seat).log_policy(torch.from_numpy(seen.features[:, seat]), torch.from_numpy(seen.legal[:, seat]))
            for seat in range(game.spec.seats)
        ]
    return [log_policy[0].exp().numpy() for log_policy in found], last


def efforts(game, eps, steps=300_000, **risk):
    """P(first action) of both heroes, and the last update's numbers."""
    policies, last = play_of(game, eps, steps, **risk)
    return [float(policy[0]) for policy in policies], last


@pytest.mark.parametrize("how", [{}, {"adversary": "residual"}, {"placement": "reward"}], ids=str)
def test_the_volunteer_game_at_tau_10(how):
    """The only equilibrium is P(C) = .7942 for both; the reference (KL of adversary from partner) is exact here."""
    found, last = efforts(Matrix(), 0.2, tau=10.0, **how)
    assert found == pytest.approx([0.7942, 0.7942], abs=0.03)
    assert last["price"] == pytest.approx(0.1)
    assert 0.3 < last["adversary_nats"] < 0.8


LEVELS = range(5)
TEAM = Matrix(
    game="custom",
    payoffs=tuple(tuple(((a + b) / 8) ** 0.5 for b in LEVELS) for a in LEVELS),
    costs=tuple(tuple(0.1 * a for a in LEVELS) for _ in range(2)),
)


@pytest.mark.parametrize(
    ("game", "tau", "eps"), [(Matrix(), 2.0, 0.2), (Matrix(), 10.0, 0.2), (Matrix(), 5.0, 0.1), (TEAM, 10.0, 0.1)]
)
def test_heroes_land_on_an_equilibrium_of_the_solver(game, tau, eps):
    """Total variation .05 at most, both seats; five levels of effort with diminishing returns are one of the games."""
    own = game.tables.rewards[..., 0] - game.tables.costs[0][:, None]
    theirs = (game.tables.rewards[..., 1] - game.tables.costs[1]).T
    exact = solve(bimatrix(own, theirs), tau, eps)
    assert all(equilibrium.residual <= 1e-9 for equilibrium in exact)
    policies, _ = play_of(game, eps, tau=tau)
    apart = [
        max(abs(x - p).sum() / 2 for x, p in zip(equilibrium.profile, policies, strict=True)) for equilibrium in exact
    ]
    assert min(apart) <= 0.05


def test_the_volunteer_game_at_tau_0_free_rides():
    found, _ = efforts(Matrix(), 0.2, tau=0.0)
    assert sorted(found) == pytest.approx([0.1952, 0.8833], abs=0.03)


@pytest.mark.parametrize(("beta", "tau", "effort"), [(0.25, 0.0, 0.965), (0.25, 10.0, 0.188), (0.5, 10.0, 0.731)])
def test_risk_aversion_lowers_effort_among_complements_and_leaves_it_at_one_half(beta, tau, effort):
    found, _ = efforts(Matrix(game="effort", beta=beta, cost=0.4), 0.1, tau=tau)
    assert found == pytest.approx([effort, effort], abs=0.03)


def test_an_adversary_that_pays_nothing_is_the_worst_case():
    """With no price the adversary shirks, whatever the partner does; so the hero works."""
    found, last = efforts(Matrix(), 0.2, steps=150_000, tau="inf")
    assert min(found) > 0.9
    assert last["price"] == 0.0


@pytest.mark.parametrize("foes", [None, 1])
def test_more_seats_share_nets_and_draw_the_adversarys_seats(foes):
    """With all others against it the hero of a three-seat volunteer game works more than at τ = 0, and as one alone
    against a correlated pair would. One adversary in three leaves a second hero, who is paid too."""
    trio = Matrix(seats=3, cost=0.4)
    bold, _ = play_of(trio, 0.2, steps=150_000, shared=True, tau=0.0)
    wary, last = play_of(trio, 0.2, steps=150_000, shared=True, tau=20.0, foes=foes)
    assert wary[0][0] > bold[0][0] + 0.1
    assert (wary[0] == wary[2]).all()
    assert last["adversary_nats"] > 0.05


def test_adversaries_are_paid_minus_what_the_heroes_earn():
    trainer = SRPO(shared=True, risk=Risk(foes=1, meet=0.5), budget=Budget(games=8))
    plan = trainer.plan(Matrix(seats=3), (), 0)
    drawn = plan.seatings(0)
    assert drawn[-1] == Seating(slice(4, 8), (0, 0, 0))
    assert sum(table.rows.stop - table.rows.start for table in drawn) == 8
    for players, pays in ((table.players, table.pays) for table in drawn[:-1]):
        foe = players.index(1)
        assert pays[foe] == tuple(0.0 if seat == foe else -0.5 for seat in range(3))
        assert all(pays[seat] == tuple(np.eye(3)[seat]) for seat in range(3) if seat != foe)
    casts = [table.players for batch in range(9) for table in plan.seatings(batch)[:-1]]
    assert set(casts) == {(1, 0, 0), (0, 1, 0), (0, 0, 1)}
    pair = SRPO(budget=Budget(games=8)).plan(Matrix(), (), 0).seatings(0)
    assert [table.players for table in pair] == [(0, 2), (3, 1)]
    assert [table.pays for table in pair] == [((1, 0), (-1, 0)), ((0, -1), (0, 1))]


def test_budgets_count_environment_steps_and_samples_a_hero():
    def spent(**options):
        last = []
        trainer = SRPO(ppo=SMALL, budget=Budget(steps=400, games=8), **options)
        train_one(trainer, Echo(), seed=0, on_update=lambda update: last.append((update.steps, update.samples)))
        return last[-1]

    assert spent() == (400, 200)  # a net a seat: half the games, one seat
    assert spent(shared=True) == (400, 400)
    assert spent(batch="two_phase") == (400, 200)  # twice the games in half the updates
    assert spent(risk=Risk(tau=0.0)) == (400, 400)
    assert spent(risk=Risk(meet=0.5)) == (400, 300)


@pytest.mark.parametrize("shared", [True, False])
def test_tau_0_is_independent_ppo_bit_for_bit(shared):
    budget = Budget(steps=400, games=8)
    same = [
        train_one(trainer, Echo(), seed=3).contents()
        for trainer in (
            SRPO(shared=shared, risk=Risk(tau=0.0), ppo=SMALL, budget=budget),
            IPPO(shared=shared, ppo=SMALL, budget=budget),
        )
    ]
    assert same[0] == same[1]


@pytest.mark.parametrize(("mass", "forward", "backward"), [(0.25, 0.596, 0.243), (0.9, 3.82, 2.22)])
def test_directions_of_the_leash_in_nats(mass, forward, backward):
    """A partner plays its first action with .99; the adversary puts `mass` on the second."""
    partner, adversary = torch.tensor([[[0.99, 0.01]]]).log(), torch.tensor([[[1 - mass, mass]]]).log()
    legal, price = torch.ones(1, 1, 2, dtype=torch.bool), torch.ones(1)
    assert float(Leash(partner, price).divergence(adversary, legal)) == pytest.approx(forward, rel=0.01)
    assert float(Leash(partner, price, reverse=True).divergence(adversary, legal)) == pytest.approx(backward, rel=0.01)


def test_references_tremble_and_never_vanish():
    legal = torch.tensor([[True, True, False]])
    sure = torch.tensor([[0.0, -math.inf, -math.inf]])
    plain = reference(sure, legal, 0.0)[0]
    assert plain.exp().tolist() == pytest.approx([1.0, math.exp(FLOOR), 0.0], abs=1e-5)
    assert reference(sure, legal, 0.5)[0].exp().tolist() == pytest.approx([0.75, 0.25, 0.0])


def test_the_price_falls_as_tau_is_ramped_up():
    risk = Risk(tau=10.0, off=0.3, ramp=0.4)
    assert [risk.price(x) for x in (0.0, 0.3)] == [1000.0, 1000.0]
    assert [risk.price(x) for x in (0.5, 0.7, 1.0)] == pytest.approx([0.2, 0.1, 0.1])
    assert Risk(tau=10.0).price(0.0) == 0.1
    assert Risk(tau="inf").price(0.5) == 0.0


@pytest.mark.parametrize("risk", [{"off": 0.5}, {"off": 0.5, "adversary": "residual"}], ids=str)
def test_before_it_moves_the_adversary_is_the_partner(risk):
    watched = []
    trainer = SRPO(risk=Risk(**risk), ppo=SMALL, budget=Budget(steps=400, games=8))
    train_one(trainer, Echo(), seed=0, on_update=lambda update: watched.append(update.stats))
    nats = [stats["adversary_nats"] for stats in watched]
    assert nats[:5] == [0.0] * 5
    assert 0 <= nats[5] < 0.01 < nats[-1] + 0.01, "it starts as the partner it replaces"


def test_a_risk_budget_finds_the_price_that_holds_the_divergence():
    found, last = efforts(Matrix(), 0.2, steps=600_000, budget=0.5)
    assert last["adversary_nats"] == pytest.approx(0.5, abs=0.1)
    assert found == pytest.approx([0.8, 0.8], abs=0.05)


def test_an_interrupted_training_ends_with_the_same_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "CHECKPOINT_SECONDS", 0.0)
    trainer = SRPO(ppo=SMALL, budget=Budget(steps=800, games=8))
    path = tmp_path / "training"

    def stop(update):
        if update.steps >= 400:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_one(trainer, Echo(), seed=1, on_update=stop, checkpoint=path)
    resumed = []
    again = train_one(trainer, Echo(), seed=1, on_update=lambda update: resumed.append(update.steps), checkpoint=path)
    whole = train_one(trainer, Echo(), seed=1)
    assert resumed[0] > 40
    assert again.contents() == whole.contents()


def test_what_srpo_is_not_for_is_refused():
    partner = object()
    with pytest.raises(Refused, match="takes no partners; given 1"):
        SRPO().plan(CollabGrid(), [partner], 0)
    with pytest.raises(Refused, match="odd number, 7"):
        SRPO(budget=Budget(games=7)).plan(CollabGrid(), (), 0)
    with pytest.raises(Refused, match=r"shared = true beyond two seats; .* has 3"):
        SRPO().plan(Matrix(seats=3), (), 0)
    with pytest.raises(Refused, match=r"risk.foes = 2 given; .* has 2 seats"):
        SRPO(risk=Risk(foes=2)).plan(CollabGrid(), (), 0)
