"""One episode's kitchen as a self-contained SVG picture."""

from html import escape

from crossplay.benchmark.games.overcooked.layouts import (
    COUNTER,
    DIRECTIONS,
    DISHES,
    FLOOR,
    ONIONS,
    POT,
    SERVING,
    TOMATOES,
)
from crossplay.benchmark.games.overcooked.state import State
from crossplay.benchmark.games.overcooked.tables import DISH, ONION, SOUP, TOMATO

SIZE = 64  # pixels of a cell
COOKS = (("#2f6fb5", "#1d4a7d"), ("#d9772b", "#98500f"))  # fill and edge of seats 0 and 1
_FLOOR, _GRID, _WOOD, _EDGE = "#f4efe6", "#e6dfd2", "#c9a77c", "#a8875c"
_ONION, _TOMATO, _INK = ("#e9c46a", "#a87d1a"), ("#e0513f", "#8f2b1e"), "#2b2b2b"
_BOLD = 'font-weight="bold" text-anchor="middle"'


def svg(state: State, episode: int = 0) -> str:
    """The kitchen of one episode: fixtures, pots with contents and timers, loose things, cooks, and a line of text."""
    layout, tables = state.layout, state.tables
    wide, high = layout.width * SIZE, layout.height * SIZE
    parts = [_cell(layout.width, cell, int(kind)) for cell, kind in enumerate(tables.kind)]
    for slot, cell in enumerate(int(c) for c in tables.cell):
        x, y = _middle(layout.width, cell)
        item = int(state.items[episode, slot])
        if slot < tables.pots:
            parts.append(_pot(x, y, item, int(state.cook[episode, slot]), int(tables.time[item & 15])))
        else:
            parts.append(_thing(x, y, item, 1.0))
    parts += [_cook(state, episode, seat) for seat in range(2)]
    step = f"step {int(state.clock[episode])} of {state.horizon}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high + 44}" width="{wide}" height="{high + 44}"'
        f' font-family="Helvetica, Arial, sans-serif"><rect width="{wide}" height="{high + 44}" fill="#fff"/>'
        f"{''.join(parts)}{_text(6, high + 18, layout.name)}{_text(6, high + 36, step)}{_seats(wide, high)}</svg>"
    )


def _box(x: float, y: float, side: float, round_: float, fill: str, edge: str, width: float = 1) -> str:
    """A square around (x, y)."""
    at = f'x="{x - side / 2}" y="{y - side / 2}" width="{side}" height="{side}" rx="{round_}"'
    return f'<rect {at} fill="{fill}" stroke="{edge}" stroke-width="{width}"/>'


def _text(x: float, y: float, text: str, size: int = 13, style: str = "", fill: str = _INK) -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" {style} fill="{fill}">{escape(text)}</text>'


