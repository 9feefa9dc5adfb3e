"""Behavioural fingerprints: how often an agent takes each action in fixed situations. Names and configs may lie.

The situations come from plays of the game's standard rule partners, each with the next one and with uniform play, by
seeds of their own; so they depend on the game alone. An agent rides along: in every seat it sees what is seen there and
says what it would do, by luck of its own, while others play. So its memory is what it would be had it looked on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from crossplay.agents.company import Company, Guest
from crossplay.benchmark.card import Card
from crossplay.benchmark.config import from_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game, Observation, State
from crossplay.benchmark.match import illegal
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import Seeds, derive, spread
from crossplay.benchmark.text import TextGame
from crossplay.benchmark.workers import single_threaded
from crossplay.populations import wording
from crossplay.populations.diversity import Near
from crossplay.populations.scripted.generator import standard

SITUATIONS = 10_000  # at least: fewer are told apart by luck
EPISODES = 2  # of every pair of players, at least
DRAWS = 4  # of an action in every situation
NEAR = 0.01  # see `distance`; why this number is in docs/algorithms.md


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """Shares of an agent's actions, float32 [situations, actions], of `DRAWS` draws each."""

    name: str
    shares: np.ndarray


def distance(one: Fingerprint, other: Fingerprint) -> float:
    """Mean over situations of ½ Σ_a (p(a) − q(a))², without the bias of drawing few actions.

    It is how often the two do different things, less how often they would by their own luck: 0 for equal agents, 1
    for two who are sure and always differ. Luck may take it a little below 0.
    """
    p, q = one.shares, other.shares
    return float(0.5 * (_squared(p) + _squared(q)) - (p * q).sum(axis=1).mean(dtype=np.float64))


def _squared(shares: np.ndarray) -> float:
    """Mean of Σ_a p(a)², unbiased: the chance that two different draws agree."""
    agree = (shares**2).sum(axis=1).mean(dtype=np.float64)
    return float((DRAWS * agree - 1) / (DRAWS - 1))


def fingerprints(game: Game, cards: Sequence[Card], seed: int = 0) -> list[Fingerprint]:
    """A fingerprint a card; their luck derives from (seed, name), the situations from the game alone.

    Raises Refused where a card is not for the game, or would do what is illegal.
    """
    tables, seats = _tables(game), range(game.spec.seats)
    episodes = max(EPISODES, -(-SITUATIONS // (len(tables) * len(seats) * game.spec.horizon)))
    players = Company(
        Guest(policy, slice(i * episodes, (i + 1) * episodes), seat, _luck(game, episodes, "player", i, seat))
        for i, table in enumerate(tables)
        for seat, policy in enumerate(table)
    )
    whole = slice(0, len(tables) * episodes * DRAWS)  # of riders: every episode, for every draw
    riders = []
    for card in cards:
        policy, luck = card.policy(game), derive(seed, "ride", game.spec.name, card.name)
        riders.append(Company(Guest(policy, whole, s, spread(derive(luck, s), whole.stop)) for s in seats))
    state = game.reset(_luck(game, len(tables) * episodes, "situations"))
    with single_threaded():
        seen = list(_rides(game, state, players, riders, [card.name for card in cards]))
    return [
        Fingerprint(card.name, np.concatenate(mine)) for card, mine in zip(cards, zip(*seen, strict=True), strict=True)
    ]


def _luck(game: Game, count: int, *names: str | int) -> Seeds:
    return spread(derive(0, game.spec.name, *names), count)


def _tables(game: Game) -> list[list[Policy]]:
    """Who plays the situations: every standard partner with its neighbour, and with uniform play."""
    rules: list[Policy] = [from_table(POLICIES, partner.maker).make(game, None) for partner in standard(game)]
    uniform: Policy = from_table(POLICIES, {"kind": "uniform"}).make(game, None)
    seats = range(game.spec.seats)
    neighbours = [[rules[(i + seat) % len(rules)] for seat in seats] for i in range(len(rules))]
    mixed = [[rules[i] if seat == i % len(seats) else uniform for seat in seats] for i in range(len(rules))]
    return neighbours + mixed


def _rides(
    game: Game, state: State, players: Company, riders: Sequence[Company], names: Sequence[str]
) -> Iterator[list[np.ndarray]]:
    """Step by step the riders' shares of actions, [rows · seats, actions] each."""
    kinds = np.arange(len(game.spec.actions))
    for _ in range(game.spec.horizon):
        views = {view: game.observe(state, view) for view in players.views.union(*(r.views for r in riders))}
        many = {view: Observation(*(np.repeat(part, DRAWS, axis=0) for part in seen)) for view, seen in views.items()}
        legal = next(iter(many.values())).legal
        shares = []
        for rider, name in zip(riders, names, strict=True):
            would: np.ndarray = np.empty(legal.shape[:2], dtype=np.int64)
            rider.act(many, would)
            if fault := illegal(would.ravel(), legal.reshape(-1, legal.shape[2])):
                raise Refused(f"{name} in {game.spec.name}: {fault}")
            drawn = (would[..., None] == kinds).reshape(-1, DRAWS, would.shape[1], len(kinds))
            shares.append(drawn.mean(axis=1, dtype=np.float32).reshape(-1, len(kinds)))
        yield shares
        actions = np.empty(next(iter(views.values())).legal.shape[:2], dtype=np.int64)
        players.act(views, actions)
        state, _ = game.step(state, actions)


def near_duplicates(prints: Sequence[Fingerprint], threshold: float = NEAR) -> tuple[Near, ...]:
    """Pairs nearer to each other than the threshold, each once, in the given order."""
    pairs = combinations(prints, 2)
    return tuple(Near(one=a.name, other=b.name, distance=d) for a, b in pairs if (d := distance(a, b)) < threshold)


def copies(game: Game, entry: Sequence[Card], held_out: Sequence[Card], threshold: float = NEAR) -> tuple[Near, ...]:
    """Agents of an entry (`one`) that do nearly the same as a held-out partner (`other`), whatever their files say."""
    if isinstance(game, TextGame):
        return wording.copies(game, entry, held_out, threshold)
    mine, theirs = fingerprints(game, entry), fingerprints(game, held_out)
    near = ((a.name, b.name, distance(a, b)) for a in mine for b in theirs)
    return tuple(Near(one=one, other=other, distance=d) for one, other, d in near if d < threshold)


def thin(game: Game, cards: Sequence[Card], threshold: float = NEAR) -> tuple[list[Card], tuple[Near, ...]]:
    """Cards that are left when near-duplicates go, and who went (`one`) for whom (`other`); order decides nothing.

    Down the names in order, a card goes if one that stays is too near.
    """
    prints = {mine.name: mine for mine in fingerprints(game, cards)}
    stay: list[str] = []
    gone: list[Near] = []
    for name in sorted(prints):
        close = [(distance(prints[name], prints[other]), other) for other in stay]
        apart, other = min(close, default=(1.0, ""))
        if apart < threshold:
            gone.append(Near(one=name, other=other, distance=apart))
        else:
            stay.append(name)
    return [card for card in cards if card.name in stay], tuple(gone)
