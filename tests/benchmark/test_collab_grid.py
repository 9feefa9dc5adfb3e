"""collab-grid against a slow reference written from the rules, step by step, and by hand in every corner of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games import CollabGrid
from crossplay.benchmark.seeding import spread, uniforms

UP, DOWN, LEFT, RIGHT, STAY = range(5)
GAME = CollabGrid()
PICKUP, DELIVERY, MOVE, BLOCKED, COLLISION = range(5)


class Reference:
    """One episode in plain Python, a sentence of the rules at a time."""

    def __init__(self, seed):
        self.seed, self.time = np.array([seed], dtype=np.uint64), 0
        starts = [(1, 0), (0, 1)]
        if self.luck(3) >= 0.5:
            starts.reverse()
        self.place, self.carry, self.onions = starts, [False, False], {(3, 4): True, (4, 3): True}

    def luck(self, stream):
        return uniforms(self.seed, self.time, stream)[0]

    def step(self, actions):
        rewards, costs = [0.0, 0.0], [0.0, 0.0]
        events = [[0] * 5, [0] * 5]
        order = [0, 1] if self.luck(0) < 0.5 else [1, 0]
        for seat in order:
            both, cost = self.turn(seat, actions[seat], events[seat])
            costs[seat] += cost
            rewards[0] += both
            rewards[1] += both
        for stream, onion in ((1, (3, 4)), (2, (4, 3))):
            if not self.onions[onion] and self.luck(stream) < 0.2:
                self.onions[onion] = True
        self.time += 1
        return [r - c for r, c in zip(rewards, costs, strict=True)], costs, events

    def turn(self, seat, action, events):
        row, column = self.place[seat]
        cost = 0.0 if action == STAY else 0.2
        change = {UP: (-1, 0), DOWN: (1, 0), LEFT: (0, -1), RIGHT: (0, 1), STAY: (0, 0)}[action]
        target = (min(4, max(0, row + change[0])), min(4, max(0, column + change[1])))
        if target == (2, 2):
            if self.carry[seat]:
                self.carry[seat] = False
                events[DELIVERY] = 1
                return 10.0, cost
            events[BLOCKED] = 1
            return 0.0, cost
        if target == self.place[1 - seat]:
            events[COLLISION] = 1
            return 0.0, cost + 2.0
        if target != (row, column):
            events[MOVE] = 1
        elif action != STAY:
            events[BLOCKED] = 1
        self.place[seat] = target
        if not self.carry[seat] and self.onions.get(target):
            self.carry[seat], self.onions[target] = True, False
            events[PICKUP] = 1
            return 1.0, cost
        return 0.0, cost

    def raw(self):
        agents = [number for s in (0, 1) for number in (*self.place[s], self.carry[s])]
        return [*agents, self.onions[(3, 4)], self.onions[(4, 3)]]


def test_equal_to_the_reference_step_by_step():
    """600 episodes of 50 steps of random play: state, rewards, costs and events."""
    episodes = 600
    seeds = spread(11, episodes)
    references = [Reference(seed) for seed in seeds]
    state, rng = GAME.reset(seeds), np.random.default_rng(0)
    likely = np.array([[0.15, 0.35, 0.1, 0.35, 0.05], [0.2, 0.2, 0.2, 0.2, 0.2], [0.3, 0.15, 0.3, 0.15, 0.1]])
    seen = np.zeros(5, dtype=int)
    for time in range(50):
        actions = rng.choice(5, size=(episodes, 2), p=likely[(time // 7) % 3])
        state, paid = GAME.step(state, actions)
        wanted = [reference.step(row) for reference, row in zip(references, actions, strict=True)]
        assert np.array_equal(GAME.observe(state, "raw").features[:, 0], [r.raw() for r in references])
        assert paid.rewards == pytest.approx(np.array([w[0] for w in wanted]), abs=1e-12)
        assert paid.costs == pytest.approx(np.array([w[1] for w in wanted]), abs=1e-12)
        assert np.array_equal(paid.events, [w[2] for w in wanted])
        seen += paid.events.sum(axis=(0, 1))
    assert seen.min() > 250, f"too few of some event to prove anything: {seen}"


def board(r0, c0, k0, r1, c1, k1, onion0=1, onion1=1, seed=0):
    state = GAME.reset(spread(seed, 1))
    state.cells[0] = r0, c0, k0, r1, c1, k1, onion0, onion1
    return state


def step(state, *actions):
    state, paid = GAME.step(state, np.array([actions]))
    return state.cells[0].tolist(), paid


@pytest.mark.parametrize(
    ("start", "action", "triple", "reward", "cost", "event"),
    [
        ((0, 0, 0), RIGHT, [0, 1, 0], -0.2, 0.2, MOVE),
        ((0, 0, 0), STAY, [0, 0, 0], 0.0, 0.0, None),
        ((0, 0, 0), UP, [0, 0, 0], -0.2, 0.2, BLOCKED),
        ((0, 0, 1), LEFT, [0, 0, 1], -0.2, 0.2, BLOCKED),
        ((4, 0, 0), DOWN, [4, 0, 0], -0.2, 0.2, BLOCKED),
        ((1, 2, 0), DOWN, [1, 2, 0], -0.2, 0.2, BLOCKED),  # the pot, with empty hands
        ((1, 2, 1), DOWN, [1, 2, 0], 9.8, 0.2, DELIVERY),
        ((3, 2, 1), UP, [3, 2, 0], 9.8, 0.2, DELIVERY),
        ((2, 1, 1), RIGHT, [2, 1, 0], 9.8, 0.2, DELIVERY),
        ((2, 3, 1), LEFT, [2, 3, 0], 9.8, 0.2, DELIVERY),
        ((0, 3, 0), RIGHT, [0, 3, 0], -2.2, 2.2, COLLISION),  # the partner stands at (0, 4)
        ((1, 4, 1), UP, [1, 4, 1], -2.2, 2.2, COLLISION),
        ((3, 3, 1), RIGHT, [3, 4, 1], -0.2, 0.2, MOVE),  # an onion is left lying by full hands
    ],
)
def test_one_turn_by_hand(start, action, triple, reward, cost, event):
    cells, paid = step(board(*start, 0, 4, 0), action, STAY)
    assert cells == [*triple, 0, 4, 0, 1, 1]
    assert paid.rewards[0, 0] == pytest.approx(reward)
    assert paid.costs[0].tolist() == pytest.approx([cost, 0.0])
    assert paid.rewards[0, 1] == pytest.approx(reward + cost)  # what is shared, without the other's cost
    assert paid.events[0, 0].tolist() == [int(k == event) for k in range(5)]
    assert not paid.events[0, 1].any()


@pytest.mark.parametrize(
    ("start", "action", "onion"), [((2, 4), DOWN, 6), ((3, 3), RIGHT, 6), ((4, 2), RIGHT, 7), ((3, 3), DOWN, 7)]
)
def test_walking_onto_an_onion_takes_it(start, action, onion):
    cells, paid = step(board(*start, 0, 0, 0, 0, seed=6), action, STAY)
    assert cells[2] == 1
    assert paid.rewards[0] == pytest.approx([0.8, 1.0])
    assert paid.events[0, 0].tolist() == [1, 0, 1, 0, 0]
    came_back = uniforms(spread(6, 1), 0, onion - 5)[0] < 0.2
    assert cells[onion] == int(came_back)


@pytest.mark.parametrize(("action", "cost"), [(STAY, 0.0), (RIGHT, 0.2)])
def test_standing_on_an_onion_with_empty_hands_takes_it(action, cost):
    """It came back under the feet; staying, or walking against the edge, picks it up."""
    cells, paid = step(board(3, 4, 0, 0, 0, 0), action, STAY)
    assert cells[:3] == [3, 4, 1]
    assert paid.rewards[0] == pytest.approx([1.0 - cost, 1.0])
    assert paid.events[0, 0, PICKUP] == 1


def first_mover(seed):
    return int(uniforms(spread(seed, 1), 0, 0)[0] >= 0.5)


@pytest.mark.parametrize("first", [0, 1])
def test_the_first_mover_gets_the_cell_and_the_second_bumps(first):
    seed = next(s for s in range(50) if first_mover(s) == first)
    cells, paid = step(board(0, 0, 0, 0, 2, 0, seed=seed), RIGHT, LEFT)
    assert cells[:6] == ([0, 1, 0, 0, 2, 0] if first == 0 else [0, 0, 0, 0, 1, 0])
    assert paid.costs[0].tolist() == pytest.approx([0.2, 2.2] if first == 0 else [2.2, 0.2])
    assert paid.events[0, :, MOVE].tolist() == [1 - first, first]
    assert paid.events[0, :, COLLISION].tolist() == [first, 1 - first]


@pytest.mark.parametrize("first", [0, 1])
def test_a_follower_gets_through_only_when_the_leader_moves_first(first):
    seed = next(s for s in range(50) if first_mover(s) == first)
    cells, paid = step(board(0, 1, 0, 0, 0, 0, seed=seed), RIGHT, RIGHT)
    assert cells[:6] == ([0, 2, 0, 0, 1, 0] if first == 0 else [0, 2, 0, 0, 0, 0])
    assert paid.events[0, 1, COLLISION] == first


def test_swapping_places_fails_for_both():
    cells, paid = step(board(0, 1, 0, 0, 0, 0), LEFT, RIGHT)
    assert cells[:6] == [0, 1, 0, 0, 0, 0]
    assert paid.costs[0].tolist() == pytest.approx([2.2, 2.2])


def test_both_deliveries_of_a_step_pay_both():
    cells, paid = step(board(1, 2, 1, 3, 2, 1), DOWN, UP)
    assert cells[:6] == [1, 2, 0, 3, 2, 0]
    assert paid.rewards[0] == pytest.approx([19.8, 19.8])


def test_the_starts_the_order_and_the_respawns_are_even_luck():
    n = 20_000
    state = GAME.reset(spread(5, n))
    first = state.cells[:, 0] == 1
    assert np.array_equal(state.cells[first], np.tile([1, 0, 0, 0, 1, 0, 1, 1], (first.sum(), 1)))
    assert np.array_equal(state.cells[~first], np.tile([0, 1, 0, 1, 0, 0, 1, 1], ((~first).sum(), 1)))
    state.cells[:] = 0, 0, 0, 0, 2, 0, 0, 0  # no onions; both step into (0, 1)
    state, paid = GAME.step(state, np.tile([RIGHT, LEFT], (n, 1)))
    for share, luck in (
        (first, 0.5),
        (paid.events[:, 0, MOVE], 0.5),
        (state.cells[:, 6], 0.2),
        (state.cells[:, 7], 0.2),
    ):
        assert binomtest(int(share.sum()), n, luck).pvalue > 1e-4
    assert (
        abs(np.corrcoef([first, paid.events[:, 0, MOVE], state.cells[:, 6], state.cells[:, 7]]) - np.eye(4)).max()
        < 0.03
    )


def test_views_show_raw_numbers_from_each_seat():
    state = board(1, 2, 1, 3, 4, 0, onion1=0)
    ego, raw = GAME.observe(state, "ego"), GAME.observe(state, "raw")
    assert raw.features[0].tolist() == [[1, 2, 1, 3, 4, 0, 1, 0]] * 2
    assert ego.features[0].tolist() == [[1, 2, 1, 3, 4, 0, 1, 0], [3, 4, 0, 1, 2, 1, 1, 0]]
    assert ego.features.dtype == raw.features.dtype == np.float32
    assert ego.legal.all()
    assert GAME.spec.view == "ego"


def test_words_tell_the_ego_view():
    state = board(1, 2, 1, 3, 4, 0, onion0=0)
    assert GAME.describe(state, 1) == [
        "You stand at (3, 4) with empty hands. Your partner stands at (1, 2) carrying an onion. Onions lie at (4, 3). "
        "The pot is at (2, 2); rows count downwards and columns to the right, from 0 to 4."
    ]
    assert "Onions lie at no place." in GAME.describe(board(0, 0, 0, 0, 1, 0, 0, 0), 0)[0]


@given(st.integers(0, 2**63), st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=50))
@settings(max_examples=150, deadline=None)
def test_invariants_of_any_play(seed, play):
    state = GAME.reset(spread(seed, 1))
    carried = held = 0
    for actions in play:
        state, paid = GAME.step(state, np.array([actions]))
        r0, c0, k0, r1, c1, k1, onion0, onion1 = state.cells[0].tolist()
        assert (r0, c0) != (r1, c1)
        assert (2, 2) not in {(r0, c0), (r1, c1)}
        assert all(0 <= x <= 4 for x in (r0, c0, r1, c1))
        assert {k0, k1, onion0, onion1} <= {0, 1}
        carried += int(paid.events[0, :, PICKUP].sum() - paid.events[0, :, DELIVERY].sum())
        held = k0 + k1
        assert carried == held
        acted = np.array(actions) != STAY
        assert paid.events[0, :, 1:].sum(axis=1).tolist() == acted.astype(int).tolist()
        assert paid.costs[0] == pytest.approx(0.2 * acted + 2.0 * paid.events[0, :, COLLISION])
        shared = paid.events[0, :, PICKUP].sum() + 10 * paid.events[0, :, DELIVERY].sum()
        assert paid.rewards[0] + paid.costs[0] == pytest.approx([shared, shared])


@pytest.mark.parametrize("bad", [5, -1])
def test_an_unknown_action_is_refused(bad):
    with pytest.raises(Refused, match="collab-grid-v1: 1 of 4 actions are not in 0 to 4, step 0"):
        GAME.step(GAME.reset(spread(0, 2)), np.array([[0, 1], [bad, 2]]))


def test_misshapen_actions_and_unknown_views_are_refused():
    with pytest.raises(Refused, match=r"actions have shape \[2\], wanted \[1, 2\]"):
        GAME.step(GAME.reset(spread(0, 1)), np.array([0, 1]))
    with pytest.raises(Refused, match="unknown view 'egg'; did you mean 'ego'"):
        GAME.observe(GAME.reset(spread(0, 1)), "egg")


def test_another_horizon_has_another_name():
    assert CollabGrid(horizon=128).spec.name == "collab-grid/h128-v1"
    assert CollabGrid(horizon=128).spec.horizon == 128
