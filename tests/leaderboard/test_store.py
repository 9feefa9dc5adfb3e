"""The store: exact, whole or absent, refused in plain words; two writers at once; alive after kill -9."""

import csv
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from crossplay.benchmark.crossplay import MatchResult
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.match import Returns
from crossplay.benchmark.pairing import Pairing
from crossplay.leaderboard.store import ResultStore
from tests.leaderboard.league import Paper, outcome, roster

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fixtures():
    return roster({"a": 2}, {"scripted": 2}).fixtures(Paper(), 4, 0)


@pytest.fixture
def store(tmp_path):
    with ResultStore(tmp_path / "deep" / "results.sqlite") as opened:
        opened.declare(Paper().spec)
        yield opened


def some(fixture, base=0.0):
    return outcome(fixture, base + np.arange(8).reshape(4, 2) / 7)


def same(left, right):
    assert left.pairing == right.pairing
    assert left.provenance == right.provenance
    for a, b in zip(left.returns, right.returns, strict=True):
        assert a.dtype == b.dtype
        assert a.tobytes() == b.tobytes()


def test_what_is_added_is_there_in_another_process_to_the_bit(store, fixtures, tmp_path):
    for index, fixture in enumerate(fixtures):
        store.add(some(fixture, index))
    with ResultStore(tmp_path / "deep" / "results.sqlite", create=False) as again:
        loaded = again.load()
        assert again.keys() == {f.pairing.key for f in fixtures} == set(loaded)
        for index, fixture in enumerate(fixtures):
            same(loaded[fixture.pairing.key], some(fixture, index))


@settings(max_examples=25, deadline=None)
@given(
    returns=arrays.arrays(np.float64, (4, 2), elements=st.floats(allow_nan=False, allow_infinity=False)),
    events=arrays.arrays(np.int64, (4, 2, 2), elements=st.integers(-(2**63), 2**63 - 1)),
)
def test_every_finite_number_survives(returns, events):
    fixture = roster({"a": 1}, {"scripted": 1}).fixtures(Paper(), 4, 2**62)[0]
    result = MatchResult(fixture.pairing, Returns(returns, -returns, events), {"when": "now"})
    with tempfile.TemporaryDirectory() as folder, ResultStore(Path(folder) / "s") as store:
        store.declare(Paper().spec)
        store.add(result)
        same(store.load()[fixture.pairing.key], result)


def test_missing_keeps_order_and_load_leaves_out_what_is_not_there(store, fixtures):
    store.add(some(fixtures[3]))
    assert store.missing(fixtures) == fixtures[:3] + fixtures[4:]
    assert list(store.load([f.pairing.key for f in fixtures])) == [fixtures[3].pairing.key]


def test_events_can_be_left_out(store, fixtures):
    store.add(some(fixtures[0]))
    (light,) = store.load(events=False).values()
    same(light, some(fixtures[0])._replace(returns=some(fixtures[0]).returns._replace(events=np.zeros((4, 2, 0), int))))


def test_outcomes_are_what_is_stored_of_the_matches_asked_for(store, fixtures):
    for fixture in fixtures[:2]:
        store.add(some(fixture))
    found = store.outcomes(fixture.pairing for fixture in fixtures[1:])
    assert list(found) == [fixtures[1].pairing.key]
    (result,) = found.values()
    for field in ("returns", "costs"):
        np.testing.assert_array_equal(getattr(result.returns, field), getattr(some(fixtures[1]).returns, field))


@pytest.mark.parametrize("few", [False, True])
def test_a_few_of_many_matches_and_all_of_them_are_found_alike(store, fixtures, few, monkeypatch):
    monkeypatch.setattr("crossplay.leaderboard.database.PASS", 0 if few else 10)
    for fixture in fixtures:
        store.add(some(fixture))
    found = store.outcomes(fixture.pairing for fixture in fixtures)
    assert sorted(found) == sorted(fixture.pairing.key for fixture in fixtures)
    for fixture in fixtures:
        np.testing.assert_array_equal(found[fixture.pairing.key].returns.returns, some(fixture).returns.returns)


