"""Language models as partners: one live card a persona; what a model answers goes to the tape beside its card."""

import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from crossplay.benchmark.card import NAME, Card
from crossplay.benchmark.config import config, read_toml, sha256, to_table
from crossplay.benchmark.errors import Refused, unknown
from crossplay.benchmark.game import Game
from crossplay.populations.generator import GENERATORS
from crossplay.populations.llm.hf_backend import FIXTURE, HFBackend, fixture
from crossplay.populations.llm.live import LLM
from crossplay.populations.llm.macros import adapter
from crossplay.populations.llm.openai_backend import OpenAIBackend

FAMILY = "llm"


@cache
def personas(kind: str) -> dict[str, str]:
    """Personas that come with the package for a kind of game: name → what the model is told."""
    found = read_toml(Path(str(resources.files("crossplay.populations"))) / "llm" / "personas.toml")
    told: dict[str, str] = found[kind]
    return told


class _Cards(NamedTuple):
    cooks: tuple[tuple[str, str, LLM], ...]  # name of the card, of the persona, the player
    game: Game
    out: Path

    def make(self) -> list[Card]:
        """Saves one card a persona; a tape that is there already stays."""
        return [self._card(name, persona, cook).save(self.out / name) for name, persona, cook in self.cooks]

    def _card(self, name: str, persona: str, cook: LLM) -> Card:
        return Card(
            name=name,
            maker=to_table(cook),
            game=self.game.spec.name,
            family=family(cook),
            lineage=f"{family(cook)}/{cook.model}",
            record={"model": cook.model, "persona": persona, "persona_sha256": sha256(cook.persona)},
        )


@GENERATORS.register("llm")
@config
class Cooks:
    """A language model, behind an endpoint or on this machine, as one partner a persona; without a list, all shipped.

    A persona is a shipped one's name, or `name: what the model is told`. Nothing is asked before they play.
    """

    personas: tuple[str, ...] = ()
    name: str = Field(default="", pattern=f"{NAME}|^$")  # before the persona's; the model's where not given
    backend: OpenAIBackend | None = None
    local: HFBackend | None = None
    samples: PositiveInt = 1
    calls: PositiveInt = 10_000  # most calls of one partner, over all its matches
    tokens: PositiveInt | None = None
    usd: PositiveFloat | None = None
    prices: tuple[NonNegativeFloat, NonNegativeFloat] | None = None  # dollars for a million tokens, read and written

    def tasks(self, game: Game, out: Path, *, seed: int, device: str) -> Sequence[_Cards]:
        """One task for all. Raises Refused for an unknown persona, no model, or a game without macro-actions."""
        adapter("llm", game)
        known = personas(to_table(game)["kind"])
        if (self.backend is None) == (self.local is None):
            raise Refused("llm: wanted a model: --endpoint URL --model NAME, or --local PATH, and not both")
        cooks = [(*_told(text, known), text) for text in self.personas or known]
        names = [name for name, _, _ in cooks]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise Refused(f"llm: the personas {', '.join(twice)} are given twice")
        limits = {"calls": self.calls, "tokens": self.tokens, "usd": self.usd, "prices": self.prices}
        more = {"samples": self.samples, "backend": self.backend, "local": self.local, **limits}
        players = [(name, LLM(persona=told, **more)) for name, told, _ in cooks]  # type: ignore[arg-type]
        first = self.name or re.sub(r"[^\w.+-]+", "-", players[0][1].model)
        return [_Cards(tuple((f"{first}-{name}", name, player) for name, player in players), game, out)]


def family(cook: LLM) -> str:
    """A fixture that was trained here is never called a language model."""
    tiny = cook.model.startswith(FIXTURE) or (cook.local is not None and fixture(cook.local.folder))
    return FIXTURE if tiny else FAMILY


def _told(text: str, known: dict[str, str]) -> tuple[str, str]:
    name, colon, told = text.partition(":")
    if colon and re.fullmatch(r"[\w.-]+", name) and told.strip():
        return name, told.strip()
    if text not in known:
        raise unknown("persona", text, known)
    return text, known[text]
