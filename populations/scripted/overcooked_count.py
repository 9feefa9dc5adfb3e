"""What the pots and counters of an Overcooked kitchen hold, counted for one cook; compiled."""

from crossplay.benchmark.games.overcooked.layouts import COUNTER, POT
from crossplay.benchmark.games.overcooked.symbols import CELLS, COOK, OBJECT, ONIONS, OTHER_CELL, OWN_CELL, TOMATOES
from crossplay.populations.scripted.overcooked_paths import compiled

NOTHING, ONION, TOMATO, DISH, SOUP = range(5)  # things in symbols
# What is counted: of the pots the own side can use, then of those only the other side can, then of counters.
FILLED, NEED, DUE, READY, SOON, THEIRS, LOOSE, SHARED, CLOSE = 0, 0, 3, 4, 5, 6, 12, 17, 22
LONG = 10_000  # ticks until a soup that nobody has started


@compiled
def contents(x, cell):
    """The recipe code of what lies in a cell."""
    return x[CELLS + 4 * cell + ONIONS] | x[CELLS + 4 * cell + TOMATOES] << 2


@compiled
def remaining(k, x, pot):
    """Ticks until a cooking soup is ready; LONG where nothing cooks."""
    ticks = x[CELLS + 4 * pot + COOK]
    return LONG if ticks < 0 else k.time[contents(x, pot)] - ticks


@compiled
def soup_ready(k, x, cell):
    """Whether a fixture is a pot with a ready soup; True for every other fixture."""
    return k.kind[cell] != POT or remaining(k, x, cell) <= 0


@compiled
def count(k, r, x, t):
    """Fills the tally [24]: needs, soups due and ready, ticks to the soonest, loose things, free shared counters."""
    me, they = k.side[x[OWN_CELL]], k.side[x[OTHER_CELL]]
    t[:] = 0
    t[SOON], t[THEIRS + SOON] = LONG, LONG
    for p in range(len(k.pots)):
        pot = k.pots[p]
        if r.pot >= 0 and p != r.pot and k.touch[me, pot]:
            continue
        base, code, ticks = 0 if k.touch[me, pot] else THEIRS, contents(x, pot), remaining(k, x, pot)
        t[base + FILLED] += code > 0
        t[base + SOON] = min(t[base + SOON], ticks)
        if ticks < LONG:
            t[base + DUE] += 1
            t[base + READY] += ticks <= 0
        else:
            t[base + NEED + ONION] += k.need[p, code, ONION]
            t[base + NEED + TOMATO] += k.need[p, code, TOMATO]
            t[CLOSE] += base == THEIRS and code > 0 and k.need[p, code, 0] <= 1
    for f in k.fixtures:
        if k.kind[f] == COUNTER and k.touch[me, f]:
            t[LOOSE + x[CELLS + 4 * f + OBJECT]] += 1
            t[SHARED + x[CELLS + 4 * f + OBJECT]] += me != they and k.touch[they, f]


@compiled
def work(t):
    """Whether somebody could do something useful now."""
    mine = t[READY] + t[NEED + ONION] + t[NEED + TOMATO]
    return mine + t[THEIRS + READY] + t[THEIRS + NEED + ONION] + t[THEIRS + NEED + TOMATO] > 0


@compiled
def stock(x, t, k):
    """Ingredients on counters that were not laid out for the other side."""
    return t[LOOSE + ONION] + t[LOOSE + TOMATO] - t[SHARED + ONION] - t[SHARED + TOMATO]
