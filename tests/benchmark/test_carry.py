"""carry against a slow reference written from the rules, step by step, and by hand in every corner of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from crossplay.benchmark.check import check_game
from crossplay.benchmark.config import from_table, to_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.carry import Carry
from crossplay.benchmark.registry import GAMES
from crossplay.benchmark.seeding import spread, uniforms

UP, DOWN, LEFT, RIGHT, STAY = range(5)
PICKUP, DELIVERY, MOVE, IDLE = range(4)
LIGHT, HEAVY = Carry(), Carry(heavy=True)
GOAL = (2, 2)
BOARD = [(row, column) for row in range(5) for column in range(5)]
CHANGE = {UP: (-1, 0), DOWN: (1, 0), LEFT: (0, -1), RIGHT: (0, 1), STAY: (0, 0)}


class Reference:
    """One episode in plain Python, a sentence of the rules at a time."""

    def __init__(self, seed, heavy):
        self.seed, self.time, self.heavy = np.array([seed], dtype=np.uint64), 0, heavy
        self.place = [BOARD[int(25 * self.luck(2))], BOARD[int(25 * self.luck(3))]]
        self.carry, self.items, self.reopens, self.contests = [False, False], [None, None], 0, [0, 0]
        for item in (0, 1):
            self.items[item] = self.free(4 + item)

    def luck(self, stream):
        return uniforms(self.seed, self.time, stream)[0]

    def free(self, stream):
        cells = [cell for cell in BOARD if cell != GOAL and cell not in self.place and cell not in self.items]
        return cells[int(self.luck(stream) * len(cells))]

    def step(self, actions):
        for seat, action in enumerate(actions):
            row, column = (x + dx for x, dx in zip(self.place[seat], CHANGE[action], strict=True))
            if (row, column) in BOARD:
                self.place[seat] = (row, column)
        events = [[0, 0, int(action != STAY), int(action == STAY)] for action in actions]
        self.count_contests()
        for seat in [0, 1] if self.luck(0) < 0.5 else [1, 0]:
            if self.carry[seat]:
                if self.place[seat] == GOAL and self.time >= self.reopens and self.helped(seat):
                    self.carry[seat] = False
                    self.reopens = self.time + (2 if self.heavy else 6)
                    events[seat][DELIVERY] = 1
            elif self.place[seat] in self.items:
                self.items[self.items.index(self.place[seat])] = None
                self.carry[seat] = True
                events[seat][PICKUP] = 1
        delivered = events[0][DELIVERY] + events[1][DELIVERY]
        if delivered:
            self.items[self.items.index(None)] = self.free(1)
        self.time += 1
        costs = [0.06 * (action != STAY) for action in actions]
        return [delivered - cost for cost in costs], costs, [0.3 * event[PICKUP] for event in events], events

    def helped(self, seat):
        row, column = self.place[1 - seat]
        return not self.heavy or (abs(row - 2) <= 1 and abs(column - 2) <= 1)

    def count_contests(self):
        """How often both wanted one item, one delivery."""
        if self.place[0] == self.place[1]:
            self.contests[0] += self.place[0] in self.items and not any(self.carry)
            self.contests[1] += self.place[0] == GOAL and all(self.carry) and self.time >= self.reopens

    def keen(self, seat):
        """An action that leads towards an item or the goal."""
        row, column = self.place[seat]
        target = GOAL if self.carry[seat] else next(item for item in self.items if item)
        if row != target[0]:
            return UP if row > target[0] else DOWN
        return STAY if column == target[1] else LEFT if column > target[1] else RIGHT

    def numbers(self, seat):
        agents = [number for who in (seat, 1 - seat) for number in (*self.place[who], self.carry[who])]
        return [*agents, *(x for item in self.items for x in item or (-1, -1)), max(0, self.reopens - self.time)]

    def ego(self, seat):
        agents = [x / 4 for who in (seat, 1 - seat) for x in (*self.place[who], 4 * self.carry[who])]
        row, column = self.place[seat]
        ways = [(item[0] - row, item[1] - column) for item in sorted(item for item in self.items if item)]
        ways.sort(key=lambda way: abs(way[0]) + abs(way[1]))
        items = [number for way in ways for number in (way[0] / 4, way[1] / 4, 1)] + [0, 0, 0] * (2 - len(ways))
        return [*agents, *items, self.numbers(seat)[-1] / (1 if self.heavy else 5)]


@pytest.mark.parametrize("game", [LIGHT, HEAVY], ids=["light", "heavy"])
def test_equal_to_the_reference_step_by_step(game):
    """21,000 steps of play, part random, part to the purpose: both views, rewards, costs, shaping and events."""
    episodes = 350
    seeds = spread(11, episodes)
    references = [Reference(seed, game.heavy) for seed in seeds]
    state, rng = game.reset(seeds), np.random.default_rng(0)
    seen = np.zeros(4, dtype=int)
    for _ in range(60):
        same(game, state, references)
        keen = np.array([[reference.keen(seat) for seat in (0, 1)] for reference in references])
        actions = np.where(rng.random((episodes, 2)) < 0.7, keen, rng.integers(0, 5, (episodes, 2)))
        state, paid = game.step(state, actions)
        wanted = [reference.step(row) for reference, row in zip(references, actions.tolist(), strict=True)]
        for found, index in ((paid.rewards, 0), (paid.costs, 1), (paid.shaping, 2)):
            assert np.abs(found - [w[index] for w in wanted]).max() < 1e-12
        assert np.array_equal(paid.events, [w[3] for w in wanted])
        seen += paid.events.sum(axis=(0, 1))
    same(game, state, references)
    contests = np.sum([reference.contests for reference in references], axis=0)
    print(f"{game.spec.name}: {dict(zip(game.spec.events, seen.tolist(), strict=True))}, contests {contests.tolist()}")
    assert seen.min() > 1000, f"too few of some event to prove anything: {seen}"
    assert contests.min() > 50, f"too few contests to prove anything: {contests}"


def same(game, state, references):
    numbers = [[reference.numbers(seat) for seat in (0, 1)] for reference in references]
    assert np.array_equal(game.observe(state, "numbers").features, numbers)
    if state.time % 6 == 0:
        ego = [[reference.ego(seat) for seat in (0, 1)] for reference in references]
        assert np.array_equal(game.observe(state, "ego").features, np.array(ego, dtype=np.float32))


def board(own, carries, other, other_carries, items=((0, 4), (4, 4)), closed=0, game=LIGHT, seed=0):
    """An episode as wanted: places are (row, column), a taken item is None."""
    state = game.reset(spread(seed, 1))
    spots = [-1 if item is None else 5 * item[0] + item[1] for item in items]
    state.cells[0] = 5 * own[0] + own[1], carries, 5 * other[0] + other[1], other_carries, *spots, closed
    return state


def step(state, *actions, game=LIGHT):
    state, paid = game.step(state, np.array([actions]))
    return state.cells[0].tolist(), paid


@pytest.mark.parametrize(
    ("own", "action", "there"),
    [
        ((0, 0), UP, (0, 0)),  # walls
        ((0, 0), LEFT, (0, 0)),
        ((4, 3), DOWN, (4, 3)),
        ((3, 4), RIGHT, (3, 4)),
        ((0, 0), DOWN, (1, 0)),
        ((0, 0), RIGHT, (0, 1)),
        ((2, 1), RIGHT, (2, 2)),  # onto the goal
        ((4, 1), LEFT, (4, 0)),  # onto the partner
        ((3, 3), UP, (2, 3)),
    ],
)
def test_moves_and_bumps_by_hand(own, action, there):
    cells, paid = step(board(own, 0, (4, 0), 0), action, STAY)
    assert cells == [5 * there[0] + there[1], 0, 20, 0, 4, 24, 0]
    assert paid.rewards[0].tolist() == pytest.approx([-0.06, 0.0])
    assert paid.costs[0].tolist() == pytest.approx([0.06, 0.0])
    assert paid.events[0].tolist() == [[0, 0, 1, 0], [0, 0, 0, 1]]
    assert not paid.shaping.any()


def test_agents_pass_through_each_other():
    assert step(board((1, 1), 0, (1, 2), 0), RIGHT, LEFT)[0][:4] == [7, 0, 6, 0]


def test_walking_onto_an_item_takes_it_and_only_the_taker_is_shaped():
    cells, paid = step(board((0, 3), 0, (4, 0), 0), RIGHT, STAY)
    assert cells == [4, 1, 20, 0, -1, 24, 0]
    assert paid.shaping[0].tolist() == [0.3, 0.0]
    assert paid.rewards[0].tolist() == pytest.approx([-0.06, 0.0])
    assert paid.events[0].tolist() == [[1, 0, 1, 0], [0, 0, 0, 1]]


def test_full_hands_leave_an_item_lying():
    cells, paid = step(board((0, 3), 1, (4, 0), 0, items=((0, 4), None)), RIGHT, STAY)
    assert cells == [4, 1, 20, 0, 4, -1, 0]
    assert not paid.events[0, :, PICKUP].any()


@pytest.mark.parametrize(("own", "action", "cost"), [((2, 1), RIGHT, 0.06), ((2, 2), STAY, 0.0)])
def test_standing_on_the_goal_with_an_item_delivers(own, action, cost):
    cells, paid = step(board(own, 1, (4, 0), 0, items=(None, (4, 4))), action, STAY)
    assert cells[:4] == [12, 0, 20, 0]
    assert cells[4] not in (-1, 12, 20, 24)
    assert cells[5:] == [24, 5]
    assert paid.rewards[0].tolist() == pytest.approx([1 - cost, 1.0])
    assert paid.events[0, :, DELIVERY].tolist() == [1, 0]


@pytest.mark.parametrize(("game", "closing"), [(LIGHT, 6), (HEAVY, 2)], ids=["light", "heavy"])
def test_the_next_delivery_comes_when_the_goal_opens_again(game, closing):
    state = board((2, 2), 1, (2, 2), 1, items=(None, None), game=game)
    delivered = []
    for _ in range(closing + 1):
        state, paid = game.step(state, np.array([[STAY, STAY]]))
        delivered.append(int(paid.events[0, :, DELIVERY].sum()))
    assert delivered == [1, *[0] * (closing - 1), 1]


def first(seed):
    return int(uniforms(spread(seed, 1), 0, 0)[0] >= 0.5)


@pytest.mark.parametrize("lucky", [0, 1])
def test_luck_says_who_of_two_gets_the_item_or_the_goal(lucky):
    seed = next(s for s in range(50) if first(s) == lucky)
    cells, paid = step(board((0, 3), 0, (1, 4), 0, seed=seed), RIGHT, UP)
    assert [cells[1], cells[3]] == [1 - lucky, lucky]
    assert paid.shaping[0].tolist() == ([0.3, 0.0] if lucky == 0 else [0.0, 0.3])
    cells, paid = step(board((1, 2), 1, (2, 2), 1, items=(None, None), seed=seed), DOWN, STAY)
    assert [cells[1], cells[3]] == [lucky, 1 - lucky]
    assert paid.events[0, :, DELIVERY].tolist() == [1 - lucky, lucky]
    assert paid.rewards[0].tolist() == pytest.approx([0.94, 1.0])
    assert (cells[4] != -1, cells[5]) == (True, -1)


@pytest.mark.parametrize("partner", BOARD)
def test_heavy_items_need_the_partner_within_one_cell_of_the_goal(partner):
    state = board((2, 2), 1, partner, 0, items=(None, (4, 4)), game=HEAVY)
    cells, paid = step(state, STAY, STAY, game=HEAVY)
    near = partner[0] in (1, 2, 3) and partner[1] in (1, 2, 3)
    assert paid.rewards[0].tolist() == [float(near)] * 2
    assert (cells[1], cells[6]) == ((0, 1) if near else (1, 0))


def test_the_partner_is_near_or_not_after_it_has_moved():
    for partner, action, wanted in (((0, 2), DOWN, 1.0), ((1, 2), UP, 0.0)):
        state = board((2, 1), 1, partner, 0, items=(None, (4, 4)), game=HEAVY)
        assert step(state, RIGHT, action, game=HEAVY)[1].rewards[0].tolist() == pytest.approx([wanted - 0.06] * 2)


def test_starts_and_respawns_are_even_luck():
    n = 20_000
    state = LIGHT.reset(spread(5, n))
    seats, items = (np.zeros((25, 25), dtype=int) for _ in range(2))
    np.add.at(seats, (state.cells[:, 0], state.cells[:, 2]), 1)
    np.add.at(items, (state.cells[:, 4], state.cells[:, 5]), 1)
    assert chisquare(seats.ravel()).pvalue > 1e-4
    may = ~np.eye(25, dtype=bool) & (np.arange(25) != 12) & (np.arange(25) != 12)[:, None]
    assert not items[~may].any()
    assert chisquare(items[may]).pvalue > 1e-4
    for seat in (0, 2):
        assert not (state.cells[:, seat, None] == state.cells[:, 4:6]).any()
    state.cells[:] = 12, 1, 0, 0, -1, 24, 0
    state, _ = LIGHT.step(state, np.full((n, 2), STAY))
    back = np.bincount(state.cells[:, 4], minlength=25)
    assert not back[[0, 12, 24]].any()
    assert chisquare(np.delete(back, [0, 12, 24])).pvalue > 1e-4


@given(
    st.booleans(),
    st.integers(0, 2**63),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60),
)
@settings(max_examples=100, deadline=None)
def test_invariants_of_any_play(heavy, seed, play):
    game = Carry(heavy=heavy)
    state = game.reset(spread(seed, 1))
    for actions in play:
        state, paid = game.step(state, np.array([actions]))
        place0, carry0, place1, carry1, *items, closed = state.cells[0].tolist()
        lying = [item for item in items if item != -1]
        assert len(lying) + carry0 + carry1 == 2, "items are neither made nor lost"
        assert len(set(lying)) == len(lying)
        assert 12 not in lying
        assert all(0 <= x < 25 for x in (place0, place1, *lying))
        assert 0 <= closed < (2 if heavy else 6)
        assert paid.events[0, :, DELIVERY].sum() <= 1
        acted = np.array(actions) != STAY
        assert paid.events[0, :, MOVE].tolist() == acted.tolist()
        assert (paid.events[0, :, MOVE] + paid.events[0, :, IDLE]).tolist() == [1, 1]
        assert paid.costs[0] == pytest.approx(0.06 * acted)
        assert paid.rewards[0] + paid.costs[0] == pytest.approx(paid.events[0, :, DELIVERY].sum())


TABLES = [{}, {"heavy": True}, {"heavy": True, "horizon": 7, "effort": 0.0, "pickup_shaping": 0.0}]


@pytest.mark.parametrize("table", TABLES)
def test_passes_the_public_checker(table):
    assert check_game(from_table(GAMES, {"kind": "carry", **table})) == []


def test_an_episode_is_the_same_alone_and_in_any_batch():
    seeds, rng = spread(3, 500), np.random.default_rng(1)
    actions = rng.integers(0, 5, (60, 500, 2))
    rows = rng.permutation(500)[:7]
    whole, part = LIGHT.reset(seeds), LIGHT.reset(seeds[rows])
    for chosen in actions:
        whole, paid = LIGHT.step(whole, chosen)
        part, paid_alone = LIGHT.step(part, chosen[rows])
        assert np.array_equal(whole.cells[rows], part.cells)
        assert np.array_equal(paid.rewards[rows], paid_alone.rewards)


def test_views_show_the_board_from_each_seat():
    state = board((1, 2), 1, (3, 4), 0, items=((0, 0), None), closed=3)
    numbers, ego = (LIGHT.observe(state, view).features[0].tolist() for view in ("numbers", "ego"))
    assert numbers == [[1, 2, 1, 3, 4, 0, 0, 0, -1, -1, 3], [3, 4, 0, 1, 2, 1, 0, 0, -1, -1, 3]]
    assert ego[0] == pytest.approx([0.25, 0.5, 1, 0.75, 1, 0, -0.25, -0.5, 1, 0, 0, 0, 0.6])
    assert ego[1] == pytest.approx([0.75, 1, 0, 0.25, 0.5, 1, -0.75, -1, 1, 0, 0, 0, 0.6])
    state = board((4, 2), 0, (0, 4), 0, items=((4, 4), (4, 0)))  # equally far from one, the other way round for both
    items = LIGHT.observe(state, "ego").features[0, :, 6:12].tolist()
    assert items == [[0, -0.5, 1, 0, 0.5, 1], [1, 0, 1, 1, -1, 1]]


def test_words_tell_the_ego_view():
    state = board((1, 2), 1, (3, 4), 0, items=(None, (4, 0)), closed=1)
    assert LIGHT.describe(state, 1) == [
        "You stand at (3, 4) with empty hands. Your partner stands at (1, 2) carrying an item. Items lie at (4, 0). "
        "The goal at (2, 2) is closed for 1 more step; rows count downwards and columns to the right, from 0 to 4."
    ]
    both = LIGHT.describe(board((0, 0), 0, (0, 0), 0, closed=0, items=((4, 4), (0, 1))), 0)[0]
    assert "Items lie at (0, 1) and (4, 4). The goal at (2, 2) is open;" in both
    assert (
        "no place. The goal at (2, 2) is closed for 5 more steps"
        in (LIGHT.describe(board((0, 0), 1, (0, 0), 1, items=(None, None), closed=5), 0)[0])
    )


@pytest.mark.parametrize("bad", [5, -1])
def test_an_unknown_action_is_refused(bad):
    with pytest.raises(Refused, match="carry-v1: 1 of 4 actions are not in 0 to 4, step 0"):
        LIGHT.step(LIGHT.reset(spread(0, 2)), np.array([[0, 1], [bad, 2]]))


def test_misshapen_actions_and_unknown_views_are_refused():
    with pytest.raises(Refused, match=r"actions have shape \[2\], wanted \[1, 2\]"):
        LIGHT.step(LIGHT.reset(spread(0, 1)), np.array([0, 1]))
    with pytest.raises(Refused, match="unknown view 'egg'; did you mean 'ego'"):
        LIGHT.observe(LIGHT.reset(spread(0, 1)), "egg")


@pytest.mark.parametrize(
    ("game", "name"),
    [
        (LIGHT, "carry-v1"),
        (HEAVY, "carry/heavy-v1"),
        (Carry(horizon=30), "carry/h30-v1"),
        (Carry(heavy=True, horizon=30, effort=0.1, pickup_shaping=0), "carry/heavy-h30-e0.1-s0.0-v1"),
    ],
)
def test_another_configuration_has_another_name(game, name):
    assert game.spec.name == name
    assert game.spec.view == "ego"
    assert from_table(GAMES, to_table(game)) == game


@pytest.mark.parametrize("wrong", [{"effort": -0.1}, {"effort": 2.0}, {"pickup_shaping": -1.0}, {"horizon": 0}])
def test_impossible_terms_are_refused(wrong):
    with pytest.raises(Refused, match=next(iter(wrong))):
        from_table(GAMES, {"kind": "carry", **wrong})
