"""Matrix games: u_i(a) = R(a) − c_i(a_i), a shared reward less a private cost, once or over several rounds [Qu2026]."""

import itertools
import math
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from pydantic import Field, field_validator, model_validator

from crossplay.benchmark.config import config, digest
from crossplay.benchmark.errors import Refused, unknown
from crossplay.benchmark.game import GameSpec, Observation, Step
from crossplay.benchmark.registry import GAMES
from crossplay.benchmark.seeding import Seeds

READY = ("volunteer", "weakest_link", "stag_hunt", "effort")
COST = 0.4


class Rounds(NamedTuple):
    """What everybody played in the round before, −1 before the first."""

    last: np.ndarray  # int64 [episodes, seats]


class Tables(NamedTuple):
    """A matrix game in numbers."""

    rewards: np.ndarray  # float64 [actions of seat 0, …, actions of the last seat, seats], costs not yet taken off
    costs: np.ndarray  # float64 [seats, actions], zero where a seat lacks the action
    counts: np.ndarray  # int64 [seats], how many actions each seat has


@GAMES.register("matrix")
@config
class Matrix:
    """A matrix game; everybody chooses at once, knowing only what was played in the round before.

    Ready-made, action 0 (C, stag) costs its player `cost`, action 1 (D, hare) nothing:
      volunteer     R = 1 if anybody plays C; at cost .4 Example 2 of [Qu2026]
      weakest_link  R = 1 if everybody plays C
      stag_hunt     1 each if everybody hunts the stag; a hare is worth `cost` to its own hunter, whatever others do
      effort        two seats, R(CC) = 1, R(CD) = R(DC) = beta, R(DD) = 0 (ours)
    `custom` takes `payoffs[a0][a1]…`: one number (shared by all) or one number per seat; `costs[seat][action]` are
    private and come off. Raises Refused, through `build`, for fields that do not fit together.
    """

    game: str = "volunteer"
    seats: int = Field(default=2, ge=1, le=8)
    rounds: int = Field(default=1, ge=1)
    cost: float | None = Field(default=None, ge=0, le=1e6)
    beta: float | None = Field(default=None, ge=-1e6, le=1e6)
    payoffs: tuple[Any, ...] = ()
    costs: tuple[Any, ...] = ()
    actions: tuple[str, ...] = ()

    @field_validator("game")
    @classmethod
    def _known(cls, game: str) -> str:
        if game not in (*READY, "custom"):
            raise ValueError(str(unknown("matrix game", game, (*READY, "custom"))))
        return game

    @field_validator("payoffs", "costs", mode="before")
    @classmethod
    def _numbers(cls, value: Any) -> Any:
        return _nested(value)

    @model_validator(mode="after")
    def _fits(self) -> "Matrix":
        custom = {"payoffs": self.payoffs, "costs": self.costs, "actions": self.actions}
        given = [name for name, value in custom.items() if value]
        if self.game != "custom" and given:
            raise ValueError(f"{', '.join(given)} given, but game = {self.game!r}; they need game = 'custom'")
        if self.game == "custom" and (self.cost is not None or not self.payoffs):
            raise ValueError("game = 'custom' takes payoffs and, if wanted, costs[seat][action]; it takes no cost")
        if (self.game == "effort") != (self.beta is not None):
            raise ValueError(f"beta = {self.beta} given; game = 'effort' needs it and no other takes it")
        if self.game == "effort" and self.seats != 2:
            raise ValueError(f"effort is a game of 2 seats, given {self.seats}")
        if self.actions and len(set(self.actions)) != max(self.tables.counts):
            raise ValueError(f"actions must be {max(self.tables.counts)} different names, given {list(self.actions)}")
        _ = self.tables
        return self

    @cached_property
    def tables(self) -> Tables:
        """Rewards and costs as arrays. Raises ValueError where payoffs and costs do not fit the seats."""
        if self.game == "custom":
            return _custom(self.payoffs, self.costs, self.seats)
        return _ready(self)

    @cached_property
    def spec(self) -> GameSpec:
        """Horizon = rounds; one event per action: how often it was played."""
        width = int(self.tables.counts.max())
        names = self.actions or (("stag", "hare") if self.game == "stag_hunt" else ("C", "D"))
        if self.game == "custom" and not self.actions:
            names = tuple(f"a{i}" for i in range(width))
        return GameSpec(
            name=f"matrix/{_label(self)}-v1",
            seats=self.seats,
            actions=names,
            views={"flat": (self.seats * width + 1,)},
            horizon=self.rounds,
            terminal=True,
            events=tuple(f"play_{name}" for name in names),
        )

    def reset(self, seeds: Seeds) -> Rounds:
        """Nothing is random here, so the seeds [episodes] only count."""
        return Rounds(np.full((len(seeds), self.seats), -1, dtype=np.int64))

    def observe(self, state: Rounds, view: str) -> Observation:
        """`flat`: one-hot last actions, own first and then the seats after, and 1 in the first round."""
        if view not in self.spec.views:
            raise unknown("view", view, self.spec.views)
        episodes, width = len(state.last), len(self.spec.actions)
        played = state.last[..., None] == np.arange(width)
        order = (np.arange(self.seats)[:, None] + np.arange(self.seats)) % self.seats
        history = played[:, order].reshape(episodes, self.seats, -1)
        features = np.concatenate([history, state.last[:, :, None] < 0], axis=2, dtype=np.float32)
        legal = np.arange(width) < self.tables.counts[:, None]
        return Observation(features, np.broadcast_to(legal, (episodes, *legal.shape)).copy())

    def step(self, state: Rounds, actions: np.ndarray) -> tuple[Rounds, Step]:
        """Pays actions [episodes, seats]. Raises Refused for an action that a seat does not have."""
        actions = np.array(actions, dtype=np.int64)
        rewards, costs, counts = self.tables
        bad = (actions < 0) | (actions >= counts)
        if bad.any():
            raise Refused(f"{self.spec.name}: seat {int(np.argwhere(bad)[0, 1])} has no action {int(actions[bad][0])}")
        private = costs[np.arange(self.seats), actions]
        paid = rewards[tuple(actions.T)] - private
        events = (actions[..., None] == np.arange(len(self.spec.actions))).astype(np.int64)
        return Rounds(actions), Step(paid, np.zeros_like(paid), private, events)

    def describe(self, state: Rounds, seat: int) -> list[str]:
        """What one seat knows, one sentence per episode."""
        names = self.spec.actions
        others = [(seat + k) % self.seats for k in range(1, self.seats)]
        who = ["your partner"] if len(others) == 1 else [f"partner {k + 1}" for k in range(len(others))]
        choice = f"You may play {', '.join(names[: self.tables.counts[seat]])}."
        texts = []
        for last in state.last:
            if last[seat] < 0:
                texts.append(f"This is the first round. {choice}")
                continue
            parts = [f"you played {names[last[seat]]}"]
            parts += [f"{name} played {names[last[other]]}" for name, other in zip(who, others, strict=True)]
            texts.append(f"In the last round {', '.join(parts)}. {choice}")
        return texts


