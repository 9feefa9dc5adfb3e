"""A debater at rest and at play: an adapter a seat over a frozen base, answering with the likeliest tokens."""

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import safetensors.torch
from pydantic import PositiveInt
from torch import Tensor

from crossplay.agents.llm.base import Lora, Place, hashed, load, located
from crossplay.agents.llm.brain import Brain
from crossplay.agents.training import pick_device
from crossplay.benchmark.config import config, sha256
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import Seeds
from crossplay.benchmark.text import Asked, TextGame

ADAPTERS = "adapters.safetensors"
WHERE = "CROSSPLAY_DEVICE"  # where debaters speak in matches; what they say may differ from device to device
ROWS, PAD, TOGETHER = 16, 16, 64  # rows and prompt tokens are padded to multiples, so that few shapes are ever computed


class Voice:
    """One adapter of a brain. A reply is a function of the prompt, so it is asked for once and remembered."""

    def __init__(self, brain: Brain, name: str | None, limit: int) -> None:
        self._brain, self._name, self._limit = brain, name, limit
        self._known: dict[str, str] = {}

    def replies(self, prompts: Sequence[str]) -> list[str]:
        """One reply a prompt."""
        new = [prompt for prompt in dict.fromkeys(prompts) if prompt not in self._known]
        lengths: dict[int, list[str]] = {}
        for prompt, tokens in zip(new, self._brain.encoded(new), strict=True):
            lengths.setdefault(-(-len(tokens) // PAD), []).append(prompt)
        for group in lengths.values():
            for start in range(0, len(group), TOGETHER):
                self._learn(group[start : start + TOGETHER])
        return [self._known[prompt] for prompt in prompts]

    def _learn(self, prompts: list[str]) -> None:
        rows = -(-len(prompts) // ROWS) * ROWS
        padded = [*prompts, *[prompts[-1]] * (rows - len(prompts))]
        said = self._brain.say(padded, self._name, limit=self._limit, pad=PAD)
        self._known.update(zip(prompts, said.texts, strict=False))


class _Debater(NamedTuple):
    voices: tuple[Voice, Voice]

    def begin(self, seeds: Seeds, seat: int) -> int:
        return seat

    def reply(self, asked: Sequence[Asked], memory: int) -> tuple[list[str], int]:
        return self.voices[memory].replies([one.prompt for one in asked]), memory


@POLICIES.register("debater")
@config
class Debater:
    """A language model with an adapter a seat, or none: then the base itself. Raises Refused for games of actions."""

    base: Place = Place()
    lora: Lora = Lora()
    adapted: bool = True  # whether there are adapters beside the card
    tokens: PositiveInt = 6  # an answer, at most

    def make(self, game: Game, files: Path | None) -> _Debater:
        """Raises Refused where the base is not there, or is not the one the card was made with."""
        if not isinstance(game, TextGame):
            raise Refused(f"debater speaks; {game.spec.name} wants numbered actions")
        folder = located(self.base.name) if self.base.name else files
        if folder is None:
            raise Refused("debater: neither a card's folder nor base.name given, so there is no model")
        found = hashed(folder)
        if self.base.sha256 and found != self.base.sha256:
            raise Refused(
                f"debater: base in {folder} has SHA-256 {found[:12]}…, the card wants {self.base.sha256[:12]}…"
            )
        data = (files / ADAPTERS).read_bytes() if self.adapted and files else None
        return _debater(self, found, folder, data)


def packed(adapters: Mapping[str, Mapping[str, Tensor]]) -> bytes:
    """Adapters by name as the content of one safetensors file."""
    return safetensors.torch.save({f"{name}:{key}": w for name, part in adapters.items() for key, w in part.items()})


def unpacked(data: bytes, name: str) -> dict[str, Tensor]:
    """One adapter of `packed`. Raises Refused where the file has none of that name."""
    found = {k.partition(":")[2]: w for k, w in safetensors.torch.load(data).items() if k.partition(":")[0] == name}
    if not found:
        raise Refused(f"{ADAPTERS}: no adapter {name!r} in it")
    return found


_BRAINS: dict[tuple[str, str, Lora], Brain] = {}  # the last base only: it is what takes memory


def _debater(maker: Debater, base: str, folder: Path, data: bytes | None) -> _Debater:
    return _voices(maker, base, folder, sha256(data) if data else "", data)


@lru_cache(maxsize=128)
def _voices(maker: Debater, base: str, folder: Path, mark: str, data: bytes | None) -> _Debater:
    brain = _brain(base, maker.base.dtype, maker.lora, folder)
    if data is None:
        voice = Voice(brain, None, maker.tokens)
        return _Debater((voice, voice))
    names = [f"c{mark[:24]}s{seat}" for seat in range(2)]
    for seat, name in enumerate(names):
        if not brain.has(name):  # two cards may be of equal content
            brain.add(name, tensors=unpacked(data, f"agent{seat}"))
    return _Debater(tuple(Voice(brain, name, maker.tokens) for name in names))  # type: ignore[arg-type]


def _brain(base: str, dtype: str, lora: Lora, folder: Path) -> Brain:
    key = (base, dtype, lora)
    if key not in _BRAINS:
        _BRAINS.clear()
        model, words = load(folder, dtype, pick_device(os.environ.get(WHERE, "cpu")))
        _BRAINS[key] = Brain(model, words, lora, "blank")
    return _BRAINS[key]
