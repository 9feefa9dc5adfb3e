"""PettingZoo both ways: its own tests over every game, a round trip, public environments, and what is refused."""

import sys
import types
import warnings

import numpy as np
import pytest
from gymnasium import spaces
from pettingzoo import ParallelEnv

from crossplay.benchmark.config import build, from_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games import CollabGrid, Matrix, PettingZooGame
from crossplay.benchmark.match import Table, play, play_tables
from crossplay.benchmark.pettingzoo import parallel_env, to_parallel_env
from crossplay.benchmark.policy import Uniform
from crossplay.benchmark.registry import GAMES
from crossplay.benchmark.seeding import derive, spread
from crossplay.benchmark.text import TextGame

with warnings.catch_warnings():  # its test package imports environments by a road it has itself deprecated
    warnings.simplefilter("ignore")
    from pettingzoo.test import parallel_api_test, parallel_seed_test

EXAMPLES = {
    "pettingzoo": {
        "env": "crossplay.benchmark.pettingzoo:parallel_env",
        "horizon": 4,
        "arguments": {"kind": "matrix", "rounds": 4},
    }
}
REGISTERED = [
    game
    for game in (from_table(GAMES, {"kind": kind, **EXAMPLES.get(kind, {})}) for kind in GAMES)
    if not isinstance(game, TextGame)  # which to_parallel_env refuses: tests/benchmark/debate
]


@pytest.mark.parametrize("game", REGISTERED, ids=lambda game: game.spec.name)
def test_every_game_passes_pettingzoos_own_tests(game):
    for view in game.spec.views:
        parallel_api_test(to_parallel_env(game, view), num_cycles=min(2 * game.spec.horizon, 500))
        parallel_seed_test(lambda view=view: to_parallel_env(game, view))


@pytest.mark.parametrize("game", REGISTERED, ids=lambda game: game.spec.name)
def test_equal_seeds_give_equal_whole_episodes(game):
    """PettingZoo's seed test ends after its first step; this one plays to the end."""
    one, other = to_parallel_env(game), to_parallel_env(game)
    told = [env.reset(seed=5)[0] for env in (one, other)]
    rng = np.random.default_rng(1)
    while one.agents:
        actions = {agent: int(rng.choice(np.flatnonzero(told[0][agent]["action_mask"]))) for agent in one.agents}
        (seen, *paid), (seen_too, *paid_too) = one.step(actions), other.step(actions)
        for agent in seen:
            assert one.observation_space(agent).contains(seen[agent])
            assert all(np.array_equal(seen[agent][key], seen_too[agent][key]) for key in seen[agent])
        assert paid == paid_too
        told = [seen]


@pytest.mark.parametrize(("game", "terminal"), [(CollabGrid(horizon=3), False), (Matrix(rounds=3), True)])
def test_the_horizon_truncates_or_ends_all_agents_at_once(game, terminal):
    env = to_parallel_env(game)
    env.reset(seed=1)
    for step in (1, 2, 3):
        _, rewards, ended, cut, infos = env.step({"seat_0": 0, "seat_1": 1})
        assert set(ended.values()) == {step == 3 and terminal}
        assert set(cut.values()) == {step == 3 and not terminal}
    assert env.agents == []
    assert set(rewards) == set(infos) == {"seat_0", "seat_1"}
    with pytest.raises(Refused, match="reset first"):
        env.step({"seat_0": 0, "seat_1": 1})


def test_infos_carry_costs_shaping_and_events():
    env = to_parallel_env(Matrix())
    _, infos = env.reset(seed=0)
    assert infos == {"seat_0": {}, "seat_1": {}}
    _, rewards, _, _, infos = env.step({"seat_0": 0, "seat_1": 1})
    assert rewards == {"seat_0": pytest.approx(0.6), "seat_1": 1.0}
    assert infos["seat_0"] == {"costs": 0.4, "shaping": 0.0, "events": {"play_C": 1, "play_D": 0}}
    assert infos["seat_1"] == {"costs": 0.0, "shaping": 0.0, "events": {"play_C": 0, "play_D": 1}}


def test_resets_go_through_the_episodes_of_a_match():
    game = CollabGrid(horizon=8)
    env = to_parallel_env(game, "raw")
    wanted = game.observe(game.reset(spread(derive(7, "game"), 5)), "raw").features
    first = [env.reset(seed=7)[0]] + [env.reset()[0] for _ in range(4)]
    assert np.array_equal([seen["seat_1"]["observation"] for seen in first], wanted[:, 1])
    assert len({tuple(row) for row in wanted[:, 1]}) == 2
    unseeded = to_parallel_env(game, "raw").reset()[0]
    assert np.array_equal(
        unseeded["seat_0"]["observation"], to_parallel_env(game, "raw").reset(seed=0)[0]["seat_0"]["observation"]
    )


