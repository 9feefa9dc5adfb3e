"""What there is to choose from, and what this machine is: rows of (name, words)."""

import inspect
import os
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from crossplay.benchmark.registry import GAMES, POLICIES, Registry

Rows = list[tuple[str, str]]


def _registered(registry: Registry) -> Rows:
    return [(name, (inspect.getdoc(registry[name]) or "").split("\n\n")[0].replace("\n", " ")) for name in registry]


def _games() -> Rows:
    import crossplay.benchmark.games  # noqa: F401  registers them

    return _registered(GAMES)


def _generators() -> Rows:
    import crossplay.leaderboard.suite  # noqa: F401  registers them
    from crossplay.populations.generator import GENERATORS

    return _registered(GENERATORS)


def _trainers() -> Rows:
    import crossplay.leaderboard.suite  # noqa: F401  registers them
    from crossplay.agents.trainer import TRAINERS

    return _registered(TRAINERS)


def _policies() -> Rows:
    import crossplay.leaderboard.suite  # noqa: F401  registers them

    return _registered(POLICIES)


def _metrics() -> Rows:
    from crossplay.leaderboard.metrics import METRICS

    return _registered(METRICS)


def _suites() -> Rows:
    from crossplay.benchmark.config import read_toml
    from crossplay.leaderboard.suite import shipped

    return [(name, str(read_toml(path).get("about", ""))) for name, path in shipped().items()]


def _layouts() -> Rows:
    from crossplay.benchmark.games.overcooked.layouts import CLASSIC_FIVE, layout_names

    return [(name, "one of the classic five" if name in CLASSIC_FIVE else "") for name in layout_names()]


SHELVES: dict[str, Callable[[], Rows]] = {
    "games": _games,
    "generators": _generators,
    "trainers": _trainers,
    "policies": _policies,
    "metrics": _metrics,
    "suites": _suites,
    "layouts": _layouts,
}


def doctor() -> Rows:
    """Versions, threads, numba's cache and devices."""
    import numba
    import torch

    from crossplay.benchmark import match

    packages = ("crossplay", "torch", "numpy", "numba", "overcooked-ai", "pettingzoo", "sqlalchemy", "pydantic")
    cache = Path(match.__file__).parent
    devices = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return [
        ("python", f"{platform.python_version()} on {platform.platform()}"),
        *((name, version(name)) for name in packages),
        ("harness", str(match.HARNESS)),
        ("cores", str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())),
        ("torch threads", str(torch.get_num_threads())),
        ("numba threads", str(numba.get_num_threads())),
        ("OMP_WAIT_POLICY", os.environ.get("OMP_WAIT_POLICY", "not set; worker processes get PASSIVE")),
        ("numba cache", os.environ.get("NUMBA_CACHE_DIR") or _writable(cache)),
        ("CUDA devices", ", ".join(devices) or "none; networks run on the CPU"),
    ]


def _writable(folder: Path) -> str:
    if os.access(folder, os.W_OK):
        return f"beside the code in {folder}"
    return f"{folder} is read-only: numba falls back to the user's cache folder; set NUMBA_CACHE_DIR to choose"
