"""One game's results as arrays: J of every ego with every held-out partner in every seat, NaN where a match is missing.

J of a cell is its match's `mean_return`, and F its `free_riding` degree. Order is by name, so what is computed from
cells does not depend on the roster's order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from crossplay.benchmark.card import Card
from crossplay.benchmark.crossplay import Fixture, Match, MatchResult
from crossplay.benchmark.errors import unknown
from crossplay.benchmark.pairing import Pairing
from crossplay.leaderboard.budgets import Spent, spent
from crossplay.leaderboard.failures import Failures, told
from crossplay.leaderboard.measures import measured
from crossplay.leaderboard.placed import placed
from crossplay.leaderboard.roster import Roster, trembling

MEASURED = ("return", "free_riding")  # J and F
HOLE = (float("nan"),) * len(MEASURED)  # where nothing was played


class Yardsticks(NamedTuple):
    """What returns with the held-out partners are measured against; float64 and bool [..., partners, seats]."""

    low: np.ndarray  # J(uniform, partner)
    high: np.ndarray  # J(best response, partner); NaN where there is no best response
    clear: np.ndarray  # whether the best response is clearly better, so that there is a score

    def of(self, partners: np.ndarray) -> "Yardsticks":
        """Those of these partners."""
        return Yardsticks(*(part[partners] for part in self))


@dataclass(frozen=True, eq=False)
class Cells:
    """Scores J in the game's own unit of return per episode, and free-riding degrees F in its private cost per episode.

    Entries, seeds, families and partners are sorted by name.
    """

    game: str
    entries: tuple[str, ...]
    egos: tuple[str, ...]
    entry_of: np.ndarray  # [egos] index into entries
    families: tuple[str, ...]
    partners: tuple[str, ...]
    family_of: np.ndarray  # [partners] index into families
    scores: np.ndarray  # [..., egos, partners, seats] float64; leading axes, if any, are resamples
    self_play: np.ndarray  # [..., egos] float64, every ego with itself
    riding: np.ndarray  # [..., egos, partners, seats] float64, F where `scores` has J
    riding_alone: np.ndarray  # [..., egos] float64, F of every ego with itself: for a net per seat, the trained pair
    shaken: np.ndarray  # [..., egos, partners, seats, noise]: J with partners
    noise: tuple[float, ...] = ()  # that take a random legal action in such a share of their steps
    costs: bool = False  # whether anybody paid a private cost in any of these matches
    episodes: int = 0  # a match
    contaminated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # entry → held-out partners it has met
    near: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # entry → near-copies, as "ego of partner"
    apart: tuple[str, ...] = ()  # held-out partners that are not scored, with the reason
    failed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # entry → what broke its matches
    absent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # entry → seeds that lack, and why
    spent: Mapping[str, Spent] = field(default_factory=dict)  # entry → what its training cost
    yard: Yardsticks | None = None  # None: bounds were not measured

    @property
    def seats(self) -> int:
        return int(self.scores.shape[-1])

    @cached_property
    def by_partner(self) -> np.ndarray:
        """J of every partner, mean over trained seeds and seats, [..., partners]."""
        return self.scores.mean(axis=(-3, -1))

    @cached_property
    def by_family(self) -> np.ndarray:
        """J of every family, the plain mean over its partners, [..., families]."""
        return self.over_families(self.by_partner)

    def over_families(self, values: np.ndarray) -> np.ndarray:
        """Values [..., partners] → [..., families], the plain mean within each family."""
        columns = [values[..., self.family_of == index].mean(axis=-1) for index in range(len(self.families))]
        return np.stack(columns, axis=-1)

    @cached_property
    def holes(self) -> int:
        """How many cells have no result, self-play included."""
        return int(sum(np.isnan(played).sum() for played in (self.scores, self.self_play, self.shaken)))

    @property
    def matches(self) -> int:
        """How many cells there are, self-play and trembling partners included."""
        return self.scores.size + self.self_play.size + self.shaken.size

    def of(self, entry: str) -> "Cells":
        """One entry's cells. Raises Refused with the nearest name where there is no such entry."""
        if entry not in self.entries:
            raise unknown("entry", entry, self.entries)
        mine = np.flatnonzero(self.entry_of == self.entries.index(entry))
        return replace(
            self,
            entries=(entry,),
            egos=tuple(self.egos[i] for i in mine),
            entry_of=np.zeros(len(mine), dtype=np.int64),
            scores=self.scores[..., mine, :, :],
            self_play=self.self_play[..., mine],
            riding=self.riding[..., mine, :, :],
            riding_alone=self.riding_alone[..., mine],
            shaken=self.shaken[..., mine, :, :, :],
            contaminated={entry: self.contaminated.get(entry, ())},
            near={entry: self.near.get(entry, ())},
            failed={entry: self.failed.get(entry, ())},
            spent={entry: self.spent.get(entry, Spent())},
        )

    def with_partners(self, mine: np.ndarray) -> "Cells":
        """The cells with these partners, by index and in order, and of their families."""
        families = np.unique(self.family_of[mine])
        return replace(
            self,
            families=tuple(self.families[i] for i in families),
            partners=tuple(self.partners[i] for i in mine),
            family_of=np.searchsorted(families, self.family_of[mine]),
            scores=self.scores[..., mine, :],
            riding=self.riding[..., mine, :],
            shaken=self.shaken[..., mine, :, :],
            yard=Yardsticks(*(part[..., mine, :] for part in self.yard)) if self.yard else None,
        )


