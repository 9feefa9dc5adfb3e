"""Backward induction: one step is the matrix game, repetition adds up, the corridor by hand."""

import numpy as np
import pytest

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games import Matrix
from crossplay.benchmark.theory.bimatrix import from_matrix
from crossplay.benchmark.theory.corridor import State, corridor, states
from crossplay.benchmark.theory.markov import solve_markov, tabular
from crossplay.benchmark.theory.rqe import solve

VOLUNTEER = from_matrix(Matrix())
REWARDS = np.stack([VOLUNTEER.first, VOLUNTEER.second.T])[:, None]


def test_repeating_a_game_repeats_its_equilibrium():
    game = tabular(np.ones((1, 2, 2, 1)), REWARDS, [1.0], horizon=3)
    (once,) = solve(VOLUNTEER, 2, 0.2)
    for counts, bonus in ((True, 0.0), (False, -0.2 * (once.profile[0] @ -np.log(once.profile[0])))):
        found = solve_markov(game, 2, 0.2, entropy_counts=counts)
        np.testing.assert_allclose(found.policies[0][:, 0], np.tile(once.profile[0], (3, 1)), atol=1e-9)
        np.testing.assert_allclose(found.values[0, :, 0], (once.utilities[0] + bonus) * np.arange(3, -1, -1), atol=1e-9)
        assert found.payoffs == pytest.approx([3 * p for p in once.payoffs])
        assert (found.choices == 1).all()


def test_two_steps_by_hand():
    """Both C leads to a state that pays 1 to both whatever they do: the first stage is the matrix game plus that."""
    transitions = np.zeros((3, 2, 2, 3))
    transitions[0, :, :, 2] = transitions[1, :, :, 1] = transitions[2, :, :, 2] = 1
    transitions[0, 0, 0] = 0, 1, 0
    rewards = np.zeros((2, 3, 2, 2))
    rewards[:, 0] = REWARDS[:, 0]
    rewards[:, 1] = 1.0
    found = solve_markov(tabular(transitions, rewards, [1.0, 0, 0], 2), 1.5, 0.3, entropy_counts=False)
    bonus = np.array([[1.0, 0.0], [0.0, 0.0]])
    stage = from_matrix(Matrix(game="custom", payoffs=(VOLUNTEER.first + bonus).tolist()))
    table = type(VOLUNTEER)(VOLUNTEER.first + bonus, VOLUNTEER.second + bonus, VOLUNTEER.costs)
    wanted = max(solve(table, 1.5, 0.3), key=lambda e: sum(e.utilities))
    np.testing.assert_allclose(found.policies[0][0, 0], wanted.profile[0], atol=1e-9)
    np.testing.assert_allclose(found.policies[1][0, 0], wanted.profile[1], atol=1e-9)
    assert stage.first == pytest.approx(VOLUNTEER.first + bonus)
    assert found.values[0, 1].tolist() == pytest.approx([_alone(0), 1.0, 0.0], abs=1e-9)


def _alone(seat):
    best = max(solve(VOLUNTEER, 1.5, 0.3), key=lambda e: sum(e.utilities))
    return best.utilities[seat] - 0.3 * float(best.profile[seat] @ -np.log(best.profile[seat]))


def test_the_corridor_by_hand():
    game, names = corridor(cells=2, respawn=0.25), states(2)
    begin = names.index(State((1, 1), (0, 0), 1))
    assert game.start[begin] == 1
    left, right, stay = 0, 1, 2
    both = game.transitions[begin, left, left]  # either may be first, one finds the onion, it regrows with .25
    for carrying in ((1, 0), (0, 1)):
        assert both[names.index(State((0, 0), carrying, 1))] == pytest.approx(0.125)
        assert both[names.index(State((0, 0), carrying, 0))] == pytest.approx(0.375)
    assert game.rewards[:, begin, left, left].tolist() == pytest.approx([0.8, 0.8])
    assert game.rewards[:, begin, left, stay].tolist() == pytest.approx([0.8, 1.0])
    loaded = names.index(State((1, 0), (1, 0), 0))
    assert game.rewards[:, loaded, right, stay].tolist() == pytest.approx([9.8, 10.0])
    after = game.transitions[loaded, right, stay]
    assert after[names.index(State((1, 0), (0, 0), 0))] == pytest.approx(0.75)
    assert after[names.index(State((1, 0), (0, 1), 0))] == 0  # regrown onions are found at one's next turn
    assert after[names.index(State((1, 0), (0, 0), 1))] == pytest.approx(0.25)


def test_the_corridor_is_solved_with_a_certificate_and_mirrored():
    game = corridor(cells=1, horizon=3)
    found = solve_markov(game, 1.0, 0.8)
    assert found.residual <= 1e-9
    assert -1e-12 <= found.exploitability <= 1e-9
    assert (found.choices == 1).all()
    assert found.payoffs[0] == pytest.approx(found.payoffs[1], abs=1e-8)
    assert found.free_riding == pytest.approx(0, abs=1e-8)
    assert 0 < found.payoffs[0] < 20


def test_broken_arrays_are_refused():
    with pytest.raises(Refused, match="sum to one"):
        tabular(np.full((1, 2, 2, 1), 0.5), REWARDS, [1.0], 1)
    with pytest.raises(Refused, match="shapes"):
        tabular(np.ones((1, 2, 2, 1)), REWARDS[0], [1.0], 1)
    with pytest.raises(Refused, match="horizon"):
        tabular(np.ones((1, 2, 2, 1)), REWARDS, [1.0], 0)
    with pytest.raises(Refused, match="cells"):
        corridor(0)
