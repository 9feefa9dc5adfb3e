"""Held-out debaters that were trained: the untuned base, and agents of other seeds and arms than those on the board."""

from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field, PositiveInt

from crossplay.agents.llm import arms, policy  # noqa: F401  registers trainers and the policy
from crossplay.agents.llm.training import DebateTraining, check
from crossplay.agents.trainer import TRAINERS
from crossplay.benchmark.card import Card
from crossplay.benchmark.config import config as configured
from crossplay.benchmark.config import from_table, to_table
from crossplay.benchmark.game import Game
from crossplay.benchmark.games.debate import Debate
from crossplay.populations.generator import GENERATORS


@GENERATORS.register("debate_strangers")
@configured
class DebateStrangers:
    """`seeds` debaters of one arm named `name`-0, …; another name makes other partners."""

    name: str = Field(default="stranger", pattern=r"^[\w.-]+$")
    seeds: PositiveInt = 2
    trainer: dict[str, Any] = Field(default_factory=lambda: {"kind": "debate_ippo"})

    def tasks(self, game: Game, out: Path, *, seed: int, device: str) -> list[DebateTraining]:
        """One training a seed. Raises Refused for a trainer that is none, or a game that is no debate."""
        arm = from_table(TRAINERS, {"kind": "debate_ippo", **self.trainer}, f"debate_strangers {self.name}")
        names = [f"{self.name}-{i}" for i in range(self.seeds)]
        return [DebateTraining(n, self.name, game, arm, out / n, seed, device=device) for n in names]  # type: ignore[arg-type]


class _Untuned(NamedTuple):
    name: str
    game: Game
    on: arms.On
    tokens: int
    out: Path

    def make(self) -> list[Card]:
        """The card of the base, adapters off."""
        from crossplay.agents.llm.base import hashed, located
        from crossplay.agents.llm.warm import obtain, place

        assert isinstance(self.game, Debate)
        maker: dict[str, Any] = {"kind": "debater", "adapted": False, "tokens": self.tokens}
        maker["lora"] = to_table(self.on.lora)  # so that it shares a brain with those who have adapters
        files: dict[str, bytes] = {}
        if self.on.model:
            maker["base"] = {"name": self.on.model, "sha256": hashed(located(self.on.model)), "dtype": self.on.dtype}
        else:
            base = obtain(self.on.warm, self.game, place(self.on.warm, self.game, self.out.parent))
            maker["base"] = base.maker["base"]
            files = {name: ((base.root or self.out) / name).read_bytes() for name in base.files}
        card = Card(name=self.name, maker=maker, game=self.game.spec.name, family="base", lineage=f"base/{self.name}")
        return [card.save(self.out, files)]


@GENERATORS.register("debate_base")
@configured
class DebateBase:
    """The untuned base that everybody learned from, or another model below CROSSPLAY_MODELS."""

    name: str = Field(default="base", pattern=r"^[\w.-]+$")
    trainer: dict[str, Any] = Field(default_factory=dict)  # of it only `on` is read

    def tasks(self, game: Game, out: Path, *, seed: int, device: str) -> list[_Untuned]:
        """One task. Raises Refused where the game is no debate."""
        arm = from_table(TRAINERS, {**self.trainer, "kind": "debate_ippo"}, f"debate_base {self.name}")
        task = _Untuned(self.name, game, arm.on, arm.learn.tokens, out / self.name)
        check(DebateTraining(self.name, self.name, game, arm, task.out, seed))  # type: ignore[arg-type]
        return [task]
