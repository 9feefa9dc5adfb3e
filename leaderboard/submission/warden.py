"""Runs inside the cage as its trusted part: imports numpy once, and forks a child for every match, one ahead.

The stranger's code is in the child alone, which has namespaces of its own: it sees no process of the cage's or of an
earlier match, and its /tmp is new. When the match ends the child's first process ends, and the kernel everything in it.
Over the control socket come M (a match; the answer is its line, as a descriptor), E (end it) and F (how did it end?);
the answer to both is the exit code as a shell has it, or RUNNING.
"""

import ctypes
import gc
import os
import signal
import socket
import struct
import sys
import time
from importlib import import_module
from typing import Any, NoReturn

RUNNING = -1  # until it was ended
ANSWER = struct.Struct("<h")
GRACE = 2.0  # seconds in which an agent that has closed its line may end
_PROCESSES, _MOUNTS = 0x20000000, 0x00020000  # CLONE_NEWPID, CLONE_NEWNS
_PRIVATE, _NO_SUID_DEV, _CLOSED = 0x4000 | 0x40000, 2 | 4, 1 | 2 | 4 | 8  # flags of mount; the last is read-only
_DEATH, _DUMPABLE, _SECCOMP, _NO_NEW = 1, 4, 22, 38  # of prctl
_libc: Any = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ushort), ("lines", ctypes.c_char_p)]


def _call(name: str, *given: Any) -> None:
    """A system call that has to succeed; a match without all its walls is not played."""
    if getattr(_libc, name)(*given):
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def _set(what: int, *values: Any) -> None:
    _call(
        "prctl", what, *[v if not isinstance(v, int) else ctypes.c_ulong(v) for v in values], *[0] * (4 - len(values))
    )


def shell_code(code: int) -> int:
    """An exit code as a shell has it: of a process that a signal ended, 128 and its number."""
    return code if code >= 0 else 128 - code


def _code(status: int) -> int:
    return shell_code(os.waitstatus_to_exitcode(status))


def _mount(size: int) -> None:
    """A /tmp, a /dev/shm and a /proc of this match's own."""
    small = f"size={size},mode=0700".encode()
    _call("mount", b"none", b"/", None, ctypes.c_ulong(_PRIVATE), None)
    _call("mount", b"tmpfs", b"/tmp", b"tmpfs", ctypes.c_ulong(_NO_SUID_DEV), small)
    _call("mount", b"tmpfs", b"/dev/shm", b"tmpfs", ctypes.c_ulong(_NO_SUID_DEV), small)
    _call("mount", b"proc", b"/proc", b"proc", ctypes.c_ulong(_CLOSED), None)


def _drop(rules: bytes) -> None:
    """Gives up every capability, and every system call of the filter's, for good."""
    version = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _call("capset", ctypes.byref(version), ctypes.byref((ctypes.c_uint32 * 6)()))
    _set(_NO_NEW, 1)
    _set(_SECCOMP, 2, ctypes.byref(_Program(len(rules) // 8, rules)))


def _apart(size: int, rules: bytes, line: int) -> None:
    """In the first process of new namespaces: returns in a second one, without privileges, and ends as that does."""
    _set(_DEATH, signal.SIGKILL)
    _call("unshare", _MOUNTS)
    _mount(size)
    child = os.fork()
    _drop(rules)
    if not child:
        _set(_DUMPABLE, 1)  # may look at itself again; its parent stays closed to it
        return
    os.close(line)  # so that the harness hears when the agent's own process lets go of it
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(_code(status))


def _play(number: int, size: int, rules: bytes) -> None:
    """In a forked process: one match, with no descriptor of the warden's but that which has become its line."""
    for other in (0, 1, 2):  # opened anew: flags and locks on what is shared would outlast the match
        again = os.open(os.devnull, os.O_RDWR)
        os.dup2(again, other)
        os.close(again)
    os.closerange(3, number)
    os.closerange(number + 1, 256)
    _apart(size, rules, number)
    sys.modules["numpy"].random.seed()  # whoever draws from it is to be found out, not to draw the same every time
    sys.modules["inmate"].main(number, *sys.argv[4:])


def _first() -> int:
    """Forks the first process of a new PID namespace; its number, and 0 in it. The caller stays where it is."""
    own = os.open("/proc/self/ns/pid", os.O_RDONLY)
    _call("unshare", _PROCESSES)
    child = os.fork()
    if child:
        _call("setns", own, _PROCESSES)
    os.close(own)
    return child


def _ahead(number: int, size: int, rules: bytes) -> tuple[int, socket.socket]:
    """A process for a match, its walls up and none of the agent's code loaded: it waits for what its line will say."""
    line, theirs = socket.socketpair()
    child = _first()
    if child:
        theirs.close()
        return child, line
    os.dup2(theirs.fileno(), number)
    try:
        _play(number, size, rules)
    except BaseException as error:
        told = f"the cage could not be closed: {error}".encode()
        os.write(number, b"E" + len(told).to_bytes(4, "little") + told)
    finally:
        os._exit(1)


def _end(child: int, grace: float) -> int:
    """The exit code of a match's process, with which all others of the match end; RUNNING where it had to be ended."""
    until, ended = time.monotonic() + grace, os.waitpid(child, os.WNOHANG)
    while not ended[0] and time.monotonic() < until:
        time.sleep(0.01)
        ended = os.waitpid(child, os.WNOHANG)
    if ended[0]:
        return _code(ended[1])
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return RUNNING


def serve(control: socket.socket, size: int, rules: bytes) -> NoReturn:
    """Match after match, until the harness lets go."""
    child, line = _ahead(control.fileno(), size, rules)
    while control.recv(1) == b"M":
        now = child
        socket.send_fds(control, [b"M"], [line.fileno()])
        line.close()
        child, line = _ahead(control.fileno(), size, rules)
        grace = GRACE if control.recv(1) == b"F" else 0.0
        control.sendall(ANSWER.pack(_end(now, grace)))
    os._exit(0)


def _try() -> NoReturn:
    """Whether this kernel lets a cage be divided, and once more."""
    for _ in range(2):
        child = _first()
        if not child:
            _apart(2**20, bytes.fromhex("060000000000ff7f"), os.open(os.devnull, os.O_RDWR))
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            os._exit(1)
    os._exit(0)


def main() -> None:
    """The script: descriptors of control socket and filter, bytes of /tmp, the agent's folder, what it requires."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a handler would let the first process of a match be interrupted
    _set(_DUMPABLE, 0)
    if sys.argv[1] == "try":
        _try()
    sys.path.insert(0, os.path.dirname(__file__))
    for module in ("inmate", "numpy.random"):
        import_module(module)
    del sys.path[0]
    gc.freeze()  # what is here now is not copied when a match collects its own garbage
    with open(int(sys.argv[2]), "rb") as file:
        rules = file.read()
    serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[3]), rules)


if __name__ == "__main__":
    main()
