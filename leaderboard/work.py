"""Work in many processes, told of as it goes: cards that are missing are made, matches that are missing are played."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from crossplay.benchmark.card import Card
from crossplay.benchmark.crossplay import Failure, Fixture, play_fixtures
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.workers import in_processes
from crossplay.leaderboard import failures
from crossplay.leaderboard.asked import Asked
from crossplay.leaderboard.store import ResultStore
from crossplay.populations.generator import Task, bundles, make


class Progress(NamedTuple):
    """Handed to `tell`: how far a stage is, and what just ended."""

    stage: str  # "partners", "agents" or "matches"
    done: int
    total: int
    what: str = ""


Tell = Callable[[Progress], None]


class _Job(NamedTuple):
    numbers: list[int]
    tasks: list[Task]


def _do(job: _Job) -> tuple[list[int], list[list[Card]]]:
    return job.numbers, make(job.tasks)


def make_cards(
    stage: str, tasks: Sequence[Task], jobs: int, tell: Tell, on_refused: Callable[[Refused], None] | None = None
) -> list[list[Card]]:
    """Cards of every task, in the tasks' order; with `on_refused` none for a task that was refused."""
    made: dict[int, list[Card]] = {}
    tell(Progress(stage, 0, len(tasks)))
    work = [_Job(numbers, [tasks[i] for i in numbers]) for numbers in bundles(tasks, jobs)]
    for numbers, cards in in_processes(_do, work, jobs, on_refused):
        for number, mine in zip(numbers, cards, strict=True):
            made[number] = mine
            tell(Progress(stage, len(made), len(tasks), _made(mine)))
    return [made.get(number, []) for number in range(len(tasks))]


def _made(cards: Sequence[Card]) -> str:
    names = ", ".join(card.name for card in cards[:3])
    more = f" and {len(cards) - 3} more" if len(cards) > 3 else ""
    curve = cards[-1].record.get("curve")
    how = f": return {curve[-1][1]:.1f} in {cards[-1].record['seconds']} s" if curve else ""
    return f"{cards[-1].game or cards[-1].family} {names}{more}{how}"


def play_missing(place: Path, wanted: Sequence[Fixture], jobs: int, tell: Tell) -> None:
    """Plays the matches a store lacks; each is committed as soon as its batch has ended.

    What an agent breaks is noted beside the store, and not tried again; what could not be reached is tried again.
    """
    with ResultStore(place) as store:
        for game in {fixture.pairing.game: fixture.game for fixture in wanted}.values():
            store.declare(game.spec)
        failures.forget_passing(place.parent)
        broken = failures.read(place.parent)
        missing = [fixture for fixture in store.missing(wanted) if fixture.pairing.key not in broken]
        done = len(wanted) - len(missing)
        tell(Progress("matches", done, len(wanted), f"{done} already in the store" if done else ""))

        def on_failure(failure: Failure) -> None:
            failures.note(place.parent, failure)
            tell(Progress("matches", done, len(wanted), f"failed: {failure.reason}"))

        asked = Asked(card for fixture in missing for card in (fixture.ego, fixture.partner))
        for result in play_fixtures(missing, jobs=jobs, on_failure=on_failure):
            store.add(result)
            done += 1
            tell(Progress("matches", done, len(wanted), asked.told()))
        if spent := asked.told(at_last=True):
            tell(Progress("matches", done, len(wanted), spent))
