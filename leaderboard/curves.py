"""How agents learned: the learning curves that cards keep, an entry's seeds side by side; nothing is played."""

import csv
from collections.abc import Sequence
from functools import partial
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from crossplay.benchmark.card import CARD_FILE, Card, load_card
from crossplay.benchmark.errors import Refused
from crossplay.leaderboard.canvas import sheet, write
from crossplay.leaderboard.intervals import of_mean
from crossplay.leaderboard.panels import COLOURS, DASHES
from crossplay.leaderboard.run import of_folder
from crossplay.leaderboard.site import sites

if TYPE_CHECKING:
    from rich.table import Table

ACROSS = 3  # panels in a row
CAPTION = (
    "Return of the last training episodes, both sides sampling, mean over seats; what an agent is paid with those it "
    "learned with says nothing of strangers. 95 % interval over trained seeds; –: some seeds are still to be trained."
)


class Learned(NamedTuple):
    """One entry's curves in one game."""

    game: str
    entry: str
    wanted: int  # seeds
    steps: tuple[np.ndarray, ...]  # one a finished seed: [points], environment steps
    returns: tuple[np.ndarray, ...]  # likewise
    seconds: float  # mean of a seed

    @property
    def last(self) -> np.ndarray:
        """What each finished seed ended with."""
        return np.array([returns[-1] for returns in self.returns])

    @property
    def whole(self) -> bool:
        """Whether all seeds are there."""
        return len(self.returns) == self.wanted


def learned(folder: Path, games: Sequence[str] = ()) -> list[Learned]:
    """Every entry of a results folder, or of these games of it, that has a finished seed.

    Raises Refused where there is none at all.
    """
    suite = of_folder(folder, games)
    found = []
    for site in sites(suite, folder):
        for entry in suite.entries:
            roots = [site.cards / f"{entry.name}-{i}" for i in range(entry.seeds)]
            cards = [load_card(root) for root in roots if (root / CARD_FILE).is_file()]
            curved = [card for card in cards if card.record.get("curve")]
            if curved:
                found.append(_learned(site.game.spec.name, entry.name, entry.seeds, curved))
    if not found:
        raise Refused(f"{folder}: no finished training here yet; `crossplay run {suite.name}` makes them")
    return found


def _learned(game: str, entry: str, wanted: int, cards: Sequence[Card]) -> Learned:
    points = [np.array([point[:2] for point in card.record["curve"]], dtype=np.float64) for card in cards]
    seconds = float(np.mean([card.record["seconds"] for card in cards]))
    return Learned(game, entry, wanted, tuple(p[:, 0] for p in points), tuple(p[:, 1] for p in points), seconds)


def _interval(one: Learned) -> str:
    if not one.whole or one.wanted < 2:
        return "–"
    middle, half = one.last.mean(), of_mean(one.last)
    return f"{middle - half:.1f} … {middle + half:.1f}"


def rows(found: Sequence[Learned]) -> list[list[str]]:
    """What stands under `HEADS`, an entry a row."""
    return [
        [
            one.entry,
            f"{len(one.returns)}/{one.wanted}",
            f"{max(steps[-1] for steps in one.steps):.3g}",
            f"{one.last.mean():.1f}" if one.whole else "–",
            _interval(one),
            f"{one.last.min():.1f}",
            f"{one.last.max():.1f}",
            f"{one.seconds:.0f}",
        ]
        for one in found
    ]


HEADS = ("entry", "seeds", "steps", "return", "95 %", "lowest", "highest", "s a seed")


def tables(found: Sequence[Learned]) -> "list[Table]":
    """What rich prints, a table a game."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    grids = []
    for game in dict.fromkeys(one.game for one in found):
        grid = Table(box=SIMPLE_HEAD, title=Text(game, style="bold"), title_justify="left")
        for name in HEADS:
            grid.add_column(name, justify="left" if name == "entry" else "right")
        for row in rows([one for one in found if one.game == game]):
            grid.add_row(*map(Text, row))
        grids.append(grid)
    grids[-1].caption, grids[-1].caption_justify = CAPTION, "left"
    return grids


def to_csv(found: Sequence[Learned]) -> str:
    """One line a point: game, entry, seed, steps, return."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["game", "entry", "seed", "steps", "return"])
    for one in found:
        for seed, (steps, returns) in enumerate(zip(one.steps, one.returns, strict=True)):
            writer.writerows([one.game, one.entry, seed, int(s), r] for s, r in zip(steps, returns, strict=True))
    return out.getvalue()


def draw(found: Sequence[Learned], path: Path, formats: Sequence[str] = ()) -> list[Path]:
    """Writes `path` in these formats and as .csv; returns the paths. Raises Refused where it cannot."""
    return write(path, "the curves", partial(_picture, found), to_csv(found), formats)


def _picture(found: Sequence[Learned], targets: Sequence[Path]) -> None:
    games, entries = (
        list(dict.fromkeys(names)) for names in zip(*((one.game, one.entry) for one in found), strict=True)
    )
    across = min(ACROSS, len(games))
    down = -(-len(games) // across)
    style: Any = {"font.size": 8, "figure.constrained_layout.use": True}
    with sheet((0.4 + 2.7 * across, 0.5 + 2.1 * down), targets, **style) as figure:
        grid = figure.subplots(down, across, squeeze=False).ravel()
        handles: dict[str, Any] = {}
        for axes, game in zip(grid, games, strict=False):
            for one in (one for one in found if one.game == game):
                handles[one.entry] = _entry(axes, one, entries.index(one.entry))
            _frame(axes, game)
        for axes in grid[len(games) :]:
            axes.set_visible(False)
        for axes in grid[::across]:
            axes.set_ylabel("training return")
        figure.legend(handles.values(), handles, loc="outside lower left", ncols=5, frameon=False)


def _entry(axes: Any, one: Learned, number: int) -> Any:
    """Every seed as a thin line; their mean as a thick one where all were watched at the same steps."""
    colour, dashes = COLOURS[number % len(COLOURS)], ("-", *DASHES)[number // len(COLOURS) % 4]
    for steps, returns in zip(one.steps, one.returns, strict=True):
        axes.plot(steps, returns, color=colour, linewidth=0.6, alpha=0.4)
    together = all(np.array_equal(steps, one.steps[0]) for steps in one.steps)
    mean = np.mean(one.returns, axis=0) if one.whole and together else []
    return axes.plot(one.steps[0] if len(mean) else [], mean, color=colour, linestyle=dashes, linewidth=1.6)[0]


def _frame(axes: Any, game: str) -> None:
    axes.set_title(game, fontsize=8, loc="left", weight="bold")
    axes.set_xlabel("environment steps")
    axes.set_xlim(left=0)
    axes.ticklabel_format(axis="x", style="sci", scilimits=(0, 0), useMathText=True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.25, linewidth=0.5)
