"""Debates in training: adapters of one brain answer, and everything that was said is kept token by token."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from crossplay.agents.llm.brain import Brain, Draw, Spoken
from crossplay.benchmark.games.debate import Debate
from crossplay.benchmark.seeding import Seeds, derive, spread, uniforms


class Debated(NamedTuple):
    """A batch of debates between two adapters."""

    said: list[tuple[Spoken, Spoken]]  # [rounds][seat]
    right: np.ndarray  # bool [rounds, episodes, seats]
    paid: np.ndarray  # float64 [rounds, episodes, seats] own reward of every round, private costs taken off


def debate(
    brain: Brain, game: Debate, seats: Sequence[str | None], numbers: np.ndarray, limit: int, seed: int | None
) -> Debated:
    """Plays questions `numbers` [episodes]; None as a seat is the base, None as the seed the likeliest tokens."""
    luck = 0 if seed is None else seed
    state = game.reset(spread(derive(luck, "halves"), len(numbers)), numbers)
    said, right, paid = [], [], []
    for r in range(game.rounds):
        both = []
        for seat, name in enumerate(seats):
            seeds = spread(derive(luck, "said", r, seat), len(numbers))
            prompts = [asked.prompt for asked in game.ask(state, seat)]
            both.append(brain.say(prompts, name, limit=limit, draw=None if seed is None else _draw(seeds)))
        texts = [one.texts for one in both]
        right.append(game.marks(state, texts))
        state, step = game.answer(state, texts)
        said.append((both[0], both[1]))
        paid.append(right[-1] - step.costs)
    return Debated(said, np.array(right), np.array(paid))


def _draw(seeds: Seeds) -> Draw:
    return lambda number: torch.from_numpy(uniforms(seeds, number))


def accuracy(debated: Debated) -> float:
    """Joint accuracy: the mean over seats and episodes of whether the last answer is right."""
    return float(debated.right[-1].mean())


def flat(said: Sequence[Spoken]) -> tuple[list[list[int]], Tensor, Tensor, Tensor, Tensor]:
    """Several batches as one: prompts, tokens, mask, logs, seen; answers padded to the longest."""
    width = max(one.tokens.shape[1] for one in said)

    def wide(tensor: Tensor) -> Tensor:
        return torch.nn.functional.pad(tensor, (0, width - tensor.shape[1]))

    asked = [row for one in said for row in one.asked]
    parts = [torch.cat([wide(getattr(one, name)) for one in said]) for name in ("tokens", "mask", "logs")]
    return asked, parts[0], parts[1], parts[2], torch.cat([one.seen for one in said])
