"""Both dynamics against the installed package: state, rewards, events and encoding, step by step.

`interact` is the package as it is; `classic` the package with two methods replaced as its repository's
`old_dynamics` has them: the third ingredient starts the pot, and an interact never does.

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
from crossplay.benchmark.games.overcooked.reference import actions, from_reference, gridworld, package, to_reference
from crossplay.benchmark.games.overcooked.state import place
from crossplay.benchmark.seeding import spread

FULL = os.environ.get("CROSSPLAY_PROOF") == "full"
SHARED = [name for name in EVENTS if name not in OURS]
JUDGED = [name for name in SHARED if name.startswith(("optimal", "viable", "catastrophic", "useless"))]
SEEN: Counter = Counter()


def kitchen(layout, dynamics):
    """The package's OvercookedGridworld under either dynamics."""
    mdp = gridworld(layout)
    if dynamics == "interact":
        return mdp
    mdp = package().OvercookedGridworld.from_layout_name(layout)
    effects = mdp.step_environment_effects

    def start_full_pots(state):
        for soup in state.objects.values():
            if soup.name == "soup" and soup.is_idle and len(soup.ingredients) == 3:
                soup.begin_cooking()
        effects(state)

    mdp.soup_to_be_cooked_at_location = lambda state, place: False
    mdp.step_environment_effects = start_full_pots
    return mdp


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
    wanted[forgotten, useful] = got[forgotten, useful]  # checked by hand in test_rules.py
    if state.tables.classic:  # the package judges pottings by soups that cannot be cooked here
        judged = [SHARED.index(name) for name in JUDGED]
        wanted[:, :, judged] = got[:, :, judged]
    np.testing.assert_array_equal(got, wanted)
    assert not paid.costs.any()
    SEEN[f"{'classic' if state.tables.classic else 'interact'} deliveries"] += int(
        wanted[..., SHARED.index("soup_delivery")].sum()
    )


def play(layout, dynamics, driver, episodes, steps, starts=0.0):
    game = Overcooked(layout=layout, dynamics=dynamics, random_starts=starts)
    state, mdp = game.reset(spread(7, episodes)), kitchen(layout, dynamics)
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
        SEEN[f"{dynamics} steps"] += episodes


@pytest.mark.parametrize("layout", layout_names())
@pytest.mark.parametrize("dynamics", ["interact", "classic"])
def test_equals_the_package(layout, dynamics, crew):
    rng = np.random.default_rng(len(layout))
    before = SEEN[f"{dynamics} deliveries"]

    def random_play(state):
        return lambda: rng.integers(0, 6, (len(state), 2))

    def goal_directed(state):
        return crew(state, 0.12, rng).act

    jams = "corridor" in layout  # the crew gets in its own way there and seldom delivers
    episodes, steps = (8 if dynamics == "interact" or jams else 2, 400) if FULL else (1, 100)
    play(layout, dynamics, random_play, episodes, steps)
    play(layout, dynamics, goal_directed, episodes, steps)
    play(layout, dynamics, goal_directed, 1, steps, starts=0.5)
    if FULL:
        delivered = SEEN[f"{dynamics} deliveries"] - before
        print(f"\n{dynamics}, {layout}: {delivered} deliveries", end="")
        assert delivered


def test_the_whole_proof():
    """Runs last: what all layouts together have shown."""
    for dynamics in ("interact", "classic"):
        steps, deliveries = SEEN[f"{dynamics} steps"], SEEN[f"{dynamics} deliveries"]
        print(f"\n{dynamics}: {steps} steps on {len(layout_names())} layouts, {deliveries} deliveries, all equal")
    if FULL:
        assert SEEN["interact steps"] >= 200_000
        assert SEEN["interact deliveries"] >= 1_000


def test_conversion_there_and_back():
    state = Overcooked(layout="cramped_room_tomato", dynamics="interact", random_starts=0.7).reset(spread(3, 64))
    again = from_reference("cramped_room_tomato", [to_reference(state, row) for row in range(64)])
    for name in ("cooks", "items", "cook", "clock"):
        np.testing.assert_array_equal(getattr(state, name), getattr(again, name))
