"""Partners whose errands a language model picks: live, through any backend, or replayed from a tape."""

from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from crossplay.benchmark.config import canonical, config, sha256
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game, Observation
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import Seeds
from crossplay.populations.llm.backend import Budgeted, ChoiceRequest, TextBackend
from crossplay.populations.llm.grid import GridAdapter
from crossplay.populations.llm.hf_backend import HFBackend
from crossplay.populations.llm.macros import MacroAdapter, Notes, adapter
from crossplay.populations.llm.openai_backend import OpenAIBackend
from crossplay.populations.llm.tape import Recording, TapeBackend

TAPE = "tape.jsonl"
SYSTEM = """{rules}
Each time you are told what you see and which errands you can do now; a way is found for you. Distances are in steps.
{persona}
Reply with one option number and nothing else."""


class LLMPlayer(NamedTuple):
    """A player whose errands a backend picks. All choices that are due in a batch of episodes go in one call.

    Where a model names no option even when asked again, the player stays one step, and the tape counts it.
    """

    adapter: MacroAdapter | GridAdapter
    backend: TextBackend
    persona: str = ""
    samples: int = 1

    @property
    def view(self) -> str:
        return self.adapter.view

    @property
    def about(self) -> dict[str, Any]:
        """What a tape of it answers to: hashes of macros and kitchen, and of the system text, persona included."""
        system = sha256(canonical([self.system, self.samples]))
        return {"game": self.adapter.game.spec.name, "macros": self.adapter.digest, "system": system}

    @property
    def system(self) -> str:
        """The frozen system text."""
        return SYSTEM.format(rules=self.adapter.rules, persona=self.persona)

    def begin(self, seeds: Seeds, seat: int) -> Notes:
        """Memory of fresh episodes."""
        return self.adapter.fresh(seeds, seat)

    def act(self, observation: Observation, memory: Notes) -> tuple[np.ndarray, Notes]:
        """Actions int64 [episodes]. Raises Exhausted where the backend cannot answer."""
        choices, notes = self.adapter.look(observation.features, memory)
        chosen = np.full(len(notes.seeds), -1, dtype=np.int64)
        rows = np.flatnonzero(choices.due)
        options = [np.flatnonzero(choices.legal[row]) for row in rows]
        for row, only in ((row, legal) for row, legal in zip(rows, options, strict=True) if len(legal) == 1):
            chosen[row] = only[0]
        asked = [(row, legal) for row, legal in zip(rows, options, strict=True) if len(legal) > 1]
        requests = self._requests(observation.features, choices.legal, notes.seeds, [row for row, _ in asked])
        replies = self.backend.choose(requests) if requests else []
        for (row, legal), reply in zip(asked, replies, strict=True):
            chosen[row] = self._stay if reply.index is None else legal[reply.index]
        actions, _, notes = self.adapter.step(observation.features, notes, chosen)
        return actions, notes

    @property
    def _stay(self) -> int:
        return [macro.name for macro in self.adapter.macros].index("wait 1")

    def _requests(self, seen: np.ndarray, legal: np.ndarray, seeds: Seeds, rows: list[Any]) -> list[ChoiceRequest]:
        system = ("system", self.system)
        texts = self.adapter.describe(seen[rows], legal[rows])
        samples = [int(seeds[row] % np.uint64(self.samples)) for row in rows]
        return [
            ChoiceRequest((system, ("user", text)), self.adapter.names(np.flatnonzero(legal[row])), sample, sample)
            for row, text, sample in zip(rows, texts, samples, strict=True)
        ]


@POLICIES.register("llm")
@config
class LLM:
    """A language model picks every errand, behind an endpoint (`backend`) or on this machine (`local`); it is taped.

    `samples` is how many different answers one situation may get: an episode's seed says which one it takes. What is
    on the tape is never asked again, so a match that is on it whole needs no model.
    """

    backend: OpenAIBackend | None = None
    local: HFBackend | None = None
    persona: str = ""
    samples: PositiveInt = 1
    tape: Path = Path(TAPE)
    calls: PositiveInt = Field(default=10_000)  # most calls that its tape may hold
    tokens: PositiveInt | None = None  # most tokens, read and written
    usd: PositiveFloat | None = None  # most dollars, at these prices
    prices: tuple[NonNegativeFloat, NonNegativeFloat] | None = None  # dollars for a million tokens, read and written

    alone: ClassVar[bool] = True  # its matches are not played beside others'

    @model_validator(mode="after")
    def _one(self) -> "LLM":
        if (self.backend is None) == (self.local is None):
            raise ValueError("wanted a backend (base_url, model) or a local model (path), and not both")
        if self.usd and not self.prices:
            raise ValueError("usd limits what is spent at prices; wanted prices = [read, written], a million tokens")
        return self

    @property
    def model(self) -> str:
        """What the model is called."""
        return self.asked.model

    @property
    def asked(self) -> OpenAIBackend | HFBackend:
        """Who answers."""
        found = self.backend or self.local
        assert found  # see _one
        return found

    def dollars(self, read: int, written: int) -> float:
        """What so many tokens cost."""
        return sum(price * count / 1e6 for price, count in zip(self.prices or (), (read, written), strict=False))

    def make(self, game: Game, files: Path | None) -> Policy:
        player = LLMPlayer(adapter("llm", game), self.asked, self.persona, self.samples)
        limits = {"calls": self.calls, "tokens": self.tokens, "usd": self.usd, "prices": self.prices or (0.0, 0.0)}
        spender = Budgeted(self.asked, **limits)  # type: ignore[arg-type]
        recording = Recording(spender, (files or Path()) / self.tape, player.about)
        spender.count(recording.known.values())
        return player._replace(backend=recording)


@POLICIES.register("llm-replay")
@config
class LLMReplay:
    """What a language model played, from the tape in the card's folder; a situation that is not on it is refused."""

    persona: str = ""
    samples: PositiveInt = 1
    tape: Path = Path(TAPE)

    def make(self, game: Game, files: Path | None) -> Policy:
        tape = TapeBackend(path=(files or Path()) / self.tape)
        player = LLMPlayer(adapter("llm-replay", game), tape, self.persona, self.samples)
        wrong = sorted(name for name, value in player.about.items() if tape.about.get(name) != value)
        if wrong:
            raise Refused(f"{tape.path}: recorded with another {' and '.join(wrong)}: {tape.about}, now {player.about}")
        return player


def frozen(maker: dict[str, Any]) -> dict[str, Any]:
    """A maker's table that plays from the tape alone what the given one plays; others are left as they are."""
    if maker.get("kind") == LLM.kind:  # type: ignore[attr-defined]
        return {"kind": "llm-replay", **{name: maker[name] for name in ("persona", "samples", "tape") if name in maker}}
    inner = maker.get("maker")
    return {**maker, "maker": frozen(inner)} if isinstance(inner, dict) else maker


def speaker(maker: dict[str, Any]) -> dict[str, Any] | None:
    """The table, in a maker's, of the language model that plays, live or from its tape; None where none does."""
    inner = maker.get("maker")
    if maker.get("kind") in ("llm", "llm-replay"):
        return maker
    return speaker(inner) if isinstance(inner, dict) else None


def asks(maker: dict[str, Any]) -> bool:
    """Whether a maker's table has a language model play, live or from its tape."""
    return speaker(maker) is not None