def _nested(value: Any, where: str = "") -> Any:
    if isinstance(value, list | tuple):
        return tuple(_nested(item, f"{where}[{i}]") for i, item in enumerate(value))
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"entry {where or 'given'} must be a finite number, is {value!r}")
    return float(value)


def _custom(payoffs: tuple[Any, ...], costs: tuple[Any, ...], seats: int) -> Tables:
    try:
        rewards = np.array(payoffs, dtype=np.float64)
    except ValueError:
        raise ValueError("payoffs must be a full table: some rows are longer than others") from None
    shape = rewards.shape
    if rewards.ndim == seats and rewards.size:
        rewards = np.repeat(rewards[..., None], seats, axis=-1)
    elif rewards.ndim != seats + 1 or shape[-1] != seats or not rewards.size:
        raise ValueError(
            f"payoffs has shape {list(shape)}; {seats} seats want {seats} levels, or one more of {seats} entries"
        )
    counts = np.array(rewards.shape[:-1])
    private = np.zeros((seats, counts.max()))
    if costs:
        sizes = [len(row) if isinstance(row, tuple) else 0 for row in costs]
        if sizes != counts.tolist() or any(isinstance(entry, tuple) for row in costs for entry in row):
            raise ValueError(f"costs must hold {counts.tolist()} numbers, one row per seat; given rows of {sizes}")
        for seat, row in enumerate(costs):
            private[seat, : len(row)] = row
    if (private < 0).any():
        raise ValueError("costs must be ≥ 0")
    return Tables(rewards, private, counts)


def _ready(game: Matrix) -> Tables:
    cost = COST if game.cost is None else game.cost
    rewards = np.zeros((2,) * game.seats + (game.seats,))
    for joint in itertools.product((0, 1), repeat=game.seats):
        workers = joint.count(0)
        everybody, anybody = workers == game.seats, workers > 0
        if game.game == "volunteer":
            rewards[joint] = anybody
        elif game.game == "effort":
            rewards[joint] = everybody or anybody * (game.beta or 0.0)
        else:
            rewards[joint] = everybody
        if game.game == "stag_hunt":
            rewards[joint] += cost * np.array(joint)
    private = np.zeros((game.seats, 2))
    private[:, 0] = 0.0 if game.game == "stag_hunt" else cost
    return Tables(rewards, private, np.full(game.seats, 2))


def _label(game: Matrix) -> str:
    if game.game == "custom":
        return f"custom.{digest(game)[:8]}"
    cost = COST if game.cost is None else game.cost
    parts = [game.game]
    if game.beta is not None:
        parts.append(f"beta{game.beta!r}")
    if game.beta is not None or cost != COST:
        parts.append(f"c{cost!r}")
    if game.seats != 2:
        parts.append(f"n{game.seats}")
    if game.rounds != 1:
        parts.append(f"r{game.rounds}")
    return ".".join(parts)
