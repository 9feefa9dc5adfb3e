"""Yardsticks of a held-out partner: what uniformly random play earns with it, and what the best response known does."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from crossplay.benchmark.card import Card
from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused, unknown
from crossplay.benchmark.match import HARNESS, Returns

CLEAR = 3.0  # standard errors by which a best response has to beat uniform play: by luck one bound in 700 does


@config
class Bound:
    """Returns per episode, mean over seats, with one partner and the ego in one seat, low and high on equal games."""

    partner: str
    digest: str  # of the partner's card
    seat: NonNegativeInt  # the ego's
    low: float  # J(uniform, partner)
    high: float | None = None  # J(best response, partner); None: there is no best response
    by: str | None = None  # the held-out partner whose play that is; None: the best response was trained
    error: NonNegativeFloat = 0.0  # standard error of high − low, paired by game
    unmeasured: str = ""  # why there is nothing to measure a score against; empty: there is

    def __post_init__(self) -> None:
        """Raises Refused where a bound without a clear distance does not say that it is unmeasured."""
        clear = self.high is not None and self.high - self.low > CLEAR * self.error
        if clear == bool(self.unmeasured):
            raise Refused(
                f"bound of {self.partner!r}, seat {self.seat}: low {self.low}, high {self.high}, error {self.error} "
                f"and unmeasured = {self.unmeasured!r} do not go together"
            )

    def score(self, value: float) -> float | None:
        """A return as a share of the way from low to high, never clipped; None where the bound is unmeasured."""
        return None if self.unmeasured or self.high is None else (value - self.low) / (self.high - self.low)


def bound(
    partner: Card, seat: int, low: Returns, high: Returns | None, by: str | None = None, fault: str = ""
) -> Bound:
    """The bound that matches on the same games give; `fault` says why none was trained."""
    floor = low.returns.mean(axis=1)  # [episodes]
    common: dict[str, Any] = {"partner": partner.name, "digest": partner.digest, "seat": seat, "by": by}
    common["low"] = float(low.returns.mean())
    if high is None:
        return Bound(**common, unmeasured=fault)
    gains = high.returns.mean(axis=1) - floor
    error = float(gains.std(ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else 0.0
    top = float(high.returns.mean())
    clear = top - common["low"] > CLEAR * error
    why = fault or f"the best response is not {CLEAR:g} standard errors better than uniform play"
    return Bound(**common, high=top, error=error, unmeasured="" if clear else why)


@config
class Bounds:
    """Every bound that was measured with one plan, sorted by partner and seat; and the plan."""

    trainer: dict[str, Any]  # of the best responses
    seed: int
    episodes: PositiveInt  # a match
    auditions: PositiveInt | None = None  # episodes all who might be best play first; None: only the trained might be
    harness: int = HARNESS
    rows: tuple[Bound, ...] = ()

    def check(self, where: str, held_out: Mapping[str, str]) -> None:
        """Raises Refused where a row is no held-out partner's (name → digest), or one is there twice."""
        places = [(row.partner, row.seat) for row in self.rows]
        for row in self.rows:
            if held_out.get(row.partner) != row.digest:
                raise Refused(f"population {where!r}: a bound is for {row.partner!r}, which is not held out here")
        if places != sorted(set(places)):
            raise Refused(f"population {where!r}: bounds have to be sorted by partner and seat, each once")

    def of(self, held_out: Mapping[str, str]) -> "Bounds":
        """Those of these partners, name → digest."""
        return replace(self, rows=tuple(row for row in self.rows if held_out.get(row.partner) == row.digest))

    def row(self, partner: str, seat: int) -> Bound:
        """One partner's. Raises Refused where it has not been measured: a missing bound is no bound of 0."""
        for row in self.rows:
            if (row.partner, row.seat) == (partner, seat):
                return row
        known = [f"{row.partner}, seat {row.seat}" for row in self.rows]
        raise unknown("bound of partner", f"{partner}, seat {seat}", known)
