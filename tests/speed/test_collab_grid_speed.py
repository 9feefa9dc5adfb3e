"""collab-grid's speed through Game.step: `pytest tests/speed/test_collab_grid_speed.py --benchmark-enable`."""

import numba
import numpy as np
import pytest

from crossplay.benchmark.games import CollabGrid
from crossplay.benchmark.seeding import spread

GAME, EPISODES = CollabGrid(), 16_384


@pytest.mark.parametrize("view", [None, "ego"], ids=["step", "step and observe"])
def test_collab_grid_steps(benchmark, view):
    """One round is one step of 16,384 episodes of random play on one thread; `Msteps_per_s_*` are in the extra info."""
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    actions = np.random.default_rng(0).integers(0, 5, (GAME.spec.horizon, EPISODES, 2))
    state = GAME.reset(spread(0, EPISODES))
    time = 0

    def step():
        nonlocal state, time
        state, _ = GAME.step(state, actions[time % GAME.spec.horizon])
        time += 1
        if view:
            GAME.observe(state, view)

    try:
        benchmark(step)
    finally:
        numba.set_num_threads(threads)
    assert state.time == time > 0
    if benchmark.enabled:
        for name, which in (("best", "min"), ("median", "median"), ("worst", "max")):
            benchmark.extra_info[f"Msteps_per_s_{name}"] = round(EPISODES / benchmark.stats[which] / 1e6, 1)
