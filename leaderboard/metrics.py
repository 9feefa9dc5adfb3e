"""What the board measures: one small class a metric, which says its formula, axes, unit, direction and source.

A metric takes one entry's Cells, J[e, p, s] of trained seeds e, held-out partners p and the ego's seats s, and likewise
F, the free-riding degree of a match (`measures.free_riding`). Leading axes of the arrays, if any, are resamples and
stay. Where a cell that a metric needs is a hole (NaN), its value is NaN: no metric averages over a hole.
"""

from typing import Any, ClassVar, Protocol

import numpy as np

from crossplay.benchmark.config import config
from crossplay.benchmark.errors import unknown
from crossplay.benchmark.registry import Registry
from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.measures import COST, RETURN
from crossplay.leaderboard.trims import middle, tail

METRICS = Registry("metric")
SEEDS_AND_PARTNERS = "trained seeds and partners"
SEEDS_ONLY = "trained seeds only"
Value = Any  # float, or float64 [...] for cells with leading axes


class Metric(Protocol):
    """What METRICS holds: documentation on the class, parameters as fields."""

    formula: ClassVar[str]
    axes: ClassVar[str]  # what is averaged, and what is not
    unit: ClassVar[str]
    direction: ClassVar[str]  # "higher" or "lower" is better
    source: ClassVar[str]  # a key of docs/references.md
    covers: ClassVar[str]  # which luck its interval covers at most; empty: it has none, and the docstring says why

    def __call__(self, cells: Cells) -> Value:
        """One entry's value, or NaN where a cell it needs is a hole."""
        ...


class Headline(Metric, Protocol):
    """A mean over families of partners, which rows can be ranked by."""

    def table(self, cells: Cells) -> np.ndarray:
        """What is averaged, [..., egos, partners]."""
        ...


@METRICS.register("mean")
@config
class Mean:
    """The headline: every family of partners counts the same, however many partners it has."""

    formula: ClassVar[str] = "mean_f mean_{p in f} mean_{e,s} J[e,p,s]"
    axes: ClassVar[str] = "macro-average over families f; within one, over partners, seeds and seats"
    unit: ClassVar[str] = RETURN
    direction: ClassVar[str] = "higher"
    source: ClassVar[str] = "[Gorsane2022]"
    covers: ClassVar[str] = SEEDS_AND_PARTNERS

    def __call__(self, cells: Cells) -> Value:
        return cells.by_family.mean(axis=-1)[()]

    def table(self, cells: Cells) -> np.ndarray:
        """J, mean over seats, [..., egos, partners]."""
        return cells.scores.mean(axis=-1)


@METRICS.register("partner_mean")
@config
class PartnerMean:
    """Every partner counts the same, so a family counts by its size."""

    formula: ClassVar[str] = "mean_{e,p,s} J[e,p,s]"
    axes: ClassVar[str] = "over seeds, partners and seats"
    unit: ClassVar[str] = RETURN
    direction: ClassVar[str] = "higher"
    source: ClassVar[str] = "[Gorsane2022]"
    covers: ClassVar[str] = SEEDS_AND_PARTNERS

    def __call__(self, cells: Cells) -> Value:
        return cells.by_partner.mean(axis=-1)[()]


@METRICS.register("iqm")
@config
class Iqm:
    """The mean of the middle half: robust where the mean follows a few outliers, finer than the median."""

    formula: ClassVar[str] = "mean of the n - 2 floor(n/4) middle values of all n J[e,p,s]"
    axes: ClassVar[str] = "over all cells (seed × partner × seat) at once, families not balanced"
    unit: ClassVar[str] = RETURN
    direction: ClassVar[str] = "higher"
    source: ClassVar[str] = "[Agarwal2021]"
    covers: ClassVar[str] = SEEDS_AND_PARTNERS

    def __call__(self, cells: Cells) -> Value:
        return middle(cells.scores)[()]


@METRICS.register("worst_partner")
@config
class WorstPartner:
    """J with the partner it goes worst with.

    It has no interval: the lowest of other partners may be lower than any that were met, which these cannot say.
    """

    formula: ClassVar[str] = "min_p mean_{e,s} J[e,p,s]"
    axes: ClassVar[str] = "minimum over partners of the mean over seeds and seats"
    unit: ClassVar[str] = RETURN
    direction: ClassVar[str] = "higher"
    source: ClassVar[str] = "[Gorsane2022]"
    covers: ClassVar[str] = ""

    def __call__(self, cells: Cells) -> Value:
        return cells.by_partner.min(axis=-1)[()]


