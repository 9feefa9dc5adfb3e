"""`interact` against the installed package: state, rewards, events and encoding, step by step.

`CROSSPLAY_PROOF=full pytest tests/benchmark/overcooked/test_interact_proof.py -s` plays the whole proof and prints
what it saw; without it a sample is played.
"""

import os
from collections import Counter

import numpy as np
import pytest

from crossplay.benchmark.games.overcooked.events import EVENTS, OURS
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.games.overcooked.layouts import TOMATOES, layout_names
from crossplay.benchmark.games.overcooked.reference import actions, from_reference, gridworld, to_reference
from crossplay.benchmark.games.overcooked.state import place
from crossplay.benchmark.seeding import spread

FULL = os.environ.get("CROSSPLAY_PROOF") == "full"
SHARED = [name for name in EVENTS if name not in OURS]
SEEN: Counter = Counter()


def dispensed_tomato(state, chosen):
    """Where a tomato is about to be taken from a dispenser, bool [episodes, 2]: the reference forgets that event."""
    front = state.tables.front[state.cooks[:, :, 0], state.cooks[:, :, 1]]
    return (chosen == 5) & (state.cooks[:, :, 2] == 0) & (state.tables.kind[front] == TOMATOES)


def expected_events(infos, forgotten):
    """The reference's events [episodes, 2, shared], the forgotten tomatoes added."""
    theirs = np.array([[info["event_infos"][name] for name in SHARED] for info in infos]).transpose(0, 2, 1)
    theirs[forgotten, SHARED.index("tomato_pickup")] = True
    return theirs


def compare(state, paid, theirs, infos, forgotten, expected):
    for row, reference_state in enumerate(theirs):
        place(expected, row, reference_state.to_dict())
    for name in ("cooks", "items", "cook", "clock"):
        np.testing.assert_array_equal(getattr(state, name), getattr(expected, name), err_msg=name)
    team = [sum(info["sparse_reward_by_agent"]) for info in infos]
    np.testing.assert_array_equal(paid.rewards, np.repeat(np.array(team)[:, None], 2, axis=1))
    np.testing.assert_array_equal(paid.shaping, [info["shaped_reward_by_agent"] for info in infos])
    wanted, got = expected_events(infos, forgotten), paid.events[:, :, [EVENTS.index(name) for name in SHARED]]
    useful = SHARED.index("useful_tomato_pickup")
    wanted[forgotten, useful] = got[forgotten, useful]  # checked by hand in test_events.py
    np.testing.assert_array_equal(got, wanted)
    assert not paid.costs.any()
    SEEN["deliveries"] += int(wanted[..., SHARED.index("soup_delivery")].sum())


def play(layout, driver, episodes, steps, starts=0.0):
    game = Overcooked(layout=layout, dynamics="interact", random_starts=starts)
    state, mdp = game.reset(spread(7, episodes)), gridworld(layout)
    expected = state.copy()
    theirs = [to_reference(state, row) for row in range(episodes)]
    choose = driver(state)
    for _ in range(steps):
        chosen = choose()
        forgotten = dispensed_tomato(state, chosen)
        outcomes = [mdp.get_state_transition(s, actions(a)) for s, a in zip(theirs, chosen, strict=True)]
        theirs, infos = [next_ for next_, _ in outcomes], [info for _, info in outcomes]
        state, paid = game.step(state, chosen)
        compare(state, paid, theirs, infos, forgotten, expected)
        planes = np.array([mdp.lossless_state_encoding(s, game.horizon) for s in theirs])
        np.testing.assert_array_equal(game.observe(state, "lossless").features, planes)
        SEEN["steps"] += episodes


@pytest.mark.parametrize("layout", layout_names())
def test_interact_equals_the_package(layout, crew):
    rng = np.random.default_rng(len(layout))
    scale = 8 if FULL else 1
    before = SEEN["deliveries"]

    def random_play(state):
        return lambda: rng.integers(0, 6, (len(state), 2))

    def goal_directed(state):
        return crew(state, 0.12, rng).act

    steps = 400 if FULL else 120
    play(layout, random_play, scale, steps)
    play(layout, goal_directed, scale, steps)
    if FULL:
        play(layout, goal_directed, 1, 400, starts=0.5)
        print(f"\n{layout}: {SEEN['deliveries'] - before} deliveries", end="")
        assert SEEN["deliveries"] > before


def test_the_whole_proof():
    """Runs last: what all layouts together have shown."""
    steps, deliveries = SEEN["steps"], SEEN["deliveries"]
    print(f"\ninteract: {steps} steps on {len(layout_names())} layouts, {deliveries} deliveries, all equal")
    if FULL:
        assert SEEN["steps"] >= 200_000
        assert SEEN["deliveries"] >= 1_000


def test_conversion_there_and_back():
    state = Overcooked(layout="cramped_room_tomato", dynamics="interact", random_starts=0.7).reset(spread(3, 64))
    again = from_reference("cramped_room_tomato", [to_reference(state, row) for row in range(64)])
    for name in ("cooks", "items", "cook", "clock"):
        np.testing.assert_array_equal(getattr(state, name), getattr(again, name))
