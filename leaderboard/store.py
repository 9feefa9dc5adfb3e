"""Results on disk: what every episode of every match paid, so that each number can be recomputed without playing.

One database, SQLite in WAL mode or whatever a SQLAlchemy URL names. A match is one row, written in one transaction:
it is there whole or not at all, whenever the writer dies. Arrays are little-endian, deflated and exact.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sql
from sqlalchemy.exc import DBAPIError, IntegrityError

from crossplay.benchmark.crossplay import Fixture, MatchResult
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import GameSpec
from crossplay.benchmark.match import Returns
from crossplay.benchmark.pairing import PAIRING, Fields, Pairing, pairing, values_of
from crossplay.leaderboard.address import shown
from crossplay.leaderboard.database import GAMES, MATCHES, at_once, check_tables, chunks, open_engine
from crossplay.leaderboard.faults import in_words
from crossplay.leaderboard.packing import check, named, packed, stacked, unpacked


class ResultStore:
    """Opens, or creates, the store at a path or database URL. Use it in a `with` block, or close it.

    Several processes may hold one store open and write to it; each waits up to `patience` seconds for the others.
    Raises Refused where the place cannot be used: not a store, damaged, locked, read-only, or of a newer schema.
    """

    def __init__(self, place: str | Path, *, create: bool = True, patience: float = 30.0) -> None:
        self.place = shown(place)
        self._patience = patience
        with self._refusing():
            self._engine = open_engine(place, create=create, patience=patience)
            try:
                check_tables(self._engine, self.place, create=create)
                self.games = self._read_games()
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> "ResultStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the database; what was added is already in it."""
        self._engine.dispose()

    def declare(self, spec: GameSpec) -> None:
        """Notes a game's seats and event names, before its first result. Raises Refused where they have changed."""
        self._declare(spec.name, (spec.seats, spec.events))

    def _declare(self, game: str, given: tuple[int, tuple[str, ...]]) -> None:
        known = self.games.get(game)
        if known is None:
            row = {"name": game, "seats": given[0], "events": list(given[1])}
            with self._refusing():
                try:
                    self._write(GAMES.insert(), row)
                except IntegrityError:  # another process was first
                    self.games = self._read_games()
                else:
                    self.games[game] = given
            known = self.games[game]
        if known != given:
            raise Refused(
                f"{self.place}: {game} is stored with seats and events {known}; "
                f"now it has {given}; give the changed game a new version"
            )

    def add(self, result: MatchResult) -> None:
        """Stores a match, in one transaction; the same outcome again is fine, another one is Refused."""
        row = self._row(result)
        with self._refusing():
            try:
                self._write(MATCHES.insert(), row)
            except IntegrityError as error:
                self._compare(result, error)

    def keys(self) -> set[str]:
        """The keys of all stored matches."""
        with self._refusing(), self._engine.connect() as connection:
            return set(connection.scalars(sql.select(MATCHES.c.key)))

    def missing(self, fixtures: Iterable[Fixture]) -> list[Fixture]:
        """The fixtures that have no result yet, in the given order."""
        known = self.keys()
        return [fixture for fixture in fixtures if fixture.pairing.key not in known]

    def load(self, keys: Iterable[str] | None = None, *, events: bool = True) -> dict[str, MatchResult]:
        """Key → result for those of `keys` (default: all) that are stored. Raises Refused where one is damaged.

        Without `events` these arrays are [episodes, seats, 0]: a board needs none, and they are most of the memory.
        """
        return {result.pairing.key: result for result in self.results(keys, events=events)}

    def results(self, keys: Iterable[str] | None = None, *, events: bool = True) -> Iterator[MatchResult]:
        """Stored results one after the other, ordered by key: for stores larger than memory."""
        wanted = sorted(set(self.keys() if keys is None else keys))
        self.games = self._read_games()
        columns = [column for column in MATCHES.c if events or column is not MATCHES.c.events]
        for rows in self._reading(chunks(self._engine, columns, wanted)):
            yield from (self._result(row._mapping) for row in rows)

    def stacks(self, wanted: Mapping[str, Fields]) -> Iterator[tuple[list[str], Returns]]:
        """Those of these matches, key → fields, that are stored: some hundred keys, and what they paid, at once.

        Returns and costs are [matches, episodes, seats]; events are left out. Raises Refused where a match is damaged,
        or its fields are not those that were asked for.
        """
        self.games = self._read_games()
        columns = [MATCHES.c[name] for name in ("key", *PAIRING, "returns", "costs")]
        for (game, episodes), keys in _by_shape(wanted).items():
            for rows in self._reading(at_once(self._engine, columns, game, keys)):
                for key, *fields, _, _ in rows:
                    if tuple(fields) != wanted[key] or game not in self.games:
                        raise self._altered(pairing(wanted[key]))
                yield [row.key for row in rows], self._stack(rows, (episodes, self.games[game][0]))

    def _stack(self, rows: Sequence[Any], shape: tuple[int, int]) -> Returns:
        try:
            return Returns(
                stacked((row.returns for row in rows), shape),
                stacked((row.costs for row in rows), shape, alike=True),
                np.empty((len(rows), *shape, 0), np.int64),
            )
        except ValueError:
            for row in rows:
                self._outcome(row, row.returns, row.costs)  # names the one
            raise

    def outcomes(self, pairings: Iterable[Pairing]) -> dict[str, MatchResult]:
        """Key → result of those of these matches that are stored, as in `stacks`, without provenance."""
        wanted = {pairing.key: pairing for pairing in pairings}
        return {
            key: MatchResult(wanted[key], Returns(*(part[i] for part in stack)), {})
            for keys, stack in self.stacks({key: values_of(pairing) for key, pairing in wanted.items()})
            for i, key in enumerate(keys)
        }

    def export(self, path: Path) -> None:
        """Writes all episodes as one tidy table; the suffix, .parquet or .csv, chooses the form."""
        from crossplay.leaderboard.episodes import write

        write(path, self)

    def merge(self, other: "ResultStore") -> tuple[int, int]:
        """Takes over all of another store's matches, one by one; returns how many were new and how many known.

        Raises Refused at the first match whose outcome differs from what is stored here; what came before it stays.
        """
        for game, shape in other.games.items():
            self._declare(game, shape)
        known, new, same = self.keys(), 0, 0
        for result in other.results():
            self.add(result)
            new, same = (new, same + 1) if result.pairing.key in known else (new + 1, same)
        return new, same

    def _write(self, statement: Any, row: dict[str, Any]) -> None:
        with self._engine.connect().execution_options(write=True) as connection, connection.begin():
            connection.execute(statement, row)

    def _read_games(self) -> dict[str, tuple[int, tuple[str, ...]]]:
        with self._engine.connect() as connection:
            return {name: (seats, tuple(events)) for name, seats, events in connection.execute(sql.select(GAMES))}

    def _row(self, result: MatchResult) -> dict[str, Any]:
        pairing, outcome = result.pairing, result.returns
        check(result, self.games)
        if not -(2**63) <= pairing.seed < 2**63:
            raise Refused(f"match {named(pairing)}: seed {pairing.seed} does not fit 64 bits")
        return {
            **{name: getattr(pairing, name) for name in PAIRING},
            "key": pairing.key,
            "provenance": result.provenance,
            "returns": packed(outcome.returns, "<f8"),
            "costs": packed(outcome.costs, "<f8"),
            "events": packed(outcome.events, "<i8"),
        }

    def _compare(self, result: MatchResult, turned_away: IntegrityError) -> None:
        stored = self.load([result.pairing.key]).get(result.pairing.key)
        if stored is None:  # for another reason than being there already
            raise turned_away
        for name, old, new in zip(Returns._fields, stored.returns, result.returns, strict=True):
            if not np.array_equal(old, new):
                episode = int(np.argwhere(np.asarray(old) != new)[0][0])
                raise Refused(
                    f"{self.place} already has another outcome of match {named(result.pairing)}: {name} of episode "
                    f"{episode} were {old[episode].tolist()}, now {new[episode].tolist()}; a match must be reproducible"
                )

    def _result(self, row: Any) -> MatchResult:
        pairing = Pairing(**{name: row[name] for name in PAIRING})
        if pairing.key != row["key"] or pairing.game not in self.games:
            raise self._altered(pairing)
        outcome = self._outcome(pairing, row["returns"], row["costs"], row.get("events"))
        return MatchResult(pairing, outcome, row["provenance"])

    def _altered(self, pairing: Pairing) -> Refused:
        return Refused(f"{self.place}: match {named(pairing)} was altered: its fields do not give its key")

    def _outcome(self, match: Any, returns: bytes, costs: bytes, events: bytes | None = None) -> Returns:
        seats, names = self.games[match.game]
        shape = (match.episodes, seats)
        try:
            return Returns(
                unpacked(returns, "<f8", shape),
                unpacked(costs, "<f8", shape),
                np.empty((*shape, 0), np.int64) if events is None else unpacked(events, "<i8", (*shape, len(names))),
            )
        except ValueError as error:
            raise Refused(f"{self.place}: match {named(match)} is damaged: {error}") from None

    def _reading(self, parts: Iterator[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        with self._refusing():
            yield from parts

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise Refused(f"{self.place}: {in_words(error.orig, self._patience)}") from None


def _by_shape(wanted: Mapping[str, Fields]) -> dict[tuple[str, int], list[str]]:
    """Keys in order, by game and number of episodes."""
    found: dict[tuple[str, int], list[str]] = {}
    for key in sorted(wanted):
        game, _, _, _, _, _, _, episodes, _, _ = wanted[key]
        found.setdefault((game, episodes), []).append(key)
    return found
