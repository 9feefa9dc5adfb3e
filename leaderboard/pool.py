"""Which held-out partners a board scores: a fixture never, nor a language model that too often names no option."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossplay.benchmark.card import Card
from crossplay.populations.llm import tape
from crossplay.populations.llm.hf_backend import FIXTURE
from crossplay.populations.llm.live import TAPE, asks

MOST_FALLBACKS = 0.05  # of a model's answers


def unfit(card: Card) -> str:
    """Why a partner is not scored; empty where it is."""
    if card.family == FIXTURE:
        return f"{FIXTURE} is a fixture that was trained here, and no language model"
    path = tape_of(card)
    share = (tape.stats(path)["fallback"] or 0.0) if path and path.is_file() else 0.0
    if share > MOST_FALLBACKS:
        return f"{share:.1%} of its answers named no option, more than {MOST_FALLBACKS:.0%}"
    return ""


def tape_of(card: Card) -> Path | None:
    """The tape of a language model's card; None for any other card."""
    if not asks(card.maker):
        return None
    maker: dict[str, Any] = card.maker
    while "maker" in maker:
        maker = maker["maker"]
    return (card.root or Path()) / str(maker.get("tape", TAPE))


def parted(held_out: Sequence[Card]) -> tuple[tuple[Card, ...], tuple[tuple[Card, str], ...]]:
    """Held-out partners that are scored, and those that are not, with the reason."""
    reasons = [unfit(card) for card in held_out]
    scored = tuple(card for card, reason in zip(held_out, reasons, strict=True) if not reason)
    return scored, tuple((card, reason) for card, reason in zip(held_out, reasons, strict=True) if reason)
