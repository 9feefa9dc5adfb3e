"""Python from outside at the table: every match in a cage of its own."""

import json
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Fault, Refused, unknown
from crossplay.benchmark.game import Game, GameSpec, Observation
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import Seeds
from crossplay.leaderboard.submission.cage import Cell
from crossplay.leaderboard.submission.inmate import WORDS
from crossplay.leaderboard.submission.walls import Limits, allowed

SITE = "site"  # folder beside the agent's, with what its requirements.txt asks for


class _Held(NamedTuple):
    """The memory of a caged policy: its process, and what it will be told first."""

    cell: Cell
    seeds: Seeds
    seat: int
    step: int = 0


class Caged(NamedTuple):
    """A policy whose decisions are made in a cage; its memory can be used once, as a process cannot be copied."""

    source: str
    folder: Path
    spec: GameSpec
    view: str
    limits: Limits
    watch: bool = False  # whether draws from global generators are looked for

    def begin(self, seeds: Seeds, seat: int) -> _Held:
        """Starts a process. Raises Refused where there is no cage and none may be done without."""
        extra = self.folder.with_name(f".{self.folder.name}.{SITE}")
        return _Held(Cell(self.folder, [extra] if extra.is_dir() else [], self.limits), seeds, seat)

    def act(self, observation: Observation, memory: _Held) -> tuple[np.ndarray, _Held]:
        """Raises Fault where the agent fails, is slow, or breaks the protocol."""
        cell, step = memory.cell, memory.step
        features, legal = np.ascontiguousarray(observation.features), np.ascontiguousarray(observation.legal)
        if not step:
            cell.tell("B", json.dumps(self._about(memory, features)).encode())
            _answer(cell, "R", 0, self.limits.start_seconds)
        cell.tell("O", features, legal)
        kind, data = _answer(cell, "Aa", 8 * len(features))
        if kind == "a" and self.watch:
            raise Fault("draws from the global generator of numpy or random; luck must come from its seed")
        return np.frombuffer(data, dtype="<i8").astype(np.int64), memory._replace(step=step + 1)

    def peak(self, memory: _Held) -> int:
        """Bytes of memory that its process has had at most so far, by its own account."""
        memory.cell.tell("P")
        return int.from_bytes(_answer(memory.cell, "P", 8)[1], "little", signed=True)

    def _about(self, memory: _Held, features: np.ndarray) -> dict[str, object]:
        return {
            "source": self.source,
            "game": self.spec.name,
            "seat": memory.seat,
            "seeds": memory.seeds.tolist(),
            "shape": list(features.shape[1:]),
            "dtype": features.dtype.str,
            "actions": list(self.spec.actions),
            "horizon": self.spec.horizon,
            "watch": self.watch,
        }


def _answer(cell: Cell, kinds: str, count: int, seconds: float | None = None) -> tuple[str, bytes]:
    """A frame of one of these kinds and so many bytes. Raises Fault for any other, and for what the agent raised."""
    kind, data = cell.hear(max(count, WORDS), seconds)
    if kind == "E":
        raise Fault(data.decode("utf-8", "replace"))
    if kind not in kinds or len(data) != count:
        raise Fault(f"broke the protocol: a frame {kind!r} of {len(data)} bytes, wanted {kinds[0]!r} of {count}")
    return kind, data


@POLICIES.register("python")
@config
class Python:
    """A class in a Python file of the card's folder, run in a cage: `source = "agent.py:Agent"`."""

    source: str = Field(pattern=r"^[\w./-]+\.py:\w+$")
    view: str = ""  # empty: the game's default view
    limits: Limits = Limits()

    alone: ClassVar[bool] = True  # its matches are not played beside others'

    def make(self, game: Game, files: Path | None) -> Caged:
        """Raises Refused where the file is missing, or where there is no cage and none may be done without."""
        allowed()
        view = self.view or game.spec.view
        if view not in game.spec.views:
            raise unknown(f"view of {game.spec.name}", view, game.spec.views)
        folder, file = (files or Path()).resolve(), self.source.partition(":")[0]
        if not (folder / file).is_file() or ".." in Path(file).parts:
            raise Refused(f"{folder}: no file {file} here, which source = {self.source!r} names")
        return Caged(self.source, folder, game.spec, view, self.limits)
