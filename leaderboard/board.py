"""The board: a row for every entry, ranked by the headline, per game and over all games."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import isnan

import numpy as np

from crossplay.benchmark.seeding import derive
from crossplay.leaderboard.budgets import Spent, same
from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.intervals import SAMPLES, covered, draws, percentiles
from crossplay.leaderboard.measures import RETURN
from crossplay.leaderboard.metrics import METRICS, Family, Mean, per_partner

OVERALL = "overall"
COLUMNS = ("mean", "iqm", "worst_partner", "cvar20", "self_play", "gap", "free_riding")  # metrics of every row
FEW_SEEDS = 3
Number = float | None  # None is null: something it needs was not played


@dataclass(frozen=True)
class Row:
    """One entry on one board. Numbers are in the board's unit; null (None) wherever a match is missing."""

    entry: str
    rank: int | None  # ties to the bit share one; null where incomplete or contaminated
    status: str  # "ranked", "incomplete" or "contaminated"
    n_seeds: int  # independently trained; over all games, the fewest
    mean: Number  # the headline
    low: Number  # of the headline's 95 % interval
    high: Number
    covers: str  # which luck the interval covers
    iqm: Number
    worst_partner: Number
    worst_partner_name: str | None
    cvar20: Number
    self_play: Number
    gap: Number
    free_riding: Number  # of the entry with itself, in private cost per episode; 0 in a game without private costs
    families: dict[str, Number]
    holes: int  # matches that are missing
    steps: int | None  # of the environment, that each seed trained on; null where not told or not the same for all
    samples_per_hero: int | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Board:
    """Rows, best first and unranked last, and what one must know to read them."""

    game: str  # spec name, or "overall"
    unit: str
    games: tuple[str, ...]
    episodes: tuple[int, ...]  # a match, per game
    partners: tuple[int, ...]  # held out, per game
    seats: tuple[int, ...]  # per game
    families: tuple[str, ...]
    single: tuple[str, ...]  # families with one partner: they add no partner uncertainty
    costs: bool  # whether there are private costs at all; without, free-riding is not shown
    samples: int  # of the bootstrap
    rows: tuple[Row, ...]


def rank(all_cells: Sequence[Cells], *, seed: int = 0, samples: int = SAMPLES) -> list[Board]:
    """A board for every game, in the given order, and the overall board where there is more than one game.

    Overall values are the plain mean over games of the game's value; an entry that lacks one has null. The bootstrap's
    randomness derives from (seed, game, entry), so an entry's interval does not depend on who else is on the board.
    """
    boards = [_board(cells.game, [cells], seed, samples) for cells in all_cells]
    return boards if len(all_cells) < 2 else [*boards, _board(OVERALL, all_cells, seed, samples)]


def _board(game: str, all_cells: Sequence[Cells], seed: int, samples: int) -> Board:
    entries = sorted({entry for cells in all_cells for entry in cells.entries})
    families = {
        (cells.game, name): cells.family_of.tolist().count(i)
        for cells in all_cells
        for i, name in enumerate(cells.families)
    }
    return Board(
        game=game,
        unit=RETURN,
        games=tuple(cells.game for cells in all_cells),
        episodes=tuple(cells.episodes for cells in all_cells),
        partners=tuple(len(cells.partners) for cells in all_cells),
        seats=tuple(cells.seats for cells in all_cells),
        families=tuple(sorted({name for _, name in families})),
        single=tuple(sorted({name for (_, name), count in families.items() if count == 1})),
        costs=any(cells.costs for cells in all_cells),
        samples=samples,
        rows=ranked(_row(entry, all_cells, seed, samples) for entry in entries),
    )


