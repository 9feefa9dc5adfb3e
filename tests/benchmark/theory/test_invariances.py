"""What must not change an equilibrium, and where it must end: properties of random games."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crossplay.benchmark.theory.bimatrix import bimatrix
from crossplay.benchmark.theory.rqe import certify, solve

SEEDS = st.integers(0, 2**32 - 1)
SHAPES = st.sampled_from([(2, 2), (2, 3), (3, 3)])


def drawn(rng, shape):
    return bimatrix(rng.normal(size=shape), rng.normal(size=shape[::-1]), (rng.random(shape[0]), rng.random(shape[1])))


def solved(game, tau, eps):
    """A few starts: these are properties of every equilibrium, not of how many are found."""
    found = solve(game, tau, eps, starts=4)
    for e in found:
        assert e.residual <= 1e-9
        assert -1e-12 <= e.exploitability <= 1e-9
    return found


def still(game, profiles, tau, eps):
    """Profiles, as logs per seat, are equilibria of this game too; with the certificate as the judge."""
    for logs in profiles:
        moved = certify(game, logs, tau, eps)
        assert moved.residual <= 1e-9
        assert -1e-12 <= moved.exploitability <= 1e-8  # payoffs may have been scaled by 10


@settings(deadline=None, max_examples=12)
@given(seed=SEEDS, shape=SHAPES, tau=st.floats(0, 10), eps=st.floats(0.3, 3), scale=st.floats(0.1, 10))
def test_payoffs_scaled_with_tau_and_eps_and_moved_by_a_constant(seed, shape, tau, eps, scale):
    """(R, τ, ε) → (sR + k, τ/s, sε)."""
    rng = np.random.default_rng(seed)
    game = drawn(rng, shape)
    moved = bimatrix(*(scale * m + rng.normal() for m in game.payoffs))
    still(moved, [e.logs for e in solved(game, tau, eps)], tau / scale, scale * eps)


@settings(deadline=None, max_examples=12)
@given(seed=SEEDS, shape=SHAPES, tau=st.floats(0, 10), eps=st.floats(0.3, 3))
def test_actions_in_another_order(seed, shape, tau, eps):
    rng = np.random.default_rng(seed)
    game = drawn(rng, shape)
    p, q = rng.permutation(shape[0]), rng.permutation(shape[1])
    costs = (game.costs[0][p], game.costs[1][q])
    there = bimatrix(game.first[np.ix_(p, q)], game.second[np.ix_(q, p)], costs)
    for e in solved(game, tau, eps):
        logs = (e.logs[0][p], e.logs[1][q])
        still(there, [logs], tau, eps)
        assert certify(there, logs, tau, eps).free_riding == pytest.approx(e.free_riding, abs=1e-12)


@settings(deadline=None, max_examples=12)
@given(seed=SEEDS, shape=SHAPES, taus=st.tuples(st.floats(0, 10), st.floats(0, 10)), eps=st.floats(0.3, 3))
def test_seats_swapped_with_their_own_tau_and_eps(seed, shape, taus, eps):
    game = drawn(np.random.default_rng(seed), shape)
    there = bimatrix(game.second, game.first, game.costs[::-1])
    still(there, [e.logs[::-1] for e in solved(game, taus, (eps, 2 * eps))], taus[::-1], (2 * eps, eps))


@settings(deadline=None, max_examples=12)
@given(seed=SEEDS, shape=SHAPES, tau=st.sampled_from([0.0, 1.0, 30.0, np.inf]))
def test_without_any_rationality_play_is_uniform(seed, shape, tau):
    (found,) = solved(drawn(np.random.default_rng(seed), shape), tau, 1e6)
    for x in found.profile:
        np.testing.assert_allclose(x, 1 / len(x), atol=1e-5)


@settings(deadline=None, max_examples=6)
@given(seed=SEEDS, shape=SHAPES, eps=st.floats(1, 3))
@example(seed=113, shape=(2, 3), eps=2.0)  # too stiff for four softmaxes
def test_small_and_large_tau_come_near_quantal_response_and_maximin(seed, shape, eps):
    """At ε ≥ 1 random games of unit payoffs have one equilibrium as a rule; where not, there is nothing to compare."""
    game = drawn(np.random.default_rng(seed), shape)
    for near, end in ((1e-7, 0.0), (1e6, np.inf)):
        here, there = solved(game, near, eps), solved(game, end, eps)
        if len(here) == len(there) == 1:
            for x, y in zip(here[0].profile, there[0].profile, strict=True):
                np.testing.assert_allclose(x, y, atol=2e-3)


@pytest.mark.parametrize("eps", [0.3, 1.0])
def test_maximin_by_hand(eps):
    """Two actions, two worries: x maximises min over columns of x·M plus εH; the columns are level at the kink."""
    game = bimatrix([[2.0, 0.0], [0.0, 1.0]])
    (found,) = solve(game, np.inf, eps)
    grid = np.linspace(1e-6, 1 - 1e-6, 200_001)
    entropy = -grid * np.log(grid) - (1 - grid) * np.log(1 - grid)
    best = grid[np.argmax(np.minimum(2 * grid, 1 - grid) + eps * entropy)]
    assert found.profile[0][0] == pytest.approx(best, abs=1e-5)
