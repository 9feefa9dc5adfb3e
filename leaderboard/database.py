"""The database under the result store: its tables, and how it is opened."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from crossplay.benchmark.errors import Refused
from crossplay.leaderboard.address import address, shown

SCHEMA = 1  # of the tables below; bump it with any change to them
CREATING = 0x63726F7373706C61  # PostgreSQL's lock for whoever makes the tables: any number that is ours
CHUNK = 500  # keys a query: SQLite bounds the number of parameters
PASS = 10  # rows that are passed over in the time that one takes to be found by its key
TABLES = sql.MetaData()
META = sql.Table(
    "meta",
    TABLES,
    sql.Column("name", sql.String(32), primary_key=True),
    sql.Column("value", sql.String(64), nullable=False),
)
GAMES = sql.Table(
    "games",
    TABLES,
    sql.Column("name", sql.String(200), primary_key=True),
    sql.Column("seats", sql.Integer, nullable=False),
    sql.Column("events", sql.JSON, nullable=False),  # names, in the order of the arrays' last axis
)
MATCHES = sql.Table(
    "matches",
    TABLES,
    sql.Column("key", sql.String(64), primary_key=True),
    sql.Column("game", sql.String(200), sql.ForeignKey("games.name"), nullable=False),
    *(sql.Column(name, sql.String(200), nullable=False) for name in ("game_digest", "ego", "ego_digest")),
    *(sql.Column(name, sql.String(200), nullable=False) for name in ("partner", "partner_digest")),
    *(sql.Column(name, sql.Integer, nullable=False) for name in ("seat", "episodes")),
    sql.Column("seed", sql.BigInteger, nullable=False),
    sql.Column("harness", sql.Integer, nullable=False),
    sql.Column("provenance", sql.JSON, nullable=False),
    sql.Column("returns", sql.LargeBinary, nullable=False),  # deflated <f8 [episodes, seats]
    sql.Column("costs", sql.LargeBinary, nullable=False),  # deflated <f8 [episodes, seats]
    sql.Column("events", sql.LargeBinary, nullable=False),  # deflated <i8 [episodes, seats, events]
)


def open_engine(place: str | Path, *, create: bool, patience: float) -> sql.Engine:
    """An engine for a path or URL; it waits up to `patience` seconds for other writers. Raises Refused."""
    url = address(place)
    kind = url.get_backend_name()
    if kind == "sqlite":
        _check_place(url.database, create)
    try:
        return _sqlite(url, patience) if kind == "sqlite" else _served(url, patience)
    except ImportError as error:
        extra = "; pip install 'crossplay[postgres]' brings one" if kind == "postgresql" else ""
        raise Refused(f"{shown(place)} needs a database driver that is not installed: {error}{extra}") from None
    except (ArgumentError, NoSuchModuleError) as error:
        raise Refused(f"{shown(place)} is not a usable path or database URL: {error}") from None


def _sqlite(url: sql.URL, patience: float) -> sql.Engine:
    engine = sql.create_engine(url, connect_args={"timeout": patience})
    sql.event.listen(engine, "connect", lambda connection, _: _connect(connection, patience))
    sql.event.listen(engine, "begin", _begin)
    return engine


def _served(url: sql.URL, patience: float) -> sql.Engine:
    """A database on a server, whose connections may have died since they were last used."""
    if url.get_backend_name() != "postgresql":
        return sql.create_engine(url, pool_pre_ping=True)
    if url.get_driver_name().startswith("psycopg"):
        # in a database of encoding SQL_ASCII the client says what the bytes mean
        url = url.set(query={"client_encoding": "utf8", "connect_timeout": f"{max(2, patience):.0f}", **url.query})
    engine = sql.create_engine(url, pool_pre_ping=True, isolation_level="READ COMMITTED")
    sql.event.listen(engine, "begin", lambda connection: _limit_waiting(connection, patience))
    return engine


def _limit_waiting(connection: sql.Connection, patience: float) -> None:
    if connection.get_execution_options().get("write"):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, round(1000 * patience))}")  # 0 would be for ever


def _connect(connection: sqlite3.Connection, patience: float) -> None:
    connection.isolation_level = None  # transactions begin where _begin says, DDL included
    last = time.monotonic() + patience
    while not _in_wal(connection, last):
        time.sleep(0.01)
    connection.execute("PRAGMA synchronous=NORMAL")  # in WAL mode: whole after a crash of anything


def _in_wal(connection: sqlite3.Connection, last: float) -> bool:
    """Switches to WAL mode; of several first openers SQLite turns some away at once, whatever they would wait."""
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error) or time.monotonic() > last:
            raise
        return False
    return True


def _begin(connection: sql.Connection) -> None:
    write = connection.get_execution_options().get("write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _check_place(database: str | None, create: bool) -> None:
    path = Path(database or "")
    if not database or database == ":memory:":
        raise Refused("a store needs a file: results in memory would be lost")
    if path.is_dir():
        raise Refused(f"{path} is a folder; a store is a file, such as {path / 'results.sqlite'}")
    if not path.exists() and not create:
        raise Refused(f"{path}: no such store")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"cannot create the folder {path.parent} of store {path.name}: {error.strerror}") from None


def create_tables(engine: sql.Engine) -> None:
    """Makes the tables and notes their version, in one transaction; fine when another process was first."""
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":  # where IF NOT EXISTS fails when two create the same at once
            connection.execute(sql.select(sql.func.pg_advisory_xact_lock(CREATING)))
        for table in TABLES.sorted_tables:
            connection.execute(sql.schema.CreateTable(table, if_not_exists=True))
        if connection.scalar(sql.select(sql.func.count()).select_from(META)) == 0:
            connection.execute(META.insert(), {"name": "schema", "value": str(SCHEMA)})


def check_tables(engine: sql.Engine, place: str, *, create: bool) -> None:
    """Raises Refused where the database is not a store, or one of a schema this code does not read."""
    tables = set(sql.inspect(engine).get_table_names())
    if tables and not set(TABLES.tables) <= tables:
        raise Refused(f"{place} is a database, but not a store of crossplay results: it has {sorted(tables)}")
    if not tables:
        if not create:
            raise Refused(f"{place} is empty: not a store yet")
        create_tables(engine)
    with engine.connect() as connection:
        found = str(connection.scalar(sql.select(META.c.value).where(META.c.name == "schema")))
    if not found.isdecimal() or int(found) < 1:
        raise Refused(f"{place}: its schema version is {found!r}; wanted {SCHEMA}")
    if int(found) > SCHEMA:
        raise Refused(
            f"{place} has schema version {found}, written by a newer crossplay; this one reads {SCHEMA}: update it"
        )


def chunks(engine: sql.Engine, columns: list[Any], keys: Sequence[str]) -> Iterator[Sequence[Any]]:
    """Rows of matches with these keys, in the order of keys, some hundred at a time."""
    for start in range(0, len(keys), CHUNK):
        query = sql.select(*columns).where(MATCHES.c.key.in_(keys[start : start + CHUNK])).order_by(MATCHES.c.key)
        with engine.connect() as connection:
            rows = connection.execute(query).all()
        yield rows


def at_once(engine: sql.Engine, columns: list[Any], game: str, keys: Sequence[str]) -> Iterator[Sequence[Any]]:
    """The same in any order, in one pass over the store where these matches of a game are a good part of it."""
    wanted = set(keys)
    with engine.connect() as connection:
        stored = connection.scalar(sql.select(sql.func.count()).select_from(MATCHES)) or 0
        if stored <= PASS * len(wanted):
            query = sql.select(*columns).where(MATCHES.c.game == game)
            with connection.execution_options(yield_per=CHUNK).execute(query) as found:
                for part in found.partitions():
                    rows = [row for row in part if row.key in wanted]
                    wanted.difference_update(row.key for row in rows)
                    if rows:
                        yield rows
    yield from filter(None, chunks(engine, columns, sorted(wanted)))
