"""Every registered game and policy passes the public checkers, and the checkers find every fault they promise to."""

import importlib
import pkgutil
import random
from types import SimpleNamespace

import numpy as np
import pytest

import crossplay.populations.llm.program  # registers the policy
import crossplay.populations.scripted as scripted
import crossplay.populations.unstuck  # noqa: F401  registers the policy
from crossplay.benchmark.check import act_time, check_game, check_policy
from crossplay.benchmark.config import build, from_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import GameSpec, Observation, Step
from crossplay.benchmark.games import CollabGrid, Matrix
from crossplay.benchmark.policy import Clock
from crossplay.benchmark.registry import GAMES, POLICIES
from crossplay.benchmark.text import TextGame
from crossplay.benchmark.text_check import check_text_game, check_text_policy

for module in pkgutil.iter_modules(scripted.__path__):
    importlib.import_module(f"{scripted.__name__}.{module.name}")

EXAMPLES = {  # a kind without an example is checked with its defaults
    "matrix": [
        {},
        {"game": "volunteer", "seats": 3, "rounds": 4},
        {"game": "weakest_link", "cost": 0.25},
        {"game": "stag_hunt", "rounds": 2},
        {"game": "effort", "beta": 0.25},
        {"game": "custom", "payoffs": [[1, 2, 3], [4, 5, 6]], "costs": [[0.5, 0], [1, 2, 0]]},
        {"game": "custom", "payoffs": [2, 1], "seats": 1, "rounds": 3},
    ],
    "carry": [{}, {"heavy": True, "horizon": 7, "effort": 0.0, "pickup_shaping": 0.5}],
    "collab-grid": [{}, {"horizon": 7}],
    "overcooked": [{}, {"layout": "forced_coordination", "dynamics": "interact", "random_starts": 0.5, "horizon": 50}],
    "pettingzoo": [
        {
            "env": "crossplay.benchmark.pettingzoo:parallel_env",
            "horizon": 6,
            "arguments": {"kind": "matrix", "game": "stag_hunt", "rounds": 4},
        }
    ],
}
GAME_TABLES = [{"kind": kind, **table} for kind in GAMES for table in EXAMPLES.get(kind, [{}])]
CONSTANT = {"maker": {"kind": "constant", "action": 1}}
POLICY_TABLES = {"noisy": CONSTANT, "unstuck": CONSTANT}
NEED_FILES = {"debater", "llm", "llm-replay", "network", "onnx", "python", "team"}  # checked where those are tested


def spell(table):
    return "-".join(str(value) for value in table.values() if not isinstance(value, list | dict))


@pytest.mark.parametrize("table", GAME_TABLES, ids=spell)
def test_every_game_passes(table):
    game = from_table(GAMES, table)
    assert (check_text_game if isinstance(game, TextGame) else check_game)(game) == []


@pytest.mark.parametrize("kind", [kind for kind in POLICIES if kind not in NEED_FILES])
def test_every_policy_passes_in_every_seat_of_every_game_it_plays(kind):
    maker = build(POLICIES[kind], POLICY_TABLES.get(kind, {}))
    played = 0
    for game in (from_table(GAMES, {"kind": k, **EXAMPLES.get(k, [{}])[0]}) for k in GAMES):
        try:
            policy = maker.make(game, None)
        except Refused:
            continue
        for seat in range(game.spec.seats):
            played += 1
            check = check_text_policy if isinstance(game, TextGame) else check_policy
            assert check(policy, game, seat, episodes=3) == []
    assert played, f"{kind} plays none of the registered games"


BASE = Matrix(rounds=3)


def game_with(**parts):
    sound = {name: getattr(BASE, name) for name in ("spec", "reset", "observe", "step", "describe")}
    return SimpleNamespace(**{**sound, **parts})


def seen(**change):
    def observe(state, view):
        features, legal = BASE.observe(state, view)
        return Observation(
            **{"features": features, "legal": legal, **{k: f(features, legal) for k, f in change.items()}}
        )

    return observe


