"""What programs may ask about, measured for one cook; compiled. The order of entries is that of `words.PREDICATES`."""

from crossplay.benchmark.games.overcooked.layouts import COUNTER, DISHES, INGREDIENTS, ONIONS, POT, SERVING, TOMATOES
from crossplay.benchmark.games.overcooked.symbols import (
    CELLS,
    OBJECT,
    OTHER_CELL,
    OTHER_FACING,
    OTHER_HELD,
    OWN_CELL,
    OWN_FACING,
    OWN_HELD,
    URGENCY,
)
from crossplay.populations.llm.errands import size
from crossplay.populations.llm.plan import FAR
from crossplay.populations.llm.ways import NEVER, survey
from crossplay.populations.llm.words import PREDICATES, UNREACHABLE
from crossplay.populations.scripted.overcooked_count import LONG, NOTHING, ONION, SOUP, TOMATO, contents, remaining
from crossplay.populations.scripted.overcooked_paths import STEP, compiled

_NAMES = list(PREDICATES)
_HELD, _PARTNER_HELD = _NAMES.index("holding"), _NAMES.index("partner_holding")
_POTS = _NAMES.index("pots")
_MINE, _THEIRS = _NAMES.index("onion_distance"), _NAMES.index("partner_onion_distance")
_APART, _LOOSE = _NAMES.index("partner_distance"), _NAMES.index("counter_onions")
_FREE, _SIDE, _OTHER_SIDE = (_NAMES.index(n) for n in ("handover_free", "onion_side", "partner_pot_side"))
_IDLE, _FACES, _BLOCKED = (_NAMES.index(n) for n in ("partner_idle", "partner_faces_me", "blocked"))
_STEPS, _HURRY, _SEAT = (_NAMES.index(n) for n in ("steps", "hurry", "seat"))
_PLACES = (ONIONS, TOMATOES, DISHES, POT, SERVING)


@compiled
def feel(k, m, x, step, seat, idle, blocked, d):
    """Fills `d.sense`. The prices and routes in d have to be the cook's own, without a hand, and stay so."""
    s = d.sense
    s[:] = 0
    s[_HELD], s[_PARTNER_HELD] = x[OWN_HELD], x[OTHER_HELD]
    pots(k, m, x, s)
    survey(k, x[OTHER_CELL], x[OTHER_FACING], x[OWN_CELL], 0, 0, d)
    distances(k, d, _THEIRS)
    survey(k, x[OWN_CELL], x[OWN_FACING], x[OTHER_CELL], 0, 0, d)
    distances(k, d, _MINE)
    s[_APART] = apart(k, x[OWN_CELL], x[OTHER_CELL])
    counters(k, m, x, s)
    me, they = k.side[x[OWN_CELL]], k.side[x[OTHER_CELL]]
    for number in range(5):
        s[_SIDE + number] = k.has[me, _PLACES[number]] > 0
    s[_OTHER_SIDE], s[_OTHER_SIDE + 1] = k.has[they, POT] > 0, k.has[they, SERVING] > 0
    s[_IDLE], s[_BLOCKED] = idle, blocked
    s[_FACES] = k.front[x[OTHER_CELL], x[OTHER_FACING]] == x[OWN_CELL]
    s[_STEPS], s[_HURRY], s[_SEAT] = step, x[URGENCY], seat


@compiled
def pots(k, m, x, s):
    """Of all pots: number, open, to start, contents of the fullest, wanted things, cooking, ready, first one ready."""
    s[_POTS], s[_POTS + 8] = len(k.pots), UNREACHABLE
    for p in range(len(k.pots)):
        code, ticks = contents(x, k.pots[p]), remaining(k, x, k.pots[p])
        if ticks < LONG:
            s[_POTS + 6] += ticks > 0
            s[_POTS + 7] += ticks <= 0
            s[_POTS + 8] = min(s[_POTS + 8], max(ticks, 0))
        else:
            s[_POTS + 1] += size(code) < INGREDIENTS
            s[_POTS + 2] += m.starts and code > 0 and k.need[p, code, 0] == 0
            s[_POTS + 3] = max(s[_POTS + 3], size(code) if size(code) < INGREDIENTS else 0)
            s[_POTS + 4] += k.need[p, code, ONION]
            s[_POTS + 5] += k.need[p, code, TOMATO]


@compiled
def distances(k, d, base):
    """Actions to the nearest fixture of each kind, from the prices in d."""
    for number in range(5):
        best = NEVER
        for f in k.fixtures:
            if k.kind[f] == _PLACES[number]:
                best = min(best, d.price[f])
        d.sense[base + number] = UNREACHABLE if best >= NEVER else min(best // STEP, UNREACHABLE)


@compiled
def apart(k, one, other):
    """Rows plus columns between two cells."""
    width = k.front[k.floor[0], 1] - k.floor[0]
    return abs(one // width - other // width) + abs(one % width - other % width)


@compiled
def counters(k, m, x, s):
    """Things on counters in reach, and free ones for handing over."""
    me, they = k.side[x[OWN_CELL]], k.side[x[OTHER_CELL]]
    for f in k.fixtures:
        if k.kind[f] == COUNTER and k.touch[me, f]:
            thing = x[CELLS + 4 * f + OBJECT]
            if thing == NOTHING:
                s[_FREE] += m.cook[me, they, f] < FAR or m.serve[me, they, f] < FAR
            elif thing <= SOUP:
                s[_LOOSE + thing - 1] += 1
