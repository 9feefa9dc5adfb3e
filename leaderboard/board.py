"""The board: a row for every entry, ranked by the headline, per game and over all games."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from crossplay.leaderboard import differences as differing
from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.differences import SAMPLES, Differences, differences, rank_interval
from crossplay.leaderboard.estimates import Number
from crossplay.leaderboard.measures import RETURN
from crossplay.leaderboard.metrics import METRICS
from crossplay.leaderboard.row import Memory, Row, row
from crossplay.leaderboard.scores import measurable

OVERALL = "overall"


@dataclass(frozen=True)
class Board:
    """Rows, best first and unranked last, and what one must know to read them."""

    game: str  # spec name, or "overall"
    unit: str  # of the mean and all that is in its unit
    headline: str  # what ranks: "score" where every game has yardsticks, else "mean"
    games: tuple[str, ...]
    episodes: tuple[int, ...]  # a match, per game
    partners: tuple[int, ...]  # held out, per game
    yardsticks: tuple[int, ...]  # how many of them have one, per game
    seats: tuple[int, ...]  # per game
    families: tuple[str, ...]
    noise: tuple[str, ...]  # shares of random actions that partners are met with once more
    single: tuple[str, ...]  # families with one partner: they add no partner uncertainty
    costs: bool  # whether there are private costs at all; without, free-riding is not shown
    samples: int  # of the bootstrap under the ranks
    detectable: Number  # difference of headlines that the median pair of entries would show, four times in five
    rows: tuple[Row, ...]


def rank(all_cells: Sequence[Cells], *, seed: int = 0, samples: int = SAMPLES, overall: bool = True) -> list[Board]:
    """A board for every game, in the given order, and with `overall` one over all where there is more than one game.

    Overall values are the plain mean over games of the game's value; an entry that lacks one has null. An entry's
    interval does not depend on who else is on the board; `samples` are the bootstrap's under the ranks, whose luck
    derives from `seed` and names.
    """
    memory: tuple[Memory, differing.Memory] = {}, {}  # the overall board is of the same estimates and draws
    boards = [_board(cells.game, [cells], seed, samples, *memory) for cells in all_cells]
    if overall and len(all_cells) > 1:
        boards.append(_board(OVERALL, all_cells, seed, samples, *memory))
    return boards


def _board(
    game: str, all_cells: Sequence[Cells], seed: int, samples: int, memory: Memory, drawn: differing.Memory
) -> Board:
    entries = sorted({entry for cells in all_cells for entry in (*cells.entries, *cells.absent)})
    families = {
        (cells.game, name): cells.family_of.tolist().count(i)
        for cells in all_cells
        for i, name in enumerate(cells.families)
    }
    headline = "score" if all(cells.yard and cells.yard.clear.any() for cells in all_cells) else "mean"
    rows = ranked((row(entry, all_cells, memory) for entry in entries), headline)
    pairs = compared(all_cells, rows, headline, seed, samples, drawn)
    return Board(
        game=game,
        unit=RETURN,
        headline=headline,
        games=tuple(cells.game for cells in all_cells),
        episodes=tuple(cells.episodes for cells in all_cells),
        partners=tuple(len(cells.partners) for cells in all_cells),
        yardsticks=tuple(int(cells.yard.clear.any(axis=-1).sum()) if cells.yard else 0 for cells in all_cells),
        seats=tuple(cells.seats for cells in all_cells),
        families=tuple(sorted({name for _, name in families})),
        noise=tuple(dict.fromkeys(noise for row in rows for noise in row.retention)),
        single=tuple(sorted({name for (_, name), count in families.items() if count == 1})),
        costs=any(cells.costs for cells in all_cells),
        samples=samples,
        detectable=pairs.detectable,
        rows=tuple(_between(row, pairs) for row in rows),
    )


def compared(
    all_cells: Sequence[Cells],
    rows: Sequence[Row],
    headline: str,
    seed: int,
    samples: int,
    memory: differing.Memory | None = None,
) -> Differences:
    """The differences between the ranked rows."""
    names = [row.entry for row in rows if row.rank is not None]
    mine = [measurable(cells) for cells in all_cells] if headline == "score" else all_cells
    return differences(mine, names, METRICS[headline](), seed=seed, samples=samples, memory=memory)


def _between(row: Row, pairs: Differences) -> Row:
    low, high = rank_interval(pairs, row.entry)
    return replace(row, rank_low=low, rank_high=high)


def ranked(rows: Iterable[Row], headline: str = "mean") -> tuple[Row, ...]:
    """Rows in the board's order, with ranks: equal headlines share the better rank, unranked rows come last."""
    rows = list(rows)
    values = {row.entry: getattr(row, headline) for row in rows if row.status == "ranked"}
    known = [value for value in values.values() if value is not None]
    placed = [
        replace(row, rank=1 + sum(other > own for other in known))
        if (own := values.get(row.entry)) is not None
        else row
        for row in rows
    ]
    return tuple(sorted(placed, key=lambda row: _order(row, headline)))


def _order(row: Row, headline: str) -> tuple:
    value = getattr(row, headline)
    return (row.rank is None, -(float("-inf") if value is None else value), row.entry)
