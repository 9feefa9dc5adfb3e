"""What an entry's training cost: environment steps, and samples per hero, as its cards' records say."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from crossplay.benchmark.card import Card

UNKNOWN = "–"


class Spent(NamedTuple):
    """Null where a card does not say, or where an entry's seeds differ."""

    steps: int | None = None  # of the environment, joint steps counted once
    samples_per_hero: int | None = None  # steps that one deployed agent learned from


def spent(cards: Iterable[Card]) -> Spent:
    """What every one of these trainings cost. Steps are those that were done, or else those of the plan."""
    records = [card.record for card in cards]
    return Spent(_same(map(_steps, records)), _same(record.get("samples_per_hero") for record in records))


def same(all_spent: Iterable[Spent]) -> Spent:
    """What all of these cost; null where they differ, as games do."""
    found = list(all_spent)
    return Spent(_same(one.steps for one in found), _same(one.samples_per_hero for one in found))


def _steps(record: Mapping[str, Any]) -> Any:
    trainer = record.get("trainer")
    budget = trainer.get("budget") if isinstance(trainer, Mapping) else None
    planned = budget.get("steps") if isinstance(budget, Mapping) else None
    return record.get("steps", planned)


def _same(values: Iterable[Any]) -> int | None:
    found = set(values)
    value = found.pop() if len(found) == 1 else None
    return value if isinstance(value, int) else None


def shown(count: int | None) -> str:
    """A count to three digits: 1600, 2e6, 8.19e5; a dash where it is not known."""
    if count is None:
        return UNKNOWN
    digits, _, power = f"{count:.2e}".partition("e")
    return str(count) if count < 10_000 else f"{digits.rstrip('0').rstrip('.')}e{int(power)}"


def lines(entries: Mapping[str, Spent]) -> list[str]:
    """A line for every budget, with the entries that had it; none at all where no card tells."""
    known: dict[str, list[str]] = {}
    for name, one in entries.items():
        cost = f"Trained on {shown(one.steps)} steps · samples a hero {shown(one.samples_per_hero)}"
        known.setdefault("Training not told" if one == Spent() else cost, []).append(name)
    if set(known) == {"Training not told"}:
        return []
    return [f"{cost}: {', '.join(names)}." for cost, names in known.items()]