def _middle(width: int, cell: int) -> tuple[float, float]:
    return (cell % width + 0.5) * SIZE, (cell // width + 0.5) * SIZE


def _disc(x: float, y: float, r: float, fill: str, edge: str = "none", width: float = 1.5) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="{fill}" stroke="{edge}" stroke-width="{width}"/>'


def _cell(width: int, cell: int, kind: int) -> str:
    """A cell's ground and fixture."""
    x, y = _middle(width, cell)
    fill, edge = (_FLOOR, _GRID) if kind == FLOOR else (_WOOD, _EDGE)
    ground = _box(x, y, SIZE, 0, fill, edge)
    if kind in (FLOOR, COUNTER, POT):
        return ground
    if kind == SERVING:
        return ground + _window(x, y)
    crate = _box(x, y, 48, 6, "#8a6a45", "#6d5234", 2)
    what = {ONIONS: ONION, TOMATOES: TOMATO, DISHES: DISH}[kind]
    spots = ((0, 5), (0, 0), (0, -5)) if what == DISH else ((-10, 8), (10, 8), (0, -8))
    return ground + crate + "".join(_thing(x + dx, y + dy, what, 1.0) for dx, dy in spots)


def _window(x: float, y: float) -> str:
    """Where soups are served: a green hatch with a bell."""
    return (
        f"{_box(x, y, 52, 6, '#5f8f6b', '#41694c', 2)}"
        f'<path d="M{x - 16} {y + 9}a16 16 0 0 1 32 0z" fill="#f3f0e6" stroke="#41694c" stroke-width="1.5"/>'
        f'<rect x="{x - 19}" y="{y + 9}" width="38" height="5" rx="2" fill="#f3f0e6" stroke="#41694c"/>'
        f"{_disc(x, y - 10, 3, '#f3f0e6', '#41694c')}"
    )


def _thing(x: float, y: float, what: int, scale: float) -> str:
    """Something that can be carried, about 20 · scale pixels wide."""
    if what == 0:
        return ""
    if what == DISH or what >= SOUP:
        plate = _disc(x, y, 15 * scale, "#fdfdfb", "#9a9a94") + _disc(x, y, 10.5 * scale, "#f2f2ec", "#c9c9c2", 1)
        return plate + (_broth(x, y, what & 15, 10.5 * scale) if what >= SOUP else "")
    fill, edge = _ONION if what == ONION else _TOMATO
    tip = f'<path d="M{x:.1f} {y - 9 * scale:.1f}q{3 * scale:.1f} {-6 * scale:.1f} {5 * scale:.1f} {-6 * scale:.1f}"'
    stem = "#6a8f3c" if what == TOMATO else edge
    return _disc(x, y, 9.5 * scale, fill, edge) + f'{tip} fill="none" stroke="{stem}" stroke-width="2.5"/>'


def _broth(x: float, y: float, code: int, r: float) -> str:
    """Soup with its ingredients as dots: onions first."""
    dots = [_ONION] * (code & 3) + [_TOMATO] * (code >> 2)
    spots = {1: ((0, 0),), 2: ((-0.42, 0), (0.42, 0)), 3: ((-0.43, 0.28), (0.43, 0.28), (0, -0.45))}[len(dots)]
    fill = "#b5651d" if code >> 2 == 0 else "#b8452b"
    return _disc(x, y, r, fill, "#7a3d10", 1) + "".join(
        _disc(x + dx * r, y + dy * r, 0.34 * r, *dot, 1) for dot, (dx, dy) in zip(dots, spots, strict=True)
    )


def _pot(x: float, y: float, item: int, ticks: int, time: int) -> str:
    """A pot from above; a ring fills while it cooks and turns green when the soup is ready."""
    body = (
        f'<rect x="{x - 31}" y="{y - 5}" width="62" height="10" rx="4" fill="#4a4a50"/>'
        f"{_disc(x, y, 25, '#5b5b63', '#333338', 2)}{_disc(x, y, 18.5, '#37373c')}"
    )
    if not item:
        return body
    body += _broth(x, y, item & 15, 18.5)
    if ticks < 0:
        return body
    around, ready = 2 * 3.14159 * 21.8, ticks >= time
    ring = "#3fae5a" if ready else "#f0c419"
    body += (
        f'<circle cx="{x}" cy="{y}" r="21.8" fill="none" stroke="{ring}" stroke-width="5" stroke-dasharray='
        f'"{around * ticks / time:.1f} {around:.1f}" transform="rotate(-90 {x} {y})"/>'
    )
    return body + _badge(x + 20, y - 20, "✓" if ready else str(time - ticks), ring)


def _badge(x: float, y: float, text: str, fill: str) -> str:
    return _disc(x, y, 10.5, fill, _INK, 1) + _text(x, y + 4.5, text, 12, _BOLD)


def _cook(state: State, episode: int, seat: int) -> str:
    """A cook from above: shoulders, hat with the seat's number, hands towards what is faced, and what they hold."""
    cell, facing, held = (int(n) for n in state.cooks[episode, seat])
    (x, y), (dx, dy) = _middle(state.layout.width, cell), DIRECTIONS[facing]
    fill, edge = COOKS[seat]
    hands = "".join(
        _disc(x + 18 * dx + side * 13 * dy, y + 18 * dy + side * 13 * dx, 6, "#f2c9a1", edge) for side in (-1, 1)
    )
    corners = ((31 * dx, 31 * dy), (17 * dx - 11 * dy, 17 * dy - 11 * dx), (17 * dx + 11 * dy, 17 * dy + 11 * dx))
    nose = " ".join(f"{x + right},{y + down}" for right, down in corners)
    return (
        f'<polygon points="{nose}" fill="{fill}" stroke="{edge}" stroke-width="1.5" stroke-linejoin="round"/>'
        f"{hands}{_disc(x, y, 20, fill, edge, 2)}{_disc(x, y, 12, '#ffffff', edge)}"
        f"{_text(x, y + 5, str(seat), 15, _BOLD, edge)}{_thing(x + 25 * dx, y + 25 * dy, held, 0.8)}"
    )


def _seats(wide: float, high: float) -> str:
    """Which colour is which seat."""
    return "".join(
        _disc(wide - 130 + 68 * seat, high + 14, 6, *COOKS[seat])
        + _text(wide - 120 + 68 * seat, high + 19, f"seat {seat}")
        for seat in range(2)
    )
