"""From an agent's folder or archive to its row: checked, taken in, played where it has not been, and placed."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from crossplay.benchmark.card import Card
from crossplay.benchmark.config import build, read_toml, write_toml
from crossplay.benchmark.errors import Refused
from crossplay.leaderboard import failures, publish
from crossplay.leaderboard.board import OVERALL, Board
from crossplay.leaderboard.copies import compare
from crossplay.leaderboard.row import Row
from crossplay.leaderboard.run import SUITE, play, train
from crossplay.leaderboard.site import Site, sites
from crossplay.leaderboard.submission import entrants
from crossplay.leaderboard.submission.check import check
from crossplay.leaderboard.submission.manifest import Submission
from crossplay.leaderboard.suite import Suite, as_table, short
from crossplay.leaderboard.table import decimals, shown, shown_ranks
from crossplay.leaderboard.work import Tell

WEAK = 3  # families named


class Landing(NamedTuple):
    """Where an agent stands on one board."""

    board: Board
    row: Row
    lines: tuple[str, ...]  # in words


def submit(
    source: Path, results: Path, suite: Suite, *, jobs: int, tell: Tell, again: bool = False
) -> tuple[Submission, list[Board]]:
    """Takes an agent in and plays what is missing; `again` replays what it failed at. Raises Refused for faults."""
    found = _plan(results, suite)
    places = sites(found, results)
    agent = entrants.stage(source, results)
    _examine(agent, source)
    _welcome(agent, found, places)
    agent = entrants.settle(agent, results)
    if again:
        failures.forget(results, [card.name for place in places for card in _own(agent, place)])
    _play(places, results, jobs, tell)
    return agent, publish.write(results)[0]


def _own(agent: Submission, place: Site) -> Sequence[Card]:
    return agent.cards(place.game) if agent.fits(place.game) else ()


def _play(places: Sequence[Site], results: Path, jobs: int, tell: Tell) -> None:
    train(places, jobs, tell)
    for place in places:
        compare(place.game, place.root, place.roster())
    play(places, results, jobs, tell)


def _plan(results: Path, suite: Suite) -> Suite:
    """The plan of a results folder; of a new one the suite's, without the entries nobody has trained there."""
    path = results / SUITE
    if path.is_file():
        found = build(Suite, read_toml(path), str(path))
        if found.name != suite.name:
            raise Refused(f"{results} holds results of the suite {found.name}, not of {suite.name}; say --out")
        return found
    alone = build(Suite, {**as_table(suite), "entries": []})
    try:
        write_toml(path, as_table(alone))
    except OSError as error:
        raise Refused(f"cannot write to {results}: {error.strerror or error}") from None
    return alone


def _examine(agent: Submission, source: Path) -> None:
    """Raises Refused with everything that is wrong with an agent."""
    wrong = [f"{one.source}, {one.game}: {fault}" for one in check(agent.folder) for fault in one.faults]
    if wrong:
        raise Refused(f"{source} cannot be submitted:\n" + "\n".join(f"  ✗ {fault}" for fault in dict.fromkeys(wrong)))


def _welcome(agent: Submission, suite: Suite, places: Sequence[Site]) -> None:
    """Raises Refused where an agent has an entry's name, or plays none of the games."""
    if agent.name in {entry.name for entry in suite.entries}:
        raise Refused(f"the suite {suite.name} has an entry of the name {agent.name!r}; rename the agent")
    if not any(agent.fits(place.game) for place in places):
        games = ", ".join(short(place.game.spec.name) for place in places)
        raise Refused(f"{agent.name} is for {', '.join(agent.games)}; {suite.name} plays {games}")


def landings(agent: Submission, boards: Sequence[Board], results: Path) -> Iterator[Landing]:
    """Where an agent stands on every board it is on, in words."""
    for board in boards:
        for row in board.rows:
            if row.entry == agent.name:
                yield Landing(board, row, tuple(_lines(agent, board, row, results)))


def _lines(agent: Submission, board: Board, row: Row, results: Path) -> Iterator[str]:
    digits = decimals(board)
    ranked = [other for other in board.rows if other.rank is not None]
    if row.rank is None:
        yield f"not ranked: {row.status}"
        yield from (f"  {note}" for note in row.notes)
    else:
        span = f", {shown_ranks(row)} left open by luck" if row.rank_low is not None else ""
        yield f"rank {row.rank} of {len(ranked)}{span}; mean {shown(row.mean, digits)}"
    others = [other for other in ranked if other.entry != row.entry]
    if weak := _weak(row, others):
        yield "weakest with: " + ", ".join(f"{name} ({_beside(row, others, name, digits)})" for name in weak)
    if row.worst_partner_name and board.game != OVERALL:
        yield f"worst partner: {row.worst_partner_name}, {shown(row.worst_partner, digits)}; once more:"
        texts = {game.spec.name: text for text, game in zip(agent.games, agent.played(), strict=True)}
        partner = results / board.game.replace("/", "-") / "cards" / row.worst_partner_name
        yield f"  crossplay play {texts[board.game]} {agent.folder} {partner}"


def _weak(row: Row, others: Sequence[Row]) -> list[str]:
    """Families an agent is furthest below the others with; alone, those it earns least with."""

    def lead(name: str) -> float:
        usual = [value for other in others if (value := other.families.get(name)) is not None]
        own = row.families[name]
        return (0.0 if own is None else own) - (median(usual) if usual else 0.0)

    known = [name for name, value in row.families.items() if value is not None]
    below = sorted(known, key=lead)[:WEAK]
    return [name for name in below if lead(name) < 0] if others else below


def _beside(row: Row, others: Sequence[Row], name: str, digits: int) -> str:
    usual = [value for other in others if (value := other.families.get(name)) is not None]
    own = shown(row.families[name], digits)
    return f"{own}, others {shown(median(usual), digits)}" if usual else own
