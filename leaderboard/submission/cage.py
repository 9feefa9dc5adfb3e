"""A process for a stranger's code: bubblewrap around it, limits on it, and a line of plain frames to it.

Inside there is no network, no file but Python, the libraries and the agent's own folder (all read-only, but for a small
empty /tmp), no environment, no other process; and no way to start one, where there is a filter for the machine.
"""

import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from pydantic import PositiveFloat, PositiveInt

from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Fault, Refused
from crossplay.leaderboard.submission import inmate
from crossplay.leaderboard.submission.filter import program

TRUST = "CROSSPLAY_TRUST"  # set to 1: strangers' code may run without a cage; worker processes inherit it
_HEAD = struct.Struct("<BI")
_ETC = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/alternatives", "/etc/localtime")


@config
class Limits:
    """What caged code may use before it counts as failed."""

    start_seconds: PositiveFloat = 60.0  # until the first action: imports are slow on a cold disk
    step_seconds: PositiveFloat = 10.0  # for one step of all episodes
    match_seconds: PositiveFloat = 300.0  # for all steps together
    memory: PositiveInt = 4 * 2**30  # bytes of address space; frameworks reserve far more than they use
    files: PositiveInt = 64 * 2**20  # bytes of what it writes to /tmp


@cache
def caged() -> bool:
    """Whether bubblewrap is here and works."""
    if not shutil.which("bwrap"):
        return False
    tried = subprocess.run(
        [*_walls(Limits().files), "--", sys.executable, "-I", "-c", ""], capture_output=True, check=False
    )
    return tried.returncode == 0


def allowed() -> None:
    """Raises Refused where a stranger's code would have to run without a cage and nobody has said it may."""
    if not caged() and os.environ.get(TRUST) != "1":
        raise Refused(
            "this agent is Python code, and bubblewrap, which would cage it, is not installed or does not work here; "
            "install it (`apt-get install bubblewrap`), or say --trust: the code then runs as you, and can read, "
            "change and send whatever you can"
        )


def _walls(size: int) -> list[str]:
    """Bubblewrap's arguments, without the agent; `size` bytes of files may be written."""
    given = ["bwrap", "--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"]
    given += ["--die-with-parent", "--new-session", "--clearenv", "--hostname", "cage", "--proc", "/proc"]
    given += _small("/tmp", size)  # before the environment, which may lie in it
    for folder in ("/usr", "/bin", "/lib", "/lib64", "/sbin", *_ETC):
        given += ["--ro-bind-try", folder, folder]
    for folder in dict.fromkeys((sys.base_prefix, sys.prefix)):
        if not folder.startswith("/usr/") and folder != "/usr":
            given += ["--ro-bind", folder, folder]
    return given


def _small(where: str, size: int) -> list[str]:
    return ["--size", str(size), "--tmpfs", where]


class Cell:
    """One process with an agent in it, from the start of a match to its end; gone when nobody holds it any more."""

    def __init__(self, folder: Path, extras: Sequence[Path], limits: Limits) -> None:
        """Raises Refused where there is no cage and none may be done without."""
        allowed()
        self._limits, self._left, self._until = limits, limits.match_seconds, 0.0
        self._line, theirs = socket.socketpair()
        with theirs, tempfile.TemporaryFile() as rules:
            fds = [theirs.fileno()]
            command = self._command(folder, extras, theirs.fileno(), rules.fileno() if caged() else None)
            if "--seccomp" in command:
                rules.write(program() or b"")
                rules.seek(0)
                fds.append(rules.fileno())
            self._process = subprocess.Popen(
                command,
                pass_fds=fds,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "HOME": "/tmp"},
                preexec_fn=self._limit,
                start_new_session=True,
            )
        self.close = weakref.finalize(self, _end, self._process, self._line)

    def _command(self, folder: Path, extras: Sequence[Path], line: int, rules: int | None) -> list[str]:
        script, folder = str(Path(inmate.__file__).resolve()), folder.resolve()
        more = [str(extra.resolve()) for extra in extras]
        if rules is None:
            return [sys.executable, "-I", "-B", script, str(line), str(folder), *more]
        shared = [f"/more/{number}" for number in range(len(more))]
        walls = [*_walls(self._limits.files), "--dev", "/dev", *_small("/dev/shm", self._limits.files)]
        walls += ["--ro-bind", script, "/inmate.py"]
        walls += ["--ro-bind", str(folder), "/agent", "--chdir", "/agent"]
        for outside, inside in zip(more, shared, strict=True):
            walls += ["--ro-bind", outside, inside]
        for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
            walls += ["--setenv", f"{name}_NUM_THREADS", "1"]
        walls += ["--setenv", "HOME", "/tmp", "--remount-ro", "/"]
        walls += ["--seccomp", str(rules)] if program() else []
        return [*walls, "--", sys.executable, "-I", "-B", "/inmate.py", str(line), "/agent", *shared]

    def _limit(self) -> None:
        for what, most in (
            (resource.RLIMIT_AS, self._limits.memory),
            (resource.RLIMIT_FSIZE, self._limits.files),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, 256),
        ):
            soft = resource.getrlimit(what)[1]
            most = most if soft == resource.RLIM_INFINITY else min(most, soft)
            resource.setrlimit(what, (most, most))

    def tell(self, kind: str, data: bytes | bytearray, seconds: float | None = None) -> None:
        """Sends a frame. Raises Fault where the process does not take it in time, or is gone."""
        self._within(seconds, lambda: self._line.sendall(_HEAD.pack(ord(kind), len(data)) + data))

    def hear(self, most: int, seconds: float | None = None) -> tuple[str, bytes]:
        """The next frame, of at most so many bytes. Raises Fault for silence, rubbish, or an end."""
        began = time.monotonic()
        found: list[tuple[str, bytes]] = []
        self._within(seconds, lambda: found.append(self._frame(most)))
        self._left -= time.monotonic() - began
        if self._left < 0:
            raise Fault(f"took more than {self._limits.match_seconds:g} s for a match")
        return found[0]

    def _frame(self, most: int) -> tuple[str, bytes]:
        kind, count = _HEAD.unpack(self._exactly(_HEAD.size))
        if count > most:
            raise Fault(f"broke the protocol: a frame of {count} bytes, wanted at most {most}")
        return chr(kind), self._exactly(count)

    def _exactly(self, count: int) -> bytes:
        parts: list[bytes] = []
        while count:
            self._line.settimeout(max(1e-3, self._until - time.monotonic()))  # for all of it: it may come in drips
            part = self._line.recv(min(count, 1 << 20))
            if not part:
                raise ConnectionError
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _within(self, seconds: float | None, do: Callable[[], None]) -> None:
        seconds = self._limits.step_seconds if seconds is None else seconds
        self._until = time.monotonic() + seconds
        self._line.settimeout(seconds)
        try:
            do()
        except TimeoutError:
            raise Fault(f"took more than {seconds:g} s for a step") from None
        except OSError:
            raise Fault(self._fate()) from None

    def _fate(self) -> str:
        """How the process ended, in words."""
        try:
            code = self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return "closed its line to the harness"
        number = -code if code < 0 else code - 128
        if number in signal.valid_signals() and number > 0:
            return f"its process was killed by {signal.Signals(number).name} (out of memory, or a crash)"
        return f"its process ended with exit code {code}"


def _end(process: "subprocess.Popen[bytes]", line: socket.socket) -> None:
    line.close()
    process.kill()
    process.wait()