def test_bad_actions_and_views_are_refused():
    env = to_parallel_env(Matrix(game="custom", payoffs=[[1, 2, 3], [4, 5, 6]]))
    seen, _ = env.reset(seed=0)
    assert seen["seat_0"]["action_mask"].tolist() == [1, 1, 0]
    with pytest.raises(Refused, match=r"step 0: action 2 is illegal for seat 0; legal: \[0, 1\]"):
        env.step({"seat_0": 2, "seat_1": 2})
    with pytest.raises(Refused, match=r"actions given for \['seat_0'\], wanted for \['seat_0', 'seat_1'\]"):
        env.step({"seat_0": 0})
    with pytest.raises(Refused, match="unknown view 'flatt'; did you mean 'flat'"):
        to_parallel_env(Matrix(), "flatt")


def test_render_says_what_every_seat_sees():
    env = to_parallel_env(Matrix())
    env.reset(seed=0)
    assert env.render().splitlines() == [f"seat_{s}: This is the first round. You may play C, D." for s in (0, 1)]


@pytest.mark.parametrize(
    "table", [{"kind": "collab-grid"}, {"kind": "matrix", "game": "stag_hunt", "rounds": 5, "seats": 3}]
)
def test_a_game_wrapped_and_wrapped_back_pays_the_same(table):
    inner = from_table(GAMES, table)
    entry = "crossplay.benchmark.pettingzoo:parallel_env"
    outer = PettingZooGame(env=entry, horizon=inner.spec.horizon, arguments=table)
    assert (outer.spec.seats, len(outer.spec.actions)) == (inner.spec.seats, len(inner.spec.actions))
    episodes, seats = 6, range(inner.spec.seats)
    seeds, luck = spread(3, episodes), [spread(10 + seat, episodes) for seat in seats]
    own = np.array([spread(derive(int(seed >> np.uint64(33)), "game"), 1)[0] for seed in seeds])
    tables = {
        game: Table([Uniform().make(game, None)] * len(seats), s, luck) for game, s in ((inner, own), (outer, seeds))
    }
    one, other = (play_tables(game, [table])[0].returns for game, table in tables.items())
    assert np.array_equal(one, other)
    assert len(np.unique(one)) > 3


class Toy(ParallelEnv):
    """Two agents; the episode ends after `length` steps; what is told can be varied."""

    def __init__(self, length=2, widths=(1, 3), acts=(2, 3), leaves=None, mask=None, continuous=False, starts=0):
        self.metadata = {"name": "toy"}
        self.possible_agents, self.length, self.leaves, self.mask = ["a", "b"], length, leaves, mask
        self.action_spaces = {n: spaces.Discrete(k, start=starts) for n, k in zip("ab", acts, strict=True)}
        if continuous:
            self.action_spaces["b"] = spaces.Box(0, 1, (2,))
        self.observation_spaces = {n: spaces.Box(-9, 9, (k,)) for n, k in zip("ab", widths, strict=True)}

    def observation_space(self, agent):
        return self.observation_spaces[agent]

    def action_space(self, agent):
        return self.action_spaces[agent]

    def reset(self, seed=None, options=None):
        self.agents, self.time = ["a", "b"], 0
        return self.told(), self.infos()

    def told(self):
        return {n: np.full(self.observation_spaces[n].shape, self.time + 1, np.float32) for n in ("a", "b")}

    def infos(self):
        return {n: {"action_mask": self.mask} if self.mask and n == "b" else {} for n in ("a", "b")}

    def step(self, actions):
        assert all(self.action_spaces[n].contains(a) for n, a in actions.items())
        self.time += 1
        if self.time == self.length:
            self.agents = []
        if self.leaves == self.time:
            self.agents = ["a"]
        ended = dict.fromkeys("ab", not self.agents)
        return self.told(), {n: float(actions[n]) for n in "ab"}, ended, dict.fromkeys("ab", False), self.infos()


TOYS = types.ModuleType("toys_for_tests")
TOYS.toy, TOYS.nothing = Toy, lambda: 3
sys.modules["toys_for_tests"] = TOYS


def toy(horizon=4, **arguments):
    return PettingZooGame(env="toys_for_tests:toy", horizon=horizon, arguments=arguments)


