"""Debate: two agents answer one question, read each other, and answer again [Qu2026].

Both answer at once, three times. In round 0 a seat sees the question, in later rounds also what it and its peer said in
the round before. What a match pays a seat is 1 where its LAST answer is right, less a private cost for every token it
said in any round; so the mean over seats is the joint accuracy. Texts do not fit a game of numbered actions: this is a
`TextGame`, see `benchmark/text.py`.

Episode k of a match asks question k of the test part, so a match of as many episodes as there are questions asks each
of them once, and every pair is asked the same ones. With `split_info` an episode's seed says who holds which half.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple

import numpy as np
from pydantic import Field

from crossplay.benchmark.config import config, digest
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import GameSpec, Step
from crossplay.benchmark.games.debate.arith import Arith, arith
from crossplay.benchmark.games.debate.gsm8k import gsm8k, mark
from crossplay.benchmark.games.debate.prompt import Wording, wording
from crossplay.benchmark.games.debate.question import Parts, Question
from crossplay.benchmark.games.debate.scoring import last_answer, length, right
from crossplay.benchmark.registry import GAMES
from crossplay.benchmark.seeding import Seeds, uniforms
from crossplay.benchmark.text import Asked

SEATS = 2
ALWAYS = ("tokens", "silent", "flipped", "recovered", "corrupted")  # events besides those of single rounds


class Talk(NamedTuple):
    """A batch of debates."""

    numbers: np.ndarray  # int64 [episodes] which question
    halves: np.ndarray  # int64 [episodes] the half that seat 0 holds, with split_info
    round: int
    said: tuple[tuple[str, ...], ...]  # [seats][episodes] of the round before; empty in round 0
    right: np.ndarray  # bool [episodes, seats] whether those were right


@GAMES.register("debate")
@config
class Debate:
    """Two agents answer a question in three rounds and read each other in between."""

    data: Literal["arith", "gsm8k"] = "arith"
    rounds: int = Field(default=3, ge=1, le=8)
    split_info: bool = False  # each agent holds half of the facts
    cost: float = Field(default=0.0, ge=0, le=1)  # private, for every token said
    part: Literal["test", "train"] = "test"
    wording: Literal["", "terse", "plain"] = ""  # empty: terse for arith, plain for gsm8k
    arith: Arith = Arith()

    def __post_init__(self) -> None:
        if self.data != "arith" and self.arith != Arith():
            raise ValueError(f"arith = {self.arith} given, but data = {self.data!r}")

    @cached_property
    def spec(self) -> GameSpec:
        """Horizon = rounds. Events: rounds answered right, rounds both agree, and what changed between rounds."""
        each = [f"{what}_{r}" for r in range(self.rounds) for what in ("right", "agree")]
        return GameSpec(
            name=f"debate/{self._label}-v1",
            seats=SEATS,
            actions=(),
            views={"text": ()},
            horizon=self.rounds,
            terminal=True,
            events=(*each, *ALWAYS),
        )

    @property
    def _label(self) -> str:
        name = self.data if self.data == "arith" else f"{self.data}.{mark()}"
        plain = type(self)(data=self.data)
        return name if self == plain else f"{name}.{digest(self)[:8]}"

    @cached_property
    def words(self) -> Wording:
        """The prompts."""
        return wording(self.wording or ("terse" if self.data == "arith" else "plain"))

    @property
    def questions(self) -> tuple[Question, ...]:
        """Of the part that is played. Raises Refused where the user's files are missing or broken."""
        parts = _arith(self.arith) if self.data == "arith" else gsm8k()
        return parts.test if self.part == "test" else parts.train

    def training(self) -> "Debate":
        """The same debate on the part to train with."""
        return replace(self, part="train")

    def shortened(self, rounds: int) -> "Debate":
        """The same debate of so many rounds."""
        return replace(self, rounds=rounds)

    def reset(self, seeds: Seeds, numbers: np.ndarray) -> Talk:
        """Seeds uint64 [episodes], numbers int64 [episodes]; past the last question it goes on from the first."""
        halves = (uniforms(seeds, 0) < 0.5).astype(np.int64)
        asked = np.asarray(numbers, dtype=np.int64) % len(self.questions)
        return Talk(asked, halves, 0, (), np.zeros((len(seeds), SEATS), dtype=bool))

    def ask(self, state: Talk, seat: int) -> list[Asked]:
        """What a seat reads, one per episode."""
        return [self._asked(state, seat, row) for row in range(len(state.numbers))]

    def _asked(self, state: Talk, seat: int, row: int) -> Asked:
        number = int(state.numbers[row])
        question = self.questions[number]
        seen = question.half(int(state.halves[row]) ^ seat) if self.split_info else question.text
        if not state.round:
            return Asked(self.words.filled(seen), seen, number, 0)
        own, peer = state.said[seat][row], state.said[1 - seat][row]
        return Asked(self.words.filled(seen, own, peer), seen, number, state.round, own, peer)

    def answer(self, state: Talk, texts: Sequence[Sequence[str]]) -> tuple[Talk, Step]:
        """texts[seat][episode]. Raises Refused after the last round."""
        if state.round >= self.rounds:
            raise Refused(f"{self.spec.name}: {self.rounds} rounds were played; there is no other")
        said = tuple(tuple(mine) for mine in texts)
        now = self.marks(state, said)
        tokens = np.array([[length(text) for text in mine] for mine in said], dtype=np.int64).T
        costs = self.cost * tokens
        rewards = now * float(state.round == self.rounds - 1) - costs
        after = Talk(state.numbers, state.halves, state.round + 1, said, now)
        return after, Step(rewards, np.zeros_like(rewards), costs, self._events(state, after, tokens))

    def marks(self, state: Talk, texts: Sequence[Sequence[str]]) -> np.ndarray:
        """Whether texts[seat][episode] are right answers, bool [episodes, seats]."""
        keys = [self.questions[number].answer for number in state.numbers]
        return np.array([[right(t, key) for t, key in zip(mine, keys, strict=True)] for mine in texts]).T

    def _events(self, before: Talk, after: Talk, tokens: np.ndarray) -> np.ndarray:
        answers = np.array([[last_answer(text) for text in mine] for mine in after.said], dtype=object).T
        events = np.zeros((*tokens.shape, len(self.spec.events)), dtype=np.int64)

        def note(name: str, what: np.ndarray) -> None:
            events[..., self.spec.events.index(name)] = what

        note(f"right_{before.round}", after.right)
        note(f"agree_{before.round}", ((answers[:, :1] == answers[:, 1:]) & (answers[:, :1] != None)).repeat(SEATS, 1))  # noqa: E711
        note("tokens", tokens)
        note("silent", answers == None)  # noqa: E711
        if before.round:
            old = np.array([[last_answer(text) for text in mine] for mine in before.said], dtype=object).T
            note("flipped", old != answers)
            note("recovered", ~before.right & after.right)
            note("corrupted", before.right & ~after.right)
        return events

    def describe(self, state: Talk, seat: int) -> list[str]:
        """What a seat reads is words already."""
        if state.round >= self.rounds:
            return ["The debate is over."] * len(state.numbers)
        return [asked.prompt for asked in self.ask(state, seat)]


@lru_cache(maxsize=16)
def _arith(setting: Arith) -> Parts:
    return arith(setting)
