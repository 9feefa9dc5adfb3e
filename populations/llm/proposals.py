"""New partner programs from a live model: asked for, validated, played, compared, and frozen with where they come from.

What a model answered is kept beside the cards with what became of it, so that nothing is asked twice.
"""

import json
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from crossplay.benchmark.card import Card
from crossplay.benchmark.config import build, canonical, from_table, sha256
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.match import play
from crossplay.benchmark.registry import POLICIES
from crossplay.populations.fingerprint import NEAR, Fingerprint, distance, fingerprints
from crossplay.populations.llm.generator import Written
from crossplay.populations.llm.openai_backend import OpenAIBackend
from crossplay.populations.llm.program import read_json

KEPT = "proposals.jsonl"
TOKENS = 4096  # an answer, at most
LONGEST = 65_536  # characters of an answer that are read
WANTED = (
    'one of your own, unlike these: {names}. Reply with one JSON object and nothing else: {{"name": a short name in '
    'lower case, "convention": one sentence, "program": the program}}.'
)
FROZEN = "frozen"


class Answer(NamedTuple):
    """What a model answered, and when."""

    text: str
    model: str
    date: str


class Proposed(NamedTuple):
    """A task: `many` programs that a model writes, from at most `asks` answers."""

    backend: OpenAIBackend
    prompt: str  # ends where the convention goes
    many: int  # programs
    asks: int
    game: Game
    out: Path

    def make(self) -> list[Card]:
        """The cards. Raises Refused where the answers do not hold enough good programs; good ones are saved by then."""
        found: list[Card] = []
        prints: list[Fingerprint] = []
        verdicts: list[str] = []
        while len(found) < self.many and len(verdicts) < self.asks:
            asked = self.prompt + " " + WANTED.format(names=", ".join(card.name for card in found) or "none yet")
            key = sha256(canonical([self.backend.card()._asdict(), asked, len(verdicts)]))
            answer = self._answer(key, asked, len(verdicts))
            try:
                card, print_ = self._judged(answer, asked, prints)
            except Refused as refused:
                verdicts.append(str(refused))
            else:
                found, prints, verdicts = [*found, card], [*prints, print_], [*verdicts, FROZEN]
            self._save([line | ({"verdict": verdicts[-1]} if line["key"] == key else {}) for line in self._lines()])
        if len(found) < self.many:
            why = ", ".join(f"{n} × {what[:80]}" for what, n in Counter(verdicts).items() if what != FROZEN)
            raise Refused(f"{self.backend.model}: {len(found)} of {self.many} programs in {self.asks} answers: {why}")
        return found

    def _judged(self, answer: Answer, asked: str, prints: list[Fingerprint]) -> tuple[Card, Fingerprint]:
        """A program's card and fingerprint. Raises Refused for what is none, fails at play, or is known already."""
        card = self._written(answer, asked).card(self.game)
        if card.name in [known.name for known in prints]:
            raise Refused(f"a program of the name {card.name!r} was written before")
        self._played(card)
        (mine,) = fingerprints(self.game, [card])
        for other in prints:
            if (apart := distance(mine, other)) < NEAR:
                raise Refused(f"does nearly the same as {other.name}: {apart:.3f} apart")
        return card.save(self.out / card.name), mine

    def _written(self, answer: Answer, asked: str) -> Written:
        table = read_json(_bare(answer.text), "the answer")
        if wrong := sorted(set(table) ^ {"name", "convention", "program"}):
            raise Refused(
                f"the answer: name, convention and program are wanted, no more; differs in {', '.join(wrong)}"
            )
        found: Written = build(
            Written, {**table, "author": answer.model, "date": answer.date, "prompt": asked}, "answer"
        )
        return found

    def _played(self, card: Card) -> None:
        """Raises Refused where nothing is ever delivered in a match with greedy, whoever sits where."""
        actor = card.policy(self.game)
        greedy = from_table(POLICIES, {"kind": "overcooked-greedy"}).make(self.game, None)
        for table in ([actor, greedy], [greedy, actor]):
            if not play(self.game, table, episodes=2, game_seed=0, policy_seeds=[1, 2]).returns.any():
                raise Refused("delivers nothing with greedy")

    def _answer(self, key: str, asked: str, number: int) -> Answer:
        """The recorded answer to a question, or a new one, recorded before it is read."""
        for line in self._lines():
            if line["key"] == key:
                return Answer(line["text"], line["model"], line["date"])
        writer = replace(self.backend, rungs=("plain",), max_tokens=TOKENS)
        text, model = writer.write([("user", asked)], number)
        new = Answer(text[:LONGEST], model, time.strftime("%Y-%m-%d", time.gmtime()))
        self._save([*self._lines(), {"key": key, "verdict": "", **new._asdict()}])
        return new

    def _lines(self) -> list[dict[str, Any]]:
        path = self.out / KEPT
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []

    def _save(self, lines: list[dict[str, Any]]) -> None:
        self.out.mkdir(parents=True, exist_ok=True)
        draft = self.out / f".{KEPT}.draft"
        draft.write_text("".join(f"{canonical(line)}\n" for line in lines), encoding="utf-8")
        draft.replace(self.out / KEPT)


def _bare(text: str) -> str:
    """An answer without the fence that models like to put round code."""
    lines = text.strip().splitlines()
    fenced = len(lines) > 2 and lines[0].startswith("```") and lines[-1] == "```"
    return "\n".join(lines[1:-1]) if fenced else text
