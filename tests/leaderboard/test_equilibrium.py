"""Equilibria: games solved by hand and published ones, copies that change nothing, and no better mixture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from crossplay.leaderboard.equilibrium import alpha_rank, maximum_entropy_nash, stationary

CYCLE = np.array([[0, 1, -1], [-1, 0, 1], [1, -1, 0]], dtype=float)
BIASED = np.array([[0, -0.5, 1], [0.5, 0, -0.1], [-1, 0.1, 0]])  # [Omidshafiei2019], biased rock, paper, scissors


def entropy(p):
    return -np.sum(p[p > 0] * np.log(p[p > 0]))


@pytest.mark.parametrize(
    ("payoffs", "rows", "columns", "value"),
    [
        ([[1, -1], [-1, 1]], [0.5, 0.5], [0.5, 0.5], 0),
        ([[3, 0], [1, 2]], [0.25, 0.75], [0.5, 0.5], 1.5),
        ([[2, 5], [1, 9]], [1, 0], [1, 0], 2),
        (CYCLE, [1 / 3] * 3, [1 / 3] * 3, 0),
        (BIASED, [0.0625, 0.625, 0.3125], [0.0625, 0.625, 0.3125], 0),
        (np.full((2, 4), 7.0), [0.5, 0.5], [0.25] * 4, 7),
        ([[1, 1, 3], [1, 1, 0]], [0.5, 0.5], [0.5, 0.5, 0], 1),  # rows: any with a third or more of the first
        ([[1, 1, 1.25], [1, 1, 0]], [0.8, 0.2], [0.5, 0.5, 0], 1),  # rows: any with 0.8 or more of the first
        ([[5.0]], [1], [1], 5),
    ],
)
def test_games_solved_by_hand(payoffs, rows, columns, value):
    found = maximum_entropy_nash(np.array(payoffs, dtype=float))
    np.testing.assert_allclose(found.columns, columns, atol=1e-6)
    assert found.value == pytest.approx(value)
    np.testing.assert_allclose(found.rows, rows, atol=1e-6)


@st.composite
def games(draw):
    """Small whole numbers, so that ties, copies and many equilibria are common."""
    rows, columns = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    values = draw(st.lists(st.integers(-2, 2), min_size=rows * columns, max_size=rows * columns))
    return np.array(values, dtype=float).reshape(rows, columns)


@settings(max_examples=60, deadline=None)
@given(games(), st.randoms(use_true_random=False))
def test_it_is_an_equilibrium_and_no_other_is_more_even(payoffs, random):
    found = maximum_entropy_nash(payoffs)
    for strategy in (found.rows, found.columns):
        assert strategy.sum() == pytest.approx(1)
        assert strategy.min() >= 0
    assert (payoffs @ found.columns).max() == pytest.approx(found.value, abs=1e-6)
    assert (found.rows @ payoffs).min() == pytest.approx(found.value, abs=1e-6)
    for _ in range(5):
        goal = [random.random() for _ in found.rows]
        other = linprog(
            goal, A_ub=-payoffs.T, b_ub=[1e-9 - found.value] * payoffs.shape[1], A_eq=[[1.0] * len(goal)], b_eq=[1.0]
        ).x
        for share in (0.01, 0.3, 1.0):
            assert entropy((1 - share) * found.rows + share * other) <= entropy(found.rows) + 1e-6


@settings(max_examples=30, deadline=None)
@given(games(), st.data())
def test_copies_share_and_change_nothing(payoffs, data):
    row, column = data.draw(st.integers(0, len(payoffs) - 1)), data.draw(st.integers(0, payoffs.shape[1] - 1))
    single = maximum_entropy_nash(payoffs)
    twice = maximum_entropy_nash(np.hstack([payoffs, np.tile(payoffs[:, [column]], 3)]))
    assert twice.value == pytest.approx(single.value, abs=1e-7)
    copies = [column, *range(payoffs.shape[1], payoffs.shape[1] + 3)]
    np.testing.assert_allclose(twice.columns[copies], twice.columns[column], atol=1e-4)
    double = maximum_entropy_nash(np.vstack([payoffs, payoffs[[row]]]))
    assert double.value == pytest.approx(single.value, abs=1e-7)
    np.testing.assert_allclose(double.rows[row], double.rows[-1], atol=1e-4)


def test_copies_share_what_the_one_would_get():
    """[Balduzzi2018], section 3: of A, B, C in a circle, a copy of C takes half of its third."""
    with_copy = np.vstack([CYCLE, CYCLE[2]])[:, [0, 1, 2, 2]]
    found = maximum_entropy_nash(4.6 * with_copy)
    np.testing.assert_allclose(found.rows, [1 / 3, 1 / 3, 1 / 6, 1 / 6], atol=1e-6)
    np.testing.assert_allclose(4.6 * with_copy @ found.columns, 0, atol=1e-5)
    random = np.random.default_rng(3).random((12, 30))
    averages = [
        random @ maximum_entropy_nash(np.hstack([random] * copies)).columns.reshape(copies, 30).sum(axis=0)
        for copies in (1, 3)
    ]
    np.testing.assert_allclose(*averages, atol=1e-7)


def test_a_cycle_is_even_and_the_dominated_get_nothing():
    np.testing.assert_allclose(alpha_rank(CYCLE), [1 / 3] * 3)
    np.testing.assert_allclose(alpha_rank(BIASED), [1 / 3] * 3, atol=1e-8)  # as published; Nash is far from even
    ladder = np.sign(np.subtract.outer(range(4), range(4)))
    np.testing.assert_allclose(alpha_rank(ladder), [0, 0, 0, 1], atol=1e-8)
    below = np.pad(CYCLE, (0, 1), constant_values=1)
    below[3, :], below[3, 3] = -1, 0
    np.testing.assert_allclose(alpha_rank(below), [1 / 3, 1 / 3, 1 / 3, 0], atol=1e-8)
    np.testing.assert_allclose(alpha_rank(np.eye(2)), [0.5, 0.5])  # neither invades the other
    np.testing.assert_allclose(alpha_rank([[1.0, 0.0], [2.0, 0.5]]), [0, 1], atol=1e-8)  # the prisoners' dilemma
    assert alpha_rank(np.zeros((1, 1))).tolist() == [1.0]


def test_the_stationary_distribution_is_the_chains():
    rates = np.random.default_rng(0).random((6, 6)) / 6
    chain = rates - np.diag(np.diag(rates)) + np.diag(1 - rates.sum(axis=1) + np.diag(rates))
    found = stationary(rates)
    np.testing.assert_allclose(found @ chain, found, rtol=1e-12)
    np.testing.assert_allclose(stationary(np.array([[0, 1e-30], [1e-20, 0]])), [1, 1e-10], rtol=1e-9)
