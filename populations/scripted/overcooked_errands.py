"""What an Overcooked rule partner does next: which fixture to go to, given what hands, pots and counters hold.

In kitchens cut in two, a cook without a pot lays what the other side needs on a counter both can reach, one soup
ahead and never on the last free one, so that a dish always finds room. Compiled; x is one episode's symbols.
"""

from crossplay.benchmark.games.overcooked.layouts import DISHES, POT, SERVING
from crossplay.benchmark.games.overcooked.symbols import OTHER_CELL, OTHER_HELD, OWN_CELL, OWN_HELD
from crossplay.populations.scripted.overcooked_count import (
    CLOSE,
    DISH,
    DUE,
    FILLED,
    LONG,
    NEED,
    NOTHING,
    ONION,
    SHARED,
    SOON,
    SOUP,
    THEIRS,
    TOMATO,
    contents,
    remaining,
    stock,
)
from crossplay.populations.scripted.overcooked_paths import NEVER, STEP, compiled
from crossplay.populations.scripted.overcooked_places import HOLD, cheapest, counter, covered, source


@compiled
def choose(k, r, x, trust, d):
    """The fixture to go to, or HOLD."""
    held = x[OWN_HELD]
    if held == NOTHING:
        return empty_handed(k, r, x, trust, d)
    if held in (ONION, TOMATO) and r.onions:
        return with_ingredient(k, r, x, trust, d, held)
    if held == DISH and r.dishes:
        return with_dish(k, r, x, trust, d)
    if held == SOUP and r.dishes:
        me = k.side[x[OWN_CELL]]
        window = cheapest(k, x, d, SERVING)
        return window if k.has[me, SERVING] else counter(k, x, d, True)
    return counter(k, x, d, False)


@compiled
def wanted(k, r, x, trust, d):
    """The nearest ingredient that a usable pot needs and the partner does not bring: (thing, where); (0, HOLD)."""
    best, thing, goal = NEVER, 0, HOLD
    for kind in (ONION, TOMATO):
        if r.onions and d.tally[NEED + kind] > covered(x, kind, trust):
            f = source(k, r, x, d, kind)
            if f != HOLD and d.price[f] < best:
                best, thing, goal = d.price[f], kind, f
    return thing, goal


@compiled
def dish_wanted(k, r, x, trust, d):
    """Where to get a dish that a cooking soup needs and the partner does not bring, or HOLD."""
    if r.dishes and d.tally[DUE] > covered(x, DISH, trust) and d.tally[SOON] <= r.late:
        return source(k, r, x, d, DISH)
    return HOLD


@compiled
def hurries(k, x, d, dish):
    """Whether a soup will be ready by the time a dish gets to it."""
    return STEP * d.tally[SOON] <= d.price[dish] + STEP * k.near_pot[k.side[x[OWN_CELL]], dish] + 2 * STEP


@compiled
def empty_handed(k, r, x, trust, d):
    """Start a full pot, fetch a soup, a dish or an ingredient, supply the other side, or fetch ahead."""
    for p in range(len(k.pots)):
        pot = k.pots[p]
        code = contents(x, pot)
        mine = (r.pot < 0 or r.pot == p) and d.price[pot] < NEVER
        if mine and code > 0 and remaining(k, x, pot) == LONG and k.need[p, code, 0] == 0:
            return pot
    if r.dishes:
        soup = source(k, r, x, d, SOUP)
        if soup != HOLD:
            return soup
    goal = own_errand(k, r, x, trust, d)
    if goal == HOLD:
        goal = supply(k, r, x, trust, d)
    if goal == HOLD:
        goal = ahead(k, r, x, trust, d)
    return goal


@compiled
def own_errand(k, r, x, trust, d):
    """A dish or an ingredient for a pot of the own side; two free cooks split the work by who is nearer to what."""
    dish = dish_wanted(k, r, x, trust, d)
    food = wanted(k, r, x, trust, d)[1]
    here, there = x[OWN_CELL], x[OTHER_CELL]
    free = trust and r.onions and r.dishes and x[OTHER_HELD] == NOTHING
    if dish == HOLD:
        return food
    if food == HOLD:
        yours = free and d.tally[DUE] < 2 and k.plating[there] < k.plating[here]
        return HOLD if yours else dish
    if not hurries(k, x, d, dish):
        return food
    mine, swapped = k.plating[here] + k.feeding[there], k.feeding[here] + k.plating[there]
    if free and (swapped < mine or (swapped == mine and there < here)):
        return food
    return dish