def test_an_episode_that_ends_early_is_filled_up_with_nothing():
    game = toy(horizon=4, length=2)
    state, rewards = game.reset(spread(0, 1)), []
    for action in (1, 1, 0, 0):
        state, paid = game.step(state, np.array([[action, action]]))
        rewards.append(paid.rewards[0].tolist())
    assert rewards == [[1.0, 1.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
    seen = game.observe(state, "flat")
    assert seen.legal[0].tolist() == [[True, False, False]] * 2
    assert seen.features[0].tolist() == [[3, 0, 0], [3, 3, 3]]


def test_a_longer_episode_is_cut_at_the_horizon():
    game = toy(horizon=3, length=100)
    paid = play(game, [Uniform().make(game, None)] * 2, episodes=30, game_seed=0, policy_seeds=[0, 0])
    assert set(paid.returns[:, 0]) == {0.0, 1.0, 2.0, 3.0}
    assert paid.events.shape == (30, 2, 0)


def test_short_observations_few_actions_and_masks():
    seen = toy().observe(toy().reset(spread(0, 2)), "flat")
    assert seen.features[1].tolist() == [[1, 0, 0], [1, 1, 1]]
    assert seen.legal[1].tolist() == [[True, True, False], [True, True, True]]
    masked = toy(mask=[0, 0, 1])
    assert masked.observe(masked.reset(spread(0, 2)), "flat").legal[1].tolist() == [
        [True, True, False],
        [False, False, True],
    ]


def test_actions_may_start_anywhere():
    game = toy(starts=5)
    state = game.reset(spread(0, 1))
    assert game.step(state, np.array([[1, 2]]))[1].rewards.tolist() == [[6.0, 7.0]]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"env": "toys_for_tests:toy", "arguments": {"continuous": True}}, "b has actions Box.*only Discrete"),
        ({"env": "toys_for_tests:nothing"}, "gives int, wanted a ParallelEnv"),
        ({"env": "toys_for_tests:missing"}, "no attribute 'missing'; wanted an importable module:function"),
        ({"env": "no_such_module:toy"}, "No module named 'no_such_module'"),
    ],
)
def test_what_cannot_be_played_is_refused(table, message):
    with pytest.raises(Refused, match=message):
        _ = PettingZooGame(horizon=3, **table).spec


def test_an_agent_that_leaves_is_refused():
    game = toy(leaves=2, length=9)
    with pytest.raises(Refused, match="toys_for_tests:toy: b left at step 1; only fixed agents can be played"):
        play(game, [Uniform().make(game, None)] * 2, episodes=1, game_seed=0, policy_seeds=[0, 0])


def test_an_entry_point_without_a_colon_is_refused():
    with pytest.raises(Refused, match="env: "):
        build(PettingZooGame, {"env": "toys_for_tests", "horizon": 3})


def test_names_tell_configurations_apart_and_games_can_be_hashed():
    assert toy().spec.name.startswith("pettingzoo/toys_for_tests.toy.")
    assert len({toy().spec.name, toy(length=3).spec.name, toy(horizon=5).spec.name}) == 3
    assert len({toy(), toy(), toy(length=3)}) == 2


@pytest.mark.parametrize(
    ("env", "arguments", "seats"),
    [
        ("simple_spread_v3", {"N": 2, "max_cycles": 10}, 2),
        ("simple_tag_v3", {"num_good": 1, "num_adversaries": 2, "num_obstacles": 1, "max_cycles": 10}, 3),
        ("simple_speaker_listener_v4", {"max_cycles": 10}, 2),  # unlike observations and unlike actions
    ],
)
def test_public_environments_play(env, arguments, seats):
    mpe2 = pytest.importorskip(f"mpe2.{env}")
    game = PettingZooGame(env=f"mpe2.{env}:parallel_env", horizon=10, arguments=arguments)
    assert game.spec.seats == seats
    uniform = Uniform().make(game, None)
    paid = [play(game, [uniform] * seats, episodes=3, game_seed=g, policy_seeds=range(seats)) for g in (1, 1, 2)]
    assert np.array_equal(paid[0].returns, paid[1].returns)
    assert not np.array_equal(paid[0].returns, paid[2].returns)
    by_hand, told = mpe2.parallel_env(**arguments), 0.0
    luck = spread(derive(1, "game"), 1)
    by_hand.reset(seed=int(luck[0] >> np.uint64(33)))
    state = game.reset(luck)
    for _ in range(10):
        state, step = game.step(state, np.ones((1, seats), dtype=np.int64))
        _, rewards, *_ = by_hand.step(dict.fromkeys(by_hand.agents, 1))
        assert step.rewards[0].tolist() == list(rewards.values())
        told += sum(rewards.values())
    assert told != 0


def test_the_entry_point_for_files_makes_any_game():
    env = parallel_env(kind="collab-grid", horizon=3, view="raw")
    assert env.game == CollabGrid(horizon=3)
    assert env.view == "raw"
