"""Trainings that came to nothing: kept beside a game's manifest, so that its board says which seeds lack, and why."""

from collections.abc import Container, Iterable, Mapping
from pathlib import Path

from crossplay.agents.divergence import Diverged
from crossplay.benchmark.config import read_toml, write_toml
from crossplay.benchmark.errors import Refused

LOST = "lost.toml"
NOT_YET = "not trained yet"


def reasons(refused: Iterable[Refused], expendable: Container[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """(game's spec name, card's name) → why there is no such card.

    Raises the first refusal that is no training that came to nothing, or is of a card that is not `expendable`: a
    board without one of its partners would be another board.
    """
    found: dict[tuple[str, str], str] = {}
    for fault in refused:
        faults = {(fault.game, name): why for name, why in fault.faults.items()} if isinstance(fault, Diverged) else {}
        if not faults or not all(card in expendable for card in faults):
            raise fault
        found |= faults
    return found


def note(root: Path, found: Mapping[str, str]) -> None:
    """Writes what was lost for a game, in place of what was lost before."""
    if found:
        write_toml(root / LOST, dict(sorted(found.items())))
    else:
        (root / LOST).unlink(missing_ok=True)


def told(root: Path, names: Iterable[str]) -> tuple[str, ...]:
    """Why these cards are missing, a sentence each."""
    known = read_toml(root / LOST) if (root / LOST).is_file() else {}
    return tuple(f"{name}: {known.get(name, NOT_YET)}" for name in names)
