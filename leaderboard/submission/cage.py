"""A stranger's code behind a line of plain frames: one match of it, in a cage that the next match may share.

What is shared is the cage's start. A match has a process, namespaces and a line of its own (see warden.py), and a cage
holds one match at a time, so two seats of one agent cannot reach each other either.
"""

import os
import signal
import socket
import struct
import subprocess
import tempfile
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossplay.benchmark.errors import Fault
from crossplay.leaderboard.submission import walls
from crossplay.leaderboard.submission.filter import program
from crossplay.leaderboard.submission.walls import Limits
from crossplay.leaderboard.submission.warden import ANSWER, GRACE, RUNNING, shell_code

IDLE = 2  # cages a process keeps for the next match: one a seat of an agent with itself
_HEAD = struct.Struct("<BI")
_idle: list["Cage"] = []


class Cage:
    """A process with a warden in it; or with an agent for one match, where a cage cannot be shared or there is none."""

    def __init__(self, key: tuple[Any, ...], folder: Path, extras: Sequence[Path], limits: Limits) -> None:
        self.key, self.shared = key, walls.shared()
        self._control, theirs = socket.socketpair()
        with theirs, tempfile.TemporaryFile() as rules:
            rules.write(program() or b"")
            rules.seek(0)
            self._process = subprocess.Popen(
                walls.command(folder, extras, limits, theirs.fileno(), rules.fileno()),
                pass_fds=[theirs.fileno(), rules.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "HOME": "/tmp"},
                preexec_fn=lambda: walls.limit(limits),
                start_new_session=True,
            )
        self.close = weakref.finalize(self, _end, self._process, self._control)

    def admit(self, seconds: float) -> socket.socket:
        """Begins a match; the harness's end of its line. Raises OSError where the cage has gone, or takes too long."""
        if not self.shared:
            return self._control
        self._control.settimeout(seconds)
        self._control.sendall(b"M")
        _, lines, _, _ = socket.recv_fds(self._control, 1, 1)
        if not lines:
            raise ConnectionError
        return socket.socket(fileno=lines[0])

    def leave(self, grace: float = 0.0) -> int:
        """Ends the match: its process is gone when this returns. The exit code, or RUNNING where it had to be ended."""
        if self.shared:
            try:
                self._control.settimeout(2 * GRACE)
                self._control.sendall(b"F" if grace else b"E")
                (code,) = ANSWER.unpack(self._control.recv(ANSWER.size))
            except (OSError, struct.error):
                grace = grace or GRACE  # the warden has ended, or is stuck: no other match in here
            else:
                _idle.append(self)
                for old in _idle[:-IDLE]:
                    old.close()
                del _idle[:-IDLE]
                return int(code)
        try:
            return shell_code(self._process.wait(grace))
        except subprocess.TimeoutExpired:
            return RUNNING
        finally:
            self.close()


def _end(process: "subprocess.Popen[bytes]", control: socket.socket) -> None:
    control.close()
    process.kill()
    process.wait()


def _admitted(folder: Path, extras: Sequence[Path], limits: Limits) -> tuple[Cage, socket.socket]:
    """A cage with a match begun in it: one that is free, or a new one."""
    places = [(str(place), place.stat().st_dev, place.stat().st_ino) for place in (folder, *extras)]
    key = (os.getpid(), limits, *places)  # the places themselves: an agent's folder may have been put there anew
    for cage in [cage for cage in _idle if cage.key == key]:
        _idle.remove(cage)
        try:
            return cage, cage.admit(limits.start_seconds)
        except OSError:  # it ended while nobody was in it
            cage.close()
    cage = Cage(key, folder, extras, limits)
    try:
        return cage, cage.admit(limits.start_seconds)
    except TimeoutError:
        cage.close()
        raise Fault(f"its cage took more than {limits.start_seconds:g} s to start") from None
    except OSError:
        raise Fault(f"its cage ended with exit code {cage.leave(GRACE)} before the match began") from None


class Cell:
    """One match of an agent; its process is gone when nobody holds this any more."""

    def __init__(self, folder: Path, extras: Sequence[Path], limits: Limits) -> None:
        """Raises Refused where there is no cage and none may be done without."""
        walls.allowed()
        self._limits, self._left = limits, limits.match_seconds
        self._cage, self._line = _admitted(folder.resolve(), extras, limits)
        self.close = weakref.finalize(self, _release, self._cage, self._line)

    def tell(self, kind: str, *parts: Any) -> None:
        """Sends a frame of these bytes. Raises Fault where the process does not take it in time, or is gone."""
        head = _HEAD.pack(ord(kind), sum(memoryview(part).nbytes for part in parts))
        seconds = self._limits.step_seconds
        self._line.settimeout(seconds)
        try:
            sent = self._line.sendmsg([head, *parts])
            if sent < _HEAD.size + _HEAD.unpack(head)[1]:  # more than the line holds at once
                self._line.sendall(b"".join([head, *map(bytes, parts)])[sent:])
        except OSError as error:
            raise self._fault(error, seconds) from None

    def hear(self, most: int, seconds: float | None = None) -> tuple[str, bytes]:
        """The next frame, of at most so many bytes. Raises Fault for silence, rubbish, or an end."""
        seconds, began = seconds or self._limits.step_seconds, time.monotonic()
        heard = b""
        try:
            while _missing(heard, most):
                self._line.settimeout(max(1e-3, began + seconds - time.monotonic()))  # for all: it may come in drips
                part = self._line.recv(_HEAD.size + most)
                if not part:
                    raise ConnectionError
                heard += part
        except OSError as error:
            raise self._fault(error, seconds) from None
        self._left -= time.monotonic() - began
        if self._left < 0:
            raise Fault(f"took more than {self._limits.match_seconds:g} s for a match")
        return chr(heard[0]), heard[_HEAD.size :]

    def _fault(self, error: OSError, seconds: float) -> Fault:
        if isinstance(error, TimeoutError):
            return Fault(f"took more than {seconds:g} s for a step")
        return Fault(self._fate())

    def _fate(self) -> str:
        """How the process ended, in words."""
        if not self.close.detach():
            return "its process has ended"
        code = self._cage.leave(GRACE)
        self._line.close()
        if code == RUNNING:
            return "closed its line to the harness"
        if code - 128 in signal.valid_signals():
            return f"its process was killed by {signal.Signals(code - 128).name} (out of memory, or a crash)"
        return f"its process ended with exit code {code}"


def _missing(heard: bytes, most: int) -> int:
    """How many bytes are still to come. Raises Fault where a frame is longer than `most`, or than it says."""
    if len(heard) < _HEAD.size:
        return _HEAD.size - len(heard)
    count: int = _HEAD.unpack_from(heard)[1]
    if count > most:
        raise Fault(f"broke the protocol: a frame of {count} bytes, wanted at most {most}")
    if len(heard) > _HEAD.size + count:
        raise Fault(f"broke the protocol: {len(heard) - _HEAD.size - count} bytes more than a frame of {count}")
    return _HEAD.size + count - len(heard)


def _release(cage: Cage, line: socket.socket) -> None:
    line.close()
    cage.leave()