def paid(**change):
    def step(state, actions):
        state, step = BASE.step(state, actions)
        return state, step._replace(**{name: f(getattr(step, name)) for name, f in change.items()})

    return step


def writes(array):
    array ^= array.dtype.type(1)
    return BASE.reset(array) if array.ndim == 1 else None


class Looker:
    """Two views in one buffer, and a state that counts how often it was looked at."""

    spec = GameSpec(name="looker-v1", seats=1, actions=("a",), views={"one": (1,), "two": (1,)}, horizon=2)

    def reset(self, seeds):
        return SimpleNamespace(looks=0, buffer=np.zeros((len(seeds), 1, 1)))

    def observe(self, state, view):
        state.looks += 1
        state.buffer[...] = view == "one"
        return Observation(state.buffer, np.ones(state.buffer.shape, dtype=bool))

    def step(self, state, actions):
        shape = actions.shape
        return state, Step(
            np.full(shape, float(state.looks)), np.zeros(shape), np.zeros(shape), np.zeros((*shape, 0), int)
        )

    def describe(self, state, seat):
        return ["nothing"] * len(state.buffer)


def test_the_sound_game_of_these_tests_is_sound():
    assert check_game(game_with()) == []


BROKEN_GAMES = {
    "features of view 'flat' has shape [5, 2, 4], wanted [5, 2, 5]": {
        "observe": seen(features=lambda f, _: f[..., 1:])
    },
    "features of view 'flat' has NaN": {"observe": seen(features=lambda f, _: f * np.nan)},
    "features of view 'flat' has dtype <U": {"observe": seen(features=lambda f, _: f.astype(str))},
    "legal has dtype int64, wanted bool": {"observe": seen(legal=lambda _, legal: legal.astype(int))},
    "legal has a row without any legal action": {"observe": seen(legal=lambda _, legal: legal & False)},
    "rewards has dtype int64, wanted floating": {"step": paid(rewards=lambda r: r.astype(int))},
    "rewards has NaN or infinite": {"step": paid(rewards=lambda r: r + np.inf)},
    "shaping has shape [5], wanted [5, 2]": {"step": paid(shaping=lambda s: s[:, 0])},
    "costs are negative": {"step": paid(costs=lambda c: c - 1)},
    "events are negative": {"step": paid(events=lambda e: e - 1)},
    "events has dtype float64, wanted integer": {"step": paid(events=lambda e: e * 0.5)},
    "step must return a Step, returns tuple": {"step": lambda s, a: (s, tuple(BASE.step(s, a)[1]))},
    "played again: rewards differ": {"step": paid(rewards=lambda r: r + np.random.default_rng().random())},
    "generator of numpy": {"step": paid(rewards=lambda r: r + np.random.rand())},  # noqa: NPY002
    "generator of random": {"step": paid(rewards=lambda r: r + random.random())},
    "an episode alone: rewards differ": {"step": paid(rewards=lambda r: r + len(r))},
    "in another order of episodes: costs differ": {"step": paid(costs=lambda c: c + np.arange(len(c))[:, None])},
    "with actions as int32: rewards differ": {"step": lambda s, a: paid(rewards=lambda r: r + a.itemsize)(s, a)},
    "writes into the actions": {"step": lambda s, a: (BASE.step(s, a), writes(a))[0]},
    "writes into the seeds": {"reset": writes},
    "describe must give 5 texts": {"describe": lambda s, seat: ["one"]},
    "step raised ZeroDivisionError": {"step": lambda s, a: 1 / 0},
    "spec must be a GameSpec": {"spec": "matrix-v1"},
}


@pytest.mark.parametrize("fault", BROKEN_GAMES)
def test_each_fault_of_a_game_is_found(fault):
    found = check_game(game_with(**BROKEN_GAMES[fault]))
    wanted = fault.replace("step raised", "<lambda> raised")
    assert any(wanted in text for text in found), found


