"""The database under the result store: its tables, how it is opened, and what its complaints mean."""

import sqlite3
import time
from pathlib import Path

import sqlalchemy as sql
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from crossplay.benchmark.errors import Refused

SCHEMA = 1  # of the tables below; bump it with any change to them
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
    """An engine for a path or URL; SQLite waits up to `patience` seconds for other writers."""
    try:
        url = sql.make_url(str(place)) if _is_url(place) else sql.URL.create("sqlite", database=str(place))
        if url.get_backend_name() != "sqlite":
            return sql.create_engine(url)
        _check_place(url.database, create)
        engine = sql.create_engine(url, connect_args={"timeout": patience})
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise Refused(f"{shown(place)} is not a usable path or database URL: {error}") from None
    sql.event.listen(engine, "connect", lambda connection, _: _connect(connection, patience))
    sql.event.listen(engine, "begin", _begin)
    return engine


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


def _is_url(place: str | Path) -> bool:
    return isinstance(place, str) and "://" in place


def shown(place: str | Path) -> str:
    """A path or URL as messages may show it: without its password."""
    try:
        return sql.make_url(str(place)).render_as_string(hide_password=True) if _is_url(place) else str(place)
    except ArgumentError:
        return "the given URL"


def create_tables(engine: sql.Engine) -> None:
    """Makes the tables and notes their version, in one transaction; fine when another process was first."""
    with engine.connect().execution_options(write=True) as connection, connection.begin():
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


def in_words(fault: str, patience: float) -> str:
    """What SQLite complains of, in words that say what to do."""
    plain = {
        "file is not a database": "not a SQLite database, so not a store",
        "malformed": "truncated or damaged; restore it from a copy, or delete it and play again",
        "locked": f"another process has kept it locked for {patience:g} s; try again when that is done",
        "readonly": "cannot be written: the file or its folder is read-only; copy it to a folder you can write to",
        "unable to open": "cannot be opened: is its folder there, and writable? SQLite keeps its journal beside it",
        "full": "the disk is full",
    }
    return next((f"{words} ({fault})" for sign, words in plain.items() if sign in fault), fault)
