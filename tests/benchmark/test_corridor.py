"""The corridor as it is played: its luck against the arrays, its features against its words, three steps by hand."""

import numpy as np
import pytest
from scipy.stats import chisquare

from crossplay.benchmark.check import check_game
from crossplay.benchmark.config import from_table, to_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games import Corridor
from crossplay.benchmark.games.corridor import Walk
from crossplay.benchmark.registry import GAMES
from crossplay.benchmark.seeding import sample, spread, uniforms
from crossplay.benchmark.theory.corridor import State, states
from crossplay.benchmark.theory.duel import solve_duel
from crossplay.benchmark.theory.markov import occupancy, returns

LEFT, RIGHT, STAY = 0, 1, 2


@pytest.mark.parametrize(
    "fields", [{}, {"cells": 1, "horizon": 1}, {"cells": 3, "horizon": 9, "respawn": 0.5}], ids=str
)
def test_it_passes_the_public_check(fields):
    assert check_game(Corridor(**fields)) == []


def test_fetching_and_delivering_by_hand():
    game = Corridor(cells=2, horizon=3, respawn=0.0)
    walk = game.reset(spread(0, 2))
    paid = []
    for actions in ([[LEFT, STAY], [STAY, LEFT]], [[RIGHT, STAY], [STAY, RIGHT]], [[RIGHT, RIGHT], [RIGHT, RIGHT]]):
        walk, step = game.step(walk, np.array(actions))
        paid.append((step.rewards.tolist(), step.costs.tolist(), step.events.tolist()))
    assert paid[0][0] == pytest.approx(np.array([[0.8, 1.0], [1.0, 0.8]]))
    assert paid[1][0] == pytest.approx(np.array([[-0.2, 0.0], [0.0, -0.2]]))
    assert paid[2][0] == pytest.approx(np.array([[9.8, 9.8], [9.8, 9.8]]))
    assert paid[2][1] == pytest.approx(np.full((2, 2), 0.2))
    assert paid[0][2] == [[[1, 1, 0], [0, 0, 0]], [[0, 0, 0], [1, 1, 0]]]
    assert paid[2][2] == [[[1, 0, 1], [1, 0, 0]], [[1, 0, 0], [1, 0, 1]]]


def test_transitions_are_drawn_with_the_arrays_odds():
    game = Corridor(respawn=0.25)
    odds = game.tabular.transitions[game.tabular.start.argmax(), LEFT, LEFT]
    walk = game.reset(spread(1, 20_000))
    walk, _ = game.step(walk, np.full((20_000, 2), LEFT))
    counts, likely = np.bincount(walk.where, minlength=len(odds)), odds > 0
    assert counts[~likely].sum() == 0
    assert chisquare(counts[likely], 20_000 * odds[likely]).pvalue > 1e-3


def test_played_returns_and_visits_are_the_theorys():
    game = Corridor(pickup=0.1, delivery=1.0, move=0.1)
    policies = solve_duel(game.tabular, 5.0, 0.2).heroes
    seeds = spread(2, 20_000)
    walk, total, visits = game.reset(seeds), np.zeros((len(seeds), 2)), []
    for time in range(game.horizon):
        visits.append(np.bincount(walk.where, minlength=len(game.tabular.start)) / len(seeds))
        chosen = [sample(policies[s][time, walk.where], uniforms(seeds, time, 50 + s)) for s in (0, 1)]
        walk, step = game.step(walk, np.stack(chosen, axis=1))
        total += step.rewards
    error = total.std(axis=0) / np.sqrt(len(seeds))
    assert (np.abs(total.mean(axis=0) - returns(game.tabular, policies, game.tabular.rewards)) < 4 * error).all()
    np.testing.assert_allclose(visits, occupancy(game.tabular, policies), atol=0.02)


def test_either_seat_sees_itself_first_and_no_two_moments_look_alike():
    game = Corridor(cells=2, horizon=3)
    names = states(2)
    count = len(names)
    seen = [
        game.observe(Walk(np.zeros(count, np.uint64), time, np.arange(count)), "flat").features for time in range(3)
    ]
    for seat in (0, 1):
        assert len(np.unique(np.concatenate([f[:, seat] for f in seen]), axis=0)) == 3 * count
    for i, state in enumerate(names):
        mirrored = names.index(State(state.cells[::-1], state.carrying[::-1], state.onion))
        np.testing.assert_array_equal(seen[1][i, 1], seen[1][mirrored, 0])
        assert seen[1][i, 0].nonzero()[0].tolist() == [i, count + 1]


def test_words_say_what_features_say():
    game = Corridor()
    first, second = (game.describe(game.reset(spread(0, 1)), seat)[0] for seat in (0, 1))
    assert first == second, "both begin alike"
    walk, _ = game.step(game.reset(spread(0, 1)), np.array([[LEFT, STAY]]))
    mine, other = (game.describe(walk, seat)[0] for seat in (0, 1))
    assert mine.startswith("You stand in cell 0 carrying an onion. Your partner stands in cell 1 with empty hands.")
    assert other.startswith("You stand in cell 1 with empty hands. Your partner stands in cell 0 carrying an onion.")
    assert mine.endswith("1 of 4 steps are over.")


def test_names_tell_games_apart_and_tables_come_back():
    games = [Corridor(), Corridor(cells=3), Corridor(horizon=5), Corridor(move=0.1), Corridor(delivery=1.0)]
    assert len({game.spec.name for game in games}) == len(games)
    assert games[0].spec.name == "corridor-v1"
    for game in games:
        assert from_table(GAMES, to_table(game)) == game
        assert game.spec.terminal


def test_what_cannot_be_played_is_refused():
    game = Corridor()
    walk = game.reset(spread(0, 2))
    for actions in ([[0, 3], [0, 0]], [[-1, 0], [0, 0]], [[0], [0]]):
        with pytest.raises(Refused, match="actions"):
            game.step(walk, np.array(actions))
    with pytest.raises(Refused, match="view"):
        game.observe(walk, "raw")
    with pytest.raises(Refused, match="cells"):
        from_table(GAMES, {"kind": "corridor", "cells": 0})
