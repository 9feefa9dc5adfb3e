"""A question with one number as its answer, and where two data sets of them come from."""

import re
from typing import NamedTuple

SENTENCE = re.compile(r"(?<=[.!?])\s+")


class Question(NamedTuple):
    """Facts, what is asked of them, and the answer as digits."""

    facts: tuple[str, ...]
    ask: str
    answer: str

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join((*self.facts, self.ask))

    def half(self, which: int) -> str:
        """Every other fact, from the first (0) or the second (1), and what is asked: the two halves hold all."""
        return " ".join((*self.facts[which::2], self.ask))


class Parts(NamedTuple):
    """A data set's two parts."""

    train: tuple[Question, ...]
    test: tuple[Question, ...]


def split(text: str, answer: str) -> Question:
    """A question in running words: its last sentence is what is asked, those before are the facts."""
    *facts, ask = SENTENCE.split(text.strip())
    return Question(tuple(facts), ask, answer)
