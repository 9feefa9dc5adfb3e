"""Scripted debaters: what a partner may do without knowing how to reason. Held out, never trained with."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.games.debate.game import Debate
from crossplay.benchmark.games.debate.scoring import MARK
from crossplay.benchmark.policy import Clock
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import Seeds
from crossplay.benchmark.text import Asked


class _Copycat(NamedTuple):
    fallback: "_Guesser"

    def begin(self, seeds: Seeds, seat: int) -> Clock:
        return Clock(seeds)

    def reply(self, asked: Sequence[Asked], memory: Clock) -> tuple[list[str], Clock]:
        guesses, after = self.fallback.reply(asked, memory)
        return [one.peer if one.round else guess for one, guess in zip(asked, guesses, strict=True)], after


class _Guesser(NamedTuple):
    answers: tuple[str, ...]  # every answer of the data, as often as it is one

    def begin(self, seeds: Seeds, seat: int) -> Clock:
        return Clock(seeds)

    def reply(self, asked: Sequence[Asked], memory: Clock) -> tuple[list[str], Clock]:
        drawn = (memory.draw() * len(self.answers)).astype(np.int64)
        return [f"{MARK} {self.answers[number]}" for number in drawn], memory.tick()


class _Stubborn(NamedTuple):
    answers: tuple[str, ...]  # by number of the question

    def begin(self, seeds: Seeds, seat: int) -> Clock:
        return Clock(seeds)

    def reply(self, asked: Sequence[Asked], memory: Clock) -> tuple[list[str], Clock]:
        picks = (memory.draw() * len(self.answers)).astype(np.int64)
        wrong = [self._wrong(self.answers[one.number], int(pick)) for one, pick in zip(asked, picks, strict=True)]
        return [f"{MARK} {answer}" for answer in wrong], memory  # no tick: the same in every round

    def _wrong(self, key: str, pick: int) -> str:
        """Another question's answer, the next one along that differs."""
        turned = (*self.answers[pick:], *self.answers[:pick])
        return next(answer for answer in turned if answer != key)


class _Silent(NamedTuple):
    def begin(self, seeds: Seeds, seat: int) -> None:
        return None

    def reply(self, asked: Sequence[Asked], memory: None) -> tuple[list[str], None]:
        return ["" for _ in asked], None


def _answers(game: Game, kind: str) -> tuple[str, ...]:
    if not isinstance(game, Debate):
        raise Refused(f"{kind} debates; {game.spec.name} is no debate")
    return tuple(question.answer for question in game.questions)


@POLICIES.register("debate-random")
@config
class RandomAnswer:
    """Some question's answer, drawn anew in every round."""

    def make(self, game: Game, files: Path | None) -> _Guesser:
        """Raises Refused where the game is no debate."""
        return _Guesser(_answers(game, "debate-random"))


@POLICIES.register("debate-copycat")
@config
class Copycat:
    """Guesses at first, and from then on says word for word what its peer said in the round before."""

    def make(self, game: Game, files: Path | None) -> _Copycat:
        """Raises Refused where the game is no debate."""
        return _Copycat(_Guesser(_answers(game, "debate-copycat")))


@POLICIES.register("debate-stubborn")
@config
class Stubborn:
    """One wrong answer, and the same in every round. It has the key, so that it is never right by accident."""

    def make(self, game: Game, files: Path | None) -> _Stubborn:
        """Raises Refused where the game is no debate, or all of its answers are the same."""
        answers = _answers(game, "debate-stubborn")
        if len(set(answers)) < 2:
            raise Refused(f"debate-stubborn: every answer of {game.spec.name} is {answers[0]}, so none is wrong")
        return _Stubborn(answers)


@POLICIES.register("debate-silent")
@config
class Silent:
    """Says nothing."""

    def make(self, game: Game, files: Path | None) -> _Silent:
        """Raises Refused where the game is no debate."""
        _answers(game, "debate-silent")
        return _Silent()


def debaters() -> dict[str, dict[str, str]]:
    """Name → table of the standard ones."""
    return {name: {"kind": f"debate-{name}"} for name in ("random", "copycat", "stubborn", "silent")}
