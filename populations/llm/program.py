"""Partner programs: rules that a language model wrote from a stated prompt, frozen, and played by a total interpreter.

A program is data in a closed vocabulary, never code: every program that validates plays every kitchen to the end.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pydantic import Field, field_validator

from crossplay.benchmark.config import build, config
from crossplay.benchmark.errors import Refused, unknown
from crossplay.benchmark.game import Game, Observation
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import Seeds
from crossplay.populations.llm.macros import VIEW, MacroAdapter, Notes
from crossplay.populations.llm.words import OPERATORS, ORDERS, PREDICATES, THINGS

if TYPE_CHECKING:
    from crossplay.populations.llm.kernel import Rules

MOST_RULES, MOST_CONDITIONS = 64, 16
HANDS = {"left": 1, "either": 0, "right": -1}
_BIAS = 4  # a move against the hand costs as much as two
Condition = tuple[str, str, int | str]  # predicate, operator, constant


def _known(noun: str, name: str, known: object) -> str:
    if name not in known:  # type: ignore[operator]
        raise ValueError(str(unknown(noun, name, known)))  # type: ignore[arg-type]
    return name


@config
class Rule:
    """Do a macro where all conditions hold, with chance `p`; where it is not legal, later rules are asked."""

    when: tuple[Condition, ...] = Field(default=(), max_length=MOST_CONDITIONS)
    do: str
    p: float = Field(default=1.0, ge=0.0, le=1.0)

    @field_validator("do")
    @classmethod
    def _macro(cls, do: str) -> str:
        return _known("macro", do, ORDERS)

    @field_validator("when")
    @classmethod
    def _conditions(cls, when: tuple[Condition, ...]) -> tuple[Condition, ...]:
        for predicate, operator, constant in when:
            _known("predicate", predicate, PREDICATES)
            _known("operator", operator, OPERATORS)
            holds = predicate.endswith("holding")
            if holds:
                _known("thing", str(constant), THINGS)
            elif isinstance(constant, str):
                raise ValueError(f"{predicate} is compared with a whole number; given {constant!r}")
            if holds and operator not in ("==", "!="):
                raise ValueError(f"{predicate} is compared by == or !=; given {operator!r}")
            if isinstance(constant, int) and abs(constant) > 10**6:
                raise ValueError(f"{predicate}: {constant} given; wanted a number of at most a million")
        return when


class _Player(NamedTuple):
    adapter: MacroAdapter
    rules: "Rules"
    view: str = VIEW

    def begin(self, seeds: Seeds, seat: int) -> Notes:
        return self.adapter.fresh(seeds, seat)

    def act(self, observation: Observation, memory: Notes) -> tuple[np.ndarray, Notes]:
        return self.adapter.follow(self.rules, observation.features, memory)


@POLICIES.register("llm-program")
@config
class Program:
    """Rules in order of importance: whenever a macro is due, the first that applies is done, else the default.

    A hand is the way round the kitchen that it prefers: left is clockwise. Where nothing is legal it waits one step.
    """

    rules: tuple[Rule, ...] = Field(default=(), max_length=MOST_RULES)
    default: str = "wait 1"
    hand: str = "either"

    @field_validator("default")
    @classmethod
    def _macro(cls, default: str) -> str:
        return _known("macro", default, ORDERS)

    @field_validator("hand")
    @classmethod
    def _hand(cls, hand: str) -> str:
        return _known("hand", hand, HANDS)

    def make(self, game: Game, files: Path | None) -> Policy:
        if not isinstance(game, Overcooked):
            raise Refused(f"llm-program plays overcooked only; given {game.spec.name}")
        return _Player(MacroAdapter(game=game), self.numbers())

    def numbers(self) -> "Rules":
        """The program as the compiled interpreter reads it."""
        from crossplay.populations.llm.kernel import Rules

        rules = [*self.rules, Rule(do=self.default)]
        conditions = [condition for rule in rules for condition in rule.when]
        predicates, operators = list(PREDICATES), list(OPERATORS)
        return Rules(
            verb=_ints(ORDERS[rule.do].verb for rule in rules),
            arg=_ints(ORDERS[rule.do].arg for rule in rules),
            p=np.array([rule.p for rule in rules], dtype=np.float64),
            first=np.cumsum([0, *(len(rule.when) for rule in rules)]).astype(np.int64),
            predicate=_ints(predicates.index(name) for name, _, _ in conditions),
            operator=_ints(operators.index(sign) for _, sign, _ in conditions),
            constant=_ints(THINGS.index(c) if isinstance(c, str) else c for _, _, c in conditions),
            hand=HANDS[self.hand],
            bias=_BIAS if HANDS[self.hand] else 0,
        )


def _ints(values: object) -> np.ndarray:
    return np.array(list(values), dtype=np.int64)  # type: ignore[call-overload]


def parse(text: str, where: str = "program") -> Program:
    """A program from JSON. Raises Refused naming place, fault and, for a word, the nearest one that is known."""
    return build(Program, read_json(text, where), where)


def read_json(text: str, where: str) -> dict[str, Any]:
    """A JSON object. Raises Refused with line and column where it is broken, or where it is none."""
    try:
        table = json.loads(text)
    except json.JSONDecodeError as error:
        raise Refused(f"{where}: not valid JSON: {error.msg}, line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise Refused(f"{where}: not valid JSON: nested too deeply") from None
    if not isinstance(table, dict):
        raise Refused(f"{where}: wanted a JSON object; given {type(table).__name__}")
    return table
