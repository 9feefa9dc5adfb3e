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
from crossplay.populations.scripted.overcooked_places import HOLD, WAIT, cheapest, counter, covered, in_the_way, source


@compiled
def choose(k, r, x, trust, d):
    """The fixture to go to, or HOLD."""
    held, me = x[OWN_HELD], k.side[x[OWN_CELL]]
    goal = HOLD
    if held == NOTHING:
        return empty_handed(k, r, x, trust, d)
    if held in (ONION, TOMATO) and r.onions:
        goal = with_ingredient(k, r, x, trust, d, held)
    elif held == DISH and r.dishes and k.serves[me]:
        goal = with_dish(k, r, x, trust, d)
    elif held == SOUP and r.dishes and k.serves[me]:
        return cheapest(k, x, d, SERVING) if k.has[me, SERVING] else counter(k, x, d, True)
    else:
        return counter(k, x, d, False)
    alone = goal == HOLD and not trust and r.onions and r.dishes
    return counter(k, x, d, False) if alone else goal


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
    able = r.dishes and k.serves[k.side[x[OWN_CELL]]]
    if able and d.tally[DUE] > covered(x, DISH, trust) and d.tally[SOON] <= r.late:
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
    if r.dishes and k.serves[k.side[x[OWN_CELL]]]:
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
    free = trust and r.onions and could_plate(k, x) and x[OTHER_HELD] == NOTHING
    if dish == HOLD or leaves_plating(k, r, x, trust):
        return food
    if food == HOLD:
        return HOLD if free and d.tally[DUE] < 2 and k.plating[there] < k.plating[here] else dish
    if not hurries(k, x, d, dish):
        return food
    mine, swapped = k.plating[here] + k.feeding[there], k.feeding[here] + k.plating[there]
    return food if free and (swapped < mine or (swapped == mine and there < here)) else dish


@compiled
def could_plate(k, x):
    """Whether the partner's side can plate and deliver."""
    they = k.side[x[OTHER_CELL]]
    return k.has[they, POT] > 0 and k.serves[they] > 0


@compiled
def leaves_plating(k, r, x, trust):
    """Whether the partner's side is the better one to plate, and a partner who stirs is there."""
    return trust and r.onions and could_plate(k, x) and k.knack[k.side[x[OTHER_CELL]]] < k.knack[k.side[x[OWN_CELL]]]


@compiled
def supply(k, r, x, trust, d):
    """Something that the other side has pots for and no way to get: a dish for a soup, ingredients, one soup ahead."""
    me, they, t = k.side[x[OWN_CELL]], k.side[x[OTHER_CELL]], d.tally
    if me == they or k.has[me, POT] > 0:
        return HOLD
    if t[SHARED + NOTHING] == 0:
        return in_the_way(k, x, d) if reserved(k, x, t) > 0 else HOLD
    plates = t[SHARED + DISH] + covered(x, DISH, True)
    for ripe in (True, False):
        if r.dishes and k.has[they, DISHES] == 0 and plates < t[THEIRS + DUE] + (0 if ripe else t[CLOSE]):
            return source(k, r, x, d, DISH)
        for thing in (ONION, TOMATO):
            if r.onions and lacking(k, x, t, thing, 0 if ripe else k.need[0, 0, thing]):
                food = source(k, r, x, d, thing)
                if food != HOLD:
                    return food
    return HOLD


@compiled
def reserved(k, x, t):
    """Shared counters to keep free: for a dish where the other side has none, for a soup where it has no window."""
    they = k.side[x[OTHER_CELL]]
    plate = k.has[they, DISHES] == 0 and t[SHARED + DISH] == 0 and x[OTHER_HELD] != DISH
    return plate + (k.has[they, SERVING] == 0)


@compiled
def lacking(k, x, t, thing, spare):
    """Whether the other side needs more of an ingredient than lies ready, and there is room for it."""
    room = t[SHARED + NOTHING] > reserved(k, x, t)
    return room and t[SHARED + thing] + covered(x, thing, True) < t[THEIRS + NEED + thing] + spare


@compiled
def ahead(k, r, x, trust, d):
    """What will be needed next while pots cook: an ingredient, or a dish for who does nothing else."""
    me, t = k.side[x[OWN_CELL]], d.tally
    if not r.onions:
        return source(k, r, x, d, DISH) if r.dishes and t[FILLED] > 0 and r.late >= LONG // 10 else HOLD
    brought = k.has[me, DISHES] == 0 and t[DUE] > 0  # keep the hands free for a dish
    if k.has[me, POT] == 0 or brought or t[NEED + ONION] + t[NEED + TOMATO] > 0:
        return HOLD
    for thing in (ONION, TOMATO):
        if k.need[0, 0, thing] > covered(x, thing, trust):
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
        return counter(k, x, d, lacking(k, x, t, thing, k.need[0, 0, thing]))
    dish = dish_wanted(k, r, x, trust, d)
    partner = trust and could_plate(k, x) and (x[OTHER_HELD] == NOTHING or leaves_plating(k, r, x, trust))
    if dish != HOLD and hurries(k, x, d, dish) and not partner:
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
        return WAIT if early and d.price[goal] <= 3 * STEP else goal
    if me != they and k.has[me, POT] == 0:
        return counter(k, x, d, True) if t[THEIRS + FILLED] > t[SHARED + DISH] else HOLD
    return counter(k, x, d, False) if wanted(k, r, x, trust, d)[1] != HOLD else HOLD
