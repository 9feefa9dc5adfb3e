"""A population as a table for the terminal: families, members, skills, bounds and diversity; and where to find it."""

from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from crossplay.benchmark.errors import Refused, unknown
from crossplay.leaderboard.suite import short
from crossplay.leaderboard.table import NULL, four_digits, shown
from crossplay.populations import population as populations
from crossplay.populations.bounds import CLEAR, Bound, Bounds
from crossplay.populations.population import MANIFEST, Member, Population

RESULTS = Path("results")


def find(text: str, results: Path = RESULTS, *, shipped: bool = False) -> Path:
    """A manifest or its folder: a path, or SUITE/GAME below the results folder; SUITE alone if it has one game.

    GAME is the folder's name, or the game's without kind and version: `standard/coordination_ring`. With `shipped` also
    what comes with the package, where there are no results of one's own. Raises Refused.
    """
    path = Path(text)
    if path.exists():
        return path
    suite, _, game = text.partition("/")
    roots = [populations.SHIPPED, results] if shipped else [results]
    found = {place.parent.name: place.parent for root in roots for place in (root / suite).glob(f"*/{MANIFEST}")}
    if not found or "/" in game:
        raise Refused(f"{text}: no such file or folder, and no population below {results / suite}")
    called = {name: place for folder, place in sorted(found.items()) for name in (short(folder, "-"), folder)}
    if not game and len(found) == 1:
        return next(iter(found.values()))
    if game not in called:
        raise unknown(f"population of {suite}", game, called)
    return called[game]


def table(population: Population, called: str = "POPULATION") -> Group:
    """What rich prints; `called` is how the population is named in the commands that measure what is missing."""
    families = sorted({member.family for member in population.train + population.held_out})
    title = Text(f"{population.name} · {population.game} · digest {population.digest[:12]}…", style="bold")
    said = [*_diversity(population, called), *_unmeasured(population, called)]
    return Group(title, _families(population, families), _members(population), *map(Text, said))


def _families(population: Population, families: Sequence[str]) -> Table:
    grid = _grid("family", "trained with", "held out")
    for family in families:
        counts = [sum(m.family == family for m in part) for part in (population.train, population.held_out)]
        grid.add_row(Text(family), *(str(count) if count else NULL for count in counts))
    return grid


def _members(population: Population) -> Table:
    rows = population.bounds.rows if population.bounds else ()
    seats = sorted({row.seat for row in rows})
    itself = population.diversity.itself if population.diversity else None
    values = [value for row in rows for value in (row.low, row.high)]
    digits = four_digits([*values, *(s.itself for s in (population.diversity.skills if population.diversity else ()))])
    grid = _grid("part", "partner", "family", left=3)
    for name in ("itself", *(f"seat {seat}" for seat in seats), "digest"):
        grid.add_column(name, justify="right", no_wrap=True)
    of = {(row.partner, row.seat): row for row in rows}
    for part, members in (("held out", population.held_out), ("train", population.train)):
        for member in members:
            held = part == "held out"
            alone = shown(itself(member.name), digits) if itself and held else NULL
            cells = [_cell(of.get((member.name, seat)) if held else None, digits) for seat in seats]
            grid.add_row(part, Text(member.name), Text(member.family), alone, *cells, _digest(member))
    return grid


def _digest(member: Member) -> str:
    return member.digest[:8]


def _cell(row: Bound | None, digits: int) -> Text:
    if row is None:
        return Text(NULL)
    span = f"{shown(row.low, digits)} … {shown(row.high, digits)}"
    return Text(f"{span} *", style="yellow") if row.unmeasured else Text(span)


def _diversity(population: Population, called: str) -> list[str]:
    whole = ", ".join(population.unseen_families) or "none"
    lines = [f"Families nobody trains with: {whole}."]
    found = population.diversity
    if found is None:
        return [*lines, f"Diversity not measured: crossplay population diversity {called}"]
    count = len(found.skills)
    volume = shown(found.event_volume, 3)
    near = [f"{pair.one} ~ {pair.other} ({pair.distance:.4f})" for pair in found.near]
    return [
        *lines,
        f"Of {count} held-out partners: effective rank of cross-play {shown(found.effective_rank, 2)} (1 to {count}); "
        f"event volume {volume} (0 to 1; kernel of rank {found.event_rank}); "
        f"near-duplicates, less than {found.threshold:g} apart: {len(near)}.",
        *near,
        f"itself: return with itself, {found.episodes} episodes.",
    ]


def _unmeasured(population: Population, called: str) -> list[str]:
    found = population.bounds
    if found is None:
        return [f"Bounds not measured: crossplay population bounds {called}"]
    steps = found.trainer.get("budget", {}).get("steps")
    others = " of training, or a held-out partner" if found.auditions else ""
    why = [f"* {row.partner}, seat {row.seat}: {row.unmeasured}" for row in found.rows if row.unmeasured]
    said = "no score is measured against those marked *" if why else f"all clear by {CLEAR:g} standard errors"
    return [
        f"seat: low … high with the ego there, uniform play and the best response ({steps} steps{others}), "
        f"{found.episodes} episodes; {said}.",
        *why,
        *_better(found),
    ]


def _better(found: Bounds) -> list[str]:
    """Partners with whom somebody held out earns more than the response that was trained for it."""
    by: dict[str, set[str]] = {}
    for row in found.rows:
        if row.by:
            by.setdefault(row.partner, set()).add("a copy" if row.by == row.partner else row.by)
    names = ", ".join(f"{partner} ({', '.join(sorted(who))})" for partner, who in by.items())
    return [f"Held-out partners earn more than the trained response with: {names}."] if names else []


def _grid(*names: str, left: int = 1) -> Table:
    grid = Table(box=SIMPLE_HEAD, padding=(0, 2, 0, 0), collapse_padding=True, pad_edge=False)
    for number, name in enumerate(names):
        grid.add_column(name, justify="left" if number < left else "right", overflow="fold")
    return grid
