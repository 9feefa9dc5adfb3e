"""Results on disk: what every episode of every match paid, so that each number can be recomputed without playing.

One database, SQLite in WAL mode or whatever a SQLAlchemy URL names. A match is one row, written in one transaction:
it is there whole or not at all, whenever the writer dies. Arrays are little-endian, deflated and exact.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sql
from sqlalchemy.exc import DBAPIError, IntegrityError

from crossplay.benchmark.crossplay import PAIRING, Fixture, MatchResult, Pairing
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import GameSpec
from crossplay.benchmark.match import Returns
from crossplay.leaderboard.address import shown
from crossplay.leaderboard.database import GAMES, MATCHES, check_tables, open_engine
from crossplay.leaderboard.faults import in_words

CHUNK = 500  # keys a query: SQLite bounds the number of parameters
_values: Callable[[Pairing], tuple] = attrgetter(*PAIRING)


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
        for rows in self._chunks(columns, wanted):
            yield from (self._result(row._mapping) for row in rows)

    def _chunks(self, columns: list[Any], wanted: list[str]) -> Iterator[Sequence[Any]]:
        for start in range(0, len(wanted), CHUNK):
            chunk = wanted[start : start + CHUNK]
            query = sql.select(*columns).where(MATCHES.c.key.in_(chunk)).order_by(MATCHES.c.key)
            with self._refusing(), self._engine.connect() as connection:
                rows = connection.execute(query).all()
            yield rows

    def outcomes(self, pairings: Iterable[Pairing]) -> dict[str, MatchResult]:
        """Key → result of those of these matches that are stored, without events and provenance: all a board needs.

        Raises Refused where one is damaged, or its fields are not those of the match that was asked for.
        """
        wanted = {pairing.key: pairing for pairing in pairings}
        names = ("key", *PAIRING, "returns", "costs")
        self.games = self._read_games()
        found = {}
        for rows in self._chunks([MATCHES.c[name] for name in names], sorted(wanted)):
            for key, *fields, returns, costs in rows:
                pairing = wanted[key]
                if tuple(fields) != _values(pairing) or pairing.game not in self.games:
                    raise Refused(f"{self.place}: match {_named(pairing)} was altered: its fields do not give its key")
                found[key] = MatchResult(pairing, self._outcome(pairing, returns, costs), {})
        return found

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
        _check(result, self.games)
        if not -(2**63) <= pairing.seed < 2**63:
            raise Refused(f"match {_named(pairing)}: seed {pairing.seed} does not fit 64 bits")
        return {
            **{name: getattr(pairing, name) for name in PAIRING},
            "key": pairing.key,
            "provenance": result.provenance,
            "returns": _packed(outcome.returns, "<f8"),
            "costs": _packed(outcome.costs, "<f8"),
            "events": _packed(outcome.events, "<i8"),
        }

    def _compare(self, result: MatchResult, turned_away: IntegrityError) -> None:
        stored = self.load([result.pairing.key]).get(result.pairing.key)
        if stored is None:  # for another reason than being there already
            raise turned_away
        for name, old, new in zip(Returns._fields, stored.returns, result.returns, strict=True):
            if not np.array_equal(old, new):
                episode = int(np.argwhere(np.asarray(old) != new)[0][0])
                raise Refused(
                    f"{self.place} already has another outcome of match {_named(result.pairing)}: {name} of episode "
                    f"{episode} were {old[episode].tolist()}, now {new[episode].tolist()}; a match must be reproducible"
                )

    def _result(self, row: Any) -> MatchResult:
        pairing = Pairing(**{name: row[name] for name in PAIRING})
        if pairing.key != row["key"] or pairing.game not in self.games:
            raise Refused(f"{self.place}: match {_named(pairing)} was altered: its fields do not give its key")
        outcome = self._outcome(pairing, row["returns"], row["costs"], row.get("events"))
        return MatchResult(pairing, outcome, row["provenance"])

    def _outcome(self, pairing: Pairing, returns: bytes, costs: bytes, events: bytes | None = None) -> Returns:
        seats, names = self.games[pairing.game]
        shape = (pairing.episodes, seats)
        try:
            return Returns(
                _unpacked(returns, "<f8", shape),
                _unpacked(costs, "<f8", shape),
                np.empty((*shape, 0), np.int64) if events is None else _unpacked(events, "<i8", (*shape, len(names))),
            )
        except (zlib.error, ValueError) as error:
            raise Refused(f"{self.place}: match {_named(pairing)} is damaged: {error}") from None

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise Refused(f"{self.place}: {in_words(error.orig, self._patience)}") from None


def _check(result: MatchResult, games: dict[str, tuple[int, tuple[str, ...]]]) -> None:
    pairing = result.pairing
    if pairing.game not in games:
        raise Refused(f"match {_named(pairing)}: declare {pairing.game} to the store before adding results of it")
    seats, events = games[pairing.game]
    shape = (pairing.episodes, seats)
    for name, array, wanted in zip(Returns._fields, result.returns, (shape, shape, (*shape, len(events))), strict=True):
        array = np.asarray(array)
        if array.shape != wanted:
            raise Refused(f"match {_named(pairing)}: {name} have shape {list(array.shape)}, wanted {list(wanted)}")
        if not np.isfinite(array).all():
            episode = int(np.argwhere(~np.isfinite(array))[0][0])
            raise Refused(f"match {_named(pairing)}: {name} of episode {episode} are not finite")
    if not np.issubdtype(np.asarray(result.returns.events).dtype, np.integer):
        raise Refused(f"match {_named(pairing)}: events are counts; given dtype {result.returns.events.dtype}")


def _named(p: Pairing) -> str:
    return f"{p.ego!r} with {p.partner!r} in {p.game}, seat {p.seat}"


def _packed(array: np.ndarray, dtype: str) -> bytes:
    return zlib.compress(np.ascontiguousarray(array, dtype=dtype).tobytes(), 1)


def _unpacked(data: bytes, dtype: str, shape: Sequence[int]) -> np.ndarray:
    raw = zlib.decompress(data)
    if len(raw) != 8 * prod(shape):
        raise ValueError(f"{len(raw)} bytes, wanted {8 * prod(shape)}")
    return np.frombuffer(raw, dtype=dtype).reshape(shape)
