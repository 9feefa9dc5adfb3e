"""Archives: the same for the same agent, and nothing in one gets out of its folder; whatever bytes are given."""

import io
import os
import socket
import stat
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossplay.benchmark.errors import Refused
from crossplay.leaderboard.submission import archive, entrants, scaffold
from crossplay.leaderboard.submission.check import check
from crossplay.leaderboard.submission.manifest import AGENT_FILE, digest, load

TOML = b"""
name = "a"
authors = ["b"]
licence = "MIT"
form = "python"
games = ["matrix"]
sources = ["a.py:A"]
training = "none"
"""


@pytest.fixture
def agent(tmp_path):
    folder = tmp_path / "ann"
    scaffold.init(folder, "python")
    (folder / "notes").mkdir()
    (folder / "notes" / "read me.txt").write_text("words")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "agent.pyc").write_bytes(b"stale")
    (folder / ".git").mkdir()
    return folder


def test_there_and_back(tmp_path, agent):
    told = archive.pack(agent, tmp_path / "ann.zip")
    assert archive.unpack(tmp_path / "ann.zip", tmp_path / "again") == told == digest(agent)
    assert sorted(p.name for p in (tmp_path / "again").rglob("*")) == ["agent.py", AGENT_FILE, "notes", "read me.txt"]
    (agent / "agent.py").touch()
    archive.pack(agent, tmp_path / "later.zip")
    assert (tmp_path / "later.zip").read_bytes() == (tmp_path / "ann.zip").read_bytes()
    (agent / "agent.py").write_text("class Agent: pass")
    assert archive.pack(agent, tmp_path / "other.zip") != told


def test_links_are_not_packed(tmp_path, agent):
    (agent / "link.py").symlink_to("/etc/passwd")
    with pytest.raises(Refused, match=r"link\.py: a link or a special file"):
        archive.pack(agent, tmp_path / "ann.zip")


def fifo(path):
    os.mkfifo(path)