def cells(
    results: Mapping[str, MatchResult], roster: Roster, fixtures: Iterable[Fixture], failures: Failures | None = None
) -> Cells:
    """The cells that results (match key → result) fill; `fixtures` say which match belongs in which cell."""
    where = placed(roster.game, fixtures)
    played = [cell for cell, pairing in where.items() if pairing.key in results]
    found = measured([results[where[cell].key] for cell in played], MEASURED)
    known = dict(zip(played, zip(*found.tolist(), strict=True), strict=True))
    values = [known.get((ego.name, partner.name, seat), HOLE) for ego, partner, seat in spots(roster)]
    return filled(
        roster,
        values,
        costs=any(results[where[cell].key].returns.costs.any() for cell in played),
        episodes=max((pairing.episodes for pairing in where.values()), default=0),
        failed=broken(roster, where.values(), failures or {}),
    )


def spots(roster: Roster) -> list[Match]:
    """The matches that fill cells, in the order of `filled`: with every partner, as it is and trembling, and alone."""
    egos, partners = [ego for _, ego in _egos(roster)], _partners(roster)
    met = [partners, *([trembling(partner, noise) for partner in partners] for noise in roster.noise)]
    seats = range(roster.seats)
    return [
        *((ego, partner, seat) for ego in egos for row in met for partner in row for seat in seats),
        *((ego, ego, 0) for ego in egos),
    ]


def filled(
    roster: Roster,
    values: Sequence[tuple[float, ...]],
    *,
    costs: bool,
    episodes: int,
    failed: Mapping[str, tuple[str, ...]],
) -> Cells:
    """The cells of a roster, from J and F in each of its `spots`, HOLE where there was no match."""
    egos, partners = _egos(roster), _partners(roster)
    families = tuple(sorted({card.family for card in partners}))
    table = np.array(values, dtype=np.float64).reshape(-1, len(MEASURED))
    met, alone = table[: len(table) - len(egos)], table[len(table) - len(egos) :]
    met = met.reshape(len(egos), 1 + len(roster.noise), len(partners), roster.seats, len(MEASURED))
    return Cells(
        game=roster.game,
        entries=tuple(sorted(roster.entries)),
        egos=tuple(card.name for _, card in egos),
        entry_of=np.array([index for index, _ in egos], dtype=np.int64),
        families=families,
        partners=tuple(card.name for card in partners),
        family_of=np.array([families.index(card.family) for card in partners], dtype=np.int64),
        scores=met[:, 0, ..., 0],
        self_play=alone[:, 0],
        riding=met[:, 0, ..., 1],
        riding_alone=alone[:, 1],
        shaken=np.moveaxis(met[:, 1:, ..., 0], 1, -1),
        noise=roster.noise,
        costs=costs,
        episodes=episodes,
        contaminated=_contaminated(roster),
        near={name: _near(roster, cards) for name, cards in roster.entries.items()},
        failed=failed,
        absent=roster.absent,
        apart=roster.unscored,
        spent={entry: spent(cards) for entry, cards in roster.entries.items()},
        yard=_yardsticks(roster, [card.name for card in partners]),
    )


def _egos(roster: Roster) -> list[tuple[int, Card]]:
    """Every ego and its entry's index, both by name."""
    entries = enumerate(sorted(roster.entries))
    return [(index, card) for index, name in entries for card in _by_name(roster.entries[name])]


def _partners(roster: Roster) -> list[Card]:
    return sorted(roster.held_out, key=lambda card: (card.family, card.name))


def _yardsticks(roster: Roster, partners: list[str]) -> Yardsticks | None:
    """Raises Refused where some partners' bounds were measured and some were not: nobody is left out by accident."""
    if roster.bounds is None:
        return None
    rows = [[roster.bounds.row(name, seat) for seat in range(roster.seats)] for name in partners]
    low = np.array([[row.low for row in seats] for seats in rows])
    high = np.array([[np.nan if row.high is None else row.high for row in seats] for seats in rows])
    return Yardsticks(low, high, np.array([[not row.unmeasured for row in seats] for seats in rows]))


def _by_name(cards: Iterable) -> list:
    return sorted(cards, key=lambda card: card.name)


def _near(roster: Roster, cards: Iterable[Card]) -> tuple[str, ...]:
    names = {card.name for card in cards}
    return tuple(sorted(f"{near.one} of {near.other}" for near in roster.near if near.one in names))


def broken(roster: Roster, pairings: Iterable[Pairing], failures: Failures) -> dict[str, tuple[str, ...]]:
    """Entry → what broke its matches among these."""
    every = list(pairings) if failures else []
    mine = {name: {card.name for card in cards} for name, cards in roster.entries.items()}
    return {name: told(failures, every, egos) for name, egos in mine.items()}


def _contaminated(roster: Roster) -> dict[str, tuple[str, ...]]:
    met = {
        name: tuple(sorted({partner for card in cards for partner in roster.contaminated(card)}))
        for name, cards in roster.entries.items()
    }
    return {name: partners for name, partners in met.items() if partners}