@METRICS.register("cvar20")
@config
class Cvar20:
    """The mean of the worst fifth of the partners, exactly a fifth (see `tail`) and at least one partner."""

    formula: ClassVar[str] = "mean of the max(1, P/5) lowest of the P values mean_{e,s} J[e,p,s], the last one in part"
    axes: ClassVar[str] = "tail over partners of the mean over seeds and seats"
    unit: ClassVar[str] = RETURN
    direction: ClassVar[str] = "higher"
    source: ClassVar[str] = "[Acerbi2002]"
    covers: ClassVar[str] = SEEDS_AND_PARTNERS

    def __call__(self, cells: Cells) -> Value:
        return tail(cells.by_partner)[()]


@METRICS.register("self_play")
@config
class SelfPlay:
    """J of the agent with a copy of itself: what it reaches when nothing has to be guessed."""

    formula: ClassVar[str] = "mean_e J[e,e]"
    axes: ClassVar[str] = "over seeds"
    unit: ClassVar[str] = RETURN
    direction: ClassVar[str] = "higher"
    source: ClassVar[str] = "[Hu2020]"
    covers: ClassVar[str] = SEEDS_ONLY

    def __call__(self, cells: Cells) -> Value:
        return cells.self_play.mean(axis=-1)[()]


@METRICS.register("gap")
@config
class Gap:
    """The generalization gap: how much is lost when the partner is a stranger. Negative where strangers are better."""

    formula: ClassVar[str] = "self_play - mean"
    axes: ClassVar[str] = "difference of the two metrics of these names"
    unit: ClassVar[str] = RETURN
    direction: ClassVar[str] = "lower"
    source: ClassVar[str] = "[Hu2020]"
    covers: ClassVar[str] = SEEDS_AND_PARTNERS

    def __call__(self, cells: Cells) -> Value:
        return SelfPlay()(cells) - Mean()(cells)


@METRICS.register("seat_gap")
@config
class SeatGap:
    """How much it matters which seat the agent is given."""

    formula: ClassVar[str] = "max_s M[s] - min_s M[s], M[s] = mean_f mean_{p in f} mean_e J[e,p,s]"
    axes: ClassVar[str] = "range over seats of the macro-average over families, within them over partners and seeds"
    unit: ClassVar[str] = RETURN
    direction: ClassVar[str] = "lower"
    source: ClassVar[str] = "[Carroll2019]"
    covers: ClassVar[str] = SEEDS_AND_PARTNERS

    def __call__(self, cells: Cells) -> Value:
        by_seat = np.moveaxis(cells.scores.mean(axis=-3), -1, -2)  # [..., seats, partners]
        seats = cells.over_families(by_seat).mean(axis=-1)
        return (seats.max(axis=-1) - seats.min(axis=-1))[()]


@METRICS.register("family")
@config
class Family:
    """J with one family of partners: `family:scripted`."""

    family: str

    formula: ClassVar[str] = "mean_{p in family} mean_{e,s} J[e,p,s]"
    axes: ClassVar[str] = "over the partners of the family, seeds and seats"
    unit: ClassVar[str] = RETURN
    direction: ClassVar[str] = "higher"
    source: ClassVar[str] = "[Leibo2021]"
    covers: ClassVar[str] = SEEDS_AND_PARTNERS

    def __call__(self, cells: Cells) -> Value:
        """Raises Refused with the nearest name where no held-out partner is of this family."""
        if self.family not in cells.families:
            raise unknown("family of held-out partners", self.family, cells.families)
        mine = cells.family_of == cells.families.index(self.family)
        return cells.by_partner[..., mine].mean(axis=-1)[()]


@METRICS.register("free_riding")
@config
class FreeRiding:
    """How unequally the agent and itself share the private costs: 0 where both seats pay the same on average."""

    formula: ClassVar[str] = "mean_e F[e,e], F = max_k E c_k - min_k E c_k over the seats k; |E c_0 - E c_1| of two"
    axes: ClassVar[str] = "over seeds; E over the episodes of the match, before the difference"
    unit: ClassVar[str] = COST
    direction: ClassVar[str] = "lower"
    source: ClassVar[str] = "[Qu2026]"
    covers: ClassVar[str] = SEEDS_ONLY

    def __call__(self, cells: Cells) -> Value:
        return cells.riding_alone.mean(axis=-1)[()]


@METRICS.register("free_riding_partners")
@config
class FreeRidingPartners:
    """The same with strangers, whoever of the two rides; every family of partners counts the same."""

    formula: ClassVar[str] = "mean_f mean_{p in f} mean_{e,s} F[e,p,s], F as in free_riding"
    axes: ClassVar[str] = "macro-average over families f; within one, over partners, seeds and seats"
    unit: ClassVar[str] = COST
    direction: ClassVar[str] = "lower"
    source: ClassVar[str] = "[Qu2026]"
    covers: ClassVar[str] = SEEDS_AND_PARTNERS

    def __call__(self, cells: Cells) -> Value:
        return cells.over_families(cells.riding.mean(axis=(-3, -1))).mean(axis=-1)[()]
