"""Rule partners of Overcooked: single decisions in kitchens set up by hand."""

import pytest

from crossplay.benchmark.config import from_text
from crossplay.benchmark.games import Overcooked
from crossplay.benchmark.games.overcooked.state import place
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import spread
from crossplay.populations.scripted import overcooked  # noqa: F401  registers them

NORTH, SOUTH, EAST, WEST, STAY, INTERACT = range(6)
GREEDY = "overcooked-greedy"


def kitchen(cooks, objects=(), layout="cramped_room", dynamics="classic"):
    """One episode with each seat's (place, facing, held name), and (name, place, tick or None) for what lies about."""
    game = Overcooked(layout=layout, dynamics=dynamics)
    state = game.reset(spread(0, 1))
    facing = ((0, -1), (0, 1), (1, 0), (-1, 0))
    players = [{"position": p, "orientation": facing[f], "held_object": thing(h, p)} for p, f, h in cooks]
    loose = [thing(name, place, tick) for name, place, tick in objects]
    place(state, 0, {"timestep": 0, "players": players, "objects": loose})
    return game, state


def thing(name, place, tick=-1):
    if name is None:
        return None
    if not name.startswith("soup"):
        return {"name": name, "position": place}
    onions = [{"name": "onion", "position": place}] * int(name.removeprefix("soup"))
    return {"name": "soup", "position": place, "_ingredients": onions, "_cooking_tick": -1 if tick is None else tick}


def decide(text, cooks, objects=(), **setting):
    """Seat 0's first action."""
    game, state = kitchen(cooks, objects, **setting)
    actor = from_text(POLICIES, text).make(game, None)
    return int(actor.act(game.observe(state, "symbols").of(0, slice(None)), actor.begin(spread(5, 1), 0))[0][0])


AWAY = ((3, 2), SOUTH, None)  # the partner, out of the way in cramped_room: pot (2,0), onions (0,1) (4,1), dish (1,3)
FULL = ("soup3", (2, 0), 0)
READY = ("soup3", (2, 0), 20)


@pytest.mark.parametrize(
    ("cook", "objects", "action"),
    [
        (((1, 1), WEST, None), (), INTERACT),  # takes an onion
        (((1, 1), NORTH, None), (), WEST),  # turns to the onions
        (((2, 1), NORTH, "onion"), (), INTERACT),  # pots it
        (((1, 1), WEST, "onion"), (), EAST),  # brings it
        (((1, 2), SOUTH, None), (READY,), INTERACT),  # takes a dish
        (((2, 1), NORTH, "dish"), (READY,), INTERACT),  # plates
        (((2, 1), NORTH, "dish"), (FULL,), STAY),  # waits for the soup
        (((3, 2), SOUTH, "soup3"), (), INTERACT),  # delivers
        (((2, 1), NORTH, "soup3"), (), SOUTH),  # brings the soup, by the free way
        (((1, 1), NORTH, None), (("dish", (1, 0), None), READY), INTERACT),  # takes a dish that lies about
    ],
)
def test_greedy_does_the_next_useful_thing(cook, objects, action):
    partner = ((3, 1), EAST, None) if cook[0] == (3, 2) else AWAY
    assert decide(GREEDY, [cook, partner], objects) == action


def test_greedy_does_not_fetch_what_the_partner_brings():
    """The pot wants one more onion, which the partner holds in front of it: a dish or nothing, but no onion."""
    short = (("soup2", (2, 0), None),)
    cook = ((1, 1), WEST, None)
    assert decide(GREEDY, [cook, ((2, 1), NORTH, None)], short) == INTERACT
    assert decide(GREEDY, [cook, ((2, 1), NORTH, "onion")], short) != INTERACT


def test_who_interacts_starts_a_full_pot_under_interact_rules_only():
    cooks, pot = [((2, 1), NORTH, None), AWAY], (("soup3", (2, 0), None),)
    for kind in (GREEDY, "overcooked-onion-only", "overcooked-dish-only"):
        assert decide(kind, cooks, pot, dynamics="interact") == INTERACT
    assert decide(GREEDY, cooks, (FULL,), dynamics="interact") != INTERACT


def test_specialists_leave_the_rest_alone():
    plate = ((2, 1), NORTH, "dish")
    assert decide("overcooked-dish-only", [plate, AWAY], (READY,)) == INTERACT
    assert decide("overcooked-onion-only", [((1, 2), SOUTH, None), AWAY], (READY,)) != INTERACT
    assert decide("overcooked-dish-only", [((1, 1), WEST, None), AWAY]) == STAY
    early, due = ("soup3", (2, 0), 5), ("soup3", (2, 0), 15)
    cook = ((1, 2), SOUTH, None)
    assert decide("overcooked-finisher:10", [cook, AWAY], (early,)) == STAY
    assert decide("overcooked-finisher:10", [cook, AWAY], (due,)) == INTERACT
    assert decide("overcooked-dish-only", [cook, AWAY], (early,)) == INTERACT


def test_forced_coordination_hands_over_on_the_shared_counter():
    """The left side has onions and dishes, the right side pots and the window; (2, 1) to (2, 3) are shared."""
    right = ((3, 2), NORTH, None)
    give = {"layout": "forced_coordination"}
    assert decide(GREEDY, [((1, 1), EAST, "onion"), right], **give) == INTERACT
    assert decide(GREEDY, [((1, 3), WEST, None), right], (("soup3", (3, 0), 0),), **give) == INTERACT  # a dish
    taken = [("onion", (2, 2), None), ("onion", (2, 3), None)]
    assert decide(GREEDY, [((1, 1), EAST, "onion"), right], taken, **give) != INTERACT  # the last one is for a dish
    left = ((1, 1), NORTH, None)
    assert decide(GREEDY, [((3, 2), WEST, None), left], taken, **give) == INTERACT


def test_left_and_right_go_opposite_ways_round():
    """Alone in counter_circuit with an onion at (3, 3): the pots are as far both ways; left is clockwise, so west."""
    cooks = [((3, 3), SOUTH, "onion"), ((6, 2), EAST, None)]
    for side, action in (("left", WEST), ("right", EAST)):
        assert decide(f"overcooked-handed:{side},3.0", cooks, layout="counter_circuit_o_1order") == action
