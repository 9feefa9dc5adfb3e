"""Who plays on one game's board: entries with their trained seeds, held-out partners, and partners only looked at."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from pydantic import Field

from crossplay.benchmark.card import Card
from crossplay.benchmark.config import config
from crossplay.benchmark.crossplay import Fixture, fixtures
from crossplay.benchmark.errors import Refused, unknown
from crossplay.benchmark.game import Game
from crossplay.populations.bounds import Bounds
from crossplay.populations.diversity import Near


@config
class Roster:
    """One game's participants. A card name means one agent throughout. Raises Refused where it does not."""

    game: str  # spec name
    seats: int = Field(ge=1)
    entries: dict[str, tuple[Card, ...]]  # row of the board → one card for every independently trained seed
    held_out: tuple[Card, ...]  # the partners that are scored
    train: tuple[Card, ...] = ()  # partners some entries were trained with: shown in the heatmap, never scored
    guests: tuple[str, ...] = ()  # entries from outside: they meet who is scored, and themselves, not other egos
    bounds: Bounds | None = None  # of the held-out partners, where measured
    noise: tuple[float, ...] = ()  # shares of random actions that the held-out partners are met with once more
    absent: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # entry → cards that lack, and why
    apart: tuple[tuple[Card, str], ...] = ()  # held-out partners that are not scored, and why: met and shown as others
    near: tuple[Near, ...] = ()  # agents (`one`) that do nearly the same as a held-out partner (`other`)

    def __post_init__(self) -> None:
        if not self.held_out:
            told = "".join(f"; not scored: {line}" for line in self.unscored)
            raise Refused(f"roster of {self.game}: no held-out partner, so nothing to score{told}")
        for name, cards in self.entries.items():
            if not cards:
                raise Refused(f"roster of {self.game}: entry {name!r} has no card")
        self._check_names()

    def _check_names(self) -> None:
        egos = [card.name for card in self.egos]
        partners = [card.name for card in self.held_out]
        for place, names in (("the entries", egos), ("the held-out partners", partners)):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise Refused(f"roster of {self.game}: card {twice[0]!r} is twice among {place}")
        digests: dict[str, str] = {}
        for card in chain(self.egos, self.held_out, self.shown):
            if digests.setdefault(card.name, card.digest) != card.digest:
                raise Refused(f"roster of {self.game}: two different agents are called {card.name!r}; rename one")
            if card.game not in ("", self.game):
                raise Refused(f"roster of {self.game}: card {card.name!r} was made for {card.game}")

    @property
    def egos(self) -> tuple[Card, ...]:
        """Every trained seed of every entry, in order."""
        return tuple(chain.from_iterable(self.entries.values()))

    @property
    def shown(self) -> tuple[Card, ...]:
        """Partners that are met and shown in the heatmap, and never scored."""
        return (*self.train, *(card for card, _ in self.apart))

    @property
    def unscored(self) -> tuple[str, ...]:
        """Held-out partners that are not scored, a line for every reason."""
        names: dict[str, list[str]] = {}
        for card, reason in self.apart:
            names.setdefault(reason, []).append(card.name)
        return tuple(f"{', '.join(those)}: {reason}" for reason, those in names.items())

    def fixtures(self, game: Game, episodes: int, seed: int) -> list[Fixture]:
        """Each match of this roster once, in an order that depends on the roster alone.

        Scored: every ego with every held-out partner, in every seat. For the gap: every ego with itself, in seat 0
        only, since the card sits in all seats. For retention: every ego with every held-out partner that trembles. For
        the heatmap: every ego but guests with every other and train partner.
        """
        if (game.spec.name, game.spec.seats) != (self.game, self.seats):
            raise Refused(
                f"roster of {self.game} with {self.seats} seats cannot play {game.spec.name} with {game.spec.seats}"
            )
        found: dict[str, Fixture] = {}
        for match in fixtures(game, self._matches(), episodes=episodes, seed=seed):
            found.setdefault(match.pairing.key, match)
        return list(found.values())

    def _matches(self) -> Iterator[tuple[Card, Card, int]]:
        for ego in self.egos:
            yield ego, ego, 0
        scored = (self.held_out, *(self.trembling(noise) for noise in self.noise))
        own = tuple(chain.from_iterable(cards for name, cards in self.entries.items() if name not in self.guests))
        for number, partners in enumerate((*scored, self.shown, own)):
            for ego in self.egos if number < len(scored) else own:
                for partner in partners:
                    if number < len(scored) or partner.name != ego.name:
                        yield from ((ego, partner, seat) for seat in range(self.seats))

    def trembling(self, noise: float) -> tuple[Card, ...]:
        """The held-out partners, each taking a random legal action in a share `noise` of its steps."""
        return tuple(trembling(card, noise) for card in self.held_out)

    def contaminated(self, card: Card) -> list[str]:
        """Names of the held-out partners this card was trained with, or is itself a copy of."""
        met = {card.digest, *card.trained_with}
        return [partner.name for partner in self.held_out if partner.digest in met]

    def entry(self, name: str) -> tuple[Card, ...]:
        """An entry's cards. Raises Refused with the nearest name where there is no such entry."""
        if name not in self.entries:
            raise unknown("entry", name, self.entries)
        return self.entries[name]


def trembling(card: Card, noise: float) -> Card:
    """A partner with a trembling hand: what its policy does, but with probability `noise` any legal action."""
    return replace(card, name=f"{card.name}~{noise:g}", maker={"kind": "noisy", "maker": card.maker, "epsilon": noise})
