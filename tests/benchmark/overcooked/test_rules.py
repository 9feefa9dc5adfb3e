"""The rules by hand: one soup in cramped_room, counters, collisions, and what the reference's quirks leave to us."""

import numpy as np
import pytest

from crossplay.benchmark.games.overcooked.events import EVENTS
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.games.overcooked.tables import DISH, ONION, SOUP, TOMATO

N, S, E, W, STAY, DO = range(6)
NOBODY = np.zeros(1, dtype=np.uint64)


def begin(layout="cramped_room", **options):
    game = Overcooked(layout=layout, **options)
    return game, game.reset(NOBODY)


def play(game, state, left, right):
    """Plays two equally long lists of actions; what every step paid, as copies."""
    steps = []
    for pair in zip(left, right, strict=True):
        _, paid = game.step(state, np.array([pair]))
        steps.append(type(paid)(*(array[0].copy() for array in paid)))
    return steps


def events(steps):
    """Names of what happened, per seat, with counts."""
    total = np.sum([step.events for step in steps], axis=0, dtype=int)
    return [{name: n for name, n in zip(EVENTS, row, strict=True) if n} for row in total]


@pytest.mark.parametrize(("dynamics", "start", "arrive"), [("classic", [], 35), ("interact", [DO], 36)])
def test_one_soup_by_hand(dynamics, start, arrive):
    """Seat 1 fetches three onions in 15 steps; the pot ticks from the step that starts it; seat 0 serves."""
    game, state = begin(dynamics=dynamics)
    cook = [E, DO, W, N, DO] * 3 + start + [E]
    wait = arrive - 1 - len(cook) - 1
    right = cook + [STAY] * (wait + 1 + 1 + 4)
    left = [STAY] * 5 + [S, DO, E] + [STAY] * (len(cook) - 8) + [N] + [DO] * (wait + 1) + [S, E, S, DO]
    steps = play(game, state, left, right)
    paid = np.array([step.rewards for step in steps])
    assert len(steps) == arrive + 4
    np.testing.assert_array_equal(np.flatnonzero(paid[:, 0]), [arrive + 3])
    np.testing.assert_array_equal(paid[-1], [20, 20])
    np.testing.assert_array_equal(np.sum([step.shaping for step in steps], axis=0), [3 + 5, 3 * 3])
    zero, one = events(steps)
    assert {name: zero[name] for name in ("dish_pickup", "useful_dish_pickup", "soup_pickup", "soup_delivery")} == {
        "dish_pickup": 1,
        "useful_dish_pickup": 1,
        "soup_pickup": 1,
        "soup_delivery": 1,
    }
    assert one["onion_pickup"] == one["potting_onion"] == one["optimal_onion_potting"] == 3
    assert one["start_cooking"] == 1
    assert zero["wasted"] == wait
    assert state.items.sum() == 0
    assert (state.cook == -1).all()


def test_a_dish_is_only_paid_for_when_a_soup_wants_it():
    game, state = begin()
    (step,) = play(game, state, [S], [STAY])
    (step,) = play(game, state, [DO], [STAY])
    assert step.shaping.tolist() == [0, 0]
    assert events([step])[0] == {"dish_pickup": 1}


def test_counters_hold_one_thing():
    game, state = begin()
    play(game, state, [STAY] * 4, [E, DO, N, DO])
    assert state.items[0].tolist().count(ONION) == 1
    steps = play(game, state, [STAY] * 4, [E, DO, N, DO])
    assert state.cooks[0, 1, 2] == ONION
    assert events(steps)[1] == {"onion_pickup": 1, "useful_onion_pickup": 1, "wasted": 1}


def test_cooks_that_meet_or_swap_stay_and_turn():
    game, state = begin()
    play(game, state, [N], [W])  # now at (1, 1) and (2, 1)
    before = state.cooks[0, :, 0].tolist()
    steps = play(game, state, [E], [W])
    assert state.cooks[0, :, 0].tolist() == before
    assert state.cooks[0, :, 1].tolist() == [E, W]
    assert [e["blocked"] for e in events(steps)] == [1, 1]
    (step,) = play(game, state, [E], [STAY])
    assert events([step]) == [{"blocked": 1}, {"idle": 1}]


def test_one_may_follow_into_the_cell_the_other_leaves():
    game, state = begin()
    play(game, state, [N], [W])
    play(game, state, [E], [E])
    assert [cell % 5 for cell in state.cooks[0, :, 0].tolist()] == [2, 3]


def test_tomatoes_from_a_dispenser_are_counted():
    game, state = begin("cramped_room_tomato")
    steps = play(game, state, [STAY] * 2, [E, DO])
    assert state.cooks[0, 1, 2] == TOMATO
    assert events(steps)[1] == {"tomato_pickup": 1, "useful_tomato_pickup": 1}


def test_a_soup_nobody_ordered_pays_nothing_and_is_gone():
    game, state = begin("cramped_room_tomato")
    state.cooks[0, 1] = 13, S, SOUP | 2 | 1 << 2  # (3, 2), facing the window: two onions and a tomato
    (step,) = play(game, state, [STAY], [DO])
    assert step.rewards.tolist() == [0, 0]
    assert events([step])[1] == {"soup_delivery": 1}
    assert state.cooks[0, 1, 2] == 0


def test_bonus_orders_pay_double():
    game, state = begin("cramped_room_tomato", dynamics="interact")
    state.cooks[0, 1] = 13, S, SOUP | 1 | 1 << 2  # an onion (15) and a tomato (10), on the bonus list
    (step,) = play(game, state, [STAY], [DO])
    assert step.rewards.tolist() == [50, 50]


def test_a_wrong_ingredient_is_catastrophic_once_and_useless_after():
    game, state = begin("simple_tomato")
    state.cooks[0, 0] = 7, N, ONION  # (2, 1), facing the pot
    (step,) = play(game, state, [DO], [STAY])
    assert events([step])[0] == {"potting_onion": 1, "catastrophic_onion_potting": 1}
    state.cooks[0, 0, 2] = TOMATO
    (step,) = play(game, state, [DO], [STAY])
    assert events([step])[0] == {"potting_tomato": 1, "optimal_tomato_potting": 1, "useless_tomato_potting": 1}


def test_useful_drops():
    game, state = begin()
    state.cooks[0] = [[6, N, DISH], [8, N, 0]]  # all pots are empty and nobody holds an onion
    (step,) = play(game, state, [DO], [STAY])
    assert events([step])[0] == {"dish_drop": 1, "useful_dish_drop": 1}
