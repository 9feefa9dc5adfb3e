"""The store on a real PostgreSQL server: as exact as SQLite's, several writers at once, plain words when it breaks."""

import itertools
import signal
import threading
import time
from dataclasses import replace
from urllib.parse import quote

import numpy as np
import pytest
import sqlalchemy as sql

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.pairing import values_of
from crossplay.leaderboard import publish
from crossplay.leaderboard.cli import main
from crossplay.leaderboard.database import MATCHES
from crossplay.leaderboard.run import STORE
from crossplay.leaderboard.store import ResultStore
from tests.leaderboard.league import Paper, outcome, roster
from tests.leaderboard.shelf import shelf
from tests.leaderboard.test_store import WRITER, python, same, some

psycopg = pytest.importorskip("psycopg", reason="no psycopg here: pip install 'crossplay[postgres]'")
pgserver = pytest.importorskip("tests.leaderboard.pgserver")

FIXTURES = roster({"a": 2}, {"scripted": 2}).fixtures(Paper(), 4, 0)
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def server():
    with pgserver.running() as started:
        yield started


def url(server, database, *, user="owner", password=pgserver.PASSWORD, kind="postgresql"):
    return f"{kind}://{user}:{quote(password, safe='')}@127.0.0.1:{server.port}/{database}"


@pytest.fixture
def database(server):
    """The name of an empty database."""
    name = f"results_{next(NUMBERS)}"
    with server.admin() as admin:
        admin.execute(f"CREATE DATABASE {name}")
    return name


@pytest.fixture
def place(server, database):
    return url(server, database)


@pytest.fixture
def store(place):
    with ResultStore(place, patience=20) as opened:
        opened.declare(Paper().spec)
        yield opened


def raw(place):
    """Every column of every match, as the database has it."""
    with ResultStore(place, create=False) as store, store._engine.connect() as connection:
        return [dict(row) for row in connection.execute(sql.select(MATCHES).order_by(MATCHES.c.key)).mappings()]


def pids(server, database):
    with server.admin() as admin:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = %s"
        return [pid for (pid,) in admin.execute(query, [database])]


def cut(server, database):
    """Ends all connections to a database, as its administrator may."""
    with server.admin() as admin:
        for pid in pids(server, database):
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def refused(call):
    with pytest.raises(Refused) as caught:
        call()
    text = str(caught.value)
    assert pgserver.PASSWORD not in text
    assert quote(pgserver.PASSWORD, safe="") not in text
    assert "\n" not in text
    return text


def test_a_round_trip_is_sqlites_byte_for_byte(place, store, tmp_path):
    extremes = np.array([[0.1, -0.0], [5e-324, 1.7976931348623157e308], [1 / 3, -1e-300], [2.0**53 + 2, 0.0]])
    with ResultStore(tmp_path / "s") as other:
        other.declare(Paper().spec)
        for number, fixture in enumerate(FIXTURES):
            result = some(fixture, number)
            if number == 0:
                events = np.array([-(2**63), 2**63 - 1, 0, 1] * 4).reshape(4, 2, 2)
                result = result._replace(returns=result.returns._replace(returns=extremes, events=events))
            result = result._replace(provenance={"z": 1.0000000000000002, "a": ["ünï", "τ"], "b": None})
            for each in (store, other):
                each.add(result)
            same(store.load([fixture.pairing.key])[fixture.pairing.key], result)
        assert list(store.load()) == list(other.load())
        assert store.games == other.games
        mine, theirs = (each.outcomes(fixture.pairing for fixture in FIXTURES) for each in (store, other))
        assert set(mine) == set(theirs) == {fixture.pairing.key for fixture in FIXTURES}
        for key, result in mine.items():
            np.testing.assert_array_equal(result.returns.returns, theirs[key].returns.returns)
    mine = raw(place)
    assert mine == raw(tmp_path / "s")
    assert len(mine) == len(FIXTURES)
    assert list(mine[0]["provenance"]) == ["z", "a", "b"]


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_other_encodings_are_exact_or_refused(server, encoding):
    name = f"encoded_{encoding.lower()}"
    with server.admin() as admin:
        admin.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0")
    fixture = roster({"é": 1}, {"scripted": 1}).fixtures(Paper(), 4, 0)[0]
    greek = fixture._replace(pairing=replace(fixture.pairing, ego="τ"))
    with ResultStore(url(server, name)) as store:
        store.declare(Paper().spec)
        store.add(some(fixture))
        same(store.load()[fixture.pairing.key], some(fixture))
        if encoding == "SQL_ASCII":
            store.add(some(greek))
            same(store.load()[greek.pairing.key], some(greek))
        else:
            assert "wanted a database with encoding UTF8" in refused(lambda: store.add(some(greek)))


def test_another_outcome_is_refused_and_the_same_is_fine(store):
    store.add(some(FIXTURES[0]))
    store.add(some(FIXTURES[0]))
    assert "already has another outcome" in refused(lambda: store.add(some(FIXTURES[0], 1.0)))
    same(store.load()[FIXTURES[0].pairing.key], some(FIXTURES[0]))
    assert "new version" in refused(lambda: store.declare(Paper(events=("served",)).spec))


