"""A row of a board: one entry's numbers over some games, and what one must know to read them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from crossplay.leaderboard.budgets import Spent, same
from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.estimates import (
    COLUMNS,
    FAMILY,
    FAMILY_SCORE,
    RETENTION,
    Estimate,
    Estimates,
    Number,
    estimates,
    names_of,
    together,
)
from crossplay.leaderboard.intervals import covered

FEW_SEEDS = 3
Memory = dict[str, dict[str, Estimates]]  # game → entry → its numbers there


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
    family_scores: dict[str, Number]  # of families with a yardstick; over games, of those that have it
    retention: dict[str, Number]  # noise of the partners → what is left of the mean; over games, of those that have it
    intervals: dict[str, tuple[Number, ...]]  # name → low and high, 95 %, of every number that has an interval
    holes: int  # matches that are missing
    steps: int | None  # of the environment, that each seed trained on; null where not told or not the same for all
    samples_per_hero: int | None
    notes: tuple[str, ...]


def row(entry: str, all_cells: Sequence[Cells], memory: Memory | None = None) -> Row:
    """An entry's row, not ranked yet. `memory` keeps estimates for rows of more games."""
    memory = {} if memory is None else memory
    there = [cells.of(entry) for cells in all_cells if entry in cells.entries]
    mine = [cells for cells in there if entry not in cells.absent]  # those that are left may be the luckier ones
    for cells in all_cells:
        if cells.game not in memory:
            memory[cells.game] = estimates(cells)
    found = together(
        {cells.game: memory[cells.game][entry] for cells in mine}, {cells.game: names_of(cells) for cells in all_cells}
    )
    contaminated = any(cells.contaminated.get(entry) for cells in there)
    holes = sum(cells.holes for cells in there)
    whole = not holes and len(mine) == len(all_cells)
    cost = same(cells.spent.get(entry, Spent()) for cells in mine)
    return Row(
        entry=entry,
        rank=None,
        rank_low=None,
        rank_high=None,
        status="contaminated" if contaminated else "ranked" if whole else "incomplete",
        n_seeds=min((len(cells.egos) for cells in there), default=0),
        low=found["mean"].low,
        high=found["mean"].high,
        score_low=found["score"].low,
        score_high=found["score"].high,
        covers=covered(mine) if mine else "",
        worst_partner_name=_worst(mine) if mine and len(all_cells) == 1 else None,
        families=_values(found, FAMILY),
        family_scores=_values(found, FAMILY_SCORE),
        retention=_values(found, RETENTION),
        intervals={name: one[1:] for name, one in found.items() if one.low is not None},
        holes=holes,
        steps=cost.steps,
        samples_per_hero=cost.samples_per_hero,
        notes=tuple(_notes(entry, there, all_cells)),
        **{name: found[name].value for name in COLUMNS},
    )


def _values(found: Mapping[str, Estimate], kind: str) -> dict[str, Number]:
    """By family, by name, or by noise."""
    return {name.removeprefix(kind): one.value for name, one in sorted(found.items()) if name.startswith(kind)}


def _worst(mine: Sequence[Cells]) -> str | None:
    values = mine[0].by_partner
    return None if np.isnan(values).any() else mine[0].partners[int(values.argmin())]


def _notes(entry: str, there: Sequence[Cells], all_cells: Sequence[Cells]) -> Iterable[str]:
    for cells in there:
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
    for cells in all_cells:
        if why := cells.absent.get(entry):
            yield f"incomplete: no agent for {cells.game} of {len(why)} seeds ({'; '.join(why)}); not ranked"
        elif entry not in cells.entries:
            yield f"incomplete: never played {cells.game}; not ranked"
    if there:
        yield from _doubts(there)


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
        yield f"fewer than {FEW_SEEDS} trained seeds ({seeds}): the interval may be too narrow"
