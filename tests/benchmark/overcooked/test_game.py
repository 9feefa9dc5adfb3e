"""The game as others meet it: names, refusals, starts, words and pictures."""

import xml.etree.ElementTree as ElementTree
from itertools import product

import numpy as np
import pytest

from crossplay.benchmark.config import build
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.overcooked.draw import svg
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.games.overcooked.layouts import CLASSIC_FIVE, layout_names, load_layout, parse_layout, refusals
from crossplay.benchmark.games.overcooked.tables import region
from crossplay.benchmark.seeding import spread


def test_names_tell_configurations_apart():
    assert Overcooked().spec.name == "overcooked/cramped_room-v1"
    assert Overcooked(dynamics="interact", horizon=200).spec.name == "overcooked/cramped_room.interact.h200-v1"
    assert Overcooked(random_starts=0.5).spec.name == "overcooked/cramped_room.r50-v1"
    values = product(["pipeline", "cramped_room"], ["classic", "interact"], [40, 400], [0, 0.07, 0.29, 1 / 3, 1e-7, 1])
    games = [Overcooked(layout=a, dynamics=b, horizon=c, random_starts=d) for a, b, c, d in values]
    assert len({game.spec.name for game in games}) == len(games)


def test_layouts_covered_and_refused():
    assert len(layout_names()) == 42
    assert set(CLASSIC_FIVE) < set(layout_names())
    assert {name: text.split(": ")[-1].split(";")[0] for name, text in refusals().items()} == {
        "cramped_room_single": "1 cooks",
        "multiplayer_schelling": "4 cooks",
        "tutorial_3": "an infinite order bonus",
    }


@pytest.mark.parametrize(
    ("layout", "words"),
    [("cramped_rom", "did you mean 'cramped_room'"), ("tutorial_3", "infinite order bonus")],
)
def test_other_layouts_are_refused_with_the_reason(layout, words):
    with pytest.raises(Refused, match=words):
        build(Overcooked, {"layout": layout})


def test_a_strange_feature_in_a_layout_file_is_named():
    with pytest.raises(Refused, match="num_items_for_soup"):
        parse_layout("mine", {"grid": "XXX\nX12X\nXXX", "num_items_for_soup": 2})


@pytest.mark.parametrize("value", [{"horizon": 0}, {"random_starts": 1.5}, {"dynamics": "new"}, {"layot": "x"}])
def test_bad_fields_are_refused(value):
    with pytest.raises(Refused):
        build(Overcooked, value)


def test_illegal_actions_are_refused_with_step_seat_and_episode():
    game = Overcooked()
    state = game.reset(spread(0, 3))
    game.step(state, np.full((3, 2), 4))
    for bad in (6, -1):
        actions = np.full((3, 2), 4)
        actions[2, 1] = bad
        with pytest.raises(Refused, match=rf"step 1, episode 2: action {bad} of seat 1"):
            game.step(state, actions)
    with pytest.raises(Refused, match=r"shape \[3\]"):
        game.step(state, np.zeros(3, dtype=int))
    assert state.clock.tolist() == [1, 1, 1]


@pytest.mark.parametrize("layout", layout_names())
@pytest.mark.parametrize("dynamics", ["classic", "interact"])
def test_random_starts_are_playable(layout, dynamics):
    state = Overcooked(layout=layout, dynamics=dynamics, random_starts=0.6).reset(spread(4, 300))
    for seat, start in enumerate(state.layout.starts):
        cells = region(state.layout, start)
        assert np.isin(state.cooks[:, seat, 0], cells).all()
        assert set(cells) == set(state.cooks[:, seat, 0].tolist()) or len(cells) > 10
    assert (state.cooks[:, 0, 0] != state.cooks[:, 1, 0]).all()
    pots = state.items[:, : state.tables.pots]
    assert 0.4 < (pots > 0).mean() < 0.8
    assert ((state.tables.size[pots & 15] == 3) == (state.cook >= 0)).all() or dynamics == "interact"
    assert (state.cook <= state.tables.time[pots & 15]).all()
    assert 0.4 < (state.cooks[:, :, 2] > 0).mean() < 0.8


def test_a_start_depends_on_its_own_seed_only():
    game, seeds = Overcooked(random_starts=0.5), spread(9, 50)
    state, part = game.reset(seeds), game.reset(seeds[20:30])
    for name in ("cooks", "items", "cook"):
        np.testing.assert_array_equal(getattr(state, name)[20:30], getattr(part, name))


def test_no_random_starts_means_the_layout_as_drawn():
    state = Overcooked(layout="coordination_ring").reset(spread(0, 2))
    assert state.cooks.tolist() == [[[load_layout("coordination_ring").starts[s], 0, 0] for s in range(2)]] * 2
    assert not state.items.any()


def test_a_layout_with_a_start_state_starts_in_it():
    state = Overcooked(layout="tutorial_1").reset(spread(0, 1))
    assert sorted(state.items[0].tolist())[-1] == 16 + 2
    assert state.cooks[0, 0].tolist() == [3 * 7 + 4, 3, 0]


def test_describe_tells_both_sides_of_one_kitchen():
    game = Overcooked()
    state = game.reset(spread(0, 2))
    game.step(state, np.array([[4, 2], [4, 4]]))
    game.step(state, np.array([[4, 5], [4, 4]]))
    mine, other = game.describe(state, 1)[0], game.describe(state, 0)[0]
    assert "You are at (3, 1) facing east (onion dispenser (4, 1)), holding an onion." in mine
    assert "Your partner is at (3, 1) facing east (onion dispenser (4, 1)), holding an onion." in other
    assert "The pot at (2, 0) holds nothing." in mine
    assert len(game.describe(state, 0)) == 2


@pytest.mark.parametrize("layout", layout_names())
def test_pictures_are_whole(layout):
    state = Overcooked(layout=layout, random_starts=0.9).reset(spread(2, 3))
    for episode in range(3):
        root = ElementTree.fromstring(svg(state, episode))
        words = [node.text for node in root.iter() if node.tag.endswith("text")]
        assert {"0", "1", layout, "step 0 of 400"} <= set(words)


def test_no_episodes_at_all():
    game = Overcooked(random_starts=0.5)
    state = game.reset(spread(0, 0))
    state, paid = game.step(state, np.zeros((0, 2), dtype=int))
    assert paid.rewards.shape == (0, 2)
    assert game.observe(state, "compact").features.shape == (0, 2, 68)
