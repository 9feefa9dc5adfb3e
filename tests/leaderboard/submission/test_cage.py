"""Hostile agents in a real cage: each ends in a recorded fault, or plays on, and nothing gets out."""

import os
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from crossplay.benchmark.errors import Fault, Refused
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.benchmark.match import Table, play_tables
from crossplay.benchmark.policy import Uniform
from crossplay.benchmark.seeding import spread
from crossplay.leaderboard.submission import walls
from crossplay.leaderboard.submission.filter import program
from crossplay.leaderboard.submission.python import Python
from crossplay.leaderboard.submission.walls import TRUST, Limits
from tests.leaderboard.submission.cages import real_cage

real_cage()
GAME = CollabGrid(horizon=3)
LIMITS = Limits(step_seconds=3, start_seconds=60, match_seconds=120, memory=2**31)
CANARY = "canary-5e1f"

# body of act(observation, legal) → what the fault says; what reports a success does so by raising GOT
FAULTS = {
    "read_secret": ("raise RuntimeError('GOT ' + open(SECRET).read())", "No such file"),
    "read_passwd": ("raise RuntimeError('GOT ' + open('/etc/passwd').read())", "No such file"),
    "read_home": ("raise RuntimeError('GOT ' + str(os.listdir(os.path.expanduser('~root'))))", "No such file|Errno 2"),
    "environment": ("raise RuntimeError('GOT ' + os.environ['CANARY'])", "KeyError"),
    "parents_environment": (
        "raise RuntimeError('SAW ' + open('/proc/%d/environ' % os.getppid()).read())",
        "SAW|Permission|No such",
    ),
    "loopback": ("socket.create_connection(('127.0.0.1', PORT)); raise RuntimeError('GOT in')", "not permitted"),
    "outside": ("socket.create_connection(('192.0.2.1', 80)); raise RuntimeError('GOT out')", "not permitted"),
    "resolve": ("socket.getaddrinfo('example.com', 80); raise RuntimeError('GOT a name')", "gaierror"),
    "fork": ("os.fork(); raise RuntimeError('GOT a child')", "not permitted"),
    "bomb": ("while True: os.fork()", "not permitted"),
    "subprocess": ("__import__('subprocess').run(['/bin/true']); raise RuntimeError('GOT one')", "not permitted"),
    "write_agent": ("open('/agent/planted', 'w'); raise RuntimeError('GOT it')", "Read-only"),
    "write_root": ("open('/planted', 'w'); raise RuntimeError('GOT it')", "Read-only"),
    "write_usr": ("open('/usr/planted', 'w'); raise RuntimeError('GOT it')", "Read-only"),
    "write_secret": ("open(SECRET, 'w'); raise RuntimeError('GOT it')", "No such file|Read-only"),
    "fill_tmp": ("open('/tmp/big', 'wb').write(bytes(2**28)); raise RuntimeError('GOT room')", "OSError|killed|space"),
    "fill_shm": ("open('/dev/shm/big', 'wb').write(bytes(2**28)); raise RuntimeError('GOT room')", "OSError|killed"),
    "memory": ("self.kept = bytearray(2**34)", "MemoryError"),
    "threads": ("threads(); raise RuntimeError('bounded')", "bounded|can't start|killed|MemoryError"),
    "sleep": ("time.sleep(1000)", "took more than 3 s for a step"),
    "spin": ("while True: pass", "took more than 3 s for a step"),
    "exit": ("os._exit(7)", "exit code 7"),
    "system_exit": ("sys.exit(3)", "SystemExit: 3"),
    "suicide": ("os.kill(os.getpid(), 9)", "killed by SIGKILL"),
    "kill_all": ("os.kill(-1, 9)", "killed by SIGKILL|exit code|not permitted|ProcessLookupError"),
    "crash": ("__import__('ctypes').string_at(0)", "killed by SIGSEGV"),
    "execute": ("os.execv('/bin/sh', ['sh', '-c', 'echo x > /agent/planted'])", "ended with exit code|closed"),
    "shape": ("return [1, 2, 3]", "inhomogeneous|shape"),
    "text": ("return 'north'", "dtype"),
    "nan": ("return float('nan')", "dtype float64"),
    "huge": ("return np.zeros(10**6, dtype=np.int64)", "shape"),
    "illegal": ("return 99", "action 99 is illegal"),
    "negative": ("return -1", "action -1 is illegal"),
    "raise": ("raise ValueError('x' * 10**6)", "ValueError: xxx"),
    "tamper": ("os.write(LINE, b'nonsense that is no frame'); time.sleep(9)", "broke the protocol"),
    "long_frame": ("os.write(LINE, struct.pack('<BI', 65, 2**32 - 1)); time.sleep(9)", "frame of 4294967295 bytes"),
    "short_frame": ("os.write(LINE, struct.pack('<BI', 65, 4) + b'abcd'); time.sleep(9)", "frame 'A' of 4 bytes"),
    "drip": ("while True: os.write(LINE, b'A'); time.sleep(1)", "took more than 3 s|frame of"),
    "close": ("os.close(LINE); time.sleep(9)", "closed its line|exit code|took more"),
}
# these may do what they like: it plays on, and the harness is as it was
HARMLESS = {
    "print": "print('x' * 10**7); sys.stderr.write('x' * 10**7); return 0",
    "kill_parent": "os.kill(os.getppid(), 9); return 0",
    "stop_parent": "os.kill(os.getppid(), 19); return 0",
    "patch": "patch(); return 0",
    "tmp": "open('/tmp/mine', 'w').write('x'); return 0",
}
HEAD = """
import os, signal, socket, struct, sys, threading, time
import numpy as np
LINE, SECRET, PORT = int(sys.argv[1]), {secret!r}, {port}

def threads():
    for _ in range(10**5):
        threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
        if threading.active_count() > 2000:
            return

def patch():
    try:
        import crossplay.benchmark.match as match
        match.illegal = lambda *_: None
    except ImportError:
        pass

class Agent:
    def act(self, observation, legal):
        {body}
"""


