"""Hostile agents in a real cage: each ends in a recorded fault, or plays on, and nothing gets out."""

import gc
import os
import shutil
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from crossplay.benchmark.errors import Fault, Refused
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.benchmark.match import Table, play_tables
from crossplay.benchmark.policy import Uniform
from crossplay.benchmark.seeding import spread
from crossplay.leaderboard.submission import cage, walls
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
    "write_dev": ("open('/dev/planted', 'w'); raise RuntimeError('GOT it')", "Read-only"),
    "close_null": ("os.chmod('/dev/null', 0); raise RuntimeError('GOT it')", "not permitted"),
    "age_null": ("os.utime('/dev/null'); raise RuntimeError('GOT it')", "not permitted"),
    "sysctl": ("open('/proc/sys/kernel/core_pattern', 'r+'); raise RuntimeError('GOT it')", "Read-only|Permission"),
    "first_memory": ("open('/proc/1/mem', 'r+b'); raise RuntimeError('GOT it')", "Read-only|Permission|not permitted"),
    "first_environment": ("raise RuntimeError('GOT ' + str(open('/proc/1/environ').read()))", "Permission"),
    "first_files": ("raise RuntimeError('GOT ' + str(os.stat('/proc/1/fd/0')))", "Permission"),
    "capabilities": (
        "raise RuntimeError(open('/proc/self/status').read().partition('CapEff:')[2][:17])",
        "RuntimeError: \\s0000000000000000",
    ),
    "descriptors": ("raise RuntimeError(sorted({0, 1, 2, LINE} ^ set(descriptors())))", "RuntimeError: \\[\\] "),
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
WARDENS = ("first_environment", "first_files")  # closed where a warden is the first process
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

def descriptors():
    return [fd for fd in range(256) if os.path.exists(f"/proc/self/fd/{{fd}}")]

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
    if name in WARDENS and not walls.shared():
        pytest.skip("the first process is bubblewrap's own, whose environment is the cage's")
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


def inside(folder):
    """How many processes of cages with this folder there are, and how many of them are agents' or wait to be."""
    children = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            children.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
    found, more = [], children.get(os.getpid(), [])
    while more:
        found += [pid for pid in more if str(folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()]
        more = [child for pid in more for child in children.get(pid, [])]
    return len(found)


def forget_cages():
    gc.collect()  # what was raised holds its match
    while cage._idle:
        cage._idle.pop().close()


def test_no_process_outlives_its_match_and_no_cage_its_process(tmp_path, canary):
    folder = agent(tmp_path, canary, "threading.Thread(target=time.sleep, args=(99,)).start(); return 0")
    match(folder)
    before = inside(folder)
    match(folder)
    assert inside(folder) == before
    forget_cages()
    assert inside(folder) == 0


LEAVES = """
import ctypes, os, resource, sys, threading, time
import numpy as np

def look():
    found = [sorted(os.listdir(place)) for place in ("/tmp", "/dev/shm")]
    found += [sorted(name for name in os.listdir("/proc") if name.isdigit()), os.getpid(), os.getcwd(), os.umask(0o22)]
    found += [hasattr(sys, "left"), hasattr(np, "left"), threading.active_count(), sorted(os.environ)]
    found += [os.getpriority(os.PRIO_PROCESS, 0), resource.getrlimit(resource.RLIMIT_NOFILE), os.sched_getscheduler(0)]
    return repr(found)

def leave():
    for place in ("/tmp/left", "/dev/shm/left", "/tmp/" + "deep/" * 50):
        os.makedirs(os.path.dirname(place), exist_ok=True)
        place.endswith("/") or open(place, "w").write("left")
    sys.left = np.left = True
    os.environ["LEFT"] = "1"
    os.umask(0)
    os.nice(5)
    resource.setrlimit(resource.RLIMIT_NOFILE, (99, 99))
    for pid in (1, os.getppid(), -1):
        for signal in (2, 10, 15):
            try:
                pid != -1 and os.kill(pid, signal)
            except OSError:
                pass
    os.setpriority(os.PRIO_USER, os.getuid(), 7)
    threading.Thread(target=time.sleep, args=(99,)).start()
    os.set_blocking(0, False)

class Agent:
    def begin(self, seeds, seat):
        self.seen = look()
        leave()
        return 0

    def act(self, observation, memory):
        raise RuntimeError(self.seen)
"""


def test_nothing_is_left_for_the_next_match(tmp_path):
    folder = tmp_path / "agent"
    folder.mkdir()
    (folder / "agent.py").write_text(LEAVES)
    forget_cages()
    seen, used = [], set()
    for _ in range(3):
        try:
            match(folder)
        except Fault as fault:
            seen.append(str(fault))
        gc.collect()
        used.update(cage._idle)
    assert not walls.shared() or "RuntimeError: [[], [], [" in seen[0], "else Python itself may lie in /tmp"
    assert "left" not in seen[0]
    assert seen == [seen[0]] * 3
    assert len(used) == walls.shared(), "it was the same cage"


def test_a_cage_that_ends_costs_nothing(tmp_path, canary):
    folder = agent(tmp_path, canary, "return 0")
    fine = match(folder).returns
    for idle in cage._idle:
        idle._process.kill()
        idle._process.wait()
    assert np.array_equal(match(folder).returns, fine)


@pytest.mark.skipif(not walls.shared(), reason="no cage is shared on this machine")
def test_two_matches_at_once_do_not_share_a_cage(tmp_path, canary):
    folder = agent(tmp_path, canary, "return 0")
    cells = [cage.Cell(folder, [], LIMITS) for _ in range(2)]
    assert cells[0]._cage is not cells[1]._cage
    for cell in cells:
        cell.close()
    assert cage.Cell(folder, [], LIMITS)._cage in {cell._cage for cell in cells}


@pytest.mark.parametrize("nests", [True, False])
def test_a_kernel_that_does_not_let_a_cage_be_divided(tmp_path, canary, monkeypatch, nests):
    """Then every match has a cage of its own, as closed as the other."""
    monkeypatch.setattr(walls, "_nests", lambda: nests)
    for name in ("sysctl", "write_dev", "close_null", "suicide", "exit", "fork"):
        (tmp_path / "agent").exists() and shutil.rmtree(tmp_path / "agent")
        with pytest.raises(Fault, match=FAULTS[name][1]):
            match(agent(tmp_path, canary, FAULTS[name][0]))


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
