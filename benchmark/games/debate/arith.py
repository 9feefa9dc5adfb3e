"""`arith`: sums from a seed, from a + b mod 10 to word problems of several steps (ours).

A pair of operands, in either order, belongs to training or to the test, for every kind of question: 3 + 4 in the test
means that no question of training begins with 3 and 4 or 4 and 3.
"""

from typing import Annotated

import numpy as np
from pydantic import Field, PositiveInt

from crossplay.benchmark.config import config
from crossplay.benchmark.games.debate.question import Parts, Question
from crossplay.benchmark.seeding import derive

NAMES = ("Ann", "Bob", "Cy", "Dee")
THINGS = ("pens", "cups", "hats", "nuts")


@config
class Arith:
    """How many questions, of which levels (1 to 5, drawn evenly), and from which seed. Operands are below `below`."""

    seed: int = 0
    levels: tuple[Annotated[int, Field(ge=1, le=5)], ...] = Field(default=(1,), min_length=1)
    below: int = Field(default=50, ge=5, le=100)
    train: PositiveInt = 2000
    test: PositiveInt = 200


def arith(setting: Arith) -> Parts:
    """Both parts of the data set; equal settings give equal questions. Questions may repeat where operands are few."""
    return Parts(*(_draw(setting, part, count) for part, count in (("train", setting.train), ("test", setting.test))))


def pairs(setting: Arith, part: str) -> list[tuple[int, int]]:
    """The pairs of operands of a part; one unordered pair in five is the test's."""
    numbers = range(setting.below)
    return [(a, b) for a in numbers for b in numbers if _of_test(setting.seed, a, b) == (part == "test")]


def _of_test(seed: int, a: int, b: int) -> bool:
    return derive(seed, "operands", min(a, b), max(a, b)) % 5 == 0


def _draw(setting: Arith, part: str, count: int) -> tuple[Question, ...]:
    rng = np.random.default_rng(derive(setting.seed, "arith", part))
    mine = pairs(setting, part)
    levels = rng.choice(setting.levels, size=count)
    chosen = _few_repeats(rng, len(mine), count)
    return tuple(_question(int(level), mine[k], rng) for level, k in zip(levels, chosen, strict=True))


def _few_repeats(rng: np.random.Generator, kinds: int, count: int) -> np.ndarray:
    """`count` numbers below `kinds`, none used again before all are used."""
    return np.concatenate([rng.permutation(kinds) for _ in range(-(-count // kinds))])[:count]


def _question(level: int, pair: tuple[int, int], rng: np.random.Generator) -> Question:
    a, b = pair
    c = int(rng.integers(0, a + b + 1))
    one, other = rng.permutation(NAMES)[:2]
    thing = rng.choice(THINGS)
    if level == 1:
        return Question((f"x={a}.", f"y={b}."), "x+y mod 10?", str((a + b) % 10))
    if level == 2:
        return Question((f"x={a}.", f"y={b}."), "x+y?", str(a + b))
    if level == 3:
        return Question((f"x={a}.", f"y={b}.", f"z={c}."), "x+y-z?", str(a + b - c))
    if level == 4:
        story = (f"{one} has {a} {thing}.", f"{other} gives {one} {b}.", f"{one} loses {c}.")
        return Question(story, f"How many {thing} has {one}?", str(a + b - c))
    facts = (f"{one} has {a} {thing}.", f"{other} has {b} more.")
    return Question(facts, f"How many {thing} have both?", str(2 * a + b))
