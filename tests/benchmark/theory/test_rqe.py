"""Equilibria of two-player games against closed forms, independent solvers, and properties of random games."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize
from scipy.special import expit, logit

from crossplay.benchmark.config import build
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games import Matrix
from crossplay.benchmark.theory.adversary import ADVERSARIES
from crossplay.benchmark.theory.bimatrix import bimatrix, from_matrix
from crossplay.benchmark.theory.bound import free_riding_threshold
from crossplay.benchmark.theory.regulariser import REGULARISERS
from crossplay.benchmark.theory.response import best_response, utility
from crossplay.benchmark.theory.rqe import certify, slope, solve
from crossplay.benchmark.theory.variant import Variant

VOLUNTEER = from_matrix(Matrix(cost=0.4))
SEEDS = st.integers(0, 2**32 - 1)
VARIANTS = [
    Variant(adversary=a, regulariser=r, action_dependent=d)
    for a in ADVERSARIES
    for r in REGULARISERS
    for d in (False, True)
]


def first(found):
    return [tuple(round(float(x[0]), 4) for x in e.profile) for e in found]


def proved(found):
    for e in found:
        assert e.residual <= 1e-9
        assert -1e-12 <= e.exploitability <= 1e-9
    return found


def effort(beta, cost=0.4):
    return from_matrix(Matrix(game="effort", beta=beta, cost=cost))


def drawn(rng, rows, columns):
    return bimatrix(rng.normal(size=(rows, columns)), rng.normal(size=(columns, rows)))


@pytest.mark.parametrize(
    ("tau", "rider", "middle"),
    [
        (0, (0.1952, 0.8833), 0.5555),
        (0.5, (0.2802, 0.8425), 0.5837),
        (0.8, (0.4826, 0.7063), 0.5988),
        (0.83, None, 0.6003),
        (1, None, 0.6082),
        (2, None, 0.6486),
        (5, None, 0.7268),
        (10, None, 0.7942),
        (100, None, 0.9415),
    ],
)
def test_volunteer(tau, rider, middle):
    found = proved(solve(VOLUNTEER, tau, 0.2))
    wanted = [(middle, middle)] if rider is None else [rider[::-1], (middle, middle), rider]
    assert first(found) == wanted
    stable = [slope(VOLUNTEER, e.logs, tau, 0.2) < 1 for e in found]
    assert stable == ([True] if rider is None else [True, False, True])
    for e in found:
        assert e.free_riding == pytest.approx(0.4 * abs(e.profile[0][0] - e.profile[1][0]), abs=1e-12)


def test_pitchfork():
    """The free-riding pair leaves the symmetric branch at τ = .828789, x = .600206, in a square-root cusp."""
    assert len(solve(VOLUNTEER, 0.8287, 0.2)) == 3
    assert len(solve(VOLUNTEER, 0.82878, 0.2)) == 3
    after = solve(VOLUNTEER, 0.8288, 0.2)
    assert len(after) == 1
    assert after[0].profile[0][0] == pytest.approx(0.600206, abs=2e-6)
    assert slope(VOLUNTEER, after[0].logs, 0.828789, 0.2) == pytest.approx(1, abs=2e-4)


def test_symmetric_branch_and_its_stability():
    for x in (0.57, 0.6, 0.65, 0.75, 0.8, 0.9):
        q = 0.4 + 0.2 * logit(x)
        tau = (logit(q) - logit(1 - x)) / (1 - x)
        near = min(solve(VOLUNTEER, tau, 0.2), key=lambda e: abs(e.profile[0][0] - x))
        np.testing.assert_allclose([y[0] for y in near.profile], x, atol=1e-12)
        pull = q * (1 - q) / (0.2 + q * (1 - q) * tau * x * (1 - x))
        assert slope(VOLUNTEER, near.logs, tau, 0.2) == pytest.approx(pull**2, rel=1e-5)
        assert (pull < 1) == (q * (1 - q) * (1 - tau * x * (1 - x)) < 0.2)


def test_social_optimum():
    best = solve(VOLUNTEER, 10.6375, 0.2)[0]
    assert best.profile[0][0] == pytest.approx(0.8, abs=1e-6)
    assert best.payoffs == pytest.approx((0.64, 0.64), abs=1e-9)
    assert all(solve(VOLUNTEER, tau, 0.2)[0].welfare < best.welfare for tau in (9.5, 12))


def test_two_free_riders_from_different_pairs_fail_together():
    worker, _, rider = solve(VOLUNTEER, 0, 0.2)
    x = rider.profile[0]
    assert x @ VOLUNTEER.first @ x == pytest.approx(0.274, abs=5e-4)
    assert worker.payoffs == pytest.approx((0.553, 0.828), abs=5e-4)


def test_effort_family_shows_both_faces():
    for tau in (0, 0.1, 1, 10, 100):
        assert first(proved(solve(effort(0.5), tau, 0.1))) == [(0.7311, 0.7311)]
    assert first(solve(effort(0.25), 0, 0.1)) == [(0.9653, 0.9653)]
    assert first(solve(effort(0.25), 10, 0.1)) == [(0.188, 0.188)]
    for beta, sign in ((0.25, -1), (0.4, -1), (0.6, 1), (0.75, 1)):
        levels = [solve(effort(beta), tau, 0.4)[0].profile[0][0] for tau in (0, 1, 3, 10, 30)]
        assert (sign * np.diff(levels) > 0).all()


@settings(deadline=None, max_examples=15)
@given(seed=SEEDS, eps=st.floats(0.05, 2))
def test_small_tau_is_the_quantal_response_equilibrium(seed, eps):
    """Logit equations of a 2 × 2 game, solved on their own: x = σ((Mx)₀₁/ε)."""
    game = drawn(np.random.default_rng(seed), 2, 2)
    edges = [m[0] - m[1] for m in game.payoffs]

    def reply(seat, y):
        return expit((edges[seat][0] * y + edges[seat][1] * (1 - y)) / eps)

    for e in proved(solve(game, 0, eps)):
        x, y = (float(p[0]) for p in e.profile)
        assert x == pytest.approx(reply(0, y), abs=1e-12)
        assert y == pytest.approx(reply(1, x), abs=1e-12)
    grid = np.linspace(0, 1, 4001)
    miss = reply(0, reply(1, grid)) - grid
    crossings = [
        brentq(lambda x: reply(0, reply(1, x)) - x, grid[k], grid[k + 1])
        for k in np.flatnonzero(np.sign(miss[:-1]) * np.sign(miss[1:]) < 0)
    ]
    found = np.array([e.profile[0][0] for e in solve(game, 0, eps)])
    assert all(np.abs(found - x).min() < 1e-9 for x in crossings)
    limit = np.array([e.profile[0][0] for e in solve(game, 1e-9, eps)])
    assert all(np.abs(limit - x).min() < 1e-5 for x in crossings if eps > 0.5)


@settings(deadline=None, max_examples=20)
@given(seed=SEEDS, tau=st.floats(0.05, 5), adversary=st.sampled_from(["kl", "reverse_kl", "total_variation"]))
def test_the_risk_value_is_the_adversarys_infimum(seed, tau, adversary):
    rng = np.random.default_rng(seed)
    v, y = rng.normal(size=3), rng.dirichlet(np.full(3, 3.0))
    prices = {
        "kl": lambda p: (p * np.log(p / y)).sum(),
        "reverse_kl": lambda p: (y * np.log(y / p)).sum(),
        "total_variation": lambda p: np.abs(p - y).sum() / 2,
    }

    def cost(theta):
        p = np.exp(theta - np.logaddexp.reduce(theta))
        return p @ v + prices[adversary](np.maximum(p, 1e-300)) / tau

    variant = Variant(adversary=adversary)
    value, reply = variant.value(v, np.log(y), tau), variant.reply(v, np.log(y), tau)
    assert reply.sum() == pytest.approx(1, abs=1e-12)
    assert v @ reply + prices[adversary](np.maximum(reply, 1e-300)) / tau == pytest.approx(value, abs=1e-9)
    best = min(
        minimize(cost, start, method="Nelder-Mead", options={"maxiter": 4000, "xatol": 1e-9, "fatol": 1e-12}).fun
        for start in (np.log(y), np.log(np.maximum(reply, 1e-9)))
    )
    assert best >= value - 1e-9
    if adversary != "total_variation":
        assert best == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: f"{v.adversary}-{v.regulariser}-{v.action_dependent}")
@pytest.mark.parametrize("tau", [0.0, 0.7, 20.0, np.inf])
def test_best_responses_of_every_variant_cannot_be_beaten(variant, tau):
    rng = np.random.default_rng(3)
    for shape in ((2, 3), (3, 2)):
        payoff, log_y = rng.normal(size=shape), np.log(rng.dirichlet(np.ones(shape[1])))
        best = best_response(payoff, log_y, tau, 0.3, variant)
        value = utility(payoff, best, log_y, tau, 0.3, variant)
        assert np.exp(best).sum() == pytest.approx(1, abs=1e-12)
        for scale in (1.0, 1e-2, 1e-4, 1e-6):
            other = best + scale * rng.normal(size=(20, shape[0]))
            other -= np.logaddexp.reduce(other, axis=1, keepdims=True)
            assert max(utility(payoff, x, log_y, tau, 0.3, variant) for x in other) <= value + 1e-11


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: f"{v.adversary}-{v.regulariser}-{v.action_dependent}")
def test_every_variant_is_solved_with_a_certificate(variant):
    for tau in (0.5, 5.0, np.inf):
        proved(solve(VOLUNTEER, tau, 0.2, variant))


def test_the_variants_are_different_concepts():
    plain = solve(VOLUNTEER, 5, 0.2)[0].profile[0][0]
    outside = solve(VOLUNTEER, 5, 0.2, Variant(action_dependent=True))[0].profile[0][0]
    others = [
        solve(VOLUNTEER, 5, 0.2, Variant(adversary=a))[0].profile[0][0] for a in ("reverse_kl", "total_variation")
    ]
    values = [plain, outside, *others]
    assert min(abs(a - b) for i, a in enumerate(values) for b in values[:i]) > 1e-3


def test_many_starts_find_what_the_exact_scan_finds():
    """A dummy third action that nobody wants makes the 2 × 2 game a 3 × 3 one."""
    table = np.full((3, 3), -30.0)
    table[:2, :2] = VOLUNTEER.first
    table[:2, 2] = 0.6, 1.0
    for tau in (0, 0.5, 2):
        found = proved(solve(bimatrix(table), tau, 0.2))
        assert first(found) == first(solve(VOLUNTEER, tau, 0.2))


@settings(deadline=None, max_examples=12)
@given(seed=SEEDS, tau=st.floats(0, 20), eps=st.floats(0.1, 2), scale=st.floats(0.1, 10))
def test_units_and_constants_change_nothing(seed, tau, eps, scale):
    rng = np.random.default_rng(seed)
    game = drawn(rng, 2, 2)
    moved = bimatrix(*(scale * m + rng.normal() for m in game.payoffs))
    here, there = proved(solve(game, tau, eps)), proved(solve(moved, tau / scale, scale * eps))
    assert len(here) == len(there)
    for one, two in zip(here, there, strict=True):
        np.testing.assert_allclose(np.array(one.profile), np.array(two.profile), atol=1e-7)


def test_random_games_of_several_sizes():
    rng = np.random.default_rng(0)
    for rows, columns in ((1, 3), (2, 3), (3, 2), (3, 3), (4, 2)):
        for tau in (0.0, 1.0, 10.0):
            proved(solve(drawn(rng, rows, columns), tau, 0.4, starts=4))


@settings(deadline=None, max_examples=15)
@given(seed=SEEDS, tau=st.floats(0.01, 20))
def test_utility_falls_with_tau_and_lies_between_worst_and_mean(seed, tau):
    rng = np.random.default_rng(seed)
    v, log_y = rng.normal(size=4), np.log(rng.dirichlet(np.ones(4)))
    for adversary in ADVERSARIES:
        variant = Variant(adversary=adversary)
        levels = [float(variant.value(v, log_y, t)) for t in (0.0, tau / 2, tau, 2 * tau, np.inf)]
        assert (np.diff(levels) <= 1e-9).all()


def test_maximin_is_the_limit():
    for variant in VARIANTS:
        end = solve(VOLUNTEER, np.inf, 0.2, variant)[0].profile[0][0]
        assert solve(VOLUNTEER, 1e6, 0.2, variant)[0].profile[0][0] == pytest.approx(end, abs=1e-4)


@settings(deadline=None, max_examples=12)
@given(seed=SEEDS, eps=st.floats(0.2, 1), delta=st.floats(0.02, 0.5))
def test_free_riding_dies_where_theorem_4_2_says(seed, eps, delta):
    rng = np.random.default_rng(seed)
    reward, costs = rng.random((2, 2)), rng.random(2)
    game = bimatrix((reward + reward.T) / 2 - costs[:, None], costs=(costs, costs))
    threshold = free_riding_threshold(game, eps, delta)
    for tau in (threshold * 1.0001, threshold * 3):
        assert all(e.free_riding <= delta for e in solve(game, tau, eps))


def test_theorem_4_2_in_numbers():
    assert free_riding_threshold(VOLUNTEER, 0.2, 0.1) == pytest.approx(2 * (0.2 * np.log(2) + 1) * 0.16 / 0.04 / 0.01)
    with pytest.raises(Refused, match="same game"):
        free_riding_threshold(bimatrix([[1, 0], [0, 0]], [[0, 0], [0, 1]]), 0.2, 0.1)


def test_the_certificate_catches_what_is_no_equilibrium():
    true = solve(VOLUNTEER, 2, 0.2)[0]
    for shift in (1e-3, 0.05):
        x = true.profile[0] + np.array([shift, -shift])
        wrong = certify(VOLUNTEER, (np.log(x), np.log(true.profile[1])), 2, 0.2)
        assert wrong.residual >= shift / 2
        assert wrong.exploitability > shift**2 / 10 > 1e-9 * 10


def test_nearly_rational_players_are_no_trouble():
    for tau in (0, 5, 100, np.inf):
        for e in proved(solve(VOLUNTEER, tau, 1e-3)):
            assert np.isfinite(slope(VOLUNTEER, e.logs, tau, 1e-3))
    corners = {tuple(np.round(e.profile, 3)[:, 0]) for e in solve(VOLUNTEER, 0, 1e-3)}
    assert {(0.0, 1.0), (1.0, 0.0)} < corners
    assert len(corners) == 3  # and the mixed one: 1 − y = c, so y = .6
    assert (0.6, 0.6) in {tuple(np.round(c, 2)) for c in corners}


def test_what_cannot_be_solved_is_refused():
    for tau, eps in ((-1, 0.2), (np.nan, 0.2), (1, 0), (1, np.inf), ((1, 2, 3), 0.2)):
        with pytest.raises(Refused, match="want"):
            solve(VOLUNTEER, tau, eps)
    with pytest.raises(Refused, match="reverse_kl"):
        build(Variant, {"adversary": "reverse_k"})
    with pytest.raises(Refused, match="shapes"):
        bimatrix([[1, 2]], [[1, 2]])
    with pytest.raises(Refused, match="seats"):
        from_matrix(Matrix(seats=3))
