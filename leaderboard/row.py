"""A row of a board: one entry's numbers over some games, and what one must know to read them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np

from crossplay.benchmark.seeding import derive
from crossplay.leaderboard.budgets import Spent, same
from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.differences import Memory
from crossplay.leaderboard.intervals import Interval, covered, draws, percentiles
from crossplay.leaderboard.metrics import METRICS, Family, Mean, Metric, per_partner
from crossplay.leaderboard.retention import Retention
from crossplay.leaderboard.scores import Score, measurable

COLUMNS = (  # metrics of every row
    "mean",
    "score",
    "br_prox",
    "iqm",
    "worst_partner",
    "cvar20",
    "self_play",
    "gap",
    "free_riding",
)
FEW_SEEDS = 3
Number = float | None  # None is null: something it needs was not played


@dataclass(frozen=True)
class Row:
    """One entry on one board. Numbers are in the board's unit; null (None) wherever a match is missing."""

    entry: str
    rank: int | None  # by the headline; ties to the bit share one; null where incomplete or contaminated
    rank_low: int | None  # best and worst rank that no difference to another entry speaks against, with 95 % for all
    rank_high: int | None  # entries at once; null for unranked rows and fewer than three trained seeds
    status: str  # "ranked", "incomplete" or "contaminated"
    n_seeds: int  # independently trained; over all games, the fewest
    mean: Number  # the headline
    low: Number  # of the headline's 95 % interval
    high: Number
    score: Number  # of the partners that have a yardstick; null where bounds were not measured
    score_low: Number
    score_high: Number
    br_prox: Number
    covers: str  # which luck the interval covers
    iqm: Number
    worst_partner: Number
    worst_partner_name: str | None
    cvar20: Number
    self_play: Number
    gap: Number
    free_riding: Number  # of the entry with itself, in private cost per episode; 0 in a game without private costs
    families: dict[str, Number]
    retention: dict[str, Number]  # noise of the partners → what is left of the mean; over games, of those that have it
    holes: int  # matches that are missing
    steps: int | None  # of the environment, that each seed trained on; null where not told or not the same for all
    samples_per_hero: int | None
    notes: tuple[str, ...]


def row(entry: str, all_cells: Sequence[Cells], seed: int, samples: int, memory: Memory | None = None) -> Row:
    """An entry's row, not ranked yet. `memory` keeps draws for rows of more games."""
    memory = {} if memory is None else memory
    mine = [cells.of(entry) for cells in all_cells if entry in cells.entries]
    lacking = [cells.game for cells in all_cells if entry not in cells.entries]
    contaminated = any(cells.contaminated.get(entry) for cells in mine)
    holes = sum(cells.holes for cells in mine)
    covers = covered(mine)
    cost = same(cells.spent.get(entry, Spent()) for cells in mine)
    interval = _interval("interval", Mean(), entry, mine, seed, samples, memory)
    sure = _interval("score", Score(), entry, [measurable(cells) for cells in mine], seed, samples, memory)
    values = {name: None if lacking else _mean([METRICS[name]()(cells) for cells in mine]) for name in COLUMNS}
    return Row(
        entry=entry,
        rank=None,
        rank_low=None,
        rank_high=None,
        status="contaminated" if contaminated else "incomplete" if holes or lacking else "ranked",
        n_seeds=min(len(cells.egos) for cells in mine),
        low=None if lacking else _null(interval.low),
        high=None if lacking else _null(interval.high),
        score_low=None if lacking else _null(sure.low),
        score_high=None if lacking else _null(sure.high),
        covers=covers,
        worst_partner_name=_worst(mine) if len(all_cells) == 1 else None,
        families=_families(mine, all_cells),
        retention=_retention(mine, all_cells),
        holes=holes,
        steps=cost.steps,
        samples_per_hero=cost.samples_per_hero,
        notes=tuple(_notes(entry, mine, lacking)),
        **values,
    )


def _interval(
    name: str, metric: Metric, entry: str, mine: Sequence[Cells], seed: int, samples: int, memory: Memory
) -> Interval:
    if not all(len(cells.partners) for cells in mine) or (name == "score" and not all(cells.yard for cells in mine)):
        return Interval(float("nan"), float("nan"), "")
    for cells in mine:
        if (name, "alone", cells.game, entry) not in memory:
            rng = np.random.default_rng(derive(seed, name, cells.game, entry))
            memory[name, "alone", cells.game, entry] = draws(cells, metric, rng, samples)
    drawn = [memory[name, "alone", cells.game, entry] for cells in mine]
    return percentiles(np.mean(drawn, axis=0), covered(list(mine)))


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


def _retention(mine: Sequence[Cells], all_cells: Sequence[Cells]) -> dict[str, Number]:
    """Noise → mean over the games that are also played with such partners; null where the entry lacks one of them."""
    found: dict[str, Number] = {}
    for noise in sorted({noise for cells in all_cells for noise in cells.noise}):
        having = [cells.game for cells in all_cells if noise in cells.noise]
        own = [Retention(noise=noise)(cells) for cells in mine if cells.game in having]
        found[f"{noise:g}"] = _mean(own) if len(own) == len(having) else None
    return found


def _notes(entry: str, mine: Sequence[Cells], lacking: Sequence[str]) -> Iterable[str]:
    for cells in mine:
        if met := cells.contaminated.get(entry, ()):
            yield f"contaminated: has met held-out {_some(met)} of {cells.game} in training; not ranked"
        if near := cells.near.get(entry, ()):
            yield f"acts nearly as a held-out partner of {cells.game} does: {_some(near)}"
        for what in cells.apart:
            yield f"met in {cells.game} and not scored: {what}"
        for what in cells.failed.get(entry, ()):
            yield f"failed in {cells.game}, {what}"
        if cells.holes:
            yield f"incomplete: {cells.holes} of {cells.matches} matches of {cells.game} are missing; not ranked"
    for game in lacking:
        yield f"incomplete: never played {game}; not ranked"
    yield from _doubts(mine)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _doubts(mine: Sequence[Cells]) -> Iterable[str]:
    seeds = min(len(cells.egos) for cells in mine)
    covers = covered(list(mine))
    if not covers:
        yield "one trained seed and one partner a family: no interval"
    elif seeds == 1:
        yield f"fewer than {FEW_SEEDS} trained seeds (1): the interval covers {covers}"
    elif seeds < FEW_SEEDS:
        yield f"fewer than {FEW_SEEDS} trained seeds ({seeds}): the interval is too narrow"
