"""Bubblewrap around a stranger's code: what of the machine is seen inside, what may be used, and whether it works here.

Inside there is no network, no file but Python, the libraries and the agent's own folder (all read-only, but for a small
empty /tmp), no environment, no other process; and no way to start one, where there is a filter for the machine.
"""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from pydantic import PositiveFloat, PositiveInt

from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.leaderboard.submission.filter import program

TRUST = "CROSSPLAY_TRUST"  # set to 1: strangers' code may run without a cage; worker processes inherit it
_ETC = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/alternatives", "/etc/localtime")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_HERE = Path(__file__).resolve().parent
_SCRIPTS = "/cage"  # where ours lie inside
_INMATE, _WARDEN = "inmate.py", "warden.py"


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
    return bool(shutil.which("bwrap")) and _runs([*_walls(Limits().files), "--", sys.executable, "-I", "-c", ""])


def shared() -> bool:
    """Whether matches may share a cage's start: each in namespaces of its own, which not every kernel lets one nest."""
    return caged() and _nests()


@cache
def _nests() -> bool:
    if not program() or any(map(_temporary, (sys.prefix, sys.base_prefix))):
        return False
    return _runs([*_walls(Limits().files, nests=True), "--", *_script(_WARDEN), "try"])


def allowed() -> None:
    """Raises Refused where a stranger's code would have to run without a cage and nobody has said it may."""
    if not caged() and os.environ.get(TRUST) != "1":
        raise Refused(
            "this agent is Python code, and bubblewrap, which would cage it, is not installed or does not work here; "
            "install it (`apt-get install bubblewrap`), or say --trust: the code then runs as you, and can read, "
            "change and send whatever you can"
        )


def command(folder: Path, extras: Sequence[Path], limits: Limits, line: int, rules: int) -> list[str]:
    """What starts a cage with an agent's folder and what it requires in it; `line` and `rules` are descriptors."""
    more = [str(extra.resolve()) for extra in extras]
    if not caged():
        return [sys.executable, "-I", "-B", str(_HERE / _INMATE), str(line), str(folder), *more]
    inside = [f"/more/{number}" for number in range(len(more))]
    seen = [
        part for pair in zip([str(folder), *more], ["/agent", *inside], strict=True) for part in ("--ro-bind", *pair)
    ]
    walls = _walls(limits.files, [*seen, "--chdir", "/agent"], nests=shared())
    if shared():
        return [*walls, "--", *_script(_WARDEN), str(line), str(rules), str(limits.files), "/agent", *inside]
    walls += ["--seccomp", str(rules)] if program() else []
    return [*walls, "--", *_script(_INMATE), str(line), "/agent", *inside]


def limit(limits: Limits) -> None:
    """Bounds this process and all it starts."""
    for what, most in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_FSIZE, limits.files),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
    ):
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def _walls(size: int, seen: Sequence[str] = (), nests: bool = False) -> list[str]:
    """Bubblewrap's arguments; `size` bytes may be written to each of /tmp and /dev/shm, `seen` is the agent's part."""
    given = ["bwrap", "--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"]
    given += ["--cap-add", "CAP_SYS_ADMIN"] if nests else []  # for the warden, who drops it before the stranger's code
    given += ["--die-with-parent", "--new-session", "--clearenv", "--hostname", "cage", "--proc", "/proc"]
    given += ["--size", str(size), "--tmpfs", "/tmp"]  # before the environment, which may lie in it
    for folder in ("/usr", "/bin", "/lib", "/lib64", "/sbin", *_ETC):
        given += ["--ro-bind-try", folder, folder]
    for folder in dict.fromkeys((sys.base_prefix, sys.prefix)):
        if not folder.startswith("/usr/") and folder != "/usr":
            given += ["--ro-bind", folder, folder]
    for script in (_INMATE, _WARDEN):
        given += ["--ro-bind", str(_HERE / script), f"{_SCRIPTS}/{script}"]
    given += ["--tmpfs", "/dev", "--symlink", "/proc/self/fd", "/dev/fd"]
    for name in _DEVICES:
        given += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    given += ["--size", str(size), "--tmpfs", "/dev/shm"]
    for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
        given += ["--setenv", f"{name}_NUM_THREADS", "1"]
    given += ["--setenv", "HOME", "/tmp", *seen]
    for place in ("/dev", "/proc", "/"):  # /proc too: where the harness is root, its sysctls are the stranger's to set
        given += ["--remount-ro", place]
    return given


def _script(name: str) -> list[str]:
    return [sys.executable, "-I", "-B", f"{_SCRIPTS}/{name}"]


def _runs(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL).returncode == 0


def _temporary(folder: str) -> bool:
    """Whether a folder lies where every match gets an empty place of its own."""
    return any(Path(folder).resolve().is_relative_to(place) for place in ("/tmp", "/dev/shm"))