@compiled
def supply(k, r, x, trust, d):
    """Something that the other side has pots for and no way to get: a dish for a soup, ingredients, one soup ahead."""
    me, they, t = k.side[x[OWN_CELL]], k.side[x[OTHER_CELL]], d.tally
    if me == they or k.has[me, POT] > 0 or t[SHARED + NOTHING] == 0:
        return HOLD
    plates = t[SHARED + DISH] + covered(x, DISH, True)
    if r.dishes and k.has[they, DISHES] == 0 and plates < t[THEIRS + DUE]:
        return source(k, r, x, d, DISH)
    food = HOLD
    for thing in (ONION, TOMATO):
        if r.onions and food == HOLD and lacking(k, x, t, thing, 0):
            food = source(k, r, x, d, thing)
    if food == HOLD and r.dishes and k.has[they, DISHES] == 0 and plates < t[THEIRS + DUE] + t[CLOSE]:
        return source(k, r, x, d, DISH)
    for thing in (ONION, TOMATO):
        if r.onions and food == HOLD and lacking(k, x, t, thing, k.need[0, 0, thing]):
            food = source(k, r, x, d, thing)
    return food


@compiled
def lacking(k, x, t, thing, spare):
    """Whether the other side needs more of an ingredient than lies ready, and a counter stays free for a dish."""
    room = t[SHARED + NOTHING] > 1 or t[SHARED + DISH] > 0 or x[OTHER_HELD] == DISH
    return room and t[SHARED + thing] + covered(x, thing, True) < t[THEIRS + NEED + thing] + spare


@compiled
def ahead(k, r, x, trust, d):
    """What will be needed next while pots cook: an ingredient, or a dish for who does nothing else."""
    t = d.tally
    if not r.onions:
        return source(k, r, x, d, DISH) if r.dishes and t[FILLED] > 0 and r.late >= LONG // 10 else HOLD
    for thing in (ONION, TOMATO):
        pots = k.has[k.side[x[OWN_CELL]], POT]
        if pots > 0 and k.need[0, 0, thing] > covered(x, thing, trust) and t[NEED + ONION] + t[NEED + TOMATO] == 0:
            return source(k, r, x, d, thing)
    return HOLD


@compiled
def with_ingredient(k, r, x, trust, d, thing):
    """To the pot nearest to being full, to a stock, to the other side, or down for something more urgent."""
    me, they, t = k.side[x[OWN_CELL]], k.side[x[OTHER_CELL]], d.tally
    if r.hoard > stock(x, t, k):
        spot = counter(k, x, d, False)
        if spot != HOLD and not (me != they and k.touch[they, spot]):
            return spot
    best, goal = NEVER, HOLD
    for p in range(len(k.pots)):
        pot = k.pots[p]
        need = k.need[p, contents(x, pot), 0]
        if (r.pot >= 0 and p != r.pot) or remaining(k, x, pot) < LONG or k.need[p, contents(x, pot), thing] == 0:
            continue
        taken = trust and x[OTHER_HELD] == thing and need == 1 and k.feeding[x[OTHER_CELL]] < k.feeding[x[OWN_CELL]]
        price = d.price[pot] + 2 * STEP * need + 5 * STEP * taken
        if d.price[pot] < NEVER and price < best:
            best, goal = price, pot
    if goal != HOLD:
        return goal
    if me != they and k.has[me, POT] == 0:
        return counter(k, x, d, True) if lacking(k, x, t, thing, k.need[0, 0, thing]) else HOLD
    dish = dish_wanted(k, r, x, trust, d)
    if dish != HOLD and hurries(k, x, d, dish) and not (trust and x[OTHER_HELD] == NOTHING):
        return counter(k, x, d, False)
    return counter(k, x, d, False) if t[NEED + ONION] + t[NEED + TOMATO] > 0 else HOLD


@compiled
def with_dish(k, r, x, trust, d):
    """To the soup that can be plated first, to the other side, or down where ingredients are wanted instead."""
    me, they, t = k.side[x[OWN_CELL]], k.side[x[OTHER_CELL]], d.tally
    best, goal = NEVER, HOLD
    for p in range(len(k.pots)):
        pot, left = k.pots[p], remaining(k, x, k.pots[p])
        if (r.pot < 0 or r.pot == p) and left < LONG and d.price[pot] < NEVER:
            price = max(d.price[pot], STEP * left)
            if price < best:
                best, goal = price, pot
    if goal != HOLD:
        early = STEP * remaining(k, x, goal) > d.price[goal] + STEP
        return HOLD if early and d.price[goal] <= 3 * STEP else goal
    if me != they and k.has[me, POT] == 0:
        return counter(k, x, d, True) if t[THEIRS + FILLED] > t[SHARED + DISH] else HOLD
    return counter(k, x, d, False) if wanted(k, r, x, trust, d)[1] != HOLD else HOLD
