"""How sure the board is: a crossed bootstrap over trained seeds × partners [Owen2007].

Both are resampled with replacement, independently of each other: another run of the same training, and other partners
of the same kinds. Partners are drawn within their family, since families are strata: a chosen, closed list which every
new set of partners would contain again, each with its share. Episodes are never resampled alone, since more
episodes do not make more agents [Agarwal2021]. Seats are all played, so they are fixed.

What 95 % are worth, simulated: 92 to 93 % with 5 to 10 seeds and 8 partners a family; 88 % with 3 seeds, and 77 % where
seeds matter more than partners, since so few cannot show how much seeds differ; over 99 % where only the pairing of
seed and partner matters, whose variance a crossed bootstrap counts up to three times [Owen2007]; none is exact for
such tables [McCullagh2000]. A family of one partner adds no partner uncertainty.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from crossplay.benchmark.errors import Refused
from crossplay.leaderboard.cells import Cells

LEVEL = 0.95
SAMPLES = 2000
_NUMBERS_AT_ONCE = 2_000_000  # of resampled scores: bounds memory


class Interval(NamedTuple):
    """A 95 % percentile interval in the metric's unit; (nan, nan) where it cannot be had. `covers` says which luck."""

    low: float
    high: float
    covers: str


def draws(cells: Cells, metric: Callable[[Cells], np.ndarray], rng: np.random.Generator, samples: int) -> np.ndarray:
    """The metric of `samples` resamples of one entry's cells, float64 [samples]; NaN where a resample has a hole.

    Raises Refused for no sample at all, ValueError for cells of more than one entry.
    """
    if samples < 1:
        raise Refused(f"an interval needs at least one bootstrap sample; given {samples}")
    if len(cells.entries) != 1:
        raise ValueError(f"intervals are of one entry; given cells of {len(cells.entries)}")
    size = max(1, _NUMBERS_AT_ONCE // max(1, cells.scores.size))
    parts = [min(size, samples - start) for start in range(0, samples, size)]
    places = ((drawn_seeds(cells, rng, part), drawn_partners(cells, rng, part)) for part in parts)
    return np.concatenate([np.asarray(of_drawn(cells, metric, *place)) for place in places])


def of_drawn(cells: Cells, metric: Callable[[Cells], np.ndarray], egos: np.ndarray, partners: np.ndarray) -> np.ndarray:
    """The metric of the resamples with these egos [samples, egos] and partners [samples, partners], float64 [samples].

    A metric that has `drawn` gives the same without their cells being laid out.
    """
    short = getattr(metric, "drawn", None)
    return short(cells, egos, partners) if short else metric(taken(cells, egos, partners))


def resample(cells: Cells, rng: np.random.Generator, samples: int) -> Cells:
    """Cells with a leading axis [samples]: seeds drawn with replacement, partners with replacement in their family."""
    return taken(cells, drawn_seeds(cells, rng, samples), drawn_partners(cells, rng, samples))


def taken(cells: Cells, egos: np.ndarray, partners: np.ndarray) -> Cells:
    """Cells [samples] of these egos [samples, egos] with these partners [samples, partners]."""
    return replace(
        cells,
        scores=cells.scores[egos[:, :, None], partners[:, None, :]],
        self_play=cells.self_play[egos],
        riding=cells.riding[egos[:, :, None], partners[:, None, :]],
        riding_alone=cells.riding_alone[egos],
        shaken=cells.shaken[egos[:, :, None], partners[:, None, :]],
        yard=cells.yard.of(partners) if cells.yard else None,
    )


def drawn_seeds(cells: Cells, rng: np.random.Generator, samples: int) -> np.ndarray:
    """Indices of trained seeds, int64 [samples, egos]."""
    return rng.integers(len(cells.egos), size=(samples, len(cells.egos)))


def drawn_partners(cells: Cells, rng: np.random.Generator, samples: int) -> np.ndarray:
    """Indices of partners, each of the family of its place, int64 [samples, partners]."""
    partners = np.empty((samples, len(cells.partners)), dtype=np.int64)
    for family in range(len(cells.families)):
        mine = np.flatnonzero(cells.family_of == family)
        partners[:, mine] = mine[rng.integers(len(mine), size=(samples, len(mine)))]
    return partners


def percentiles(values: np.ndarray, covers: str) -> Interval:
    """The central 95 % of draws [samples]; null where a draw met a hole or the draws cover nothing."""
    if not covers or np.isnan(values).any():
        return Interval(float("nan"), float("nan"), covers)
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high), covers)


def covered(all_cells: list[Cells]) -> str:
    """Which luck an interval over these games can speak of: what every one of them has at least two of."""
    return luck(
        all(len(cells.egos) > 1 for cells in all_cells),
        all(len(cells.partners) > len(cells.families) for cells in all_cells),
    )


def luck(seeds: bool, partners: bool) -> str:
    """The words for it, by whether there are at least two of each; empty where there are of neither."""
    return {
        (True, True): "trained seeds and partners",
        (True, False): "trained seeds only",
        (False, True): "partners only",
        (False, False): "",
    }[seeds, partners]


def interval(
    cells: Cells, metric: Callable[[Cells], np.ndarray], rng: np.random.Generator, samples: int = SAMPLES
) -> Interval:
    """The interval of a metric of one entry. With one trained seed it covers partners only, and says so."""
    return percentiles(draws(cells, metric, rng, samples), covered([cells]))
