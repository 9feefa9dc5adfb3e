"""Matrix games: every cell by hand, views and words, and tables that do not fit are refused in words."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from crossplay.benchmark.config import build, from_table, read_toml, to_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games import Matrix
from crossplay.benchmark.registry import GAMES
from crossplay.benchmark.seeding import spread

C, D = 0, 1


def pay(game, *joint):
    """What one round of these actions pays each seat."""
    _, step = game.step(game.reset(spread(0, 1)), np.array([joint]))
    return step.rewards[0].tolist()


@pytest.mark.parametrize(
    ("game", "cells"),
    [
        ({}, {(C, C): (0.6, 0.6), (C, D): (0.6, 1.0), (D, C): (1.0, 0.6), (D, D): (0.0, 0.0)}),
        ({"game": "weakest_link"}, {(C, C): (0.6, 0.6), (C, D): (-0.4, 0.0), (D, C): (0.0, -0.4), (D, D): (0.0, 0.0)}),
        ({"game": "stag_hunt"}, {(C, C): (1.0, 1.0), (C, D): (0.0, 0.4), (D, C): (0.4, 0.0), (D, D): (0.4, 0.4)}),
        (
            {"game": "effort", "beta": 0.75, "cost": 0.25},
            {(C, C): (0.75, 0.75), (C, D): (0.5, 0.75), (D, C): (0.75, 0.5), (D, D): (0.0, 0.0)},
        ),
        ({"seats": 3}, {(D, C, D): (1.0, 0.6, 1.0), (D, D, D): (0.0, 0.0, 0.0), (C, C, D): (0.6, 0.6, 1.0)}),
        ({"game": "weakest_link", "seats": 3}, {(C, C, C): (0.6, 0.6, 0.6), (C, D, C): (-0.4, 0.0, -0.4)}),
        (
            {"game": "custom", "payoffs": [[1, 2, 3], [4, 5, 6]], "costs": [[0.5, 0], [1, 2, 0]]},
            {(0, 0): (0.5, 0.0), (0, 2): (2.5, 3.0), (1, 1): (5.0, 3.0), (1, 2): (6.0, 6.0)},
        ),
        (
            {"game": "custom", "payoffs": [[[3, 2], [0, 0]], [[0, 0], [2, 3]]]},
            {(0, 0): (3.0, 2.0), (0, 1): (0.0, 0.0), (1, 1): (2.0, 3.0)},
        ),
    ],
)
def test_cells_by_hand(game, cells):
    for joint, wanted in cells.items():
        assert pay(build(Matrix, game), *joint) == pytest.approx(wanted)


def test_the_effort_family_holds_volunteer_and_weakest_link():
    for joint in itertools.product((C, D), repeat=2):
        assert pay(Matrix(game="effort", beta=1.0), *joint) == pay(Matrix(), *joint)
        assert pay(Matrix(game="effort", beta=0.0), *joint) == pay(Matrix(game="weakest_link"), *joint)


def test_a_step_reports_the_private_cost_inside_the_reward_and_counts_actions():
    game = Matrix()
    _, step = game.step(game.reset(spread(0, 2)), np.array([[C, D], [D, D]]))
    assert step.costs.tolist() == [[0.4, 0.0], [0.0, 0.0]]
    assert (step.rewards + step.costs).tolist() == [[1.0, 1.0], [0.0, 0.0]]
    assert game.spec.events == ("play_C", "play_D")
    assert step.events.tolist() == [[[1, 0], [0, 1]], [[0, 1], [0, 1]]]
    assert not step.shaping.any()


def test_the_flat_view_is_the_last_joint_action_own_first():
    game = Matrix(seats=3, rounds=2)
    state = game.reset(spread(0, 1))
    assert game.observe(state, "flat").features[0].tolist() == [[0, 0, 0, 0, 0, 0, 1]] * 3
    state, _ = game.step(state, np.array([[C, D, D]]))
    assert game.observe(state, "flat").features[0].tolist() == [
        [1, 0, 0, 1, 0, 1, 0],  # own C, then seats 1 and 2
        [0, 1, 0, 1, 1, 0, 0],  # own D, then seats 2 and 0
        [0, 1, 1, 0, 0, 1, 0],  # own D, then seats 0 and 1
    ]


def test_a_seat_with_fewer_actions_has_a_mask_and_is_refused_the_others():
    game = Matrix(game="custom", payoffs=[[1, 2, 3], [4, 5, 6]])
    state = game.reset(spread(0, 2))
    assert game.observe(state, "flat").legal[1].tolist() == [[True, True, False], [True, True, True]]
    with pytest.raises(Refused, match="seat 0 has no action 2"):
        game.step(state, np.array([[0, 0], [2, 0]]))
    with pytest.raises(Refused, match="seat 1 has no action -1"):
        game.step(state, np.array([[0, 0], [1, -1]]))


def test_words_tell_the_last_round_and_nothing_else():
    game = Matrix(game="stag_hunt", rounds=2)
    state = game.reset(spread(0, 1))
    assert game.describe(state, 1) == ["This is the first round. You may play stag, hare."]
    state, _ = game.step(state, np.array([[C, D]]))
    assert game.describe(state, 1) == [
        "In the last round you played hare, your partner played stag. You may play stag, hare."
    ]


@pytest.mark.parametrize(
    ("game", "name"),
    [
        ({}, "matrix/volunteer-v1"),
        ({"cost": 0.4}, "matrix/volunteer-v1"),
        ({"cost": 0.3, "seats": 4, "rounds": 9}, "matrix/volunteer.c0.3.n4.r9-v1"),
        ({"game": "weakest_link"}, "matrix/weakest_link-v1"),
        ({"game": "effort", "beta": 0.25}, "matrix/effort.beta0.25.c0.4-v1"),
        ({"game": "effort", "beta": -1, "cost": 1e-9}, "matrix/effort.beta-1.0.c1e-09-v1"),
    ],
)
def test_names_say_the_configuration(game, name):
    assert build(Matrix, game).spec.name == name


def test_different_tables_have_different_names():
    tables = [
        {"payoffs": [[1, 2], [3, 4]]},
        {"payoffs": [[1, 2], [3, 5]]},
        {"payoffs": [[1, 2], [3, 4]], "rounds": 2},
        {"payoffs": [[1, 2], [3, 4]], "costs": [[0, 1], [0, 0]]},
        {"payoffs": [[1, 2], [3, 4]], "actions": ["up", "down"]},
    ]
    names = {build(Matrix, {"game": "custom", **table}).spec.name for table in tables}
    assert len(names) == 5
    assert build(Matrix, {"game": "custom", "payoffs": [[1.0, 2.0], [3.0, 4.0]]}).spec.name in names


def test_the_example_game_written_in_toml():
    game = from_table(GAMES, read_toml(Path(__file__).parents[2] / "examples" / "matrix_game.toml"))
    assert game.spec.actions == ("opera", "football")
    assert pay(game, 1, 1) == [2.0, 2.5]
    assert pay(game, 0, 1) == [0.0, -0.5]
    assert from_table(GAMES, to_table(game)) == game
    assert hash(from_table(GAMES, to_table(game))) == hash(game)


@pytest.mark.parametrize(
    ("game", "message"),
    [
        ({"game": "volunter"}, "unknown matrix game 'volunter'; did you mean 'volunteer'"),
        ({"round": 3}, "unknown field of Matrix 'round'; did you mean 'rounds'"),
        ({"cost": -1}, "cost: .*greater than or equal to 0, given -1"),
        ({"game": "effort"}, "beta = None given; game = 'effort' needs it and no other takes it"),
        ({"beta": 0.5}, "beta = 0.5 given; game = 'effort' needs it"),
        ({"game": "effort", "beta": 0.5, "seats": 3}, "effort is a game of 2 seats, given 3"),
        ({"payoffs": [[1]]}, "payoffs given, but game = 'volunteer'; they need game = 'custom'"),
        ({"game": "custom"}, "'custom' takes payoffs"),
        ({"game": "custom", "payoffs": [[1, 2], [3]]}, "some rows are longer than others"),
        ({"game": "custom", "payoffs": [[1, [2, 3]]]}, "some rows are longer than others"),
        ({"game": "custom", "payoffs": [1, 2]}, r"payoffs has shape \[2\]; 2 seats want 2 levels"),
        ({"game": "custom", "payoffs": [[]]}, r"payoffs has shape \[1, 0\]"),
        ({"game": "custom", "payoffs": [[[1, 2, 3]]]}, r"payoffs has shape \[1, 1, 3\]; .*one more of 2 entries"),
        ({"game": "custom", "payoffs": [[1, "x"]]}, r"entry \[0\]\[1\] must be a finite number, is 'x'"),
        ({"game": "custom", "payoffs": [[1, True]]}, r"entry \[0\]\[1\] must be a finite number, is True"),
        ({"game": "custom", "payoffs": [[1, float("nan")]]}, r"entry \[0\]\[1\] must be a finite number, is nan"),
        ({"game": "custom", "payoffs": [[1, 2]], "costs": [[1], [2]]}, r"costs must hold \[1, 2\] numbers"),
        ({"game": "custom", "payoffs": [[1, 2]], "costs": [[0], [2, -3]]}, "costs must be ≥ 0"),
        ({"game": "custom", "payoffs": [[1, 2]], "actions": ["a", "a"]}, "actions must be 2 different names"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(game, message):
    with pytest.raises(Refused, match=message):
        build(Matrix, game)
