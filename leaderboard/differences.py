"""Who is better than whom: differences between entries that met the same partners under the same luck.

Partners are resampled once for all entries, within their families, and every entry's trained seeds for itself, with
replacement and independently of each other [Owen2007]; so what makes partners easy or hard for everybody cancels. The
intervals of all pairs hold at once: they are widened by the quantile of the largest studentised difference
[Mogstad2024]. Ranks follow from them.

What 95 % for all pairs at once are worth, simulated with equal entries, stands in docs/scores.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from scipy.stats import norm, t

from crossplay.benchmark.seeding import derive
from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.intervals import LEVEL
from crossplay.leaderboard.metrics import Headline

FEWEST = 3  # trained seeds, to say anything about a difference
POWER = 0.8  # with which the detectable difference would be found
SAMPLES = 2000
Memory = dict[tuple[str, ...], np.ndarray]  # draws [entries, samples], by what they are of


@dataclass(frozen=True)
class Difference:
    """An entry less another, in the unit of the headline."""

    entry: str
    other: str
    mean: float
    low: float | None  # of the interval, all pairs at once 95 %; null for fewer than three seeds of either
    high: float | None
    improvement: float  # P(a seed of `entry` earns more than one of `other` with a partner), ties half [Agarwal2021]

    @property
    def better(self) -> bool:
        """Whether luck is ruled out."""
        return self.low is not None and self.low > 0


@dataclass(frozen=True)
class Differences:
    """All ordered pairs of entries without holes, and what could have been seen at all."""

    entries: tuple[str, ...]
    pairs: tuple[Difference, ...]
    detectable: float | None  # difference that the median pair would show with a probability of 80 %


def differences(
    all_cells: Sequence[Cells],
    entries: Sequence[str],
    headline: Headline,
    *,
    seed: int = 0,
    samples: int = SAMPLES,
    memory: Memory | None = None,
) -> Differences:
    """Of the headline's plain mean over these games. `entries` have to be complete in all of them.

    The randomness derives from (seed, game) for partners and from (seed, game, entry) for seeds. `memory` keeps draws
    for the next call with cells of the same names, seed and samples.
    """
    names = tuple(sorted(entries))
    pairs = list(permutations(range(len(names)), 2))
    if not pairs:
        return Differences(names, (), None)
    memory = {} if memory is None else memory
    own = [[cells.of(name) for name in names] for cells in all_cells]
    means = np.mean([[float(headline(cells)) for cells in mine] for mine in own], axis=0)
    drawn = np.mean([_drawn(mine, headline, seed, samples, memory) for mine in own], axis=0)
    odds = np.mean([improvements(mine) for mine in own], axis=0)
    seeds = [min(len(mine[i].egos) for mine in own) for i in range(len(names))]
    sure = [(i, j) for i, j in pairs if min(seeds[i], seeds[j]) >= FEWEST]
    errors = {(i, j): float((drawn[i] - drawn[j]).std()) * _widened(min(seeds[i], seeds[j])) for i, j in sure}
    reach = _reach(drawn, means, sure)
    return Differences(
        entries=names,
        pairs=tuple(
            _difference(names[i], names[j], means[i] - means[j], errors.get((i, j)), reach, float(odds[i, j]))
            for i, j in pairs
        ),
        detectable=float(np.median(list(errors.values()))) * (reach + float(norm.ppf(POWER))) if errors else None,
    )


def _drawn(own: Sequence[Cells], headline: Headline, seed: int, samples: int, memory: Memory) -> np.ndarray:
    """The headline of every entry, [entries, samples]: one draw of partners for all."""
    game = own[0].game
    key = (type(headline).__name__, game, *(cells.entries[0] for cells in own))
    if key not in memory:
        partners = _partners(own[0], np.random.default_rng(derive(seed, "together", game)), samples)
        rngs = [np.random.default_rng(derive(seed, "together", game, cells.entries[0])) for cells in own]
        often = [_often(len(cells.egos), rng, samples) / len(cells.egos) for cells, rng in zip(own, rngs, strict=True)]
        drawn = [partners @ headline.table(cells).T for cells in own]  # every seed's own, [samples, egos]
        memory[key] = np.array([(each * seeds).sum(axis=1) for each, seeds in zip(drawn, often, strict=True)])
    return memory[key]


def _partners(cells: Cells, rng: np.random.Generator, samples: int) -> np.ndarray:
    """What every partner weighs in a mean over families of the partners that were drawn, [samples, partners]."""
    weights = np.empty((samples, len(cells.partners)))
    for family in range(len(cells.families)):
        mine = np.flatnonzero(cells.family_of == family)
        weights[:, mine] = _often(len(mine), rng, samples) / (len(mine) * len(cells.families))
    return weights


def _often(count: int, rng: np.random.Generator, samples: int) -> np.ndarray:
    """How often each of `count` was drawn, [samples, count]."""
    return rng.multinomial(count, np.full(count, 1 / count), size=samples)


def _widened(seeds: int) -> float:
    """What few seeds hide: resamples vary by √((n − 1)/n) of what they should, and by Student's t."""
    tail = (1 + LEVEL) / 2
    return float(np.sqrt(seeds / (seeds - 1)) * t.ppf(tail, 2 * (seeds - 1)) / norm.ppf(tail))


def _reach(drawn: np.ndarray, means: np.ndarray, pairs: Sequence[tuple[int, int]]) -> float:
    """How many standard errors the farthest of all pairs is off in 95 % of the draws."""
    if not pairs:
        return 0.0
    moves = np.array([drawn[i] - drawn[j] - (drawn[i] - drawn[j]).mean() for i, j in pairs])
    spread = moves.std(axis=1, keepdims=True)
    units = np.abs(np.divide(moves, spread, out=np.zeros_like(moves), where=spread > 0))
    return float(np.quantile(units.max(axis=0), LEVEL))


def _difference(
    entry: str, other: str, mean: float, error: float | None, reach: float, improvement: float
) -> Difference:
    low, high = (None, None) if error is None else (float(mean - reach * error), float(mean + reach * error))
    return Difference(entry, other, float(mean), low, high, improvement)


def improvements(own: Sequence[Cells]) -> np.ndarray:
    """P(J of a seed of the row's entry > J of a seed of the column's), the mean over partners and seats; ties half.

    float64 [entries, entries] of one game's cells, an entry each [Agarwal2021]. Halves are summed, so it is exact.
    """
    every = np.concatenate([cells.scores for cells in own])  # [all egos, partners, seats]
    counts = np.array([len(cells.egos) for cells in own])
    starts = np.cumsum(counts) - counts
    rows = []
    for cells in own:
        mine = cells.scores[:, None]
        won = 2 * (mine > every).sum(axis=(0, 2, 3)) + (mine == every).sum(axis=(0, 2, 3))  # in halves, [all egos]
        rows.append(np.add.reduceat(won, starts) / 2 / (len(cells.egos) * counts * cells.scores[0].size))
    return np.array(rows)


def improvement(one: Cells, other: Cells) -> float:
    """The same of two entries."""
    return float(improvements([one, other])[0, 1])


def rank_interval(found: Differences, entry: str) -> tuple[int | None, int | None]:
    """The best and the worst rank that no difference speaks against [Mogstad2024]; null where nothing can be said."""
    own = [pair for pair in found.pairs if pair.entry == entry]
    if entry not in found.entries or not any(pair.low is not None for pair in own):
        return None, None
    above = sum(pair.high is not None and pair.high < 0 for pair in own)
    below = sum(pair.better for pair in own)
    return 1 + above, len(found.entries) - below
