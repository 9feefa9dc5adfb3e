"""Fingerprints of debaters: what they answer in fixed situations, to each standard partner."""

from collections.abc import Sequence

import numpy as np

from crossplay.benchmark.card import Card
from crossplay.benchmark.config import from_table
from crossplay.benchmark.games.debate.scoring import last_answer
from crossplay.benchmark.match import Table, play_tables
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import derive, spread
from crossplay.benchmark.text import TextGame
from crossplay.populations.diversity import Near

EPISODES = 100  # with every standard partner in every seat


class _Ear:
    """A policy that keeps what another says."""

    def __init__(self, inner: Policy) -> None:
        self._inner = inner
        self.heard: list[str | None] = []

    def begin(self, seeds: np.ndarray, seat: int) -> object:
        return self._inner.begin(seeds, seat)

    def reply(self, asked: Sequence, memory: object) -> tuple[list[str], object]:
        said, memory = self._inner.reply(asked, memory)  # type: ignore[attr-defined]
        self.heard += [last_answer(text) for text in said]
        return said, memory


def said(game: TextGame, card: Card, partners: Sequence[Policy], seed: int = 0) -> list[str | None]:
    """A card's last answers in every round, with every partner in every seat; luck derives from (seed, game, seat)."""
    ear = _Ear(card.policy(game))  # type: ignore[arg-type]
    for number, partner in enumerate(partners):
        for seat in range(game.spec.seats):
            luck = [spread(derive(seed, game.spec.name, what, number, seat), EPISODES) for what in ("game", "a", "b")]
            players = [ear if s == seat else partner for s in range(game.spec.seats)]
            play_tables(game, [Table(players, luck[0], luck[1:])])  # type: ignore[arg-type]
    return ear.heard


def copies(game: TextGame, entry: Sequence[Card], held_out: Sequence[Card], threshold: float) -> tuple[Near, ...]:
    """Agents of an entry (`one`) that answer otherwise than a held-out partner (`other`) less often."""
    from crossplay.populations.scripted.generator import standard

    rules = [from_table(POLICIES, partner.maker).make(game, None) for partner in standard(game)]  # type: ignore[arg-type]
    theirs = [(card.name, said(game, card, rules)) for card in held_out]
    near = []
    for card in entry:
        mine = said(game, card, rules)
        for name, other in theirs:
            apart = float(np.mean([a != b for a, b in zip(mine, other, strict=True)]))
            if apart < threshold:
                near.append(Near(one=card.name, other=name, distance=apart))
    return tuple(near)
