"""How the board's numbers change with one setting of the trainers, such as τ: numbers here, pictures in panels.py."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from math import isnan
from typing import Any

from crossplay.benchmark.card import Card
from crossplay.benchmark.config import canonical, from_text
from crossplay.benchmark.errors import Refused, unknown
from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.intervals import interval
from crossplay.leaderboard.measures import RETURN
from crossplay.leaderboard.meetings import Meetings
from crossplay.leaderboard.metrics import METRICS

CROSS_PLAY = "cross_play"  # with other seeds of the same entry
OWN = {"self_play": "return", "free_riding": "free_riding"}  # metrics of own pairs: only trained seeds are resampled
DEFAULT = ("mean", "self_play", "free_riding", CROSS_PLAY)
Number = float | None  # None is null


@dataclass(frozen=True)
class Point:
    """One entry's value of one metric, with its 95 % interval, at one value of the setting."""

    game: str
    metric: str
    unit: str
    better: str  # "higher" or "lower"
    entry: str
    seeds: int
    at: Number  # the setting; infinity where it is "inf"; null: the entry's trainer has no such setting
    series: str  # equal for entries whose trainers differ in this setting alone
    mean: Number
    low: Number
    high: Number


def points(
    cells: Cells,
    meetings: Mapping[str, Meetings],
    entries: Mapping[str, Sequence[Card]],
    over: str,
    metrics: Sequence[str] = DEFAULT,
) -> list[Point]:
    """A point for every metric and entry, in order of the setting; entries without it come last.

    `meetings` are those of return and of free_riding. A metric's interval is the board's where the board has one.
    Raises Refused with the nearest name where no trainer has the setting, or where it is not one number an entry.
    """
    check(metrics)
    where = {entry: _setting(entry, cards, over) for entry, cards in entries.items()}
    if all(at is None for at in where.values()):
        raise unknown("setting of the trainers", over, _settings(entries))
    order = sorted(entries, key=lambda entry: (where[entry] is None, where[entry], entry))
    found = []
    for metric in metrics:
        for entry in order:
            mean, low, high = _value(metric, cells.of(entry), meetings)
            unit, better = _unit(metric)
            series = _series(entries[entry], over)
            count = len(entries[entry])
            found.append(Point(cells.game, metric, unit, better, entry, count, where[entry], series, mean, low, high))
    return found


def check(metrics: Sequence[str]) -> None:
    """Raises Refused with the nearest name for a metric there is not."""
    for metric in metrics:
        if metric.partition(":")[0] not in (*METRICS, CROSS_PLAY):
            raise unknown("metric", metric, (*METRICS, CROSS_PLAY))
        if metric != CROSS_PLAY:
            from_text(METRICS, metric)
    if not metrics or len(set(metrics)) < len(metrics):
        raise Refused(f"metrics must be different names, at least one; given {', '.join(metrics) or 'none'}")


def _unit(metric: str) -> tuple[str, str]:
    if metric == CROSS_PLAY:
        return RETURN, "higher"
    found = from_text(METRICS, metric)
    return found.unit, found.direction


def _value(metric: str, cells: Cells, meetings: Mapping[str, Meetings]) -> tuple[Number, Number, Number]:
    (entry,) = cells.entries
    if metric == CROSS_PLAY or metric in OWN:
        found = meetings[OWN.get(metric, "return")]
        at = found.entries.index(entry)
        one = found.own[at] if metric in OWN else found.cross[at][at]
        return one.mean, one.low, one.high
    measured = from_text(METRICS, metric)
    sure = interval(cells, measured)
    mean, low, high = (None if isnan(value) else float(value) for value in (measured(cells), sure.low, sure.high))
    return mean, low, high


def _setting(entry: str, cards: Sequence[Card], over: str) -> Number:
    """The setting of an entry's trainer, or None where it has none."""
    values = {_float(entry, over, value) for card in cards for value in [_settings({entry: [card]}).get(over)]}
    if len(values) > 1:
        raise Refused(f"the seeds of {entry} were trained with different {over}: {sorted(map(str, values))}")
    return values.pop()


def _float(entry: str, over: str, value: Any) -> Number:
    if value is None or value == "inf":
        return None if value is None else float("inf")
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise Refused(f"{over} of {entry} is {value!r}; a sweep is over numbers from 0 to inf")
    return float(value)


def _settings(entries: Mapping[str, Sequence[Card]]) -> dict[str, Any]:
    """Dotted name → value for every setting of these cards' trainers."""
    tables = [card.record.get("trainer") for cards in entries.values() for card in cards]
    return dict(pair for table in tables if isinstance(table, Mapping) for pair in _flat(table))


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _series(cards: Sequence[Card], over: str) -> str:
    settings = _settings({"": cards})
    settings.pop(over, None)
    return canonical(settings)


def to_csv(found: Sequence[Point]) -> str:
    """One line per game, metric and entry with full precision; null is empty."""
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    names = ("game", "metric", "unit", "entry", "seeds", "at", "mean", "low", "high")
    writer.writerow(names)
    for one in found:
        values = [getattr(one, name) for name in names]
        writer.writerow(["" if v is None else repr(v) if isinstance(v, float) else v for v in values])
    return file.getvalue()