def ranked(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Rows in the board's order, with ranks: equal headlines share the better rank, unranked rows come last."""
    rows = list(rows)
    means = [row.mean for row in rows if row.status == "ranked" and row.mean is not None]
    placed = [
        replace(row, rank=1 + sum(mean > row.mean for mean in means))
        if row.status == "ranked" and row.mean is not None
        else row
        for row in rows
    ]
    return tuple(sorted(placed, key=_order))


def _order(row: Row) -> tuple:
    mean = float("-inf") if row.mean is None else row.mean
    return (row.rank is None, -mean, row.entry)


def _row(entry: str, all_cells: Sequence[Cells], seed: int, samples: int) -> Row:
    mine = [cells.of(entry) for cells in all_cells if entry in cells.entries]
    lacking = [cells.game for cells in all_cells if entry not in cells.entries]
    contaminated = any(cells.contaminated.get(entry) for cells in mine)
    holes = sum(cells.holes for cells in mine)
    covers = covered(mine)
    cost = same(cells.spent.get(entry, Spent()) for cells in mine)
    interval = percentiles(_draws(entry, mine, seed, samples), covers)
    values = {name: None if lacking else _mean([METRICS[name]()(cells) for cells in mine]) for name in COLUMNS}
    return Row(
        entry=entry,
        rank=None,
        status="contaminated" if contaminated else "incomplete" if holes or lacking else "ranked",
        n_seeds=min(len(cells.egos) for cells in mine),
        low=None if lacking else _null(interval.low),
        high=None if lacking else _null(interval.high),
        covers=covers,
        worst_partner_name=_worst(mine) if len(all_cells) == 1 else None,
        families=_families(mine, all_cells),
        holes=holes,
        steps=cost.steps,
        samples_per_hero=cost.samples_per_hero,
        notes=tuple(_notes(entry, mine, lacking)),
        **values,
    )


def _draws(entry: str, mine: Sequence[Cells], seed: int, samples: int) -> np.ndarray:
    rngs = [np.random.default_rng(derive(seed, "interval", cells.game, entry)) for cells in mine]
    return np.mean([draws(c, Mean(), rng, samples) for c, rng in zip(mine, rngs, strict=True)], axis=0)


def _null(value: float) -> Number:
    return None if isnan(value) else float(value)


def _mean(values: Sequence[float]) -> Number:
    return _null(float(np.mean(values)))


def _worst(mine: Sequence[Cells]) -> str | None:
    values = per_partner(mine[0])
    return None if np.isnan(values).any() else mine[0].partners[int(values.argmin())]


def _families(mine: Sequence[Cells], all_cells: Sequence[Cells]) -> dict[str, Number]:
    """Family → mean over the games that have this family; null where the entry lacks one of them."""
    found: dict[str, Number] = {}
    for family in sorted({name for cells in all_cells for name in cells.families}):
        having = [cells.game for cells in all_cells if family in cells.families]
        own = [Family(family=family)(cells) for cells in mine if cells.game in having]
        found[family] = _mean(own) if len(own) == len(having) else None
    return found


def _notes(entry: str, mine: Sequence[Cells], lacking: Sequence[str]) -> Iterable[str]:
    for cells in mine:
        met = cells.contaminated.get(entry, ())
        if met:
            more = f" and {len(met) - 3} more" if len(met) > 3 else ""
            yield f"contaminated: has met held-out {', '.join(met[:3])}{more} of {cells.game} in training; not ranked"
        if cells.holes:
            total = cells.scores.size + cells.self_play.size
            yield f"incomplete: {cells.holes} of {total} matches of {cells.game} are missing; not ranked"
    for game in lacking:
        yield f"incomplete: never played {game}; not ranked"
    yield from _doubts(mine)


def _doubts(mine: Sequence[Cells]) -> Iterable[str]:
    seeds = min(len(cells.egos) for cells in mine)
    covers = covered(list(mine))
    if not covers:
        yield "one trained seed and one partner a family: no interval"
    elif seeds == 1:
        yield f"fewer than {FEW_SEEDS} trained seeds (1): the interval covers {covers}"
    elif seeds < FEW_SEEDS:
        yield f"fewer than {FEW_SEEDS} trained seeds ({seeds}): the interval is too narrow"
