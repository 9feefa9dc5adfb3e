"""Secondary rankings: entries against partners as tasks (Nash averaging), and against each other (α-rank).

The board does not rank by them, and they have no intervals: both can turn on one match. What they add is that neither
many partners of a kind nor many weak entries move them [Balduzzi2018], and that circles of entries, each ahead of the
next, show [Omidshafiei2019].
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from crossplay.leaderboard.board import Board
from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.differences import improvements
from crossplay.leaderboard.equilibrium import alpha_rank, maximum_entropy_nash
from crossplay.leaderboard.measures import RETURN
from crossplay.leaderboard.scores import SCORE, measurable, shares
from crossplay.leaderboard.table import SCORE_DIGITS, four_digits, shown

if TYPE_CHECKING:
    from rich.console import Group

SHOWN = 0.005  # partners with less of the adversary's weight are not named in the table,
NAMED = 6  # and no more than so many


CAPTIONS = (
    "The board does not rank by these, and they have no intervals: both can turn on a single match.",
    "Nash: what it gets less than the best entry with the same partner does, averaged over partners whom an adversary "
    "chooses against the best mixture of entries; weight: its share of that mixture, in which all have the same Nash.",
    "α-rank: share of time that a population spends with it if newcomers take over where they are ahead in more than "
    "half (the % of `crossplay compare`).",
)


@dataclass(frozen=True)
class Place:
    """One entry's numbers in all rankings."""

    entry: str
    rank: int  # on the board
    nash: float  # average regret over the partners that the adversary chooses, 0 or less
    weight: float  # share of the best mixture of entries
    alpha: float  # share of time that a population spends with it


@dataclass(frozen=True)
class Rankings:
    """One board's entries, by Nash average, and what they were ranked with."""

    game: str
    unit: str  # of the Nash averages
    places: tuple[Place, ...]
    partners: dict[str, float]  # that the adversary chooses → its share, largest first
    left_out: dict[str, str]  # entry → why


def rankings(all_cells: Sequence[Cells], board: Board) -> Rankings:
    """The rankings of the entries that have a rank on this board of these games."""
    scored = board.headline == "score"
    mine = [measurable(cells) for cells in all_cells] if scored else list(all_cells)
    ranks = {row.entry: row.rank for row in board.rows if row.rank is not None}
    left_out = {row.entry: row.status for row in board.rows if row.rank is None}
    unit = SCORE if scored else RETURN
    if not ranks:
        return Rankings(board.game, unit, (), {}, left_out)
    lacking = regrets(mine, tuple(ranks), scored)
    nash = maximum_entropy_nash(lacking)
    numbers = np.column_stack([lacking @ nash.columns, nash.rows, alpha_rank(ahead(mine, tuple(ranks)))])
    places = [Place(name, ranks[name], *row) for name, row in zip(ranks, numbers.tolist(), strict=True)]
    tasks, order = _tasks(mine), np.argsort(-nash.columns, kind="stable")
    return Rankings(
        game=board.game,
        unit=unit,
        places=tuple(sorted(places, key=lambda place: (round(-place.nash, 9), -place.weight, place.rank))),
        partners={tasks[i]: float(nash.columns[i]) for i in order if nash.columns[i] > 0},
        left_out=left_out,
    )


def _tasks(all_cells: Sequence[Cells]) -> list[str]:
    several = len(all_cells) > 1
    return [f"{cells.game}: {name}" if several else name for cells in all_cells for name in cells.partners]


def regrets(all_cells: Sequence[Cells], entries: Sequence[str], scored: bool) -> np.ndarray:
    """What every entry gets with every partner less what the best entry does, [entries, partners], none above 0.

    Ours: as they are, what partners pay differs so much that the adversary would take the one who pays least, with whom
    all entries may be alike. Neither copies nor weak entries move the best.
    """
    found = np.array([np.concatenate([_with(cells.of(name), scored) for cells in all_cells]) for name in entries])
    return found - found.max(axis=0)


def _with(cells: Cells, scored: bool) -> np.ndarray:
    return shares(cells).mean(axis=0) if scored else cells.by_partner


def ahead(all_cells: Sequence[Cells], entries: Sequence[str]) -> np.ndarray:
    """P(a seed of the row's entry earns more with a partner than the column's), [entries, entries]; ties half."""
    return np.mean([improvements([cells.of(name) for name in entries]) for cells in all_cells], axis=0)


def to_json(found: Sequence[Rankings]) -> str:
    """All boards with full precision; null is null."""
    return json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def table(found: Rankings) -> "Group":
    """What rich prints."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=SIMPLE_HEAD)
    for number, head in enumerate(("entry", "board", "Nash", "weight", "α-rank")):
        grid.add_column(head, justify="right" if number else "left")
    digits = SCORE_DIGITS if found.unit == SCORE else four_digits(place.nash for place in found.places)
    for place in found.places:
        shares = [shown(value, SCORE_DIGITS) for value in (place.weight, place.alpha)]
        grid.add_row(Text(place.entry), str(place.rank), shown(place.nash, digits), *shares)
    return Group(Text(f"{found.game} · {found.unit}", style="bold"), grid, *map(Text, captions(found)), Text(""))


def captions(found: Rankings) -> list[str]:
    """What must be known to read the numbers."""
    named = [f"{name} {share:.2f}" for name, share in found.partners.items() if share >= SHOWN]
    said = [*CAPTIONS]
    if named:
        said.append(
            f"Chosen: {', '.join(named[:NAMED])}{f' and {len(found.partners) - NAMED} more' * (len(named) > NAMED)}."
        )
    if found.left_out:
        said.append(f"Left out: {', '.join(f'{entry} ({why})' for entry, why in found.left_out.items())}.")
    return said
