"""How sure the board is: what its numbers owe to trained seeds, to partners, and to their pairing.

An interval speaks of another run of the same trainings and of other partners of the same kinds, so episodes are never
its luck [Agarwal2021]. Seeds, and partners within their family, are left out one at a time: that gives each source's
variance, of any metric, as the usual one where it is a mean [Efron1981]. Every source has its own quantile of Student's
t, and the squares add up [Zou2008]; what seeds and partners both owe to their pairing is counted once. Families are
strata, a chosen, closed list, and seats are all played. A family of one partner adds no partner uncertainty.

What 95 % are worth, simulated, stands in docs/scores.md (`python -m tests.speed.coverage`).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.stats import norm, t

from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.metrics import SEEDS_AND_PARTNERS, SEEDS_ONLY, Metric

LEVEL = 0.95
PARTNERS_ONLY = "partners only"
SOURCES = ("trained seeds", "partners", "pairing")
_TAIL = (1 + LEVEL) / 2
_SURE = float(norm.ppf(_TAIL)) ** 2
_NUMBERS_AT_ONCE = 2_000_000  # of scores with some left out: bounds memory


class Interval(NamedTuple):
    """A 95 % interval in the metric's unit; (nan, nan) where it cannot be had. `covers` says which luck."""

    low: float
    high: float
    covers: str


class Spread(NamedTuple):
    """The variance of an estimate by source; `square` is variance² by its degrees of freedom [Satterthwaite1946].

    float64 [sources, ...]. What seeds show, and what partners show, both contain the pairing's.
    """

    variance: np.ndarray
    square: np.ndarray

    @property
    def half(self) -> np.ndarray:
        """Half the width of the 95 % interval, [...]."""
        with np.errstate(invalid="ignore"):  # a source without variance has no degrees of freedom
            freedom = np.where(self.square > 0, self.variance**2 / self.square, np.inf)
        sure = t.ppf(_TAIL, freedom) ** 2
        pairing = self.variance[2]
        own = self.variance[:2] - pairing
        width = (np.where(own > 0, sure[:2], _SURE) * own).sum(axis=0) + sure[2] * pairing
        return np.sqrt(np.maximum(width, _SURE * self.variance[:2].max(axis=0)))


def spread(cells: Cells, metric: Callable[[Cells], np.ndarray]) -> Spread:
    """The spread of a metric of one entry, whose values may be arrays; NaN where it needs a hole.

    Raises ValueError for cells of more than one entry.
    """
    if len(cells.entries) != 1:
        raise ValueError(f"intervals are of one entry; given cells of {len(cells.entries)}")
    return Spread(*(part[:, 0] for part in spreads(cells, metric, np.arange(len(cells.egos))[None])))


def spreads(cells: Cells, metric: Callable[[Cells], np.ndarray], own: np.ndarray) -> Spread:
    """The same of entries with as many seeds each, whose egos are `own` [entries, seeds]: [sources, entries, ...]."""
    cells = metric.part(cells) if hasattr(metric, "part") else cells
    seeds, partners = own.shape[1], np.arange(len(cells.partners))
    whole = _values(cells, metric, own[:, None], partners[None])[:, 0]
    found = Spread(*np.zeros((2, len(SOURCES), *whole.shape)))
    rest_of_seeds = own[:, _but_one(np.arange(seeds), np.arange(seeds))] if seeds > 1 else None
    less_seed = None if rest_of_seeds is None else _values(cells, metric, rest_of_seeds, partners[None])
    if less_seed is not None:
        _add(found, 0, less_seed - less_seed.mean(axis=1, keepdims=True), seeds - 1, seeds)
    for family in range(len(cells.families)):
        mine = np.flatnonzero(cells.family_of == family)
        count = len(mine)
        if count < 2:
            continue
        rest = replace(cells, family_of=np.delete(cells.family_of, mine[0]))
        others = _but_one(partners, mine)
        less = _values(rest, metric, own[:, None], others)
        _add(found, 1, less - less.mean(axis=1, keepdims=True), count - 1, count)
        if less_seed is not None and rest_of_seeds is not None:
            pairs = np.repeat(rest_of_seeds, count, axis=1), np.tile(others, (seeds, 1))
            less_both = _values(rest, metric, *pairs).reshape(len(own), seeds, count, *whole.shape[1:])
            owed = whole[:, None, None] - less_seed[:, :, None] - less[:, None] + less_both
            owed = owed.reshape(len(own), seeds * count, *whole.shape[1:])
            _add(found, 2, owed, (seeds - 1) * (count - 1), seeds * count)
    return Spread(*(part + 0 * whole for part in found))  # a hole is one in every source


