"""People playing: the games recorded in the installed overcooked-ai package, as arrays [Carroll2019].

The files are pickles, so only the package's own copies are read (by checksum), and by a reader that knows nothing
but tables of plain values. The test file is never read unless asked for by name.
"""

import hashlib
import importlib.util
import io
import json
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.overcooked.layouts import DIRECTIONS, load_layout
from crossplay.benchmark.games.overcooked.state import State, fresh, place
from crossplay.benchmark.games.overcooked.tables import tables

Split = Literal["train", "test"]
_FILES = {"train": "clean_train_trials.pickle", "test": "clean_test_trials.pickle"}
_SHA256 = {
    "train": "28659cfd09ee033d82b56bed905b239f078877e1b09d1f1b916e4bc0480ca4fa",
    "test": "59979552a053f1efe762de976f37dd83e269d70d19b67613c61e856c86705666",
}
_LAYOUTS = {"random0": "forced_coordination", "random3": "counter_circuit_o_1order"}  # names the study used
_REWARD = 4  # a delivery is recorded as 5 and pays 20


@dataclass(frozen=True, eq=False)
class Recording:
    """One game of one pair under classic rules, 150 ms a frame; frames are the rows of both states."""

    pair: int  # the study's number for the two people
    layout: str
    before: State  # [frames] what they saw; `clock` is the frame's number
    actions: np.ndarray  # int64 [frames, 2] what they did
    after: State  # [frames] what came of it
    rewards: np.ndarray  # float64 [frames] what it paid the team, 20 a soup
    score: float  # the whole game's, as recorded

    def __len__(self) -> int:
        return len(self.actions)


@cache
def recordings(split: Split = "train") -> tuple[Recording, ...]:
    """All games of a file, in its order: 39 in train, 37 in test. Raises Refused where it is not the released file."""
    table = _read(split)
    games: dict[tuple[int, str], list[int]] = {}
    for row, key in enumerate(zip(table["workerid_num"], table["layout_name"], strict=True)):
        games.setdefault(key, []).append(row)
    return tuple(_recording(table, int(pair), name, rows) for (pair, name), rows in games.items())


def _recording(table: dict[str, np.ndarray], pair: int, name: str, rows: list[int]) -> Recording:
    layout = _LAYOUTS.get(name, name)
    texts = [table["state"][row] for row in rows] + [table["next_state"][rows[-1]]]
    frames = [_frame(text) for text in texts]
    after = frames[1:]
    for k, row in enumerate(rows[:-1]):
        if table["next_state"][row] != texts[k + 1]:
            after[k] = _frame(table["next_state"][row])
    return Recording(
        pair=pair,
        layout=layout,
        before=_batch(layout, frames[:-1], 0),
        actions=np.array([_actions(table["joint_action"][row]) for row in rows], dtype=np.int64),
        after=_batch(layout, after, 1),
        rewards=_REWARD * table["reward"][rows].astype(np.float64),
        score=_REWARD * float(table["score"][rows[-1]]),
    )


def _batch(layout: str, frames: list[dict[str, Any]], first: int) -> State:
    state = fresh(load_layout(layout), tables(layout, "classic"), max(400, len(frames)), len(frames))
    for row, frame in enumerate(frames):
        place(state, row, {**frame, "timestep": first + row})
    return state


def _frame(text: str) -> dict[str, Any]:
    """A recorded state in today's form; the pots' timers ran on past done, which `place` cuts off."""
    raw = _parse(text)
    players = [{**player, "held_object": _object(player.get("held_object"))} for player in raw["players"]]
    return {"players": players, "objects": [_object(item) for item in raw["objects"].values()]}


def _parse(text: str) -> Any:
    """A literal of dicts, lists, names and numbers; ten times as fast as ast.literal_eval."""
    return json.loads(text.replace("'", '"').replace("False", "false").replace("True", "true"))


def _object(item: dict[str, Any] | None) -> dict[str, Any] | None:
    if item is None or item["name"] != "soup":
        return item
    kind, count, timer = item["state"]
    return {**item, "_ingredients": [{"name": kind}] * count, "cooking_tick": timer or -1}


def _actions(text: str) -> list[int]:
    return [5 if a == "INTERACT" else 4 if a == [0, 0] else DIRECTIONS.index(tuple(a)) for a in _parse(text)]


def _read(split: Split) -> dict[str, np.ndarray]:
    """The file's columns. Raises Refused for an unknown split or a file that is not the released one."""
    if split not in _FILES:
        raise Refused(f"human games: split {split!r} given, wanted train or test")
    spec = importlib.util.find_spec("overcooked_ai_py")
    if spec is None or spec.submodule_search_locations is None:
        raise Refused("human games are read from the package overcooked-ai, which is not installed")
    path = Path(spec.submodule_search_locations[0]) / "data" / "human_data" / _FILES[split]
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != _SHA256[split]:
        raise Refused(f"{path}: not the released file: its SHA-256 is not {_SHA256[split]}")
    return dict(_columns(_Reader(io.BytesIO(data)).load()))


class _Shell:
    """Stands in for a pandas class: keeps what the pickle hands it and does nothing."""

    def __init__(self, *args: Any) -> None:
        self.args = args
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Reader(pickle.Unpickler):
    """Knows numpy arrays and shells; refuses everything else."""

    _NUMPY = {"_reconstruct": np.zeros(0).__reduce__()[0], "ndarray": np.ndarray, "dtype": np.dtype}  # noqa: RUF012
    _PANDAS = {"DataFrame", "BlockManager", "Index", "Int64Index"}  # noqa: RUF012

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("numpy") and name in self._NUMPY:
            return self._NUMPY[name]
        if module.startswith("pandas.core") and name in self._PANDAS:
            return _Shell
        if (module, name) == ("pandas.core.indexes.base", "_new_Index"):
            return lambda _, state: state["data"]
        raise Refused(f"human games: the file wants {module}.{name}, which is not read")


def _columns(frame: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Column by column out of the shells: name, values [rows]."""
    _, values, items = frame.state["_data"].state[:3]
    for block, names in zip(values, items, strict=True):
        yield from zip(names, block, strict=True)
