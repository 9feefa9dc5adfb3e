"""The two policies that every game has, and the memory that is only a clock."""

import numpy as np
import pytest
from scipy.stats import chi2

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Observation
from crossplay.benchmark.games import CollabGrid, Matrix
from crossplay.benchmark.policy import Clock, Constant, Uniform
from crossplay.benchmark.seeding import spread, uniforms

LEGAL = np.array([True, False, True, True, False])


def observation(episodes, legal=LEGAL):
    return Observation(np.zeros((episodes, 8), dtype=np.float32), np.tile(legal, (episodes, 1)))


def test_a_clock_draws_its_episodes_luck_at_its_step():
    clock = Clock(spread(3, 4)).tick().tick()
    assert clock.step == 2
    assert clock.draw(5).tolist() == uniforms(spread(3, 4), 2, 5).tolist()


def test_uniform_plays_every_legal_action_equally_often_and_no_other():
    policy, n = Uniform().make(CollabGrid(), None), 30_000
    memory = policy.begin(spread(1, n), 0)
    for _ in range(2):
        actions, memory = policy.act(observation(n), memory)
        counts = np.bincount(actions, minlength=5)
        assert counts[[1, 4]].tolist() == [0, 0]
        assert chi2.sf(((counts[[0, 2, 3]] - n / 3) ** 2 / (n / 3)).sum(), 2) > 1e-4


def test_uniform_reads_the_default_view_and_plays_anew_each_step():
    policy = Uniform().make(CollabGrid(), None)
    assert policy.view == "ego"
    first, memory = policy.act(observation(200), policy.begin(spread(1, 200), 0))
    second, _ = policy.act(observation(200), memory)
    assert (first != second).mean() == pytest.approx(2 / 3, abs=0.1)


@pytest.mark.parametrize(("action", "played"), [(0, 0), (2, 2), (3, 3), (1, 0), (4, 0)])
def test_constant_plays_its_action_or_the_first_legal_one(action, played):
    policy = Constant(action=action).make(CollabGrid(), None)
    actions, _ = policy.act(observation(3), policy.begin(spread(0, 3), 1))
    assert actions.tolist() == [played] * 3


def test_constant_refuses_an_action_the_game_lacks():
    with pytest.raises(Refused, match="constant: action 2 given, matrix/volunteer-v1 has actions 0 to 1"):
        Constant(action=2).make(Matrix(), None)
