"""Symmetric games of several players: pooled counts against joint actions one by one."""

import itertools

import numpy as np
import pytest

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games import Matrix
from crossplay.benchmark.theory.symmetric import certify_symmetric, counted, from_matrix, solve_symmetric
from crossplay.benchmark.theory.variant import Variant


@pytest.mark.parametrize(("tau", "x"), [(0, 0.5555), (0.5, 0.5837), (2, 0.6486), (10, 0.7942)])
def test_two_players_are_the_bimatrix_game(tau, x):
    (found,) = solve_symmetric(from_matrix(Matrix()), tau, 0.2)
    assert found.x[0] == pytest.approx(x, abs=5e-5)


@pytest.mark.parametrize("game", ["volunteer", "weakest_link", "stag_hunt"])
@pytest.mark.parametrize("seats", [3, 5])
def test_the_entropic_response_by_hand_over_all_joint_actions(game, seats):
    """x = softmax(E_p u / ε), p over the others' joint actions ∝ P(a) exp(−τ v(a))."""
    matrix, tau, eps = Matrix(game=game, seats=seats), 3.0, 0.3
    rewards, costs, _ = matrix.tables
    for e in solve_symmetric(from_matrix(matrix), tau, eps):
        joints = list(itertools.product((0, 1), repeat=seats - 1))
        u = np.array([[rewards[(own, *j, 0)] - costs[0, own] for j in joints] for own in (0, 1)])
        p = np.array([np.prod(e.x[list(j)]) for j in joints]) * np.exp(-tau * (e.x @ u))
        x = np.exp(u @ (p / p.sum()) / eps)
        np.testing.assert_allclose(e.x, x / x.sum(), atol=1e-11)
        assert e.residual <= 1e-9
        assert -1e-12 <= e.exploitability <= 1e-9


def test_coordination_has_several_symmetric_equilibria():
    found = solve_symmetric(from_matrix(Matrix(game="stag_hunt", seats=3)), 0, 0.05)
    assert len(found) == 3
    assert found[0].x[0] > 0.99
    assert found[-1].x[0] < 0.01


def test_risk_aversion_mends_the_volunteers_dilemma_of_four():
    game = from_matrix(Matrix(seats=4))
    levels = [solve_symmetric(game, tau, 0.2)[0].x[0] for tau in (0, 1, 3, 10, np.inf)]
    assert (np.diff(levels) > 0).all()


def test_three_actions_and_a_certificate_that_catches():
    level = np.array([1.0, 0.5, 0.0])
    payoffs = np.sqrt(level[:, None, None] + level[:, None] + level)
    matrix = Matrix(game="custom", seats=3, payoffs=payoffs.tolist(), costs=[(0.5 * level).tolist()] * 3)
    game = from_matrix(matrix)
    assert game.payoffs.shape == (3, 6)
    for e in solve_symmetric(game, 2, 0.2, starts=6):
        assert e.residual <= 1e-9
        assert -1e-12 <= e.exploitability <= 1e-9
        wrong = certify_symmetric(game, np.log(e.x + np.array([1e-3, -1e-3, 0])), 2, 0.2)
        assert wrong.exploitability > 1e-8
        assert wrong.residual > 1e-4


@pytest.mark.parametrize("adversary", ["reverse_kl", "total_variation"])
def test_other_adversaries(adversary):
    for e in solve_symmetric(from_matrix(Matrix(seats=3)), 4, 0.2, Variant(adversary=adversary)):
        assert e.residual <= 1e-9


def test_what_is_not_symmetric_is_refused():
    with pytest.raises(Refused, match="not symmetric"):
        from_matrix(Matrix(game="custom", payoffs=[[0, 1], [2, 0]]))
    with pytest.raises(Refused, match="same actions"):
        from_matrix(Matrix(game="custom", payoffs=[[0, 1], [1, 0]], costs=[[0, 1], [0, 0]]))
    with pytest.raises(Refused, match="shape"):
        counted([[1, 2]], 2)
