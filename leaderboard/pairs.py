"""Differences between entries as a table for the terminal and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import NamedTuple

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from crossplay.leaderboard.differences import Difference, Differences
from crossplay.leaderboard.table import NULL, four_digits, shown

CAPTION = (
    "Row less column, with the 95 % interval that holds for all pairs at once; partners and luck are common to both, "
    "trained seeds each one's own. Bold: luck is ruled out. %: how often a seed of the row's entry earns more with a "
    f"partner than one of the column's. {NULL}: fewer than three trained seeds."
)


class Compared(NamedTuple):
    """A game's differences, and what they are differences of."""

    game: str
    headline: str  # metric
    found: Differences


def table(one: Compared) -> Table:
    """What rich prints."""
    title = Text(f"{one.game} · {one.headline}", style="bold")
    grid = Table(box=SIMPLE_HEAD, title=title, title_justify="left", caption=CAPTION, caption_justify="left")
    grid.add_column("entry")
    for name in one.found.entries:
        grid.add_column(Text(f"− {name}"), justify="right")
    pairs = {(pair.entry, pair.other): pair for pair in one.found.pairs}
    digits = max(2, four_digits(pair.mean for pair in one.found.pairs) - 1)
    for name in one.found.entries:
        cells = [_cell(pairs.get((name, other)), digits) for other in one.found.entries]
        grid.add_row(Text(name), *cells)
    return grid


def _cell(pair: Difference | None, digits: int) -> Text:
    if pair is None:
        return Text("")
    ends = NULL if pair.low is None else f"{shown(pair.low, digits)} … {shown(pair.high, digits)}"
    sure = pair.low is not None and pair.high is not None and (pair.low > 0 or pair.high < 0)
    text = f"{shown(pair.mean, digits)}\n{ends}\n{100 * pair.improvement:.0f} %"
    return Text(text, style="bold" if sure else "")


def to_json(found: Sequence[Compared]) -> str:
    """All games with full precision."""
    content = [{"game": one.game, "headline": one.headline, **asdict(one.found)} for one in found]
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
