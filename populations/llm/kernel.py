"""How a cook carries out macro-actions, tick by tick; compiled.

Each tick it looks: is a new macro due, because the last one is done, has become pointless, was blocked for three ticks
or has taken twenty? Then it acts: the next step of the shortest way, or what the macro is about. Who has no way, or
clashed with the partner, waits or steps aside as the episode's luck has it, so that no two cooks block each other for
ever.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from crossplay.benchmark.compiled import kernels
from crossplay.benchmark.games.overcooked import engine
from crossplay.benchmark.games.overcooked.engine import INTERACT, STAY
from crossplay.benchmark.games.overcooked.symbols import OTHER_CELL, OTHER_FACING, OTHER_HELD, OWN_CELL, OWN_FACING
from crossplay.benchmark.luck import uniform
from crossplay.populations.llm.errands import NOWHERE, allowed, goal, which
from crossplay.populations.llm.senses import distances, feel
from crossplay.populations.llm.ways import FIRST, NEVER, ORDER, survey
from crossplay.populations.llm.words import ASIDE, PLATE, UNREACHABLE, WAIT
from crossplay.populations.scripted import overcooked_paths
from crossplay.populations.scripted.overcooked_count import soup_ready
from crossplay.populations.scripted.overcooked_paths import aside, compiled

(VERB, ARG, GOAL, TICKS, BLOCKED, STUCK, ACTION, CELL, MARK, IDLE, SEAT, ONWARD) = range(12)  # columns of the memory
MEMORY = 12
LONGEST, PATIENCE = 20, 3  # ticks a macro may take, ticks it may be blocked
_ORDER, _FIRST, _YIELD, _WHERE, _RULES = 1, 2, 3, 4, 16  # streams of luck


class Rules(NamedTuple):
    """A program as arrays; its default is the last rule. Rule r has the conditions first[r] up to first[r + 1]."""

    verb: np.ndarray  # int64 [rules]
    arg: np.ndarray  # int64 [rules] pot, thing or steps
    p: np.ndarray  # float64 [rules] chance to do it
    first: np.ndarray  # int64 [rules + 1] where a rule's conditions begin
    predicate: np.ndarray  # int64 [conditions]
    operator: np.ndarray  # int64 [conditions]
    constant: np.ndarray  # int64 [conditions]
    hand: int  # preferred way round: 1 clockwise, -1 counterclockwise, 0 none
    bias: int  # what a move the other way costs more, in quarters of an action


@compiled
def look(k, m, x, seed, mem, hand, bias, d):
    """Notes what happened since the last tick, surveys the kitchen, and says whether a new macro is due."""
    mark = (x[OTHER_CELL] * 4 + x[OTHER_FACING]) * 8 + x[OTHER_HELD]
    mem[IDLE] = min(mem[IDLE] + 1, UNREACHABLE) if mem[MARK] == mark else 0
    mem[MARK] = mark
    if mem[ACTION] < STAY and mem[CELL] == x[OWN_CELL] and k.side[k.front[mem[CELL], mem[ACTION]]] >= 0:
        mem[BLOCKED] += 1
    elif mem[ONWARD]:
        mem[BLOCKED] = 0
    d.habit[ORDER] = int(uniform(seed, 0, _ORDER) * 8)
    d.habit[FIRST] = int(uniform(seed, 0, _FIRST) * len(k.fixtures))
    survey(k, x[OWN_CELL], x[OWN_FACING], x[OTHER_CELL], hand, bias, d)
    due = mem[VERB] < 0 or mem[TICKS] >= LONGEST or mem[BLOCKED] >= PATIENCE or not valid(k, m, x, mem)
    if due:
        mem[STUCK] = mem[BLOCKED] >= PATIENCE
    return due


@compiled
def valid(k, m, x, mem):
    """Whether the macro under way still makes sense."""
    return mem[VERB] in (WAIT, ASIDE) or allowed(k, m, x, mem[VERB], mem[ARG], mem[GOAL])


@compiled
def begin(mem, verb, arg, place):
    """Notes a new macro."""
    mem[VERB], mem[ARG], mem[GOAL], mem[TICKS], mem[BLOCKED] = verb, arg, place, 0, 0


@compiled
def act(k, x, seed, step, mem, d):
    """The next action of the macro under way; a macro that is done with it is forgotten."""
    mem[TICKS], mem[ONWARD] = mem[TICKS] + 1, 0
    draw, action, done = uniform(seed, step, _YIELD), STAY, False
    if mem[VERB] == WAIT:
        done = mem[TICKS] >= mem[ARG]
    elif mem[VERB] == ASIDE:
        action, done = give_way(k, x, seed, step), True
    elif d.price[mem[GOAL]] >= NEVER:
        mem[BLOCKED] += 1
        action = give_way(k, x, seed, step) if draw < 0.5 else STAY
    elif d.route[mem[GOAL]] < STAY:
        if mem[BLOCKED] == 0 or draw < 0.5:
            action, mem[ONWARD] = d.route[mem[GOAL]], 1
    elif mem[VERB] != PLATE or soup_ready(k, x, mem[GOAL]):
        action, done = INTERACT, True
    if done:
        mem[VERB] = -1
    mem[ACTION], mem[CELL] = action, x[OWN_CELL]
    return action


@compiled
def give_way(k, x, seed, step):
    """A step into a free neighbouring cell, or none."""
    action = aside(k, x, uniform(seed, step, _WHERE))
    return STAY if action < 0 else action


@compiled
def decide(k, m, x, r, seed, step, mem, d):
    """Begins the first rule's macro that holds, that luck lets through and that is legal; else waits a step."""
    feel(k, m, x, step, mem[SEAT], mem[IDLE], mem[STUCK], d)
    survey(k, x[OWN_CELL], x[OWN_FACING], x[OTHER_CELL], r.hand, r.bias, d)
    for rule in range(len(r.verb)):
        if holds(r, rule, d.sense) and uniform(seed, step, _RULES + rule) < r.p[rule]:
            arg = which(k, m, x, d, r.verb[rule], r.arg[rule])
            place = goal(k, m, x, d, r.verb[rule], arg)
            if place != NOWHERE:
                begin(mem, r.verb[rule], arg, place)
                return
    begin(mem, WAIT, 1, x[OWN_CELL])


