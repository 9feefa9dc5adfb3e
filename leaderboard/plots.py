"""The kinds of figures that `crossplay plot` draws, each from a results folder into one file and its numbers."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from crossplay.benchmark.errors import Refused, unknown
from crossplay.leaderboard import curves, figures, panels, publish
from crossplay.leaderboard.canvas import format_of
from crossplay.leaderboard.families import families
from crossplay.leaderboard.profile import profile
from crossplay.leaderboard.run import of_folder
from crossplay.leaderboard.subject import Subject, subject
from crossplay.leaderboard.sweep import DEFAULT

TAU = "risk.tau"


class Asked(NamedTuple):
    """What to draw from which folder; empty: all of them, or the usual."""

    folder: Path
    out: Path
    games: Sequence[str] = ()
    entries: Sequence[str] = ()
    over: str = ""  # of `tau` alone: a setting of the trainers, dotted
    metrics: Sequence[str] = ()  # likewise

    @property
    def formats(self) -> list[str]:
        """The one that the file's name asks for."""
        return [format_of(self.out)]


class Drawn(NamedTuple):
    """Files, and what must be known to read them."""

    paths: list[Path]
    notes: list[str]


def plot(kind: str, asked: Asked) -> Drawn:
    """Draws a figure of this kind. Raises Refused with the nearest name for whatever there is not."""
    if kind not in KINDS:
        raise unknown("kind of plot", kind, KINDS)
    if kind != "tau" and (asked.over or asked.metrics):
        raise Refused(f"--over and --metric are for `plot tau`; given with `plot {kind}`")
    format_of(asked.out)
    return KINDS[kind](asked)


def _subjects(asked: Asked) -> list[Subject]:
    """What to show of every game."""
    return [subject(p.cells, asked.entries) for p in publish.played(asked.folder, asked.games)]


def _profile(asked: Asked) -> Drawn:
    found = [profile(shown) for shown in _subjects(asked)]
    paths = figures.draw_profiles(found, asked.out, asked.formats)
    return Drawn(paths, [note for one in found for note in one.subject.notes])


def _families(asked: Asked) -> Drawn:
    found = [families(shown) for shown in _subjects(asked)]
    paths = figures.draw_families(found, asked.out, asked.formats)
    return Drawn(paths, [note for one in found for note in one.subject.notes])


def _tau(asked: Asked) -> Drawn:
    over, metrics = asked.over or TAU, asked.metrics or DEFAULT
    found = publish.swept(asked.folder, over, metrics, asked.entries, asked.games)
    lacking = [f"{p.game}: {p.entry} has no {p.metric}: a match is missing" for p in found if p.mean is None]
    return Drawn(panels.draw(found, over, asked.out, asked.formats), lacking)


def _curves(asked: Asked) -> Drawn:
    names = [entry.name for entry in of_folder(asked.folder).entries]
    for entry in asked.entries:
        if entry not in names:
            raise unknown("entry", entry, names)
    wanted = asked.entries or names
    found = [one for one in curves.learned(asked.folder, asked.games) if one.entry in wanted]
    there = {(one.game, one.entry): f"{len(one.returns)} of {one.wanted}" for one in found if not one.whole}
    lost = [name for name in wanted if name not in {one.entry for one in found}]
    if len(lost) == len(wanted):
        raise Refused(f"{asked.folder}: no finished training of {', '.join(lost)}, so there are no curves")
    notes = [f"{game}: {entry} has {seeds} seeds, so no mean is drawn" for (game, entry), seeds in there.items()]
    notes += [f"{name}: no finished training, left out" for name in lost]
    return Drawn(curves.draw(found, asked.out, asked.formats), notes)


KINDS: dict[str, Callable[[Asked], Drawn]] = {
    "profile": _profile,
    "families": _families,
    "tau": _tau,
    "curves": _curves,
}
