"""The nearest place to get a thing from or to put one down, for an Overcooked rule partner; compiled."""

from crossplay.benchmark.games.overcooked.layouts import COUNTER, POT, SERVING
from crossplay.benchmark.games.overcooked.symbols import CELLS, OBJECT, OTHER_CELL, OTHER_HELD, OWN_CELL, OWN_HELD
from crossplay.populations.scripted.overcooked_count import DISH, NOTHING, SHARED, SOUP, stock
from crossplay.populations.scripted.overcooked_paths import NEVER, STEP, compiled

HOLD, WAIT = -1, -2  # no place to go to; the place is right, the time is not


@compiled
def covered(x, thing, trust):
    """How many of a thing the partner brings."""
    return trust and x[OTHER_HELD] == thing


@compiled
def cheapest(k, x, d, kind):
    """The nearest fixture of a kind, or HOLD."""
    best, goal = NEVER, HOLD
    for f in k.fixtures:
        if k.kind[f] == kind and d.price[f] < best:
            best, goal = d.price[f], f
    return goal


@compiled
def source(k, r, x, d, thing):
    """The nearest dispenser of a thing or counter it lies on, or HOLD. What was laid out for others stays there."""
    me, they = k.side[x[OWN_CELL]], k.side[x[OTHER_CELL]]
    giver = me != they and not k.has[me, SERVING if thing == SOUP else POT]
    hoarded = thing < DISH and stock(x, d.tally, k) <= r.hoard
    best, goal = NEVER, HOLD
    for f in k.fixtures:
        here = k.gives[f] == thing and thing != SOUP
        if k.kind[f] == COUNTER and x[CELLS + 4 * f + OBJECT] == thing:
            both = me != they and k.touch[they, f]
            here = not giver if both else not hoarded
        if here and d.price[f] < best:
            best, goal = d.price[f], f
    return goal


@compiled
def counter(k, x, d, shared):
    """The best free counter: one both sides reach, near what the other needs (shared), or else the nearest other."""
    me, they = k.side[x[OWN_CELL]], k.side[x[OTHER_CELL]]
    best, goal = NEVER, HOLD
    for f in k.fixtures:
        if k.kind[f] != COUNTER or x[CELLS + 4 * f + OBJECT] != NOTHING or d.price[f] >= NEVER:
            continue
        both = me != they and k.touch[they, f]
        if shared:
            onward = k.near_window[they, f] if x[OWN_HELD] == SOUP else k.near_pot[they, f]
            price = d.price[f] + STEP * onward if both else NEVER
        else:
            price = d.price[f] + 20 * STEP * both if not both or d.tally[SHARED + NOTHING] > 1 else NEVER
        if price < best:
            best, goal = price, f
    return goal


@compiled
def in_the_way(k, x, d):
    """The nearest shared counter with an ingredient on it, or HOLD."""
    they = k.side[x[OTHER_CELL]]
    best, goal = NEVER, HOLD
    for f in k.fixtures:
        thing = x[CELLS + 4 * f + OBJECT]
        if k.kind[f] == COUNTER and k.touch[they, f] and 0 < thing < DISH and d.price[f] < best:
            best, goal = d.price[f], f
    return goal
