"""Runs inside the cage, forked by the warden or as a script: numpy, the stranger's code, and a socket to the harness.

A frame is one byte of kind, four of length (little endian), and that many bytes. The harness sends B (begin: JSON), O
(observation: features, then legal, as raw arrays) and P; back go R (ready), A (actions, int64; `a` where a global
generator was drawn from), P (peak of memory in bytes, int64), or E (what went wrong, in words). Nothing is pickled.
"""

import importlib.util
import inspect
import json
import os
import random
import resource
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

WORDS = 2000  # of an error, in bytes
HEAD = struct.Struct("<BI")


class Observation(NamedTuple):
    """What a seat sees: features [episodes, *view] and legal [episodes, actions]."""

    features: np.ndarray
    legal: np.ndarray


Act = Callable[[np.ndarray, np.ndarray], Any]


def receive(line: socket.socket, data: np.ndarray, got: int = 0) -> None:
    """Fills an array of bytes but for the first `got`; ends the process where the harness has gone."""
    view = memoryview(data)[got:]  # type: ignore[arg-type]
    while view:
        count = line.recv_into(view)
        if not count:
            os._exit(0)
        view = view[count:]


def send(line: socket.socket, kind: str, data: bytes) -> None:
    """One frame."""
    line.sendall(HEAD.pack(ord(kind), len(data)) + data)


def load(source: str, folder: Path) -> Callable[..., Any]:
    """What `file.py:name` is in the agent's folder."""
    file, _, name = source.partition(":")
    sys.path.insert(0, str(folder))
    spec = importlib.util.spec_from_file_location(Path(file).stem, folder / file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file}: no such Python file in the agent's folder")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    if not hasattr(module, name):
        raise AttributeError(f"{file} has no {name!r}")
    made: Callable[..., Any] = getattr(module, name)
    return made


def build(make: Callable[..., Any], about: dict[str, Any], seed: int) -> Any:
    """An agent, given what it asks for by name: game, seat, seed, actions, shape, horizon."""
    known = {**{name: about[name] for name in ("game", "seat", "actions", "shape", "horizon")}, "seed": seed}
    try:
        wanted = inspect.signature(make).parameters
    except ValueError:
        wanted = {}  # type: ignore[assignment]
    return make(**{name: value for name, value in known.items() if name in wanted})


def adapted(make: Callable[..., Any], about: dict[str, Any]) -> Act:
    """A batch of episodes played by whatever was made: a Policy, a model that predicts, or one agent an episode."""
    seeds = np.array(about["seeds"], dtype=np.uint64)
    first = build(make, about, int(seeds[0]))
    if hasattr(first, "begin"):
        return _policy(first, seeds, about["seat"])
    if hasattr(first, "predict"):
        return _model(first, len(seeds))
    if not hasattr(first, "act"):
        raise TypeError(f"{type(first).__name__} has none of begin, act and predict")
    every = [first, *(build(make, about, int(seed)) for seed in seeds[1:])]
    return lambda features, legal: [one.act(features[i], legal[i]) for i, one in enumerate(every)]


def _policy(policy: Any, seeds: np.ndarray, seat: int) -> Act:
    memory = [policy.begin(seeds, seat)]

    def act(features: np.ndarray, legal: np.ndarray) -> Any:
        chosen, memory[0] = policy.act(Observation(features, legal), memory[0])
        return chosen

    return act


def _model(model: Any, episodes: int) -> Act:
    state: list[Any] = [None, np.ones(episodes, dtype=bool)]

    def act(features: np.ndarray, legal: np.ndarray) -> Any:
        chosen, state[0] = model.predict(features, state=state[0], episode_start=state[1], deterministic=True)
        state[1] = np.zeros(episodes, dtype=bool)
        return chosen

    return act


def _luck() -> tuple[Any, ...]:
    told = np.random.get_state()  # noqa: NPY002
    return told[2], told[1][0], random.getstate()[1][-1]  # type: ignore[index]


def begin(line: socket.socket, folder: Path) -> tuple[dict[str, Any], Act]:
    """Hears what the match is, and has the agent made for it."""
    head = np.empty(HEAD.size, np.uint8)
    receive(line, head)
    data = np.empty(HEAD.unpack(head.tobytes())[1], np.uint8)
    receive(line, data)
    about = json.loads(data.tobytes())
    act = adapted(load(about["source"], folder), about)
    send(line, "R", b"")
    return about, act


def serve(line: socket.socket, folder: Path) -> None:
    """Plays one match: begins, then answers every observation."""
    before = _luck()
    about, act = begin(line, folder)
    shape, dtype, head = (len(about["seeds"]), *about["shape"]), np.dtype(about["dtype"]), np.empty(HEAD.size, np.uint8)
    middle = int(np.prod(shape)) * dtype.itemsize
    while True:
        data = np.empty(middle + shape[0] * len(about["actions"]), np.uint8)  # new: an agent may keep what it saw
        got = line.recvmsg_into([head, data])[0]  # type: ignore[list-item]
        receive(line, head, min(got, HEAD.size))
        if head[0] == ord("P"):
            send(line, "P", struct.pack("<q", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))
            continue
        receive(line, data, max(got - HEAD.size, 0))
        features, legal = data[:middle].view(dtype).reshape(shape), data[middle:].view(np.bool_).reshape(shape[0], -1)
        chosen = np.asarray(act(features, legal))
        if chosen.shape != (shape[0],) or not np.issubdtype(chosen.dtype, np.integer):
            raise ValueError(
                f"actions have shape {list(chosen.shape)} and dtype {chosen.dtype}, wanted [{shape[0]}] int"
            )
        drawn = about["watch"] and _luck() != before
        send(line, "a" if drawn else "A", chosen.astype("<i8").tobytes())


def words(error: BaseException, folder: Path) -> str:
    """What was raised, and where in the agent's own files."""
    own = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(str(folder))]
    where = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    return f"{type(error).__name__}: {error}{where}"


def main(number: int, agent: str, *more: str) -> NoReturn:
    """Plays a match: descriptor of the socket, folder of the agent, folders with what it requires."""
    line, folder = socket.socket(fileno=number), Path(agent)
    sys.path[:0] = more
    try:
        serve(line, folder)
    except BaseException as error:  # a stranger's code may raise anything, SystemExit included
        told = words(error, folder).encode("utf-8", "replace")[:WORDS]
        send(line, "E", told)
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
