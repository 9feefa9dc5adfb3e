"""Strict scoring: the number after the last `####`, and nothing else, counts [Cobbe2021]."""

import re

MARK = "####"
NUMBER = re.compile(r"-?\d[\d,]*(\.\d+)?")
TOKEN = re.compile(r"#+|[^\W_]+|[^\w\s]|_")


def last_answer(text: str) -> str | None:
    """The answer a text ends with, without commas: `#### 1,200` is 1200; None where what follows is not a number.

    The last mark counts even where an earlier one was followed by a number and it is not.
    """
    _, mark, rest = text.rpartition(MARK)
    said = (rest.strip().splitlines() or [""])[0].strip()
    return said.replace(",", "") if mark and NUMBER.fullmatch(said) else None


def right(text: str, answer: str) -> bool:
    """Whether the last answer is this very text of digits: 7.0 and 07 are not 7."""
    return last_answer(text) == answer


def length(text: str) -> int:
    """Words, numbers and signs: a count of tokens that is the same whatever tokenizer a model has."""
    return len(TOKEN.findall(text))