@pytest.fixture
def canary(tmp_path, monkeypatch):
    """A file, an environment variable and a port that nobody is to touch."""
    secret = tmp_path / "secret.txt"
    secret.write_text(CANARY)
    monkeypatch.setenv("CANARY", CANARY)
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        done = threading.Event()

        def listen():
            while not done.is_set():
                try:
                    heard.append(server.accept())
                except TimeoutError:
                    continue

        listener = threading.Thread(target=listen)
        listener.start()
        yield secret, server.getsockname()[1]
        done.set()
        listener.join()
    assert secret.read_text() == CANARY
    assert not heard
    assert {path.name for path in tmp_path.iterdir()} <= {"secret.txt", "agent"}


def agent(tmp_path, canary, body):
    folder = tmp_path / "agent"
    folder.mkdir()
    (folder / "agent.py").write_text(HEAD.format(secret=str(canary[0]), port=canary[1], body=body))
    return folder


def match(folder, limits=LIMITS, episodes=4, source="agent.py:Agent"):
    policy = Python(source=source, limits=limits).make(GAME, folder)
    seeds = spread(1, episodes)
    table = Table([policy, Uniform().make(GAME, None)], seeds, [seeds, spread(2, episodes)], ["it", "other"])
    return play_tables(GAME, [table])[0]


@pytest.mark.parametrize("name", FAULTS)
def test_hostile(tmp_path, canary, name):
    body, told = FAULTS[name]
    folder = agent(tmp_path, canary, body)
    began = time.monotonic()
    with pytest.raises(Fault, match=told) as fault:
        match(folder)
    said = str(fault.value)
    assert said.startswith(f"it in {GAME.spec.name}, seat 0, step 0: ")
    assert "GOT" not in said
    assert CANARY not in said
    assert len(said) < 3000
    assert time.monotonic() - began < 60
    assert [path.name for path in folder.iterdir()] == ["agent.py"]


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless(tmp_path, canary, name):
    played = match(agent(tmp_path, canary, HARMLESS[name]))
    (tmp_path / "agent" / "agent.py").write_text(HEAD.format(secret="", port=0, body="return 0"))
    assert np.array_equal(played.returns, match(tmp_path / "agent").returns)


