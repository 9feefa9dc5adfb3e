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
from crossplay.benchmark.crossplay import Fixture, MatchResult, Pairing
from crossplay.benchmark.errors import Refused, unknown
from crossplay.leaderboard.budgets import Spent, spent
from crossplay.leaderboard.failures import Failures, told
from crossplay.leaderboard.measures import measure, measured
from crossplay.leaderboard.roster import Roster
from crossplay.leaderboard.roster import trembling as shaky

Where = dict[tuple[str, str, int], Pairing]  # (ego, partner, the ego's seat) → the match that fills the cell
MEASURED = ("return", "free_riding")  # J and F


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
    shaken: np.ndarray = field(
        default_factory=lambda: np.empty(0)
    )  # [..., egos, partners, seats, noise]: J of partners
    noise: tuple[float, ...] = ()  # that take a random legal action in such a share of their steps
    costs: bool = False  # whether anybody paid a private cost in any of these matches
    episodes: int = 0  # a match
    contaminated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # entry → held-out partners it has met
    near: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # entry → near-copies, as "ego of partner"
    apart: tuple[str, ...] = ()  # held-out partners that are not scored, with the reason
    failed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # entry → what broke its matches
    spent: Mapping[str, Spent] = field(default_factory=dict)  # entry → what its training cost
    yard: Yardsticks | None = None  # None: bounds were not measured

    @property
    def seats(self) -> int:
        return int(self.scores.shape[-1])

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
            shaken=self.shaken[..., mine, :, :, :] if self.noise else self.shaken,
            contaminated={entry: self.contaminated.get(entry, ())},
            near={entry: self.near.get(entry, ())},
            failed={entry: self.failed.get(entry, ())},
            spent={entry: self.spent.get(entry, Spent())},
        )


def cells(
    results: Mapping[str, MatchResult], roster: Roster, fixtures: Iterable[Fixture], failures: Failures | None = None
) -> Cells:
    """The cells that results (match key → result) fill; `fixtures` say which match belongs in which cell."""
    where = placed(roster.game, fixtures)
    entries = tuple(sorted(roster.entries))
    egos = [(index, card) for index, entry in enumerate(entries) for card in _by_name(roster.entries[entry])]
    families = tuple(sorted({card.family for card in roster.held_out}))
    partners = sorted(roster.held_out, key=lambda card: (card.family, card.name))
    names, known = [ego.name for _, ego in egos], _known(results, where)
    met = [(name, partner.name, seat) for name in names for partner in partners for seat in range(roster.seats)]
    shape = (len(names), len(partners), roster.seats)
    scores, riding = np.moveaxis(_filled(known, met), -1, 0).reshape(2, *shape)
    self_play, riding_alone = _filled(known, [(ego, ego, 0) for ego in names]).T
    return Cells(
        game=roster.game,
        entries=entries,
        egos=tuple(names),
        entry_of=np.array([index for index, _ in egos], dtype=np.int64),
        families=families,
        partners=tuple(card.name for card in partners),
        family_of=np.array([families.index(card.family) for card in partners], dtype=np.int64),
        scores=scores,
        self_play=self_play,
        riding=riding,
        riding_alone=riding_alone,
        shaken=_shaken(known, roster, names, partners),
        noise=roster.noise,
        costs=any(results[p.key].returns.costs.any() for p in where.values() if p.key in results),
        episodes=max((pairing.episodes for pairing in where.values()), default=0),
        contaminated=_contaminated(roster),
        near={name: _near(roster, cards) for name, cards in roster.entries.items()},
        apart=tuple(f"{card.name}: {reason}" for card, reason in roster.apart),
        failed=_failed(roster, where, failures or {}),
        spent={entry: spent(cards) for entry, cards in roster.entries.items()},
        yard=_yardsticks(roster, [card.name for card in partners]),
    )


def _known(results: Mapping[str, MatchResult], where: Where) -> dict[tuple[str, str, int], np.ndarray]:
    """Cell → J and F of the match that was played in it."""
    cells = [cell for cell, pairing in where.items() if pairing.key in results]
    found = measured([results[where[cell].key] for cell in cells], MEASURED)
    return dict(zip(cells, found.T, strict=True))


def _filled(known: Mapping[tuple[str, str, int], np.ndarray], cells: Sequence[tuple[str, str, int]]) -> np.ndarray:
    """J and F of cells, [cells, 2]; NaN where there was no match."""
    hole = np.full(len(MEASURED), np.nan)
    return np.array([known.get(cell, hole) for cell in cells], dtype=np.float64).reshape(len(cells), len(MEASURED))


def _shaken(
    known: Mapping[tuple[str, str, int], np.ndarray], roster: Roster, egos: list[str], partners: list[Card]
) -> np.ndarray:
    """J with partners that tremble, [egos, partners, seats, noise]."""
    named = [[shaky(partner, noise).name for noise in roster.noise] for partner in partners]
    met = [(ego, name, seat) for ego in egos for names in named for seat in range(roster.seats) for name in names]
    return _filled(known, met)[:, 0].reshape(len(egos), len(partners), roster.seats, len(roster.noise))


def placed(game: str, fixtures: Iterable[Fixture]) -> Where:
    """Which match fills which cell of a game. Raises Refused where two different matches claim one cell."""
    where: Where = {}
    for pairing in (fixture.pairing for fixture in fixtures):
        if pairing.game == game:
            cell = (pairing.ego, pairing.partner, pairing.seat)
            if where.setdefault(cell, pairing).key != pairing.key:
                raise Refused(f"{game}: two different matches of {cell[0]!r} with {cell[1]!r} in seat {cell[2]}")
    return where


def score(results: Mapping[str, MatchResult], pairing: Pairing | None, of: str = "return") -> float:
    """A measure of a match, J unless another is named; NaN where it was not played or not asked for."""
    result = results.get(pairing.key) if pairing else None
    return float("nan") if result is None else measure(of).of(result.returns)


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


def _failed(roster: Roster, where: Where, failures: Failures) -> dict[str, tuple[str, ...]]:
    mine = {name: {card.name for card in cards} for name, cards in roster.entries.items()}
    return {name: told(failures, where.values(), egos) if failures else () for name, egos in mine.items()}


def _contaminated(roster: Roster) -> dict[str, tuple[str, ...]]:
    met = {
        name: tuple(sorted({partner for card in cards for partner in roster.contaminated(card)}))
        for name, cards in roster.entries.items()
    }
    return {name: partners for name, partners in met.items() if partners}