def _add(found: Spread, source: int, moves: np.ndarray, freedom: int, count: int) -> None:
    """What moves [entries, count, ...] from leaving one of `count` out say of a source."""
    variance = (moves**2).sum(axis=1) * freedom / count
    found.variance[source] += variance
    found.square[source] += variance**2 / freedom


def _but_one(every: np.ndarray, each: np.ndarray) -> np.ndarray:
    """`every` without one of `each` in turn, [each, every − 1]."""
    return np.array([every[every != one] for one in each])


def _values(cells: Cells, metric: Callable[[Cells], np.ndarray], egos: np.ndarray, partners: np.ndarray) -> np.ndarray:
    """The metric of cells with these egos [entries, sets, egos] and partners [sets, partners], [entries, sets, ...].

    One set goes with all.
    """
    shape = len(egos), max(egos.shape[1], len(partners))
    egos, partners = (np.broadcast_to(part, (*shape, part.shape[-1])) for part in (egos, partners))
    egos, partners = egos.reshape(-1, egos.shape[-1]), partners.reshape(-1, partners.shape[-1])
    size = max(1, _NUMBERS_AT_ONCE // max(1, egos.shape[1] * partners.shape[1] * cells.seats))
    parts = [slice(start, start + size) for start in range(0, len(egos), size)]
    found = np.concatenate([np.asarray(metric(taken(cells, egos[part], partners[part]))) for part in parts])
    return found.reshape(*shape, *found.shape[1:])


def taken(cells: Cells, egos: np.ndarray, partners: np.ndarray) -> Cells:
    """Cells [sets] of these egos [sets, egos] with these partners [sets, partners]."""
    count = len(cells.partners)
    at = egos[:, :, None] * count + partners[:, None, :]

    def pairs(values: np.ndarray) -> np.ndarray:
        return values.reshape(len(cells.egos) * count, *values.shape[2:]).take(at, axis=0)

    return replace(
        cells,
        scores=pairs(cells.scores),
        self_play=cells.self_play[egos],
        riding=pairs(cells.riding),
        riding_alone=cells.riding_alone[egos],
        shaken=pairs(cells.shaken),
        yard=cells.yard.of(partners) if cells.yard else None,
    )


def pooled(spreads: Sequence[Spread]) -> Spread:
    """Of the plain mean of independent estimates, such as those of different games."""
    count = len(spreads)
    variance, square = (np.sum([one[part] for one in spreads], axis=0) for part in (0, 1))
    return Spread(variance / count**2, square / count**4)


def around(value: float, half: float, covers: str) -> Interval:
    """The interval around a value; null where something is a hole or no luck is covered."""
    if not covers or np.isnan(value) or np.isnan(half):
        return Interval(float("nan"), float("nan"), covers)
    return Interval(float(value - half), float(value + half), covers)


def interval(cells: Cells, metric: Metric) -> Interval:
    """The interval of a metric of one entry. With one trained seed it covers partners only, and says so."""
    words = covered([cells], metric.covers)
    return around(float(metric(cells)), float(spread(cells, metric).half), words)


def crossed(values: np.ndarray) -> Spread:
    """Of the plain mean of values [rows, columns], rows and columns drawn independently, two at least of each."""
    rows, columns = values.shape
    down, across = values.mean(axis=1), values.mean(axis=0)
    left = values - down[:, None] - across + values.mean()
    freedom = np.array([rows - 1, columns - 1, (rows - 1) * (columns - 1)])
    variance = np.array([down.var(), across.var(), left.var()]) / freedom
    return Spread(variance, variance**2 / freedom)


def less_one(values: np.ndarray) -> float:
    """Half the width of the interval of an estimate that is `values` [units] with each unit left out in turn."""
    count = len(values)
    return float(t.ppf(_TAIL, count - 1) * np.sqrt((count - 1) * values.var()))


def of_mean(values: np.ndarray) -> float:
    """Half the width of the interval of a plain mean of independent values [values], two at least."""
    return float(t.ppf(_TAIL, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))


def covered(all_cells: Sequence[Cells], most: str = SEEDS_AND_PARTNERS) -> str:
    """Which luck an interval over these games can speak of: what every one has two of, and the metric `most` covers."""
    return luck(
        all(len(cells.egos) > 1 for cells in all_cells) and most != "",
        all(len(cells.partners) > len(cells.families) for cells in all_cells) and most == SEEDS_AND_PARTNERS,
    )


def luck(seeds: bool, partners: bool) -> str:
    """The words for it, by whether there are at least two of each; empty where there are of neither."""
    return {
        (True, True): SEEDS_AND_PARTNERS,
        (True, False): SEEDS_ONLY,
        (False, True): PARTNERS_ONLY,
        (False, False): "",
    }[seeds, partners]
