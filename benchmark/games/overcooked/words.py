"""A seat's view in words: what the networks see, and no more."""

from crossplay.benchmark.games.overcooked.layouts import POT, SERVING, Layout
from crossplay.benchmark.games.overcooked.state import State
from crossplay.benchmark.games.overcooked.symbols import HURRY
from crossplay.benchmark.games.overcooked.tables import SOUP

FACINGS = ("north", "south", "east", "west")
KINDS = ("floor", "counter", "onion dispenser", "tomato dispenser", "dish dispenser", "pot", "serving window")
THINGS = ("nothing", "an onion", "a tomato", "a dish")


def describe(state: State, seat: int) -> list[str]:
    """One paragraph an episode: the kitchen, both cooks, pots, loose things, and whether time is short."""
    return [
        " ".join(
            [
                _kitchen(state.layout),
                *_cooks(state, e, seat),
                *_pots(state, e),
                *_loose(state, e),
                *_hurry(state, e),
            ]
        )
        for e in range(len(state))
    ]


def thing(code: int) -> str:
    """A coded thing in words: "an onion", "a soup of 2 onions and 1 tomato"."""
    return f"a soup of {contents(code & 15)}" if code >= SOUP else THINGS[code]


def contents(code: int) -> str:
    """A recipe code in words."""
    counts = ((code & 3, "onion"), (code >> 2, "tomato"))
    return " and ".join(f"{n} {name}{_plural(n, name)}" for n, name in counts if n) or "nothing"


def _plural(count: int, name: str) -> str:
    return "" if count == 1 else "es" if name == "tomato" else "s"


def where(layout: Layout, cell: int) -> str:
    """A cell as (column, row), both from 0, row 0 in the north."""
    return f"({cell % layout.width}, {cell // layout.width})"


def _kitchen(layout: Layout) -> str:
    kinds = layout.kinds
    spots = [
        f"{KINDS[kind]} {', '.join(where(layout, cell) for cell in range(len(kinds)) if kinds[cell] == kind)}"
        for kind in range(2, SERVING + 1)
        if kind != POT and (kinds == kind).any()
    ]
    return f"Kitchen of {layout.width} columns and {layout.height} rows; {'; '.join(spots)}."


def _cooks(state: State, e: int, seat: int) -> list[str]:
    lines = []
    for who, c in (("You are", seat), ("Your partner is", 1 - seat)):
        cell, facing, held = (int(x) for x in state.cooks[e, c])
        front = int(state.tables.front[cell, facing])
        sees = f"{KINDS[state.tables.kind[front]]} {where(state.layout, front)}"
        lines.append(f"{who} at {where(state.layout, cell)} facing {FACINGS[facing]} ({sees}), holding {thing(held)}.")
    return lines


def _pots(state: State, e: int) -> list[str]:
    lines = []
    for p in range(state.tables.pots):
        code, ticks = int(state.items[e, p]) & 15, int(state.cook[e, p])
        left = int(state.tables.time[code]) - ticks
        fire = "" if ticks < 0 else ", ready" if left <= 0 else f", cooking, {left} steps left"
        lines.append(f"The pot at {where(state.layout, int(state.tables.cell[p]))} holds {contents(code)}{fire}.")
    return lines


def _loose(state: State, e: int) -> list[str]:
    return [
        f"On the counter at {where(state.layout, int(state.tables.cell[s]))} lies {thing(int(state.items[e, s]))}."
        for s in range(state.tables.pots, state.items.shape[1])
        if state.items[e, s]
    ]


def _hurry(state: State, e: int) -> list[str]:
    return [f"Fewer than {HURRY} steps remain."] if state.horizon - state.clock[e] < HURRY else []