@pytest.mark.parametrize("field", ["seed = seed + 1", "game = 'paper-v2'", "ego = 'impostor'"])
def test_outcomes_of_an_altered_match_are_refused(store, fixtures, field):
    store.add(some(fixtures[0]))
    with sqlite3.connect(store.place) as database:
        database.execute(f"update matches set {field}")
    with pytest.raises(Refused, match="was altered: its fields do not give its key"):
        store.outcomes([fixtures[0].pairing])


def test_more_keys_than_one_query_takes(store):
    many = [f for seed in range(60) for f in roster({"a": 2}, {"scripted": 2}).fixtures(Paper(), 1, seed)]
    for fixture in many:
        store.add(outcome(fixture, np.float64(fixture.pairing.seed)))
    loaded = store.load()
    assert len(loaded) == len(many) > 500
    assert all(result.returns.returns[0, 0] == result.pairing.seed for result in loaded.values())


def test_adding_twice_is_fine_but_another_outcome_is_refused(store, fixtures):
    store.add(some(fixtures[0]))
    store.add(some(fixtures[0])._replace(provenance={"seconds": 9.0}))
    assert len(store.keys()) == 1
    for part in ("returns", "costs", "events"):
        array = getattr(some(fixtures[0]).returns, part).copy()
        array[2, 1] += 1
        other = some(fixtures[0])._replace(returns=some(fixtures[0]).returns._replace(**{part: array}))
        with pytest.raises(Refused, match=f"another outcome .* {part} of episode 2"):
            store.add(other)
    same(store.load()[fixtures[0].pairing.key], some(fixtures[0]))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("part", ["returns", "costs"])
def test_not_a_number_is_refused(store, fixtures, bad, part):
    result = some(fixtures[0])
    getattr(result.returns, part)[1, 0] = bad
    with pytest.raises(Refused, match=f"{part} of episode 1 are not finite"):
        store.add(result)
    assert store.keys() == set()


def test_wrong_shapes_and_dtypes_are_refused(store, fixtures):
    good = some(fixtures[0])
    wrong = {
        r"returns have shape \[4, 1\], wanted \[4, 2\]": {"returns": good.returns.returns[:, :1]},
        r"costs have shape \[3, 2\]": {"costs": good.returns.costs[:3]},
        r"events have shape \[4, 2, 1\]": {"events": good.returns.events[..., :1]},
        "events are counts; given dtype float64": {"events": good.returns.events.astype(float)},
    }
    for words, fields in wrong.items():
        with pytest.raises(Refused, match=words):
            store.add(good._replace(returns=good.returns._replace(**fields)))
    with pytest.raises(Refused, match="does not fit 64 bits"):
        store.add(good._replace(pairing=Pairing(**{**vars_of(good.pairing), "seed": 2**63})))


def vars_of(pairing):
    return {name: getattr(pairing, name) for name in pairing.__dataclass_fields__}


def test_games_are_declared_once_and_for_all(store, fixtures, tmp_path):
    with pytest.raises(Refused, match="declare test/new-v1"):
        store.add(
            outcome(
                roster({"a": 1}, {"s": 1}, Paper(name="test/new-v1")).fixtures(Paper(name="test/new-v1"), 4, 0)[0], 0.0
            )
        )
    store.declare(Paper().spec)
    with pytest.raises(Refused, match="give the changed game a new version"):
        store.declare(Paper(events=("served",)).spec)
    with ResultStore(tmp_path / "deep" / "results.sqlite") as late:
        late.declare(Paper(name="test/new-v1").spec)
    store.declare(Paper(name="test/new-v1").spec)
    with pytest.raises(Refused, match="new version"):
        store.declare(Paper(name="test/new-v1", seats=3).spec)


