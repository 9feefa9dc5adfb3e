"""Matches: returns by hand, the same alone and in a batch, and every unusable action refused by name."""

from typing import NamedTuple

import numpy as np
import pytest

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games import CollabGrid, Matrix
from crossplay.benchmark.match import Table, illegal, match_seeds, play, play_tables
from crossplay.benchmark.policy import POLICIES, Clock
from crossplay.benchmark.seeding import derive, spread

GRID = CollabGrid()
TWO_BY_THREE = Matrix(game="custom", payoffs=[[1, 2, 3], [4, 5, 6]], rounds=2)


class Scripted(NamedTuple):
    """Plays the same given actions in every episode, one a step; its view and dtype can be chosen."""

    actions: tuple[int, ...]
    view: str = "flat"
    dtype: type = np.int64
    shape: tuple[int, ...] = ()

    def begin(self, seeds, seat):
        return Clock(seeds)

    def act(self, observation, memory):
        action = self.actions[memory.step % len(self.actions)]
        return np.full((len(memory.seeds), *self.shape), action, dtype=self.dtype), memory.tick()


class Reader(NamedTuple):
    """Acts on the sum of what it sees, so a mixed-up view, seat or row would change its play."""

    view: str
    scale: int

    def begin(self, seeds, seat):
        return Clock(seeds)

    def act(self, observation, memory):
        seen = (observation.features.reshape(len(memory.seeds), -1) * np.arange(1, 9)).sum(axis=1)
        noise = (memory.draw() * 3).astype(np.int64)
        return (seen.astype(np.int64) * self.scale + noise) % 5, memory.tick()


def test_returns_costs_and_events_by_hand():
    game = Matrix(game="effort", beta=0.25, rounds=4)
    paid = play(game, [Scripted((0, 0, 1, 1)), Scripted((0, 1, 0, 1))], episodes=2, game_seed=0, policy_seeds=[1, 2])
    # rounds CC, CD, DC, DD pay 1, .25, .25, 0; each seat plays C twice at .4
    assert paid.returns == pytest.approx(np.full((2, 2), 1.5 - 0.8))
    assert paid.costs == pytest.approx(np.full((2, 2), 0.8))
    assert paid.events.tolist() == [[[2, 2], [2, 2]]] * 2
    assert paid.returns.dtype == np.float64
    assert paid.events.dtype == np.int64


def tables():
    uniform = POLICIES["uniform"]().make(GRID, None)
    seats = [
        [uniform, Reader("ego", 3)],
        [Reader("raw", 1), Reader("ego", 1)],
        [Reader("ego", 2), Scripted((1, 3), "raw")],
        [Reader("raw", 7), uniform],
    ]
    return [
        Table(policies, spread(10 + i, 3 + 2 * i), [spread(20 + i, 3 + 2 * i), spread(30 + i, 3 + 2 * i)])
        for i, policies in enumerate(seats)
    ]


def test_many_tables_at_once_play_as_each_alone():
    together = play_tables(GRID, tables())
    apart = [play_tables(GRID, [table])[0] for table in tables()]
    for one, other in zip(together, apart, strict=True):
        for mine, yours in zip(one, other, strict=True):
            assert np.array_equal(mine, yours)
    assert len({float(returns.returns.sum()) for returns in together}) == 4


def test_the_order_of_tables_changes_nobodys_game():
    forwards, backwards = play_tables(GRID, tables()), play_tables(GRID, tables()[::-1])[::-1]
    for one, other in zip(forwards, backwards, strict=True):
        assert np.array_equal(one.returns, other.returns)


def test_play_is_one_table_whose_luck_derives_from_the_names_of_its_parts():
    policies = [Reader("ego", 3), Reader("raw", 5)]
    seats = [spread(derive(5, "seat", 0), 6), spread(derive(6, "seat", 1), 6)]
    table = Table(policies, spread(derive(4, "game"), 6), seats)
    one = play(GRID, policies, episodes=6, game_seed=4, policy_seeds=[5, 6])
    other = play_tables(GRID, [table])[0]
    assert np.array_equal(one.returns, other.returns)
    assert np.array_equal(one.events, other.events)