def test_all_faults_are_found_at_once():
    step = paid(costs=lambda c: c - 1, events=lambda e: e * 0.5, rewards=lambda r: r * np.nan)
    found = check_game(game_with(step=step, observe=seen(legal=lambda _, legal: legal & False)))
    assert len(found) == 4


def test_looking_that_changes_the_state_or_another_view_is_found():
    found = check_game(Looker())
    assert "without observe and describe: rewards differ" in found
    assert any("view 'one' shows something else" in text for text in found)


GRID = CollabGrid(horizon=12)


class Player:
    """A sound policy that draws from its seeds; every fault below is one change to it."""

    view = "ego"
    calls = 0

    def begin(self, seeds, seat):
        return Clock(seeds)

    def act(self, observation, memory):
        return (memory.draw() * 5).astype(np.int64), memory.tick()


def player(act, begin=None):
    body = {"act": lambda self, o, m: (act(self, o, m), m.tick())}
    return type("Broken", (Player,), body if begin is None else {**body, "begin": begin})()


def counts(self, observation, memory):
    self.calls += 1
    return np.full(len(memory.seeds), self.calls % 5)


def forgets(self, seeds, seat):
    self.calls = 0
    return Clock(seeds)


def scribbles(self, observation, memory):
    observation.features[:] = 0
    return np.zeros(len(memory.seeds), dtype=np.int64)


def drawn(number):
    return lambda self, o, m: np.full(len(m.seeds), number())


def torch_number():
    return int(importlib.import_module("torch").randint(5, ()))


BROKEN_POLICIES = {
    "actions have dtype float64, wanted an integer type, step 0": player(lambda self, o, m: m.draw()),
    "actions are NaN or infinite, step 0": player(lambda self, o, m: m.draw() * np.nan),
    "actions have shape [5, 1], wanted [5]": player(lambda self, o, m: np.zeros((5, 1), int)),
    "action 5 is illegal in episode 0; legal: [0, 1, 2, 3, 4], step 3": player(
        lambda self, o, m: np.full(len(m.seeds), 5 if m.step == 3 else 0)
    ),
    "generator of numpy": player(drawn(lambda: int(np.random.randint(5)))),  # noqa: NPY002
    "generator of random": player(drawn(lambda: random.randrange(5))),
    "generator of torch": player(drawn(torch_number)),
    "begun again with equal seeds it acts differently": player(counts),
    "two games in turn disturb each other": player(counts, forgets),
    "an episode alone is played differently": player(lambda self, o, m: np.full(len(m.seeds), len(m.seeds) % 5)),
    "act writes into the observation": player(scribbles),
    "act raised ZeroDivisionError": player(lambda self, o, m: 1 // 0),
}


def test_the_sound_policy_of_these_tests_is_sound():
    assert check_policy(Player(), GRID, 1) == []


@pytest.mark.parametrize("fault", BROKEN_POLICIES)
def test_each_fault_of_a_policy_is_found(fault):
    if "torch" in fault:
        pytest.importorskip("torch")  # its generator is watched once it is loaded
    found = check_policy(BROKEN_POLICIES[fault], GRID, 1)
    wanted = fault.replace("act raised", "<lambda> raised")
    assert any(wanted in text for text in found), found


def test_a_policy_that_reads_an_unknown_view_is_told_the_nearest():
    policy = Player()
    policy.view = "eggo"
    assert check_policy(policy, GRID) == ["unknown view 'eggo'; did you mean 'ego'?"]


def test_batch_dependence_may_be_allowed():
    assert check_policy(BROKEN_POLICIES["an episode alone is played differently"], GRID, alone=False) == []


@pytest.mark.parametrize("game", [GRID, Matrix()], ids=["long", "one step"])
def test_act_time_is_a_positive_number_of_microseconds(game):
    policy = Player()
    policy.view = game.spec.view
    policy.act = lambda o, m: ((m.draw() * 2).astype(np.int64), m.tick())
    assert 0 < act_time(policy, game, episodes=8, steps=5) < 1e5
