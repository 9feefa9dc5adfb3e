"""One cook's situation in words, for a language model: enums and whole numbers only, nothing anybody has written.

Distances are actions to the place, in buckets: what is a little different reads the same, so that answers can be
looked up. Pots are numbered row by row from the north.
"""

from typing import TYPE_CHECKING

import numpy as np

from crossplay.benchmark.games.overcooked.symbols import (
    CELLS,
    COOK,
    OBJECT,
    ONIONS,
    OTHER_HELD,
    OTHER_ONIONS,
    OTHER_TOMATOES,
    OWN_HELD,
    OWN_ONIONS,
    OWN_TOMATOES,
    TOMATOES,
    URGENCY,
)
from crossplay.benchmark.games.overcooked.words import contents, thing
from crossplay.populations.llm.words import UNREACHABLE

if TYPE_CHECKING:
    from crossplay.populations.llm.macros import MacroAdapter

_PLACES = ("onion dispenser", "tomato dispenser", "dish dispenser", "nearest pot", "serving window")
SOUP = 4


def bucket(steps: int) -> str:
    """A distance or time in steps as one of three words; "out of reach" where there is no way."""
    if steps >= UNREACHABLE:
        return "out of reach"
    return "0-2" if steps <= 2 else "3-5" if steps <= 5 else "6+"


def tell(adapter: "MacroAdapter", x: np.ndarray, options: np.ndarray) -> str:
    """The text for one episode's symbols [features] and the numbers of the legal macros."""
    ways = adapter.distances(x)
    lines = [
        f"You hold {_hand(x, OWN_HELD, OWN_ONIONS, OWN_TOMATOES)}.",
        f"Your partner holds {_hand(x, OTHER_HELD, OTHER_ONIONS, OTHER_TOMATOES)}.",
        *(_pot(adapter, x, number, cell) for number, cell in enumerate(adapter.pots)),
        *(
            f"Steps to the {place}: you {bucket(mine)}, your partner {bucket(theirs)}."
            for place, mine, theirs in zip(_PLACES, *ways, strict=True)
            if not place.endswith("dispenser") or adapter.dispenses(place.removesuffix(" dispenser"))
        ),
        *_counters(adapter, x),
        *(["Fewer than 40 steps remain."] if x[URGENCY] else []),
        "Options:",
        *(f"{place}. {name}" for place, name in enumerate(adapter.names(options), 1)),
    ]
    return "\n".join(lines)


def _hand(x: np.ndarray, held: int, onions: int, tomatoes: int) -> str:
    code = int(x[onions]) | int(x[tomatoes]) << 2
    return thing(16 | code) if x[held] == SOUP else thing(int(x[held]))


def _pot(adapter: "MacroAdapter", x: np.ndarray, number: int, cell: int) -> str:
    base = CELLS + 4 * cell
    code, ticks = int(x[base + ONIONS]) | int(x[base + TOMATOES]) << 2, int(x[base + COOK])
    left = adapter.cooking(code) - ticks
    fire = "not cooking" if ticks < 0 else "ready" if left <= 0 else f"ready in {bucket(left)} steps"
    return f"Pot {number} holds {contents(code)}, {fire}."


def _counters(adapter: "MacroAdapter", x: np.ndarray) -> list[str]:
    """How many of each thing lie on counters that the cook can reach."""
    found = [int(x[CELLS + 4 * cell + OBJECT]) for cell in adapter.counters(x)]
    counts = [(found.count(code), name) for code, name in enumerate(("onion", "tomato", "dish", "soup"), 1)]
    told = ", ".join(f"{name} {count}" for count, name in counts if count)
    return [f"On counters in reach: {told}."] if told else []