@compiled
def holds(r, rule, sense):
    """Whether all conditions of a rule hold."""
    for c in range(r.first[rule], r.first[rule + 1]):
        value, constant = sense[r.predicate[c]], r.constant[c]
        less, same = value < constant, value == constant
        # == != < <= > >=
        truth = (same, not same, less, less or same, not (less or same), not less)
        if not truth[r.operator[c]]:
            return False
    return True


def blank(episodes: int, seat: int) -> np.ndarray:
    """Memory of fresh episodes, int64 [episodes, MEMORY]."""
    memory = np.zeros((episodes, MEMORY), dtype=np.int64)
    memory[:, VERB], memory[:, ACTION], memory[:, CELL], memory[:, MARK] = -1, STAY, -1, -1
    memory[:, SEAT] = seat
    return memory


_HERE, _SCRIPTED = Path(__file__).parent, Path(overcooked_paths.__file__).parent
_PARTS = [_HERE / f"{name}.py" for name in ("words", "plan", "ways", "errands", "senses", "kernel")]
_SOURCES = (*_PARTS, *sorted(_SCRIPTED.glob("overcooked_*.py")), Path(engine.__file__).parent)


@kernels(*_SOURCES, parallel=False)
def run(k, m, r, symbols, seeds, step, memory, d, actions):
    """One tick of a program in every episode; memory is updated, actions int64 [episodes] are filled."""
    for e in range(len(actions)):
        if look(k, m, symbols[e], seeds[e], memory[e], r.hand, r.bias, d):
            decide(k, m, symbols[e], r, seeds[e], step, memory[e], d)
        actions[e] = act(k, symbols[e], seeds[e], step, memory[e], d)


@kernels(*_SOURCES, parallel=False)
def review(k, m, verbs, args, symbols, seeds, memory, d, due, legal):
    """Fills due bool [episodes] and legal bool [episodes, macros]; memory is updated."""
    for e in range(len(due)):
        due[e] = look(k, m, symbols[e], seeds[e], memory[e], 0, 0, d)
        for o in range(len(verbs)):
            legal[e, o] = goal(k, m, symbols[e], d, verbs[o], args[o]) != NOWHERE


@kernels(*_SOURCES, parallel=False)
def proceed(k, m, verbs, args, symbols, seeds, step, memory, d, chosen, actions):
    """Begins the chosen macros (-1: go on with the present one) and fills actions; memory is updated."""
    for e in range(len(actions)):
        x = symbols[e]
        d.habit[ORDER] = int(uniform(seeds[e], 0, _ORDER) * 8)
        d.habit[FIRST] = int(uniform(seeds[e], 0, _FIRST) * len(k.fixtures))
        survey(k, x[OWN_CELL], x[OWN_FACING], x[OTHER_CELL], 0, 0, d)
        if chosen[e] >= 0:
            verb, arg = verbs[chosen[e]], args[chosen[e]]
            begin(memory[e], verb, arg, goal(k, m, x, d, verb, arg))
        actions[e] = act(k, x, seeds[e], step, memory[e], d)


@kernels(*_SOURCES, parallel=False)
def measure(k, x, d, found):
    """Fills found int64 [2, 5]: one episode's distances of the cook and of its partner, as `senses` has them."""
    survey(k, x[OTHER_CELL], x[OTHER_FACING], x[OWN_CELL], 0, 0, d)
    distances(k, d, 0)
    found[1] = d.sense[:5]
    survey(k, x[OWN_CELL], x[OWN_FACING], x[OTHER_CELL], 0, 0, d)
    distances(k, d, 0)
    found[0] = d.sense[:5]