def test_a_newer_schema_is_refused_with_both_versions(tmp_path):
    path = tmp_path / "s.sqlite"
    ResultStore(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE meta SET value = '7'")
    raw.close()
    with pytest.raises(Refused, match=r"schema version 7.*this one reads 1"):
        ResultStore(path)


def test_what_is_not_a_store_is_refused(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("no database at all\n" * 100)
    with pytest.raises(Refused, match="not a SQLite database"):
        ResultStore(text)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as raw:
        raw.execute("CREATE TABLE songs (name TEXT)")
    raw.close()
    with pytest.raises(Refused, match=r"not a store of crossplay results: it has \['songs'\]"):
        ResultStore(other)
    with pytest.raises(Refused, match="is a folder"):
        ResultStore(tmp_path)
    with pytest.raises(Refused, match="no such store"):
        ResultStore(tmp_path / "absent", create=False)
    with pytest.raises(Refused, match="cannot create the folder"):
        ResultStore(text / "under-a-file" / "s.sqlite")
    with pytest.raises(Refused, match="not a usable path or database URL"):
        ResultStore("nosuchdialect://host/db")
    with pytest.raises(Refused, match="needs a file"):
        ResultStore("sqlite://")


def test_passwords_stay_out_of_messages():
    with pytest.raises(Refused) as refused:
        ResultStore("nosuchdialect://me:secret@host/db")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("kept", [0.3, 0.7, 0.95])
def test_a_truncated_store_is_refused(tmp_path, fixtures, kept):
    path = tmp_path / "s.sqlite"
    with ResultStore(path) as store:
        store.declare(Paper().spec)
        for fixture in fixtures:
            store.add(some(fixture))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(Refused, match="truncated or damaged"), ResultStore(path) as store:
        store.load()


def test_a_changed_field_or_byte_is_refused(tmp_path, fixtures):
    path = tmp_path / "s.sqlite"
    for change, words in (
        ("UPDATE matches SET ego = 'impostor'", "altered"),
        ("UPDATE matches SET returns = substr(returns, 1, 9)", "damaged"),
        ("UPDATE matches SET episodes = 5", "altered"),
    ):
        with ResultStore(path) as store:
            store.declare(Paper().spec)
            store.add(some(fixtures[0]))
        with sqlite3.connect(path) as raw:
            raw.execute(change)
        raw.close()
        with pytest.raises(Refused, match=words), ResultStore(path) as store:
            store.load()
        path.unlink()


def test_a_locked_store_is_refused_after_the_wait(tmp_path, fixtures):
    path = tmp_path / "s.sqlite"
    with ResultStore(path, patience=0.2) as store:
        store.declare(Paper().spec)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Refused, match=r"locked for 0\.2 s"):
            store.add(some(fixtures[0]))
        other.execute("ROLLBACK")
        other.close()
        store.add(some(fixtures[0]))
        assert len(store.keys()) == 1


def python(code, *args, **options):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, args)], cwd=ROOT, stdout=subprocess.PIPE, text=True, **options
    )


WRITER = """
import sys, numpy as np
from tests.leaderboard.league import Paper, outcome, roster
from crossplay.leaderboard.store import ResultStore
path, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with ResultStore(path) as store:
    store.declare(Paper().spec)
    for seed in range(first, last):
        for fixture in roster({"a": 2}, {"scripted": 3}).fixtures(Paper(), 4, seed):
            store.add(outcome(fixture, np.float64(seed)))
            print(fixture.pairing.key, flush=True)
"""


