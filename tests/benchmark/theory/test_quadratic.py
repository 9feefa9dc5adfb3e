"""Gaussian equilibria against hand-made closed forms and numerical integration."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.theory.quadratic import InfiniteRisk, quadratic, solve_quadratic, two_robots


@pytest.mark.parametrize("pressure", [0, 0.3, 1, 1.9])
def test_two_robots(pressure):
    eps = 0.4
    found = solve_quadratic(two_robots(2.0), pressure / eps, eps)
    np.testing.assert_allclose(found.means, 2 / (3 - pressure / 2), atol=1e-12)
    np.testing.assert_allclose(found.covariances, eps / 2)
    m = 2 / (3 - pressure / 2)
    assert found.reward == pytest.approx(-0.5 * ((2 * m - 2) ** 2 + eps))
    assert found.payoffs == pytest.approx(found.reward - 0.5 * (m**2 + eps / 2))
    assert found.residual <= 1e-12


def test_two_robots_risk_by_quadrature():
    """The partner's Gaussian, tilted by exp(−τ E u), integrated numerically: the mean is the best reply to itself."""
    tau, eps, target = 1.5, 0.6, 2.0
    mean = float(solve_quadratic(two_robots(target), tau, eps).means[0, 0])
    partner, variance = norm(mean, np.sqrt(eps / 2)), eps / 2

    def risk(own):
        def tilted(b):
            expected = -0.5 * ((own + b - target) ** 2 + variance) - 0.5 * (own**2 + variance)
            return np.exp(-tau * expected) * partner.pdf(b)

        return np.log(quad(tilted, mean - 15, mean + 15, epsabs=1e-12, epsrel=1e-12)[0]) / tau

    best = minimize_scalar(risk, bounds=(mean - 1, mean + 1), method="bounded", options={"xatol": 1e-10}).x
    assert best == pytest.approx(mean, abs=1e-6)
    printed = target / (3 - tau * eps)  # the main text's formula is off
    assert abs(best - printed) > 0.1


def test_reward_rises_with_tau_and_the_payoff_peaks_at_the_social_optimum():
    eps, taus = 0.5, np.linspace(0, 3.8, 39)
    found = [solve_quadratic(two_robots(1.0), tau, eps) for tau in taus]
    assert (np.diff([e.reward for e in found]) > 0).all()
    assert taus[np.argmax([e.payoffs[0] for e in found])] == pytest.approx(1 / eps)
    assert solve_quadratic(two_robots(1.0), 1 / eps, eps).means[0, 0] == pytest.approx(0.4)  # maximises −(2m−1)² − m²


@pytest.mark.parametrize(
    ("tau", "mean", "reward", "welfare"),
    [
        (0, 0.3333, -0.3056, -0.9722),
        (1, 0.3636, -0.2872, -0.9566),
        (2, 0.4000, -0.2700, -0.9500),
        (3, 0.4444, -0.2562, -0.9599),
    ],
)
def test_two_robots_in_four_digits(tau, mean, reward, welfare):
    """ā = 1, ε = .5: mean 1/(3 − τ/4), variance ε/2, −½((2m − 1)² + 2·ε/2), and 2 E R − m² − ε/2."""
    found = solve_quadratic(two_robots(1.0), tau, 0.5)
    assert [round(float(m), 4) for m in found.means[:, 0]] == [mean, mean]
    assert np.round(found.covariances, 4).ravel().tolist() == [0.25, 0.25]
    assert (round(found.reward, 4), round(found.welfare, 4)) == (reward, welfare)
    assert found.free_riding == pytest.approx(0, abs=1e-12)
    m = 1 / (3 - tau / 4)
    assert found.welfare == pytest.approx(-((2 * m - 1) ** 2 + 0.5) - m**2 - 0.25)


def test_robots_of_different_worth_share_unevenly():
    """Costs a₀²/2 and a₁²: at τ = 0 each works up to 1 − m₀ − m₁ = m₀ = 2 m₁, so m = (.4, .2)."""
    found = solve_quadratic(quadratic([[-1.0]], [1.0], [[[1.0]], [[2.0]]], -0.5), 0, 0.5)
    np.testing.assert_allclose(found.means[:, 0], [0.4, 0.2], atol=1e-12)
    np.testing.assert_allclose(found.spent, [(0.16 + 0.25) / 2, 0.04 + 0.5 / 3], atol=1e-12)
    assert found.free_riding == pytest.approx(abs(found.spent[0] - found.spent[1]))


def test_infinite_risk_is_refused():
    for pressure in (2.0, 2.5):
        with pytest.raises(InfiniteRisk, match="infinite"):
            solve_quadratic(two_robots(1.0), pressure / 0.5, 0.5)


def test_several_dimensions_and_players_satisfy_the_first_order_conditions():
    """Each mean maximises the risk value of a Gaussian, written out, against the others' Gaussians."""
    rng = np.random.default_rng(1)
    a = rng.normal(size=(2, 2))
    game = quadratic(-a @ a.T - np.eye(2), rng.normal(size=2), [np.eye(2), 2 * np.eye(2), np.diag([1.0, 3.0])])
    taus, eps = np.array([0.2, 0.0, 0.1]), np.array([0.3, 0.2, 0.4])
    found = solve_quadratic(game, taus, eps)

    def value(i, own):
        others = [j for j in range(3) if j != i]
        mean, spread = found.means[others].sum(axis=0), found.covariances[others].sum(axis=0)
        b = game.hessian @ own + game.linear
        fixed = own @ (game.hessian - game.costs[i]) @ own / 2 + game.linear @ own
        if taus[i] == 0:
            return fixed + mean @ game.hessian @ mean / 2 + b @ mean
        precision = np.linalg.inv(spread)
        tilt = precision + taus[i] * game.hessian
        push = precision @ mean - taus[i] * b
        log = (push @ np.linalg.solve(tilt, push) - mean @ precision @ mean) / 2
        return fixed - log / taus[i]

    for i in range(3):
        for step in 1e-4 * np.eye(2):
            up, down = value(i, found.means[i] + step), value(i, found.means[i] - step)
            assert (up - down) / 2e-4 == pytest.approx(0, abs=1e-7)
            assert up + down < 2 * value(i, found.means[i])
        np.testing.assert_allclose(
            found.covariances[i] @ (game.hessian - game.costs[i]), -eps[i] * np.eye(2), atol=1e-12
        )


def test_what_has_no_solution_is_refused():
    with pytest.raises(Refused, match="negative definite"):
        quadratic([[2.0]], [0.0], [[[1.0]], [[1.0]]])
    with pytest.raises(Refused, match="shapes"):
        quadratic([[1.0]], [0.0, 1.0], [[[1.0]], [[1.0]]])
    for tau, eps in ((-1, 0.1), (np.inf, 0.1), (1, 0)):
        with pytest.raises(Refused, match="want finite"):
            solve_quadratic(two_robots(1.0), tau, eps)
