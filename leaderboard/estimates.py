"""One entry's numbers: what every column of a row says of one game or of several, and how sure each is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any, NamedTuple

import numpy as np

from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.intervals import SOURCES, Spread, around, luck, pooled, spreads
from crossplay.leaderboard.metrics import METRICS, SEEDS_AND_PARTNERS
from crossplay.leaderboard.retention import Retention
from crossplay.leaderboard.scores import measurable, shares

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
FAMILY, FAMILY_SCORE, RETENTION = "family:", "family_score:", "retention:"
SCORE = "score"
PLAIN = tuple(name for name in COLUMNS if name != SCORE)
Number = float | None  # None is null: something it needs was not played


class Estimate(NamedTuple):
    """A number with its 95 % interval."""

    value: Number
    low: Number  # null as well where there is no luck to speak of
    high: Number


NOTHING = Estimate(None, None, None)


@dataclass(frozen=True, eq=False)
class Estimates:
    """One entry's in one game; arrays are by `names`, as `names_of` has them."""

    names: tuple[str, ...]
    values: np.ndarray  # [names] float64; NaN where a match is missing
    spread: Spread  # [sources, names]
    seeds: np.ndarray  # [names] bool, whether there is luck of trained seeds to speak of
    partners: np.ndarray  # [names] bool, and of partners


def names_of(cells: Cells) -> tuple[str, ...]:
    """The numbers of a game: columns, `family:NAME`, `retention:NOISE`, and `family_score:NAME` where one is scored."""
    scored = measurable(cells).families if cells.yard else ()
    kept = (f"{RETENTION}{noise:g}" for noise in cells.noise)
    return (*PLAIN, *map(FAMILY.__add__, cells.families), *kept, SCORE, *map(FAMILY_SCORE.__add__, scored))


def estimates(cells: Cells) -> dict[str, Estimates]:
    """Of every entry; those with as many trained seeds as each other at once."""
    alike: dict[int, list[str]] = {}
    for index, entry in enumerate(cells.entries):
        alike.setdefault(int((cells.entry_of == index).sum()), []).append(entry)
    return {entry: one for entries in alike.values() for entry, one in _of_alike(cells, entries)}


def _of_alike(cells: Cells, entries: Sequence[str]) -> Iterator[tuple[str, Estimates]]:
    own = np.array([np.flatnonzero(cells.entry_of == cells.entries.index(entry)) for entry in entries])
    sure, names = spreads(cells, _plain, own), names_of(cells)
    scored = cells.yard is not None and len(measurable(cells).partners) > 0
    surer = (
        spreads(measurable(cells), _scores, own) if scored else Spread(*np.full((2, len(SOURCES), len(own), 1), nan))
    )
    seeds = np.array([own.shape[1] > 1 and _covers(name) != "" for name in names])
    several = np.array([_covers(name) == SEEDS_AND_PARTNERS and _several(cells, name) for name in names])
    for i, entry in enumerate(entries):
        mine = cells.of(entry)
        yield (
            entry,
            Estimates(
                names=names,
                values=np.concatenate([_plain(mine), _scores(measurable(mine)) if scored else [nan]]),
                spread=Spread(
                    *(np.concatenate([one[:, i], other[:, i]], axis=-1) for one, other in zip(sure, surer, strict=True))
                ),
                seeds=seeds,
                partners=several,
            ),
        )


def _covers(name: str) -> str:
    metric: Any = METRICS[name.partition(":")[0]]
    return str(metric.covers)


def _several(cells: Cells, name: str) -> bool:
    """Whether a number is of more than one partner of some family."""
    if not name.startswith((FAMILY, FAMILY_SCORE)):
        return len(cells.partners) > len(cells.families)
    return int((cells.family_of == cells.families.index(name.partition(":")[2])).sum()) > 1


def _plain(cells: Cells) -> np.ndarray:
    """Columns, families and retentions, [..., names]."""
    columns = [METRICS[name]()(cells) for name in PLAIN]
    kept = [Retention(noise=noise)(cells) for noise in cells.noise]
    families = np.moveaxis(cells.by_family, -1, 0)
    return np.stack([*columns, *families, *kept], axis=-1)


def _scores(cells: Cells) -> np.ndarray:
    """The score, and those by family, of measurable cells, [..., 1 + families]."""
    families = cells.over_families(shares(cells).mean(axis=-2))
    return np.concatenate([families.mean(axis=-1, keepdims=True), families], axis=-1)


def together(found: Mapping[str, Estimates], games: Mapping[str, Sequence[str]]) -> dict[str, Estimate]:
    """Name → estimate over the games that have it, a plain mean; null where the entry lacks one of them.

    `found`: game → the entry's; `games`: game → `names_of` it.
    """
    names = list(dict.fromkeys(name for known in games.values() for name in known))
    having = {name: [game for game, known in games.items() if name in known] for name in names}
    whole = [name for name in names if all(game in found for game in having[name])]
    parts = {name: [_one(found[game], name) for game in having[name]] for name in whole}
    sums = {name: pooled([one.spread for one in ones]) for name, ones in parts.items()}
    halves = Spread(*(np.stack(each, axis=-1) for each in zip(*sums.values(), strict=True))).half if sums else ()
    known = {name: _estimate(parts[name], float(half)) for name, half in zip(whole, halves, strict=True)}
    return {name: known.get(name, NOTHING) for name in names}


def _one(found: Estimates, name: str) -> Estimates:
    """A single number's."""
    at = found.names.index(name)
    sure = Spread(*(part[:, at] for part in found.spread))
    return Estimates((name,), found.values[at], sure, found.seeds[at], found.partners[at])


def _estimate(ones: Sequence[Estimates], half: float) -> Estimate:
    value = float(np.mean([one.values for one in ones]))
    words = luck(all(one.seeds for one in ones), all(one.partners for one in ones))
    sure = around(value, half, words)
    return Estimate(*(None if np.isnan(number) else float(number) for number in (value, sure.low, sure.high)))