def test_several_processes_open_and_write_at_once(tmp_path):
    path = tmp_path / "s.sqlite"
    writers = [python(WRITER, path, first, first + 4) for first in (0, 2, 4)]  # ranges overlap
    said = [writer.communicate()[0].split() for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    with ResultStore(path) as store:
        assert store.keys() == set().union(*said)
        assert len(store.keys()) == 8 * 18


def test_many_open_a_new_store_at_the_same_moment(tmp_path):
    refused = []

    def opens(path, barrier):
        barrier.wait()
        try:
            with ResultStore(path) as store:
                store.declare(Paper().spec)
        except Refused as error:
            refused.append(error)

    for number in range(10):
        barrier = threading.Barrier(8)
        openers = [threading.Thread(target=opens, args=(tmp_path / f"{number}", barrier)) for _ in range(8)]
        for opener in openers:
            opener.start()
        for opener in openers:
            opener.join()
    assert refused == []


@pytest.mark.parametrize("after", [1, 23])
def test_kill_nine_leaves_whole_matches_only(tmp_path, after):
    path = tmp_path / "s.sqlite"
    writer = python(WRITER, path, 0, 10_000)
    confirmed = {writer.stdout.readline().strip() for _ in range(after)}
    time.sleep(0.013)
    os.kill(writer.pid, signal.SIGKILL)
    confirmed |= set(writer.stdout.read().split("\n")[:-1])
    writer.stdout.close()
    assert writer.wait() == -signal.SIGKILL
    with ResultStore(path) as store:
        loaded = store.load()
        assert confirmed <= set(loaded)
        assert len(loaded) <= len(confirmed) + 1  # the one that was added but not yet reported
        for result in loaded.values():
            assert np.array_equal(result.returns.returns, np.full((4, 2), float(result.pairing.seed)))
        fixtures = roster({"a": 2}, {"scripted": 3}).fixtures(Paper(), 4, 0)
        for fixture in store.missing(fixtures):
            store.add(outcome(fixture, np.float64(0)))
        assert store.missing(fixtures) == []


NOBODY = """
import os, sys
from crossplay.benchmark.errors import Refused
from crossplay.leaderboard.store import ResultStore
ResultStore(sys.argv[2]).close()  # imports all it needs
if os.getuid() == 0:
    os.setuid(65534)  # root may write anywhere
try:
    with ResultStore(sys.argv[1]) as store:
        print("opened", len(store.keys()))
except Refused as refused:
    print("refused", refused)
"""


@pytest.mark.parametrize("existing", [False, True])
def test_a_read_only_folder_is_refused(existing, tmp_path):
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = Path(folder) / "s.sqlite"
        if existing:
            ResultStore(path).close()
        os.chmod(folder, 0o555)
        said, _ = python(NOBODY, path, tmp_path / "other").communicate()
        os.chmod(folder, 0o755)
    assert said.startswith("refused")
    assert "s.sqlite" in said
    assert "writ" in said


def test_export_is_tidy_in_both_forms(store, fixtures, tmp_path):
    from pyarrow import parquet

    other = Paper(name="test/more-v1", events=("served", "waved"))
    store.declare(other.spec)
    extra = roster({"a": 1}, {"scripted": 1}, other).fixtures(other, 2, 5)[1]
    store.add(some(fixtures[2], 3.0))
    store.add(outcome(extra, np.float64(1.5)))
    store.export(tmp_path / "out" / "all.parquet")
    store.export(tmp_path / "out" / "all.csv")
    rows = parquet.read_table(tmp_path / "out" / "all.parquet").to_pylist()
    with open(tmp_path / "out" / "all.csv", newline="") as file:
        texts = list(csv.DictReader(file))
    assert len(rows) == len(texts) == 4 * 2 + 2 * 2
    p = fixtures[2].pairing
    mine = [row for row in rows if row["game"] == p.game]
    assert [(row["episode"], row["seat"]) for row in mine] == [(e, s) for e in range(4) for s in range(2)]
    assert [row["return"] for row in mine] == some(fixtures[2], 3.0).returns.returns.ravel().tolist()
    assert [row["player"] for row in mine] == ([p.ego, p.partner] if p.seat == 0 else [p.partner, p.ego]) * 4
    assert {row["ego_seat"] for row in mine} == {p.seat}
    assert {row["key"] for row in mine} == {p.key}
    assert {row["event_waved"] for row in mine} == {None}
    assert [row["event_dropped"] for row in mine] == some(fixtures[2], 3.0).returns.events[..., 1].ravel().tolist()
    for row, text in zip(rows, texts, strict=True):
        assert {name: "" if value is None else str(value) for name, value in row.items()} | {
            "return": 0,
            "cost": 0,
        } == {
            **text,
            "return": 0,
            "cost": 0,
        }
        assert float(text["return"]) == row["return"]
        assert float(text["cost"]) == row["cost"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["all.csv", "all.parquet"]


def test_export_of_an_empty_store_and_refusals(store, tmp_path):
    store.export(tmp_path / "none.csv")
    assert (tmp_path / "none.csv").read_text().count("\n") == 1
    with pytest.raises(Refused, match=r"must be one of \.parquet, \.csv"):
        store.export(tmp_path / "all.xlsx")
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="cannot write"):
        store.export(tmp_path / "file" / "all.csv")