def test_equal_seeds_of_two_seats_give_them_separate_luck():
    uniform = POLICIES["uniform"]().make(GRID, None)
    paid = play(GRID, [uniform, uniform], episodes=20, game_seed=3, policy_seeds=[3, 3])
    assert not np.array_equal(paid.costs[:, 0], paid.costs[:, 1])


def test_fewer_episodes_are_the_first_of_more():
    def returns(episodes):
        policies = [Reader("ego", 3), Reader("raw", 5)]
        return play(GRID, policies, episodes=episodes, game_seed=4, policy_seeds=[5, 6]).returns

    assert np.array_equal(returns(9)[:4], returns(4))


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (Scripted((0, 2)), "action 2 is illegal in episode 0; legal: \\[0, 1\\]"),
        (Scripted((0, -1)), "action -1 is illegal in episode 0; legal: \\[0, 1\\]"),
        (Scripted((0, 7)), "action 7 is illegal in episode 0; legal: \\[0, 1\\]"),
    ],
)
def test_an_illegal_action_is_refused_with_agent_game_seat_and_step(policy, message):
    table = Table([policy, Scripted((2,))], spread(0, 3), [spread(1, 3)] * 2, names=("Anna", "Ben"))
    with pytest.raises(Refused, match=rf"^Anna in matrix/custom\.\w+-v1, seat 0, step 1: {message}$"):
        play_tables(TWO_BY_THREE, [table])


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (Scripted((0,), dtype=np.float32), "actions have dtype float32, wanted an integer type"),
        (Scripted((0,), dtype=bool), "actions have dtype bool, wanted an integer type"),
        (Scripted((0,), shape=(1,)), "actions have shape \\[3, 1\\], wanted \\[3\\]"),
    ],
)
def test_actions_of_a_wrong_dtype_or_shape_are_refused(policy, message):
    table = Table([Scripted((0,)), policy], spread(0, 3), [spread(1, 3)] * 2, names=("Anna", "Ben"))
    with pytest.raises(Refused, match=f"^Ben in .*, seat 1, step 0: {message}$"):
        play_tables(TWO_BY_THREE, [table])


def test_without_names_the_policy_itself_is_named():
    with pytest.raises(Refused, match=r"^Scripted\(actions=\(9,\).*seat 1, step 0"):
        play(TWO_BY_THREE, [Scripted((0,)), Scripted((9,))], episodes=1, game_seed=0, policy_seeds=[0, 0])


def test_the_wrong_number_of_policies_is_refused():
    with pytest.raises(Refused, match="collab-grid-v1 has 2 seats; given 3 policies"):
        play(GRID, [Scripted((0,))] * 3, episodes=1, game_seed=0, policy_seeds=[0, 0, 0])


LEGAL = np.array([[True, False, True], [False, True, True]])


@pytest.mark.parametrize(
    ("chosen", "fault"),
    [
        ([0, 1], None),
        ([2, 2], None),
        ([1, 1], "action 1 is illegal in episode 0; legal: [0, 2]"),
        ([0, 0], "action 0 is illegal in episode 1; legal: [1, 2]"),
        ([0, 3], "action 3 is illegal in episode 1; legal: [1, 2]"),
        ([-1, 1], "action -1 is illegal in episode 0; legal: [0, 2]"),
        ([0], "actions have shape [1], wanted [2]"),
        ([0.0, 1.0], "actions have dtype float64, wanted an integer type"),
    ],
)
def test_illegal_says_what_is_wrong(chosen, fault):
    assert illegal(np.array(chosen), LEGAL) == fault


def test_match_seeds_come_from_names_and_the_games_luck_is_the_same_for_every_ego():
    anna, ben = match_seeds(0, "g", "anna", "p", 0), match_seeds(0, "g", "ben", "p", 0)
    assert anna[0] == ben[0]
    assert len({*anna, *ben}) == 5
    others = [(1, "g", "anna", "p", 0), (0, "h", "anna", "p", 0), (0, "g", "anna", "q", 0), (0, "g", "anna", "p", 1)]
    for other in others:
        assert not set(match_seeds(*other)) & set(anna)
