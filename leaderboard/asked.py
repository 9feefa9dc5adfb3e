"""What language models have answered, counted from the tapes beside their cards and told now and then."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from crossplay.benchmark.card import Card
from crossplay.benchmark.config import from_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.registry import POLICIES
from crossplay.populations.llm import tape
from crossplay.populations.llm.live import LLM, speaker

EVERY = 20.0  # seconds


class Spent(NamedTuple):
    """What a tape holds."""

    answers: int = 0
    none: float = 0.0  # of them named no option
    calls: int = 0
    read: int = 0  # tokens
    written: int = 0
    dollars: float = 0.0


class Asked:
    """The live models among some cards; nothing is told where there are none."""

    def __init__(self, cards: Iterable[Card]) -> None:
        live = {card.root: speaker(card.maker) for card in cards if card.root}
        models = {root: maker for root, maker in live.items() if maker and maker["kind"] == "llm"}
        self._models: dict[Path, LLM] = {root: from_table(POLICIES, maker) for root, maker in models.items()}
        self._due = time.monotonic() + EVERY

    def told(self, *, at_last: bool = False) -> str:
        """Calls, tokens, what they cost and how many answers named no option; empty where it was told just now."""
        if not self._models or (time.monotonic() < self._due and not at_last):
            return ""
        self._due = time.monotonic() + EVERY
        spent = [told for root, model in self._models.items() if (told := _spent(model, root / model.tape)).answers]
        if not spent:
            return ""
        sums = Spent(*map(sum, zip(*spent, strict=True)))
        cost = f", ${sums.dollars:.2f}" if any(model.prices for model in self._models.values()) else ""
        return (
            f"language models: {sums.calls:,} calls, {sums.read:,} tokens read and {sums.written:,} written{cost}; "
            f"{sums.none / sums.answers:.1%} of {sums.answers:,} answers named no option"
        )


def _spent(model: LLM, path: Path) -> Spent:
    try:
        told = tape.stats(path) if path.is_file() else None
    except Refused:  # somebody is writing a line just now
        told = None
    if not told or not told["answers"]:
        return Spent()
    read, written = told["prompt_tokens"], told["completion_tokens"]
    none = told["answers"] * told["fallback"]
    return Spent(told["answers"], none, told["calls"], read, written, model.dollars(read, written))
