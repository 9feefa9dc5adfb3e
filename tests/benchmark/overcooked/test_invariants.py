"""What no play can break: things are conserved, cooks stay apart, pots keep time, batches do not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossplay.benchmark.games.overcooked.events import EVENTS
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.games.overcooked.layouts import DISHES, ONIONS, SERVING, TOMATOES, layout_names
from crossplay.benchmark.games.overcooked.tables import DISH, ONION, SOUP, TOMATO
from crossplay.benchmark.seeding import spread

games = st.builds(
    Overcooked,
    layout=st.sampled_from(layout_names()),
    dynamics=st.sampled_from(["classic", "interact"]),
    random_starts=st.sampled_from([0.0, 0.3, 1.0]),
)


def held(codes):
    """Onions, tomatoes and dishes in coded things outside pots, [..., 3]."""
    soup = codes >= SOUP
    onions = (codes == ONION) + soup * (codes & 3)
    tomatoes = (codes == TOMATO) + soup * ((codes >> 2) & 3)
    return np.stack([onions, tomatoes, (codes == DISH) + soup.astype(int)], axis=-1)


def stock(state):
    """Onions, tomatoes and dishes in each kitchen, [episodes, 3]; a soup in a pot has no dish."""
    pots = state.tables.pots
    inside = held(state.items[:, :pots].astype(int)) * [1, 1, 0]
    loose = held(state.items[:, pots:].astype(int)).sum(axis=1)
    return held(state.cooks[:, :, 2].astype(int)).sum(axis=1) + loose + inside.sum(axis=1)


def traffic(state, actions):
    """What this step will take from dispensers less what it will serve, [episodes, 3]."""
    front = state.tables.front[state.cooks[:, :, 0], state.cooks[:, :, 1]]
    kind, hand = state.tables.kind[front], state.cooks[:, :, 2].astype(int)
    taken = np.stack([kind == source for source in (ONIONS, TOMATOES, DISHES)], axis=-1) & (hand == 0)[..., None]
    served = held(hand) * ((kind == SERVING) & (hand >= SOUP))[..., None]
    return ((taken.astype(int) - served) * (actions == 5)[..., None]).sum(axis=1)


@settings(deadline=None, max_examples=40)
@given(game=games, seed=st.integers(0, 2**32))
def test_things_are_conserved_and_cooks_stay_apart(game, seed):
    rng = np.random.default_rng(seed)
    state = game.reset(spread(seed, 8))
    for _ in range(60):
        actions = rng.choice(6, (8, 2), p=[0.15, 0.15, 0.15, 0.15, 0.05, 0.35])
        expected = stock(state) + traffic(state, actions)
        state, paid = game.step(state, actions)
        np.testing.assert_array_equal(stock(state), expected)
        assert (state.cooks[:, 0, 0] != state.cooks[:, 1, 0]).all()
        assert np.isin(state.cooks[:, :, 0], state.tables.floor).all()
        pots = state.items[:, : state.tables.pots]
        times = state.tables.time[pots & 15]
        assert ((state.cook >= -1) & (state.cook <= times)).all()
        assert (state.cook[pots == 0] == -1).all()
        if game.dynamics == "classic":
            assert ((state.tables.size[pots & 15] == 3) == (state.cook >= 0)).all()
        idle = paid.events[:, :, EVENTS.index("idle")]
        np.testing.assert_array_equal(idle, actions == 4)


@pytest.mark.parametrize("dynamics", ["classic", "interact"])
@pytest.mark.parametrize("layout", ["cramped_room", "soup_coordination"])
def test_an_episode_alone_equals_the_same_episode_in_a_batch(layout, dynamics):
    game = Overcooked(layout=layout, dynamics=dynamics, random_starts=0.5)
    seeds, rng = spread(11, 33), np.random.default_rng(5)
    actions = rng.integers(0, 6, (100, 33, 2))
    together, alone = game.reset(seeds), [game.reset(seeds[row : row + 1]) for row in range(33)]
    for chosen in actions:
        _, paid = game.step(together, chosen)
        for row, state in enumerate(alone):
            _, single = game.step(state, chosen[row : row + 1])
            for name in paid._fields:
                np.testing.assert_array_equal(getattr(paid, name)[row], getattr(single, name)[0])
    for view in game.spec.views:
        seen = game.observe(together, view).features
        for row, state in enumerate(alone):
            np.testing.assert_array_equal(seen[row], game.observe(state, view).features[0])
