"""Work spread over processes: one single-threaded process per core, results as they come."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from threading import Thread
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.registry import GAMES, POLICIES

T = TypeVar("T")
R = TypeVar("R")


def one_thread() -> None:
    """Keeps this process to one thread in libraries loaded from now on; what the user's environment says wins."""
    if "numba" in sys.modules:  # it would refuse the change, and too late it is anyway
        return
    for name in ("OMP", "MKL", "OPENBLAS", "NUMBA"):
        os.environ.setdefault(f"{name}_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@contextmanager
def single_threaded() -> Iterator[None]:
    """One thread inside: faster at these sizes, where threads mostly wait, and the same rounding in every process."""
    loaded = [sys.modules[name] for name in ("torch", "numba") if name in sys.modules]
    threads = [library.get_num_threads() for library in loaded]
    with threadpool_limits(1, user_api="blas"):
        for library in loaded:
            library.set_num_threads(1)
        try:
            yield
        finally:
            for library, count in zip(loaded, threads, strict=True):
                library.set_num_threads(count)


def default_jobs() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_processes(
    function: Callable[[T], R], tasks: Sequence[T], jobs: int, on_refused: Callable[[Refused], None] | None = None
) -> Iterator[R]:
    """function(task) for every task, in any order, in `jobs` processes (1: in this one).

    A Refused from one task does not stop the others: it is handed to `on_refused`, or raised when all are done.
    """
    if jobs < 1:
        raise Refused(f"jobs must be at least 1; given {jobs}")
    faults: list[Refused] = []
    for outcome in _outcomes(function, tasks, min(jobs, len(tasks))):
        if not isinstance(outcome, Refused):
            yield outcome
        elif on_refused:
            on_refused(outcome)
        else:
            faults.append(outcome)
    if faults:
        raise faults[0]


def _outcomes(function: Callable[[T], R], tasks: Sequence[T], jobs: int) -> Iterator[Any]:
    if jobs <= 1:
        yield from (_guarded(function, task) for task in tasks)
        return
    from joblib import Parallel, delayed, parallel_config

    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads starve the other core's process
    with parallel_config(backend="loky", inner_max_num_threads=1):
        modules = sorted(GAMES.modules | POLICIES.modules)
        calls = (delayed(_informed)(modules, os.getpid(), function, task) for task in tasks)
        yield from Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="2*n_jobs")(calls)


def _informed(modules: Sequence[str], parent: int, function: Callable[[T], R], task: T) -> R | Refused:
    """_guarded in a process that knows every game and policy its parent knows, and ends with it."""
    _outlive_nobody(parent)
    for module in modules:
        import_module(module)
    return _guarded(function, task)


@cache
def _outlive_nobody(parent: int) -> None:
    """Ends this process soon after its parent: one that trains on would write where the next run writes."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    if os.getppid() == parent:
        Thread(target=watch, daemon=True).start()


def _guarded(function: Callable[[T], R], task: T) -> R | Refused:
    try:
        return function(task)
    except Refused as refused:
        return refused
