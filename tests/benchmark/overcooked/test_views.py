"""Views: symbols against a slow reading of the state, compact and varying against the lossless planes."""

import numpy as np
import pytest

from crossplay.benchmark.games.overcooked import symbols as sy
from crossplay.benchmark.games.overcooked import varying
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.games.overcooked.layouts import layout_names
from crossplay.benchmark.games.overcooked.tables import SOUP
from crossplay.benchmark.seeding import spread

LAYOUTS = ("cramped_room", "forced_coordination", "cramped_room_tomato", "long_cook_time", "tutorial_1")


def wander(game, steps, episodes=64, seed=0):
    """Yields the same state after each step of mostly useful random play."""
    rng = np.random.default_rng(seed)
    state = game.reset(spread(seed, episodes))
    for _ in range(steps):
        yield state
        game.step(state, rng.choice(6, (episodes, 2), p=[0.16, 0.16, 0.16, 0.16, 0.01, 0.35]))


@pytest.mark.parametrize("layout", layout_names())
@pytest.mark.parametrize("dynamics", ["classic", "interact"])
def test_views_have_their_declared_shapes(layout, dynamics):
    game = Overcooked(layout=layout, dynamics=dynamics, random_starts=0.5)
    state = game.reset(spread(1, 3))
    assert next(iter(game.spec.views)) == "compact"
    for view, shape in game.spec.views.items():
        seen = game.observe(state, view)
        assert seen.features.shape == (3, 2, *shape)
        assert seen.legal.shape == (3, 2, 6)
        assert seen.legal.all()
    compact = game.observe(state, "compact").features
    assert compact.dtype == np.float32
    assert compact.min() >= 0
    assert compact.max() <= 1


def test_cramped_room_is_small():
    assert Overcooked().spec.views == {"compact": (68,), "lossless": (5, 4, 26), "varying": (109,), "symbols": (91,)}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dynamics", ["classic", "interact"])
def test_compact_tells_exactly_what_the_planes_tell(layout, dynamics):
    game = Overcooked(layout=layout, dynamics=dynamics, random_starts=0.5, horizon=60)
    planes_of, compact_of = {}, {}
    for state in wander(game, 60):
        planes = game.observe(state, "lossless").features.reshape(-1, np.prod(game.spec.views["lossless"]))
        compact = game.observe(state, "compact").features.reshape(-1, game.spec.views["compact"][0])
        for plane, vector in zip(planes, compact, strict=True):
            assert planes_of.setdefault(vector.tobytes(), plane.tobytes()) == plane.tobytes()
            assert compact_of.setdefault(plane.tobytes(), vector.tobytes()) == vector.tobytes()
    assert len(planes_of) > 1000


@pytest.mark.parametrize("layout", [*LAYOUTS, "counter_circuit_o_1order"])
@pytest.mark.parametrize("dynamics", ["classic", "interact"])
def test_varying_is_the_planes_without_what_never_changes(layout, dynamics):
    game = Overcooked(layout=layout, dynamics=dynamics, random_starts=0.5, horizon=60)
    width, height, planes = game.spec.views["lossless"]
    state = game.reset(spread(0, 64))
    seen = varying.kept(state.layout, state.tables)
    rest = []
    for moved in wander(game, 60):
        by_cell = game.observe(moved, "lossless").features.transpose(0, 1, 3, 2, 4).reshape(64, 2, -1, planes)
        told = game.observe(moved, "varying").features
        np.testing.assert_array_equal(told[:, :, :-1], by_cell[:, :, seen])
        np.testing.assert_array_equal(told[:, :, -1], by_cell[:, :, 0, 25])
        rest.append(by_cell[:, :, :, :25][:, :, ~seen[:, :25]].copy())
    assert np.ptp(np.concatenate(rest), axis=(0, 1)).max() == 0
    assert seen.sum() < 0.5 * width * height * planes


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dynamics", ["classic", "interact"])
def test_symbols_against_a_slow_reading(layout, dynamics):
    game = Overcooked(layout=layout, dynamics=dynamics, random_starts=0.5, horizon=60)
    for state in wander(game, 60, episodes=4):
        seen = game.observe(state, "symbols").features
        for row in range(4):
            for seat in range(2):
                np.testing.assert_array_equal(seen[row, seat], slow_symbols(state, row, seat))


def slow_symbols(state, row, seat):
    vector = np.zeros(sy.CELLS + 4 * len(state.tables.kind), dtype=int)
    for base, who in ((sy.OWN_CELL, seat), (sy.OTHER_CELL, 1 - seat)):
        cell, facing, what = map(int, state.cooks[row, who])
        vector[base : base + 5] = cell, facing, *parts(what)
    vector[sy.URGENCY] = state.horizon - state.clock[row] < 40
    vector[sy.CELLS + sy.COOK :: 4] = -1
    for slot, cell in enumerate(map(int, state.tables.cell)):
        what = int(state.items[row, slot])
        if what:
            ticks = state.cook[row, slot] if slot < state.tables.pots else state.tables.time[what & 15]
            at = sy.CELLS + 4 * cell
            vector[at : at + 4] = *parts(what), ticks if what >= SOUP else -1
    return vector


def parts(what):
    return (4, what & 3, (what >> 2) & 3) if what >= SOUP else (what, 0, 0)


def test_buffers_are_reused():
    game = Overcooked()
    state = game.reset(spread(0, 4))
    for view in game.spec.views:
        assert game.observe(state, view).features is game.observe(state, view).features
    first = game.step(state, np.full((4, 2), 4))[1]
    assert first.rewards is game.step(state, np.full((4, 2), 4))[1].rewards
