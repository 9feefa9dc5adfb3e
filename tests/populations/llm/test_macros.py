"""Macro-actions: legal where precondition and way are there; carried out by shortest ways; given up in time."""

import time

import numpy as np
import pytest

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games import Matrix, Overcooked
from crossplay.benchmark.games.overcooked.layouts import CLASSIC_FIVE
from crossplay.benchmark.seeding import sample, spread, uniforms
from crossplay.benchmark.workers import single_threaded
from crossplay.populations.llm.macros import adapter
from tests.populations.llm.kitchens import EAST, INTERACT, NORTH, SOUTH, STAY, WEST, kitchen

AWAY = ((2, 2), SOUTH, None)  # the partner, out of the way in cramped_room: pot (2,0), onions (0,1) (4,1), dish (1,3)
WAITS = {f"wait {k}" for k in range(1, 6)}


def look(cooks, objects=(), seat=0, **setting):
    """(adapter, symbols [1, features], legal names besides waiting, memory) of a kitchen set up by hand."""
    game, state = kitchen(cooks, objects, **setting)
    found = adapter("test", game)
    symbols = game.observe(state, "symbols").features[:, seat].copy()
    choices, notes = found.look(symbols, found.fresh(spread(1, 1), seat))
    legal = set(found.names(np.flatnonzero(choices.legal[0])))
    assert choices.due.all()
    assert legal >= WAITS
    return found, symbols, legal - WAITS - {"step aside"}, notes


@pytest.mark.parametrize(
    ("held", "objects", "setting", "legal"),
    [
        (None, (), {}, {"get onion", "get dish"}),
        ("onion", (), {}, {"put in pot 0", "put on counter"}),
        ("onion", (("soup3", (2, 0), 5),), {}, {"put on counter"}),
        ("dish", (("soup3", (2, 0), 5),), {}, {"plate soup 0", "put on counter"}),
        ("dish", (("soup2", (2, 0), -1),), {}, {"put on counter"}),
        ("soup3", (), {}, {"deliver", "put on counter"}),
        (None, (("dish", (1, 0), -1),), {}, {"get onion", "get dish", "pick dish from counter"}),
        (None, (("soup2", (2, 0), -1),), {}, {"get onion", "get dish"}),
        (None, (("soup2", (2, 0), -1),), {"dynamics": "interact"}, {"get onion", "get dish", "start pot 0"}),
    ],
)
def test_legal_is_precondition_and_reachable(held, objects, setting, legal):
    assert look([((1, 1), NORTH, held), AWAY], objects, **setting)[2] == legal


def test_the_partner_is_an_obstacle():
    """The only place before the pot of cramped_room is (2, 1)."""
    cook = ((1, 1), NORTH, "onion")
    assert "put in pot 0" in look([cook, AWAY])[2]
    assert "put in pot 0" not in look([cook, ((2, 1), NORTH, None)])[2]


def test_what_is_on_the_other_side_is_out_of_reach_but_can_be_handed_over():
    left, right = ((1, 2), NORTH, "onion"), ((3, 2), NORTH, None)
    assert look([left, right], layout="forced_coordination")[2] == {"put on counter", "hand over"}
    assert look([left, right], (("dish", (2, 2), -1),), seat=1, layout="forced_coordination")[2] == {
        "pick dish from counter"
    }
    ring = look([((1, 1), NORTH, "onion"), ((3, 3), NORTH, None)], layout="coordination_ring")[2]
    assert "hand over" in ring, "over the middle counter of a ring things get to the far side"
    assert "hand over" not in look([((1, 1), NORTH, "onion"), AWAY])[2]


def walk(cooks, macro, objects=(), ticks=30, mate=(), **setting):
    """Actions of seat 0 for one macro until a new one is due, and the state after them; the mate stays in the end."""
    game, state = kitchen(cooks, objects, **setting)
    found, actions = adapter("test", game), []
    notes = found.fresh(spread(1, 1), 0)
    for tick in range(ticks):
        symbols = game.observe(state, "symbols").features[:, 0]
        choices, notes = found.look(symbols, notes)
        if choices.due[0] and tick:
            return actions, state
        chosen = found.names(range(len(found.macros))).index(macro) if tick == 0 else -1
        action, _, notes = found.step(symbols, notes, np.array([chosen]))
        actions.append(int(action[0]))
        state, _ = game.step(state, np.array([[action[0], mate[tick] if tick < len(mate) else STAY]]))
    return actions, state


@pytest.mark.parametrize(
    ("cook", "macro", "objects", "actions"),
    [
        (((1, 1), NORTH, None), "get onion", (), [WEST, INTERACT]),
        (((1, 1), WEST, "onion"), "put in pot 0", (), [EAST, NORTH, INTERACT]),
        (((2, 1), NORTH, "dish"), "plate soup 0", (("soup3", (2, 0), 18),), [STAY, STAY, INTERACT]),
        (((1, 1), NORTH, None), "wait 3", (), [STAY] * 3),
        (((1, 2), NORTH, None), "pick dish from counter", (("dish", (1, 0), -1),), [NORTH, NORTH, INTERACT]),
    ],
)
def test_macros_take_shortest_ways_turns_included(cook, macro, objects, actions):
    if macro.startswith("pick"):
        actions = actions[1:]  # after the first move north the cook faces it already
    assert walk([cook, AWAY], macro, objects)[0] == actions


def test_macros_do_what_they_say():
    _, state = walk([((1, 1), NORTH, None), AWAY], "get onion")
    assert state.cooks[0, 0, 2] == 1
    _, state = walk([((1, 1), NORTH, "onion"), AWAY], "put in pot 0")
    assert state.items[0, 0] == 16 + 1
    _, state = walk([((2, 1), NORTH, None), AWAY], "start pot 0", (("soup1", (2, 0), -1),), dynamics="interact")
    assert state.cook[0, 0] > 0


