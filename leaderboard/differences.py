"""Who is better than whom: differences between entries that met the same partners under the same luck.

Partners are resampled once for all entries, within their families, and every entry's trained seeds for itself
[Owen2007]; so what makes a set of partners easy or hard for everybody cancels. The intervals of all pairs hold at once:
they are widened by the quantile of the largest studentised difference [Mogstad2024]. Ranks follow from them.

What 95 % for all pairs at once are worth, simulated with equal entries, stands in docs/scores.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from scipy.stats import norm, t

from crossplay.benchmark.seeding import derive
from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.intervals import LEVEL, SAMPLES, drawn_partners, drawn_seeds, taken

FEWEST = 3  # trained seeds, to say anything about a difference
POWER = 0.8  # with which the detectable difference would be found
Headline = Callable[[Cells], np.ndarray]


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
    all_cells: Sequence[Cells], entries: Sequence[str], headline: Headline, *, seed: int = 0, samples: int = SAMPLES
) -> Differences:
    """Of the headline's plain mean over these games. `entries` have to be complete in all of them.

    The randomness derives from (seed, game) for partners and from (seed, game, entry) for seeds.
    """
    names = tuple(sorted(entries))
    pairs = list(permutations(range(len(names)), 2))
    if not pairs:
        return Differences(names, (), None)
    means = np.mean([[float(headline(cells.of(name))) for name in names] for cells in all_cells], axis=0)
    drawn = np.mean([_drawn(cells, names, headline, seed, samples) for cells in all_cells], axis=0)
    seeds = [min(len(cells.of(name).egos) for cells in all_cells) for name in names]
    sure = [(i, j) for i, j in pairs if min(seeds[i], seeds[j]) >= FEWEST]
    errors = {(i, j): float((drawn[i] - drawn[j]).std()) * _widened(min(seeds[i], seeds[j])) for i, j in sure}
    reach = _reach(drawn, means, sure)
    return Differences(
        entries=names,
        pairs=tuple(
            _difference(
                names[i], names[j], means[i] - means[j], errors.get((i, j)), reach, _odds(all_cells, names, i, j)
            )
            for i, j in pairs
        ),
        detectable=float(np.median(list(errors.values()))) * (reach + float(norm.ppf(POWER))) if errors else None,
    )


def _drawn(cells: Cells, names: Sequence[str], headline: Headline, seed: int, samples: int) -> np.ndarray:
    """The headline of every entry, [entries, samples]: one draw of partners for all."""
    partners = drawn_partners(cells, np.random.default_rng(derive(seed, "together", cells.game)), samples)
    found = []
    for name in names:
        own = cells.of(name)
        rng = np.random.default_rng(derive(seed, "together", cells.game, name))
        found.append(headline(taken(own, drawn_seeds(own, rng, samples), partners)))
    return np.array(found)


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


def _odds(all_cells: Sequence[Cells], names: Sequence[str], one: int, other: int) -> float:
    return float(np.mean([improvement(cells.of(names[one]), cells.of(names[other])) for cells in all_cells]))


def improvement(one: Cells, other: Cells) -> float:
    """P(J of a seed of `one` > J of a seed of `other`), the mean over partners and seats; ties count half."""
    mine, theirs = one.scores[:, None], other.scores[None]
    return float(((mine > theirs) + (mine == theirs) / 2).mean())


def rank_interval(found: Differences, entry: str) -> tuple[int | None, int | None]:
    """The best and the worst rank that no difference speaks against [Mogstad2024]; null where nothing can be said."""
    own = [pair for pair in found.pairs if pair.entry == entry]
    if entry not in found.entries or not any(pair.low is not None for pair in own):
        return None, None
    above = sum(pair.high is not None and pair.high < 0 for pair in own)
    below = sum(pair.better for pair in own)
    return 1 + above, len(found.entries) - below
