"""Which match belongs in which cell, and what one cell says."""

from collections.abc import Iterable, Mapping

from crossplay.benchmark.crossplay import Fixture, MatchResult
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.pairing import Pairing
from crossplay.leaderboard.measures import measure

Where = dict[tuple[str, str, int], Pairing]  # (ego, partner, the ego's seat) → the match that fills the cell


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