def test_a_new_macro_is_due_when_the_last_is_pointless_blocked_or_old():
    waiting = ((2, 1), NORTH, "dish")
    assert len(walk([waiting, AWAY], "plate soup 0", (("soup3", (2, 0), 0),), ticks=50)[0]) == 20
    actions, state = walk([((1, 2), NORTH, "onion"), ((3, 1), WEST, None)], "put in pot 0", mate=[WEST])
    assert state.cooks[0, 0, 2] == 1
    assert len(actions) == 4, "once the partner stands before the pot, it waits for three ticks"
    taken, middle = [((1, 3), NORTH, None), ((2, 1), SOUTH, None)], (("onion", (2, 2), -1),)
    actions, _ = walk(taken, "pick onion from counter", middle, mate=[INTERACT], layout="coordination_ring")
    assert len(actions) == 1, "the partner has taken it in the meantime"


def test_ties_break_by_the_episodes_seed():
    """The two onion dispensers of cramped_room are equally far from (2, 2)."""
    game, state = kitchen([((2, 2), NORTH, None), ((2, 1), NORTH, None)], episodes=64)
    found, symbols = adapter("test", game), game.observe(state, "symbols").features[:, 0]
    firsts = []
    for _ in range(2):
        choices, notes = found.look(symbols, found.fresh(spread(3, 64), 0))
        firsts.append(found.step(symbols, notes, np.where(choices.due, 0, -1))[0])
    assert set(firsts[0].tolist()) == {EAST, WEST}
    np.testing.assert_array_equal(*firsts)


def any_legal(game, steps, episodes=16):
    """Two players who choose any legal macro play a game; the names of what they chose."""
    found, seeds = adapter("test", game), [spread(5, episodes), spread(6, episodes)]
    state, notes = game.reset(spread(4, episodes)), [found.fresh(seeds[0], 0), found.fresh(seeds[1], 1)]
    done: set[str] = set()
    for step in range(steps):
        actions = np.empty((episodes, 2), dtype=np.int64)
        for seat in range(2):
            seen = game.observe(state, found.view).features[:, seat]
            choices, notes[seat] = found.look(seen, notes[seat])
            chosen = np.where(choices.due, sample(choices.legal, uniforms(seeds[seat], step, 99)), -1)
            done |= set(found.names(chosen[chosen >= 0]))
            assert all(found.describe(seen, choices.legal))
            actions[:, seat], _, notes[seat] = found.step(seen, notes[seat], chosen)
        state, _ = game.step(state, actions)
    return done


@pytest.mark.parametrize("layout", CLASSIC_FIVE)
@pytest.mark.parametrize("dynamics", ["classic", "interact"])
def test_any_sequence_of_legal_macros_plays_every_kitchen(layout, dynamics):
    done = any_legal(Overcooked(layout=layout, dynamics=dynamics, horizon=120, random_starts=0.5), 120)
    assert {"get onion", "get dish", "put in pot 0", "put on counter", "pick onion from counter"} <= done
    assert ("start pot 0" in done) == (dynamics == "interact")


def test_words_are_enums_and_buckets():
    found, symbols, _, _ = look([((1, 1), NORTH, "onion"), ((2, 2), NORTH, "dish")], (("soup3", (2, 0), 3),))
    text = found.describe(symbols, np.arange(len(found.macros))[None] == 6)[0]
    assert text.splitlines() == [
        "You hold an onion.",
        "Your partner holds a dish.",
        "Pot 0 holds 3 onions, ready in 6+ steps.",
        "Steps to the onion dispenser: you 0-2, your partner 0-2.",
        "Steps to the dish dispenser: you 0-2, your partner 0-2.",
        "Steps to the nearest pot: you 0-2, your partner 0-2.",
        "Steps to the serving window: you 3-5, your partner 0-2.",
        "Options:",
        "1. deliver",
    ]


def test_what_is_refused():
    with pytest.raises(Refused, match="x: macro-actions are known for overcooked and collab-grid only; given matrix/"):
        adapter("x", Matrix())
    found, symbols, _, notes = look([((1, 1), NORTH, None), AWAY])
    with pytest.raises(Refused, match="'deliver' is illegal in episode 0, step 0"):
        found.step(symbols, notes, np.array([[m.name for m in found.macros].index("deliver")]))
    with pytest.raises(Refused, match="macro -1 given in episode 0; wanted 0 to 18, a new one"):
        found.step(symbols, notes, np.array([-1]))


def test_64_episodes_of_400_steps_take_seconds():
    """One seat's looks and steps; a few tenths of a second on a quiet core, but test machines are busy."""
    game = Overcooked(layout="counter_circuit_o_1order")
    found, state = adapter("test", game), game.reset(spread(0, 64))
    notes = found.fresh(spread(1, 64), 0)
    found.look(game.observe(state, "symbols").features[:, 0], notes)
    start = time.process_time()
    with single_threaded():
        for step in range(400):
            symbols = game.observe(state, "symbols").features[:, 0]
            choices, notes = found.look(symbols, notes)
            chosen = np.where(choices.due, sample(choices.legal, uniforms(notes.seeds, step)), -1)
            actions, _, notes = found.step(symbols, notes, chosen)
            state, _ = game.step(state, np.stack([actions, np.full(64, STAY)], axis=1))
    spent = time.process_time() - start
    print(f"one seat's macro-actions: {spent:.2f} s for 64 episodes of 400 steps")
    assert spent <= 5
