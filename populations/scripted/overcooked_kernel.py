"""One compiled script for all Overcooked rule partners; its knobs make the families.

Each step a cook looks (`watch`), counts what pots, counters and hands hold (`count`), picks one fixture to go to
(overcooked_errands.py) and walks there by the cheapest way (overcooked_paths.py). It relies on what the partner
holds or is nearer to, but not on a partner that stands still or lets work lie: then it does everything itself.
Who cannot get past the partner pushes, steps aside or goes another way, as its episode's luck has it.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from crossplay.benchmark.compiled import kernels
from crossplay.benchmark.games.overcooked import engine
from crossplay.benchmark.games.overcooked.engine import INTERACT, STAY
from crossplay.benchmark.games.overcooked.symbols import OTHER_CELL, OTHER_FACING, OTHER_HELD, OWN_CELL, OWN_HELD
from crossplay.benchmark.luck import uniform
from crossplay.populations.scripted.overcooked_count import DISH, READY, THEIRS, count, soup_ready, work
from crossplay.populations.scripted.overcooked_errands import choose
from crossplay.populations.scripted.overcooked_paths import aside, compiled, desk, survey
from crossplay.populations.scripted.overcooked_places import HOLD
from crossplay.populations.scripted.overcooked_tables import Kitchen

(ACTION, CELL, STUCK, DETOUR, YIELD, OTHER, MARK, STILL, SAME, IDLE, ALONE, HELD) = range(12)  # columns of the memory
MEMORY = 12
DETOURS, SOLO = 6, 40  # steps a decision lasts: to go another way, to rely on nobody


class Rules(NamedTuple):
    """The knobs. Probabilities are per step."""

    onions: bool = True  # fetches and pots ingredients
    dishes: bool = True  # plates and delivers
    start: int = 0  # first step of work
    stop: int = 1_000_000  # first step without
    act: float = 1.0  # probability to work at all
    noise: float = 0.0  # probability of a uniformly random action instead
    sticky: float = 0.0  # probability to repeat the last action
    pot: int = -1  # the only pot used, row-major; -1: any
    hoard: int = 0  # ingredients kept on counters before any goes into a pot
    hand: int = 0  # preferred way round the kitchen: 1 clockwise, -1 counterclockwise
    bias: int = 0  # what a move the other way costs more, in quarters of a step
    late: int = 1_000  # takes a dish only for a soup that has at most so many ticks to go
    patience: int = 8  # steps after which an idle partner is not relied on


@compiled
def watch(k, r, x, mem, d):
    """Notes whether the last move came through, how long the partner has not stirred, and counts the kitchen."""
    if mem[CELL] == x[OWN_CELL] and mem[ACTION] < STAY and k.side[k.front[mem[CELL], mem[ACTION]]] >= 0:
        mem[STUCK] += 1
    else:
        mem[STUCK] = 0
    count(k, r, x, d.tally)
    mark = x[OTHER_FACING] + 4 * x[OTHER_HELD]
    mem[STILL] = min(mem[STILL] + 1, 1000) if mem[OTHER] == x[OTHER_CELL] else 0
    waits = x[OTHER_HELD] == DISH and d.tally[READY] + d.tally[THEIRS + READY] == 0
    if mem[STILL] == 0 or mem[MARK] != mark or waits:
        mem[SAME] = 0
    elif work(d.tally):
        mem[SAME] = min(mem[SAME] + 1, 1000)
    if mem[ALONE] > 0:
        mem[ALONE] = 0 if x[OTHER_HELD] == DISH and mem[MARK] // 4 != DISH else mem[ALONE] - 1
    if mem[IDLE] > r.patience or mem[SAME] >= r.patience:
        mem[ALONE], mem[IDLE] = SOLO, 0
    mem[OTHER], mem[MARK] = x[OTHER_CELL], mark


@compiled
def play(k, r, x, seed, step, mem, d):
    """One episode's action."""
    if uniform(seed, step, 0) < r.noise:
        return int(uniform(seed, step, 1) * 6)
    if uniform(seed, step, 2) < r.sticky:
        return int(mem[ACTION])
    if step < r.start or step >= r.stop or uniform(seed, step, 3) >= r.act:
        return STAY
    draw = uniform(seed, step, 4)
    if mem[YIELD] > 0:
        mem[YIELD] -= 1
        return give_way(k, x, draw)
    if mem[STUCK] > 0 and draw < 0.6:
        if draw < 0.3:
            mem[YIELD] = int(uniform(seed, step, 5) * min(mem[STUCK], 4))
            return give_way(k, x, draw / 0.3)
        mem[DETOUR] = DETOURS
    if mem[DETOUR] > 0:
        mem[DETOUR] -= 1
    survey(k, x, r.hand, r.bias, mem[DETOUR] > 0 or mem[STILL] > 1, d)
    goal = choose(k, r, x, mem[ALONE] == 0, d)
    action = approach(k, x, goal, uniform(seed, step, 6), mem, d)
    if turns_back(x, action, mem) and uniform(seed, step, 7) < 0.5:
        return STAY
    return action


@compiled
def turns_back(x, action, mem):
    """Whether a move undoes the last one with the same thing in hand: two cooks can so dither in step for ever."""
    opposite = action < STAY and mem[ACTION] < STAY and (action ^ 1) == mem[ACTION]
    return opposite and mem[CELL] != x[OWN_CELL] and mem[HELD] == x[OWN_HELD]


@compiled
def approach(k, x, goal, draw, mem, d):
    """The next action towards a goal; HOLD, or a soup that is not ready, means to wait without being in the way."""
    mem[IDLE] = mem[IDLE] + 1 if goal == HOLD and work(d.tally) else 0
    if goal >= 0 and not (d.route[goal] == INTERACT and x[OWN_HELD] == DISH and not soup_ready(k, x, goal)):
        return d.route[goal]
    if k.front[x[OTHER_CELL], x[OTHER_FACING]] == x[OWN_CELL]:
        return give_way(k, x, draw)
    return STAY


@compiled
def give_way(k, x, draw):
    """Steps into a free neighbouring cell, or stays where there is none."""
    action = aside(k, x, draw)
    return STAY if action < 0 else action


def blank(episodes: int) -> np.ndarray:
    """Memory of fresh episodes."""
    memory = np.zeros((episodes, MEMORY), dtype=np.int64)
    memory[:, ACTION], memory[:, CELL], memory[:, OTHER] = STAY, -1, -1
    return memory


_PARTS = sorted(Path(__file__).parent.glob("overcooked_*.py"))


@kernels(*_PARTS, Path(engine.__file__).parent, parallel=False)
def _run(k, r, symbols, seeds, step, memory, d, actions):
    for e in range(len(actions)):
        watch(k, r, symbols[e], memory[e], d)
        actions[e] = play(k, r, symbols[e], seeds[e], step, memory[e], d)
        memory[e, ACTION] = actions[e]
        memory[e, CELL], memory[e, HELD] = symbols[e, OWN_CELL], symbols[e, OWN_HELD]


def act(k: Kitchen, r: Rules, symbols: np.ndarray, seeds: np.ndarray, step: int, memory: np.ndarray) -> np.ndarray:
    """Actions int64 [episodes] for symbols int16 [episodes, features]; memory int64 [episodes, MEMORY] is updated."""
    actions = np.empty(len(seeds), dtype=np.int64)
    symbols = np.ascontiguousarray(symbols, dtype=np.int64)
    _run(k, r, symbols, seeds, step, memory, desk(len(k.kind)), actions)
    return actions
