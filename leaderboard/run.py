"""The main job: make what is missing, play what is missing, publish the board. Doing it again does nothing twice."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from crossplay.agents.training import pick_device
from crossplay.benchmark.card import Card
from crossplay.benchmark.config import write_toml
from crossplay.benchmark.crossplay import play_fixtures
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.workers import in_processes
from crossplay.leaderboard.site import Site, sites
from crossplay.leaderboard.store import ResultStore
from crossplay.leaderboard.suite import Suite, as_table
from crossplay.populations.generator import Task, bundles, make
from crossplay.populations.stages import forget_snapshots

STORE = "matches.sqlite"
SUITE = "suite.toml"


class Progress(NamedTuple):
    """Handed to `tell`: how far a stage is, and what just ended."""

    stage: str  # "partners", "agents" or "matches"
    done: int
    total: int
    what: str = ""


Tell = Callable[[Progress], None]


def run(suite: Suite, out: Path, *, jobs: int, device: str, tell: Tell) -> None:
    """Trains, plays and stores everything the suite wants and `out` does not have yet."""
    if jobs < 1:
        raise Refused(f"jobs must be at least 1; given {jobs}")
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_toml(out / SUITE, as_table(suite))
    except OSError as error:
        raise Refused(f"cannot write to {out}: {error.strerror or error}") from None
    places = sites(suite, out, pick_device(device))
    train(places, jobs, tell)
    play(places, out, jobs, tell)


class _Job(NamedTuple):
    numbers: list[int]
    tasks: list[Task]


def _do(job: _Job) -> tuple[list[int], list[list[Card]]]:
    return job.numbers, make(job.tasks)


def _make(stage: str, tasks: Sequence[Task], jobs: int, tell: Tell) -> list[list[Card]]:
    """Cards of every task, in the tasks' order."""
    made: dict[int, list[Card]] = {}
    tell(Progress(stage, 0, len(tasks)))
    work = [_Job(numbers, [tasks[i] for i in numbers]) for numbers in bundles(tasks, jobs)]
    for numbers, cards in in_processes(_do, work, jobs):
        for number, mine in zip(numbers, cards, strict=True):
            made[number] = mine
            tell(Progress(stage, len(made), len(tasks), _made(mine)))
    return [made[number] for number in range(len(tasks))]


def _made(cards: Sequence[Card]) -> str:
    names = ", ".join(card.name for card in cards[:3])
    more = f" and {len(cards) - 3} more" if len(cards) > 3 else ""
    curve = cards[-1].record.get("curve")
    how = f": return {curve[-1][1]:.1f} in {cards[-1].record['seconds']} s" if curve else ""
    return f"{cards[-1].game or cards[-1].family} {names}{more}{how}"


def train(places: Sequence[Site], jobs: int, tell: Tell) -> None:
    """Makes partners and self-play entries first, all at once, then the entries that need those partners."""
    roles = [(site, role, task) for site in places for role, task in site.partner_tasks()]
    alone: list[Task] = [
        training for site in places for e in site.suite.entries if not e.partners for training in site.trainings(e)
    ]
    made = _make("partners", [task for _, _, task in roles] + alone, jobs, tell)[: len(roles)]
    paired: list[Task] = []
    for place in places:
        mine = [(role, cards) for (site, role, _), cards in zip(roles, made, strict=True) if site is place]
        population = place.populate(mine)
        for entry in (e for e in place.suite.entries if e.partners):
            partners = [card for role, cards in mine for card in cards if role == entry.partners]
            paired += place.trainings(entry, partners, population.digest)
    if paired:
        _make("agents", paired, jobs, tell)
    for place in places:
        forget_snapshots(place.cards)


def play(places: Sequence[Site], out: Path, jobs: int, tell: Tell) -> None:
    """Plays the matches the store lacks; each is committed as soon as its batch has ended."""
    wanted = [fixture for site in places for fixture in site.fixtures(site.roster())]
    with ResultStore(out / STORE) as store:
        for site in places:
            store.declare(site.game.spec)
        missing = store.missing(wanted)
        done = len(wanted) - len(missing)
        tell(Progress("matches", done, len(wanted), f"{done} already in the store" if done else ""))
        for result in play_fixtures(missing, jobs=jobs):
            store.add(result)
            done += 1
            tell(Progress("matches", done, len(wanted)))
