"""SRPO's resting point: one step is the matrix game, two steps by hand, the corridor stage by stage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games import Matrix
from crossplay.benchmark.theory.bimatrix import bimatrix, from_matrix
from crossplay.benchmark.theory.corridor import Pay, corridor
from crossplay.benchmark.theory.duel import apart, solve_duel
from crossplay.benchmark.theory.markov import solve_markov, tabular
from crossplay.benchmark.theory.rqe import solve

VOLUNTEER = from_matrix(Matrix())


def repeated(game, horizon=1):
    rewards = np.stack([game.first, game.second.T])[:, None]
    return tabular(np.ones((1, *game.first.shape, 1)), rewards, [1.0], horizon)


def softmax(z):
    x = np.exp(z - z.max())
    return x / x.sum()


@pytest.mark.parametrize("tau", [0.0, 0.5, 0.8, 1.0, 10.0, 100.0])
def test_one_step_is_the_matrix_games_equilibrium(tau):
    found, wanted = solve_duel(repeated(VOLUNTEER), tau, 0.2), solve(VOLUNTEER, tau, 0.2)
    best = max(sum(e.utilities) for e in wanted)
    assert found.choices.tolist() == [[len(wanted)]]
    assert found.residual <= 1e-9
    profile = [x[0, 0] for x in found.heroes]
    assert any(np.allclose(profile, e.profile, atol=1e-9) for e in wanted if sum(e.utilities) > best - 1e-9)
    if tau in (0.5, 10.0):
        assert sorted(round(x[0], 4) for x in profile) == {0.5: [0.2802, 0.8425], 10.0: [0.7942, 0.7942]}[tau]


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), taus=st.tuples(st.floats(0, 5), st.floats(0, 5)), eps=st.floats(0.5, 2))
def test_one_step_of_random_games_of_three_by_two(seed, taus, eps):
    rng = np.random.default_rng(seed)
    game = bimatrix(rng.normal(size=(3, 2)), rng.normal(size=(2, 3)))
    found, wanted = solve_duel(repeated(game), taus, (eps, 2 * eps), starts=6), solve(game, taus, (eps, 2 * eps))
    gaps = [max(np.abs(x[0, 0] - y).max() for x, y in zip(found.heroes, e.profile, strict=True)) for e in wanted]
    assert min(gaps) <= 1e-7
    paid = wanted[int(np.argmin(gaps))].payoffs
    np.testing.assert_allclose(found.payoffs, paid, atol=1e-7)
    assert all(x.sum(axis=2) == pytest.approx(1, abs=1e-12) for x in (*found.heroes, *found.adversaries))


def test_two_steps_by_hand():
    """The last step is the matrix game; what it leaves behind is V to the heroes and V + KL/τ to the adversaries."""
    tau, eps = 2.0, 0.2
    leads = np.zeros((3, 2, 2, 3))
    leads[0, :, :, 2] = leads[1, :, :, 2] = leads[2, :, :, 2] = 1
    leads[0, 0, 0] = 0, 1, 0  # both C: the volunteer game is played, otherwise nothing happens any more
    rewards = np.zeros((2, 3, 2, 2))
    rewards[:, 1] = np.stack([VOLUNTEER.first, VOLUNTEER.second.T])
    found = solve_duel(tabular(leads, rewards, [1.0, 0, 0], 2), tau, eps)
    (last,) = solve(VOLUNTEER, tau, eps)
    x = last.profile[0]
    p = softmax(np.log(x) - tau * (VOLUNTEER.first.T @ x))
    value = x @ VOLUNTEER.first @ p
    price = value + (p * np.log(p / x)).sum() / tau
    np.testing.assert_allclose(found.values[:, 1, 1], value, atol=1e-9)
    np.testing.assert_allclose(found.prices[:, 1, 1], price, atol=1e-9)
    hero, foe = (np.array([[worth, 0.0], [0.0, 0.0]]) for worth in (value, price))
    y = np.array([0.5, 0.5])
    for _ in range(500):  # symmetric and contracting: the plain iteration settles
        y = softmax(hero @ softmax(np.log(y) - tau * (foe.T @ y)) / eps)
    np.testing.assert_allclose(found.heroes[0][0, 0], y, atol=1e-9)
    np.testing.assert_allclose(found.heroes[1][0, 0], y, atol=1e-9)
    assert found.choices[:, 0].tolist() == [1, 0], "the start is not come back to"


def test_every_stage_of_the_corridor_read_again():
    """x = softmax(A p/ε), p ∝ y exp(−τ Bᵀx), V and C as they are defined, looped over states one by one."""
    game, tau, eps = corridor(1, 3, pay=Pay(0.1, 1.0, 0.1)), 5.0, 0.2
    found = solve_duel(game, tau, eps)
    assert found.residual <= 1e-9
    assert found.choices.max() == 1
    for t, s in np.argwhere(found.choices > 0):
        for seat in (0, 1):
            x, y, p = found.heroes[seat][t, s], found.heroes[1 - seat][t, s], found.adversaries[seat][t, s]
            earned, charged = (
                game.rewards[seat, s] + game.transitions[s] @ ahead[seat, t + 1]
                for ahead in (found.values, found.prices)
            )
            if seat == 1:
                earned, charged = earned.T, charged.T
            np.testing.assert_allclose(p, softmax(np.log(y) - tau * (charged.T @ x)), atol=1e-9)
            np.testing.assert_allclose(x, softmax(earned @ p / eps), atol=1e-9)
            assert found.values[seat, t, s] == pytest.approx(x @ earned @ p, abs=1e-9)
            nats = (p * np.log(p / y)).sum()
            assert found.prices[seat, t, s] == pytest.approx(x @ charged @ p + nats / tau, abs=1e-9)


def test_play_leads_where_the_occupancy_says():
    game = corridor(1, 3, pay=Pay(0.1, 1.0, 0.1))
    found = solve_duel(game, 5.0, 0.2)
    np.testing.assert_allclose(found.occupancy.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_array_equal(found.occupancy[0], game.start)
    assert ((found.occupancy > 0) == (found.choices > 0)).all()
    assert found.payoffs[0] == pytest.approx(found.payoffs[1], abs=1e-9)
    total = sum(
        found.occupancy[t, s] * (found.heroes[0][t, s] @ game.rewards[0, s] @ found.heroes[1][t, s])
        for t, s in np.ndindex(*found.occupancy.shape)
    )
    assert found.payoffs[0] == pytest.approx(total, abs=1e-12)


def test_beyond_one_step_it_is_not_the_markov_equilibrium():
    game = corridor(1, 4, pay=Pay(0.0, 1.0, 0.1))
    for tau, low, high in ((0.0, 0.0, 1e-6), (15.0, 0.03, 0.05)):
        found = solve_duel(game, tau, 0.1)
        other = solve_markov(game, tau, 0.1, entropy_counts=False, starts=2)
        assert found.choices.max() == other.choices.max() == 1
        for gap in apart(found.heroes, other.policies, found.occupancy):
            assert low <= gap <= high


def test_a_price_in_the_loss_is_not_saved_up():
    game = corridor(1, 3, pay=Pay(0.1, 1.0, 0.1))
    inside, outside = (solve_duel(game, 5.0, 0.2, price_counts=counts) for counts in (True, False))
    np.testing.assert_array_equal(outside.prices, outside.values)
    assert (inside.prices >= inside.values - 1e-12).all()
    np.testing.assert_allclose(inside.heroes[0][2], outside.heroes[0][2], atol=1e-9)  # the last step is one step
    assert 0 < apart(inside.heroes, outside.heroes, inside.occupancy)[0] < 0.05


def test_distance_counts_visits():
    one = (np.full((2, 1, 2), 0.5), np.full((2, 1, 2), 0.5))
    other = (np.array([[[1.0, 0.0]], [[0.5, 0.5]]]), np.array([[[0.0, 1.0]], [[1.0, 0.0]]]))
    assert apart(one, other, np.array([[1.0], [1.0]])) == (0.25, 0.5)
    assert apart(one, other, np.array([[0.0], [1.0]])) == (0.0, 0.5)


def test_what_has_no_resting_point_to_show_is_refused():
    for tau, eps in ((np.inf, 0.2), (-1, 0.2), (1, 0)):
        with pytest.raises(Refused, match="want"):
            solve_duel(repeated(VOLUNTEER), tau, eps)