def bound(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


def loop(path):
    path.symlink_to(path.name)


ODD = {
    "fifo": ("pipe", fifo, "a link or a special file"),
    "socket": ("plug", bound, "a link or a special file"),
    "dangling": ("link.py", lambda path: path.symlink_to("nowhere"), "a link or a special file"),
    "loop": ("link.py", loop, "a link or a special file"),
    "folder": ("link", lambda path: path.symlink_to("/etc"), "a link or a special file"),
    "newline": ("two\nlines.py", Path.touch, "a name that not every machine can write"),
    "bytes": (os.fsdecode(b"caf\xe9.py"), Path.touch, "a name that not every machine can write"),
}
TAKERS = ("check", "pack", "submit")


def taken(how, agent, out):
    """Takes an agent in; raises Refused where it cannot be, a check too."""
    if how == "pack":
        archive.pack(agent, out / "ann.zip")
    elif how == "submit":
        entrants.stage(agent, out)
    else:
        raise Refused(next(check(agent)).faults[0])


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("take", TAKERS)
def test_what_is_no_plain_file(tmp_path, monkeypatch, agent, odd, take):
    name, make, told = ODD[odd]
    monkeypatch.chdir(agent)  # a socket's name is short
    make(agent / "notes" / name)
    with pytest.raises(Refused, match=told):
        taken(take, agent, tmp_path)
    assert not (tmp_path / "ann.zip").exists()


@pytest.mark.parametrize("odd", [odd for odd in ODD if odd not in ("newline", "bytes")])
def test_a_manifest_that_is_no_plain_file(agent, monkeypatch, odd):
    monkeypatch.chdir(agent)
    (agent / AGENT_FILE).unlink()
    ODD[odd][1](agent / AGENT_FILE)
    with pytest.raises(Refused, match=r"no agent\.toml here"):
        load(agent)


@contextmanager
def nobody():
    """Without root's right to read everything."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.mark.parametrize("name", ["agent.py", "notes", AGENT_FILE, "."])
@pytest.mark.parametrize("take", TAKERS)
def test_what_may_not_be_read(tmp_path, monkeypatch, agent, take, name):
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o777)
    (agent / name).chmod(0)
    with nobody(), pytest.raises(Refused, match=r"cannot be read: Permission denied|no agent\.toml here"):
        taken(take, Path("ann"), Path("out"))
    (agent / name).chmod(0o755)


@pytest.mark.parametrize("name", ["a\\b.py", "C:a.py", "x" * 201])
def test_only_what_can_be_unpacked_is_packed(tmp_path, agent, name):
    (agent / "notes" / name).touch()
    with pytest.raises(Refused, match="its name in an archive"):
        archive.pack(agent, tmp_path / "ann.zip")


def crafted(path, *members, toml=True):
    """An archive of (name or ZipInfo, bytes)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        if toml:
            made.writestr(AGENT_FILE, TOML)
        for name, data in members:
            made.writestr(name, data)
    return path


def linked(name, target):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target


HOSTILE = {
    "up": ([("../out.py", b"x")], "would leave the agent's folder"),
    "deep": ([("a/../../out.py", b"x")], "would leave the agent's folder"),
    "absolute": ([("/tmp/out.py", b"x")], "would leave the agent's folder"),
    "windows": ([("..\\out.py", b"x")], "would leave the agent's folder"),
    "drive": ([("C:out.py", b"x")], "would leave the agent's folder"),
    "dot": ([("./agent.py", b"x")], "would leave the agent's folder"),
    "empty": ([("a//b.py", b"x")], "would leave the agent's folder"),
    "hidden": ([(".bashrc", b"x")], "begins with a dot, is"),
    "link": ([linked("link", "/etc")], "is a link"),
    "through": ([linked("sub", ".."), ("sub/out.py", b"x")], "is a link"),
    "bomb": ([("big.bin", bytes(2**28))], "unpacks to more than"),
    "many": ([(f"{number}.txt", b"") for number in range(1001)], "1002 files; at most 1000"),
    "both": ([("a", b"x"), ("a/b", b"x")], "not an archive that can be unpacked"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives(tmp_path, name):
    members, told = HOSTILE[name]
    inner = tmp_path / "deep" / "inner"
    with pytest.raises(Refused, match=told):
        archive.unpack(crafted(tmp_path / "a.zip", *members), inner)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file() or path.is_symlink()] == ["a.zip"]


def test_twice_the_same_name(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        crafted(tmp_path / "a.zip", ("a.py", b"x"), ("a.py", b"y"))
    with pytest.raises(Refused, match="is there twice"):
        archive.unpack(tmp_path / "a.zip", tmp_path / "out")


def test_no_agent_in_it(tmp_path):
    with pytest.raises(Refused, match=r"no agent\.toml at its top"):
        archive.unpack(crafted(tmp_path / "a.zip", ("a.py", b"x"), toml=False), tmp_path / "out")


def whole():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(AGENT_FILE, TOML)
        made.writestr("a.py", b"class A: pass\n" * 20)
    return file.getvalue()


WHOLE = whole()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=200),
        st.builds(
            lambda at, new: WHOLE[:at] + new + WHOLE[at + len(new) :],
            st.integers(0, len(WHOLE)),
            st.binary(min_size=1, max_size=8),
        ),
        st.integers(0, len(WHOLE)).map(lambda end: WHOLE[:end]),
    )
)
def test_any_bytes_are_unpacked_or_refused(tmp_path_factory, data):
    tmp_path = tmp_path_factory.mktemp("fuzz")
    (tmp_path / "a.zip").write_bytes(data)
    try:
        archive.unpack(tmp_path / "a.zip", tmp_path / "out")
    except Refused:
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip"]
    else:
        assert load(tmp_path / "out").name


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.text(max_size=80), st.dictionaries(st.text(max_size=12), st.integers() | st.text(max_size=20)).map(repr)
    )
)
def test_any_manifest_is_read_or_refused(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / AGENT_FILE).write_text(text, encoding="utf-8", errors="replace")
    with pytest.raises(Refused, match=r"agent\.toml"):
        load(folder)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('form = "pyton"', "form: .*'python', 'onnx', 'network' or 'llm'"),
        ('name = "../up"', "name: .*pattern"),
        ("athors = 1", "unknown field of Submission 'athors'; did you mean 'authors'"),
        ("sources = []", "sources: .*at least 1 item"),
        ('trained_with = ["abc"]', "trained_with.0: .*pattern"),
    ],
)
def test_a_manifest_says_what_is_wrong_with_it(tmp_path, line, told):
    key = line.split(" ")[0]
    lines = [old for old in TOML.decode().splitlines() if not old.startswith(f"{key} ")]
    (tmp_path / AGENT_FILE).write_text("\n".join([*lines, line]))
    with pytest.raises(Refused, match=told):
        load(tmp_path)
