"""From a folder to a row: checked, caged, played once, placed; a bad agent costs nobody else anything."""

import io
import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from crossplay.agents.training import Training
from crossplay.benchmark.card import load_card
from crossplay.benchmark.errors import Refused
from crossplay.leaderboard import failures, publish
from crossplay.leaderboard.run import STORE, run
from crossplay.leaderboard.store import ResultStore
from crossplay.leaderboard.submission import archive, entrants, queue, scaffold
from crossplay.leaderboard.submission.check import check
from crossplay.leaderboard.submission.submit import landings, submit
from crossplay.leaderboard.suite import load_suite
from tests.leaderboard.submission.cages import real_cage

real_cage()
TINY = load_suite(str(Path(__file__).parents[1] / "tiny.toml"))
BOTH, GAMES = '"collab-grid:horizon=20", "matrix"', '"matrix"'  # a match costs the start of a process


def quiet(progress):
    pass


def agent(folder, body="return self.luck.randrange(len(legal))", games=GAMES, name=""):
    """A Python agent that acts as `body` says."""
    scaffold.init(folder, "python")
    text = (folder / "agent.toml").read_text()
    text = text.replace('    "overcooked:cramped_room",\n    "collab-grid",\n', f"    {games},\n")
    assert games in text
    (folder / "agent.toml").write_text(text.replace(f'"{folder.name}"', f'"{name or folder.name}"', 1))
    start = scaffold.PYTHON.index("        allowed")
    (folder / "agent.py").write_text(scaffold.PYTHON[:start] + f"        {body}\n")
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A finished run of the tiny suite."""
    out = tmp_path_factory.mktemp("trained") / "tiny"
    run(TINY, out, jobs=2, device="cpu", tell=quiet)
    return out


@pytest.fixture
def results(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "results")
    return tmp_path / "results"


def rows(boards, name):
    return {board.game: row for board in boards for row in board.rows if row.entry == name}


def keys(results):
    with ResultStore(results / STORE) as store:
        return store.keys()


def test_a_row_among_the_others_and_nothing_twice(tmp_path, results):
    before = {row.entry: row.mean for board in publish.boards(results) for row in board.rows if board.game == "overall"}
    taken, boards = submit(agent(tmp_path / "ann", games=BOTH), results, TINY, jobs=1, tell=quiet)
    mine = rows(boards, "ann")
    assert set(mine) == {board.game for board in boards}
    assert all(row.status == "ranked" and row.n_seeds == 1 for row in mine.values())
    after = {row.entry: row.mean for board in boards for row in board.rows if board.game == "overall"}
    assert {name: after[name] for name in before} == before
    lines = [line for landing in landings(taken, boards, results) for line in landing.lines]
    assert any("rank" in line for line in lines)
    assert any(f"crossplay play matrix {results}/entrants/ann {results}/matrix" in line for line in lines)
    played, seen = keys(results), []
    submit(tmp_path / "ann", results, TINY, jobs=1, tell=seen.append)
    assert keys(results) == played
    assert [(p.done, p.total) for p in seen if p.stage == "matches"] == [(len(played), len(played))]


def test_guests_meet_who_is_scored_and_themselves(tmp_path, results):
    before = keys(results)
    submit(agent(tmp_path / "ann"), results, TINY, jobs=1, tell=quiet)
    with ResultStore(results / STORE) as store:
        new = [result.pairing for result in store.results(keys(results) - before)]
    (part,) = publish.played(results, ["volunteer"])
    held_out = {card.name for card in part.roster.held_out}
    assert {p.ego for p in new} == {"ann-0"}
    assert {p.partner for p in new} == {*held_out, "ann-0"}


def test_an_empty_folder_gets_the_held_out_partners_only(tmp_path):
    results = tmp_path / "new"
    _, boards = submit(agent(tmp_path / "ann"), results, TINY, jobs=1, tell=quiet)
    assert [(row.entry, row.status) for board in boards for row in board.rows] == [
        ("ann", "ranked"),
        ("ann", "incomplete"),  # overall: it is for one of two games
    ]
    cards = {path.name for path in results.glob("*/cards/*")}
    assert "stranger-0" in cards
    assert not [name for name in cards if name.startswith(("fcp", "ippo"))]
    run(TINY, results, jobs=2, device="cpu", tell=quiet)
    names = {row.entry for board in publish.boards(results) for row in board.rows}
    assert names == {"ann", "ippo", "ippo-per-seat", "fcp-br"}


def test_all_faults_at_once_and_nothing_is_taken_in(tmp_path, results):
    bad = agent(
        tmp_path / "bad", games=BOTH, body="return 99 if self.seat else int(__import__('numpy').random.rand() * 2)"
    )
    with pytest.raises(Refused) as refused:
        submit(bad, results, TINY, jobs=1, tell=quiet)
    said = str(refused.value)
    assert said.count("✗") >= 4
    assert "seat 1: act raised Fault" in said or "action 99 is illegal" in said
    assert "global generator" in said or "not a function of its seeds" in said
    assert not list(entrants.entrants(results))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            "return self.__class__.__dict__.get('n', 0) or setattr(self.__class__, 'n', 1) or 0",
            "alone is played differ",
        ),
        ("return __import__('random').randrange(len(legal))", "global generator"),
        ("return __import__('time').time_ns() // 64 % len(legal)", "not a function of its seeds"),
        ("return 'north'", "dtype"),
    ],
)
def test_what_a_check_finds(tmp_path, body, told):
    found = list(check(agent(tmp_path / "ann", body, games='"collab-grid:horizon=20"')))
    assert any(told in fault for one in found for fault in one.faults), found


def test_a_check_from_inside_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(agent(tmp_path / "ann"))
    assert [found.faults for found in check(Path())] == [()]


def test_a_check_says_how_much_memory_an_agent_takes(tmp_path):
    light, heavy = agent(tmp_path / "light", games=GAMES), agent(tmp_path / "heavy", games=GAMES)
    (heavy / "agent.py").write_text("KEPT = bytearray(300 * 2**20)\n" + (heavy / "agent.py").read_text())
    taken = [next(check(folder)).memory for folder in (light, heavy)]
    assert 5 * 2**20 < taken[0] < 200 * 2**20
    assert taken[1] - taken[0] == pytest.approx(300 * 2**20, rel=0.1)


def test_a_failure_is_a_result(tmp_path, results):
    """It passes the check, and breaks late and with some partners only."""
    late = agent(tmp_path / "late", "return 0 // self.luck.randrange(40)")  # breaks in some matches, not in all
    fine = agent(tmp_path / "fine")
    taken = entrants.settle(entrants.stage(late, results), results)  # past the check, as a failure that no check meets
    _, boards = submit(fine, results, TINY, jobs=1, tell=quiet)
    row = rows(boards, "late")[publish_game(boards, "matrix")]
    assert (row.status, row.rank) == ("incomplete", None)
    assert any(note.startswith("failed in matrix") and "ZeroDivisionError" in note for note in row.notes)
    assert rows(boards, "fine")[publish_game(boards, "matrix")].status == "ranked"
    noted = failures.read(results)
    assert noted
    submit(fine, results, TINY, jobs=1, tell=quiet)
    assert failures.read(results) == noted
    assert failures.forget(results, [f"{taken.name}-0"]) == len(noted)


def publish_game(boards, kind):
    return next(board.game for board in boards if board.game.startswith(kind))


def test_a_folder_of_archives(tmp_path, results):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    archive.pack(agent(tmp_path / "ann"), inbox / "ann.zip")
    archive.pack(agent(tmp_path / "bad", "return 99"), inbox / "bad.zip")
    (inbox / "broken.zip").write_bytes(b"PK nothing")
    os.mkfifo(inbox / "pipe.zip")
    (inbox / "hole.zip").symlink_to("nowhere")
    (inbox / "folder.zip").mkdir()
    first = queue.accept(inbox, results, TINY, jobs=1, tell=quiet)
    assert [(v.archive, v.status) for v in first] == [
        ("ann.zip", "accepted"),
        ("bad.zip", "refused"),
        ("broken.zip", "refused"),
        *((f"{odd}.zip", "refused") for odd in ("folder", "hole", "pipe")),
    ]
    played = keys(results)
    again = queue.accept(inbox, results, TINY, jobs=1, tell=quiet)
    assert [v.status for v in again] == ["known"] * 3 + ["refused"] * 3
    assert keys(results) == played
    with pytest.raises(Refused, match="no such folder"):
        queue.accept(tmp_path / "none", results, TINY, jobs=1, tell=quiet)


def test_a_changed_agent_takes_its_place_and_a_withdrawn_one_leaves(tmp_path, results):
    submit(agent(tmp_path / "ann", "return 0"), results, TINY, jobs=1, tell=quiet)
    _, boards = submit(agent(tmp_path / "b" / "ann", "return 1"), results, TINY, jobs=1, tell=quiet)
    assert [row.entry for board in boards if board.game.startswith("matrix") for row in board.rows].count("ann") == 1
    entrants.withdraw("ann", results)
    assert "ann" not in {row.entry for board in publish.boards(results) for row in board.rows}
    with pytest.raises(Refused, match="no agent 'ann'"):
        entrants.withdraw("ann", results)


@pytest.mark.parametrize(
    ("name", "games", "told"),
    [("ippo", GAMES, "has an entry of the name 'ippo'"), ("ann", '"overcooked"', "tiny plays collab-grid")],
)
def test_who_is_not_taken(tmp_path, results, name, games, told):
    with pytest.raises(Refused, match=told):
        submit(agent(tmp_path / name, games=games), results, TINY, jobs=1, tell=quiet)
    assert "ann" not in {row.entry for board in publish.boards(results) for row in board.rows}


def test_trained_networks(tmp_path, results):
    game = TINY.game(TINY.games[0])
    trainer = TINY.trainer(TINY.entries[0], TINY.games[0])
    folder = tmp_path / "net"
    scaffold.init(folder, "network")
    for seed in range(3):
        Training(f"s{seed}", "ippo", game, trainer, folder / f"s{seed}", seed).run()
    text = (folder / "agent.toml").read_text()
    text = text.replace('    "overcooked:cramped_room",\n    "collab-grid",\n', '    "collab-grid:horizon=20",\n')
    (folder / "agent.toml").write_text(text.replace('    "{game}",\n', '    "s0",\n    "s1",\n    "s2",\n'))
    _, boards = submit(folder, results, TINY, jobs=1, tell=quiet)
    row = rows(boards, "net")[game.spec.name]
    assert (row.status, row.n_seeds) == ("ranked", 3)
    assert rows(boards, "net")["overall"].status == "incomplete"
    assert load_card(folder / "s0").digest in {
        card.digest for part in publish.played(results) for card in part.roster.egos
    }


def wheel(folder, name="lucky_number", value=1):
    """A package of one module, as a wheel."""
    folder.mkdir(exist_ok=True)
    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as made:
        made.writestr(f"{name}.py", f"VALUE = {value}\n")
        made.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        made.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        made.writestr(f"{about}/RECORD", "")


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """Where pip looks, and nowhere else."""
    wheel(tmp_path / "wheels")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return tmp_path / "wheels"


def test_what_an_agent_requires_is_installed_for_it_alone(tmp_path, results, wheels):
    needy = agent(tmp_path / "needy", "return __import__('lucky_number').VALUE")
    (needy / "requirements.txt").write_text("# what it needs\nlucky-number == 1.0  # here\n")
    archive.pack(needy, tmp_path / "needy.zip")
    _, boards = submit(tmp_path / "needy.zip", results, TINY, jobs=1, tell=quiet)
    assert rows(boards, "needy")[publish_game(boards, "matrix")].status == "ranked"
    without = agent(tmp_path / "without", "return __import__('lucky_number').VALUE")
    with pytest.raises(Refused, match="No module named 'lucky_number'"):
        submit(without, results, TINY, jobs=1, tell=quiet)
    entrants.withdraw("needy", results)
    assert not [path for path in (results / "entrants").rglob("*") if "lucky" in path.name]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("nothing-of-this-name", "cannot be installed from wheels.*nothing-of-this-name"),
        ("lucky-number==2.0", "cannot be installed from wheels.*lucky-number==2.0"),
        ("built", "cannot be installed from wheels.*built"),
        ("./built", "'./built'; wanted NAME"),
        ("-e ./built", "'-e ./built'; wanted NAME"),
        ("built @ file:///tmp/built", "wanted NAME"),
        ("--no-binary=:all:\nbuilt", "'--no-binary=:all:'; wanted NAME"),
        ("--index-url=https://example.org/", "wanted NAME"),
        ("built-1.0.tar.gz", "cannot be installed from wheels.*built-1.0.tar.gz"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_what_cannot_be_required(tmp_path, results, wheels, monkeypatch, lines, told):
    """A source package is never built: that would run its code with nothing around it."""
    with tarfile.open(wheels / "built-1.0.tar.gz", "w:gz") as made:
        text = f"open({str(tmp_path / 'ran')!r}, 'w')".encode()
        info = tarfile.TarInfo("built-1.0/setup.py")
        info.size = len(text)
        made.addfile(info, io.BytesIO(text))
    monkeypatch.chdir(wheels)
    needy = agent(tmp_path / "needy")
    (needy / "requirements.txt").write_bytes(lines if isinstance(lines, bytes) else lines.encode())
    with pytest.raises(Refused, match=told):
        submit(needy, results, TINY, jobs=1, tell=quiet)
    assert not (tmp_path / "ran").exists()
    assert not list(entrants.entrants(results))