def test_the_whole_match_has_a_budget(tmp_path, canary):
    folder = agent(tmp_path, canary, "time.sleep(0.7); return 0")
    with pytest.raises(Fault, match="took more than 1 s for a match"):
        match(folder, Limits(match_seconds=1, step_seconds=5), episodes=1)


def test_a_slow_import_counts_too(tmp_path):
    folder = tmp_path / "agent"
    folder.mkdir()
    (folder / "agent.py").write_text("import time\ntime.sleep(100)")
    with pytest.raises(Fault, match="took more than 2 s"):
        match(folder, Limits(start_seconds=2))


@pytest.mark.parametrize(
    ("text", "source", "told"),
    [
        ("x = (", "agent.py:Agent", "SyntaxError"),
        ("import nothing_of_this_name", "agent.py:Agent", "ModuleNotFoundError"),
        ("class Other: pass", "agent.py:Agent", "agent.py has no 'Agent'"),
        ("class Agent: pass", "agent.py:Agent", "Agent has none of begin, act and predict"),
        ("class Agent:\n def __init__(self, wanted): pass", "agent.py:Agent", "missing 1 required"),
    ],
)
def test_code_that_does_not_start(tmp_path, text, source, told):
    folder = tmp_path / "agent"
    folder.mkdir()
    (folder / "agent.py").write_text(text)
    with pytest.raises(Fault, match=told):
        match(folder, source=source)


def test_no_process_outlives_its_match(tmp_path, canary):
    match(agent(tmp_path, canary, "return 0"))
    time.sleep(0.2)
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.parent.exists()]
    assert not [line for line in lines if str(tmp_path).encode() in line]


def test_without_a_cage_it_is_refused_unless_trusted(tmp_path, canary, monkeypatch):
    folder = agent(tmp_path, canary, "return 1 + (os.path.exists(SECRET))")
    monkeypatch.setattr(walls, "caged", lambda: False)
    with pytest.raises(Refused, match=r"bubblewrap.*--trust: the code then runs as you"):
        match(folder)
    monkeypatch.setenv(TRUST, "1")
    assert match(folder).returns.shape == (4, 2)


ONE_AN_EPISODE = """
class Agent:
    def __init__(self, seed, seat):
        self.action = seed % 3 + seat

    def act(self, observation, legal):
        return self.action
"""
POLICY = """
import numpy as np

class Agent:
    def begin(self, seeds, seat):
        return (seeds % np.uint64(3)).astype(np.int64) + seat

    def act(self, observation, memory):
        return memory, memory
"""
MODEL = """
import numpy as np

class Agent:
    def predict(self, observation, state=None, episode_start=None, deterministic=False):
        assert deterministic and bool(episode_start.all()) == (state is None)
        return np.ones(len(observation), dtype=np.int64), 0
"""


def test_three_ways_to_be_an_agent(tmp_path):
    folder = tmp_path / "agent"
    folder.mkdir()
    paid = []
    for text in (ONE_AN_EPISODE, POLICY, MODEL, MODEL.replace("ones", "zeros")):
        (folder / "agent.py").write_text(text)
        paid.append(match(folder, episodes=30).returns)
    assert np.array_equal(paid[0], paid[1])
    assert not np.array_equal(paid[2], paid[3])


def test_a_filter_for_this_machine():
    assert program("toaster") is None
    for machine in ("x86_64", "aarch64"):
        rules = program(machine) or b""
        assert len(rules) % 8 == 0
        assert rules[-8:] == bytes.fromhex("060000000000ff7f")
    assert os.uname().machine not in ("x86_64", "aarch64") or program() is not None
