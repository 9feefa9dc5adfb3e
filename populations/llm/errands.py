"""What macro-actions need and where they lead to; compiled. x is one episode's symbols."""

from crossplay.benchmark.games.overcooked.engine import helper
from crossplay.benchmark.games.overcooked.layouts import COUNTER, INGREDIENTS, POT, SERVING
from crossplay.benchmark.games.overcooked.symbols import CELLS, OBJECT, OTHER_CELL, OWN_CELL, OWN_HELD
from crossplay.populations.llm.plan import FAR
from crossplay.populations.llm.ways import FIRST, NEVER
from crossplay.populations.llm.words import (
    ASIDE,
    DELIVER,
    DROP,
    FULLEST,
    GET,
    NEAREST,
    PASS,
    PICK,
    PLATE,
    PUT,
    START,
    WAIT,
)
from crossplay.populations.scripted.overcooked_count import DISH, LONG, NOTHING, SOUP, contents, remaining
from crossplay.populations.scripted.overcooked_paths import STEP, aside

NOWHERE = -1


@helper
def size(code):
    """How many ingredients a recipe code says."""
    return (code & 3) + (code >> 2)


@helper
def allowed(k, m, x, verb, arg, f):
    """Whether a macro's precondition holds for a fixture, wherever the cook is."""
    held, there = x[OWN_HELD], x[CELLS + 4 * f + OBJECT]
    if k.kind[f] == POT:
        return at_pot(k, m, x, verb, f)
    if k.kind[f] == COUNTER:
        if verb == PICK:
            return held == NOTHING and there == arg
        free = held != NOTHING and there == NOTHING
        return free and (verb == DROP or (verb == PASS and onward(k, m, x, f) < FAR))
    if verb == DELIVER:
        return held == SOUP and k.kind[f] == SERVING
    return verb == GET and held == NOTHING and k.gives[f] == arg


@helper
def at_pot(k, m, x, verb, f):
    """Whether something can be put into a pot, a pot be started, or a soup be waited for with a dish."""
    held, code, idle = x[OWN_HELD], contents(x, f), remaining(k, x, f) == LONG
    if verb == PUT:
        return NOTHING < held < DISH and idle and size(code) < INGREDIENTS
    if verb == START:
        return m.starts and held == NOTHING and idle and code > 0
    return verb == PLATE and held == DISH and not idle


@helper
def onward(k, m, x, f):
    """Moves that what is handed over at a counter still has to go, or FAR."""
    me, they = k.side[x[OWN_CELL]], k.side[x[OTHER_CELL]]
    return m.serve[me, they, f] if x[OWN_HELD] == SOUP else m.cook[me, they, f]


@helper
def goal(k, m, x, d, verb, arg):
    """The cell a macro leads to, or NOWHERE: it is legal where its precondition holds and there is a way."""
    if verb == WAIT:
        return x[OWN_CELL]
    if verb == ASIDE:
        return x[OWN_CELL] if aside(k, x, 0.0) >= 0 else NOWHERE
    if verb in (PUT, START, PLATE):
        pot = k.pots[arg] if 0 <= arg < len(k.pots) else NOWHERE
        return pot if pot != NOWHERE and d.price[pot] < NEVER and at_pot(k, m, x, verb, pot) else NOWHERE
    best, place = NEVER, NOWHERE
    for number in range(len(k.fixtures)):
        f = k.fixtures[(number + d.habit[FIRST]) % len(k.fixtures)]
        if d.price[f] < best and allowed(k, m, x, verb, arg, f):
            price = d.price[f] + (STEP * onward(k, m, x, f) if verb == PASS else 0)
            if price < best:
                best, place = price, f
    return place


@helper
def which(k, m, x, d, verb, arg):
    """The number of the pot a macro means: `arg` itself, or the legal one that is nearest, fullest, emptiest, soonest.

    A pot meant to be filled has to want what is held, one meant to be started to hold a whole order. -1: there is none.
    """
    if verb not in (PUT, START, PLATE) or arg >= 0:
        return arg
    best, found = 2 * NEVER, NOWHERE
    for number in range(len(k.pots)):
        p = (number + d.habit[FIRST]) % len(k.pots)
        pot = k.pots[p]
        need = k.need[p, contents(x, pot)]
        wrong = (verb == PUT and need[x[OWN_HELD] % DISH] == 0) or (verb == START and need[0] > 0)
        if wrong or d.price[pot] >= NEVER or not at_pot(k, m, x, verb, pot):
            continue
        price = d.price[pot]
        if arg != NEAREST:
            rank = remaining(k, x, pot) if verb == PLATE else need[0] if arg == FULLEST else -need[0]
            price = rank * 1000 + min(price, 999)
        if price < best:
            best, found = price, p
    return found