def test_two_processes_write_the_same_and_different_matches(server, database, place):
    writers = [python(WRITER, place, first, first + 4) for first in (0, 2)]  # both open first, and overlap
    said = [writer.communicate()[0].split() for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert [len(keys) for keys in said] == [4 * 18, 4 * 18]
    rows = raw(place)
    assert len(rows) == 6 * 18
    assert {row["key"] for row in rows} == set().union(*said)
    with ResultStore(place) as store:
        for result in store.results():
            assert np.array_equal(result.returns.returns, np.full((4, 2), float(result.pairing.seed)))
    assert pids(server, database) == [], "no connection outlives its store"


def test_two_add_one_match_at_the_same_moment(place, store):
    for number, fixture in enumerate(FIXTURES):
        barrier, faults = threading.Barrier(2), []

        def adds(base, fixture=fixture, barrier=barrier, faults=faults):
            with ResultStore(place) as mine:
                barrier.wait()
                try:
                    mine.add(some(fixture, base))
                except Refused as error:
                    faults.append(str(error))

        both = [threading.Thread(target=adds, args=(base,)) for base in (0.0, float(number % 2))]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert len(faults) == number % 2
        assert all("already has another outcome" in fault for fault in faults)
    assert len(store.keys()) == len(FIXTURES)


def test_many_first_openers_create_the_tables_once(server):
    for number in range(5):
        with server.admin() as admin:
            admin.execute(f"CREATE DATABASE race_{number}")
        barrier, faults = threading.Barrier(6), []

        def opens(name=f"race_{number}", barrier=barrier, faults=faults):
            barrier.wait()
            try:
                with ResultStore(url(server, name)) as store:
                    store.declare(Paper().spec)
            except Exception as error:
                faults.append(error)

        openers = [threading.Thread(target=opens) for _ in range(6)]
        for opener in openers:
            opener.start()
        for opener in openers:
            opener.join()
        assert faults == []
        with server.admin(f"race_{number}") as admin:
            assert admin.execute("SELECT name, value FROM meta").fetchall() == [("schema", "1")]
            assert admin.execute("SELECT count(*) FROM games").fetchone() == (1,)


def wait_for(server, query):
    last = time.monotonic() + 20
    while time.monotonic() < last:
        with server.admin() as admin:
            found = admin.execute(query).fetchone()
        if found:
            return found[0]
        time.sleep(0.02)
    raise AssertionError(f"nothing came of {query}")


def test_a_connection_killed_while_it_writes(server, database, store):
    with server.admin(database) as blocker:
        blocker.execute("BEGIN")
        blocker.execute("LOCK TABLE matches IN SHARE MODE")  # others may read, but not write
        said = []
        writer = threading.Thread(target=lambda: said.append(refused(lambda: store.add(some(FIXTURES[0])))))
        writer.start()
        waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT%'"
        pid = wait_for(server, waiting)
        blocker.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        writer.join()
        blocker.execute("ROLLBACK")
    assert "connection to the server was lost" in said[0]
    assert store.keys() == set()
    store.add(some(FIXTURES[0]))
    store.add(some(FIXTURES[0]))
    same(store.load()[FIXTURES[0].pairing.key], some(FIXTURES[0]))
    assert len(store.keys()) == 1


def test_a_connection_killed_before_its_commit(server, database, store):
    strike = iter([True])
    sql.event.listen(store._engine, "commit", lambda _: cut(server, database) if next(strike, False) else None)
    assert "connection to the server was lost" in refused(lambda: store.add(some(FIXTURES[0])))
    assert store.keys() == set()
    store.add(some(FIXTURES[0]))
    assert len(store.keys()) == 1


def test_an_idle_connection_that_was_killed_is_not_noticed(server, database, store):
    for fixture in FIXTURES[:3]:
        store.add(some(fixture))
        cut(server, database)
    assert len(store.keys()) == 3


def test_a_connection_killed_while_a_board_is_read_is_refused_in_words(server, database, store, monkeypatch):
    monkeypatch.setattr("crossplay.leaderboard.database.CHUNK", 1)
    for fixture in FIXTURES:
        store.add(some(fixture))
    parts = store.stacks({fixture.pairing.key: values_of(fixture.pairing) for fixture in FIXTURES})
    next(parts)
    cut(server, database)
    with pytest.raises(Refused, match="connection"):
        list(parts)
    assert len(store.keys()) == len(FIXTURES)


def test_kills_at_any_moment_lose_and_double_nothing(server, database, store):
    many = [f for seed in range(8) for f in roster({"a": 2}, {"scripted": 3}).fixtures(Paper(), 4, seed)]
    done, faults = threading.Event(), []

    def strikes():
        while not done.wait(0.03):
            cut(server, database)

    striker = threading.Thread(target=strikes)
    striker.start()
    try:
        for fixture in many:
            for _ in range(50):
                try:
                    store.add(outcome(fixture, np.float64(fixture.pairing.seed)))
                    break
                except Refused as error:
                    faults.append(str(error))
    finally:
        done.set()
        striker.join()
    assert all("connection to the server was lost" in fault for fault in faults), set(faults)
    found = store.load()
    assert set(found) == {fixture.pairing.key for fixture in many}
    for fixture in many:
        same(found[fixture.pairing.key], outcome(fixture, np.float64(fixture.pairing.seed)))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_server_that_goes_away_and_comes_back(server, store, how):
    store.add(some(FIXTURES[0]))
    server.stop(how)
    try:
        for call in (lambda: store.add(some(FIXTURES[1])), store.keys, lambda: ResultStore(store.place)):
            assert "no server answers there" in refused(call)
    finally:
        server.start()
    store.add(some(FIXTURES[1]))
    assert store.keys() == {fixture.pairing.key for fixture in FIXTURES[:2]}


def test_a_locked_store_is_refused_after_the_wait(server, database, place, store):
    with ResultStore(place, patience=0.2) as hasty, server.admin(database) as blocker:
        hasty.games = store.games
        blocker.execute("BEGIN")
        blocker.execute("LOCK TABLE matches IN SHARE MODE")
        assert "locked for 0.2 s" in refused(lambda: hasty.add(some(FIXTURES[0])))
        blocker.execute("ROLLBACK")
        hasty.add(some(FIXTURES[0]))
    assert len(store.keys()) == 1


def test_wrong_passwords_users_names_and_options_are_refused_in_words(server, database, place):
    for address, words in (
        (url(server, database, password="no" + pgserver.PASSWORD), "are name and password right?"),
        (url(server, database, user="nobody_here"), "are name and password right?"),
        (url(server, "absent"), "no such database: create it first"),
        (place.replace(f":{server.port}", ":1"), "no server answers there"),
        (f"{place}?colour=blue", "an option that the driver does not know"),
        (f"{place}?options=-csearch_path%3Dabsent", "no such schema"),
    ):
        assert words in refused(lambda address=address: ResultStore(address))
    assert "is empty: not a store yet" in refused(lambda: ResultStore(place, create=False))


def test_what_a_user_may_not_do_is_refused_in_words(server, database, place, store):
    with server.admin(database) as admin:
        admin.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
        admin.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest")
    with ResultStore(url(server, database, user="guest", password="guest")) as guest:
        assert guest.keys() == set()
        assert "may not do that here" in refused(lambda: guest.add(some(FIXTURES[0])))
    with ResultStore(f"{place}?options=-cdefault_transaction_read_only%3Don") as reader:
        assert "may only read" in refused(lambda: reader.add(some(FIXTURES[0])))
    long = FIXTURES[0]._replace(pairing=replace(FIXTURES[0].pairing, ego="x" * 201))
    assert "longer than the store has room for" in refused(lambda: store.add(some(long)))
    with server.admin(database) as admin:
        admin.execute("DELETE FROM games")
    assert "foreign key" in refused(lambda: store.add(some(FIXTURES[0])))


def test_a_database_of_something_else_is_refused(server, database, place):
    with server.admin(database) as admin:
        admin.execute("CREATE TABLE songs (name text)")
    assert "not a store of crossplay results: it has ['songs']" in refused(lambda: ResultStore(place))


@pytest.mark.parametrize("kind", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_url_needs_no_driver_in_it(server, database, kind):
    with ResultStore(url(server, database, kind=kind)) as store:
        assert store._engine.driver == "psycopg"


def test_merge_goes_both_ways(place, store, tmp_path):
    half = len(FIXTURES) // 2
    with ResultStore(tmp_path / "s") as other:
        other.declare(Paper().spec)
        for mine, fixtures in ((store, FIXTURES[: half + 1]), (other, FIXTURES[half:])):
            for fixture in fixtures:
                mine.add(some(fixture))
        assert store.merge(other) == (len(FIXTURES) - half - 1, 1)
        assert other.merge(store) == (half, len(FIXTURES) - half)
    assert raw(place) == raw(tmp_path / "s")
    assert len(raw(place)) == len(FIXTURES)


def test_a_board_by_way_of_a_server_is_the_same(place, tmp_path, capsys):
    folder = shelf(tmp_path / "whole", taker=[1, 1, 1])
    board, rows = publish.boards(folder), raw(folder / STORE)
    for words, count in (([place, str(folder)], len(rows)), ([str(folder / STORE), place], len(rows))):
        if words[0] != place:
            (folder / STORE).unlink()
        with pytest.raises(SystemExit) as stop:
            main(["store", "merge", *words])
        assert stop.value.code == 0
        said = capsys.readouterr().out.replace("\n", "")
        assert f"{count} new matches" in said
        assert quote(pgserver.PASSWORD, safe="") not in said
    assert raw(folder / STORE) == rows
    assert publish.boards(folder) == board
