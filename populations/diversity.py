"""How unlike each other partners are: by what they earn together, by what happens while they play, by what they do."""

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import NonNegativeInt, PositiveInt

from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.match import HARNESS


@config
class Skill:
    """What a partner earns with itself, return per episode, mean over seats."""

    partner: str
    digest: str
    itself: float


@config
class Near:
    """Two agents that do nearly the same: their distance as in `fingerprint`, 0 for equal."""

    one: str
    other: str
    distance: float


@config
class Diversity:
    """The report on a population's held-out partners; null where a number is not defined."""

    seed: int
    episodes: PositiveInt  # a match
    harness: int = HARNESS
    effective_rank: float | None = None  # of the cross-play matrix, 1 to the number of partners
    event_volume: float | None = None  # 0 to 1
    event_rank: NonNegativeInt  # of the kernel whose determinant the volume is
    threshold: float  # distance below which two are near-duplicates
    near: tuple[Near, ...] = ()
    skills: tuple[Skill, ...] = ()  # sorted by partner

    def check(self, where: str, held_out: Mapping[str, str]) -> None:
        """Raises Refused where it does not tell of just these partners, name → digest."""
        told = {skill.partner: skill.digest for skill in self.skills}
        if told != held_out or len(told) != len(self.skills):
            raise Refused(f"population {where!r}: its diversity was measured of other partners than are held out")

    def itself(self, partner: str) -> float:
        """What a partner earns with itself."""
        return next(skill.itself for skill in self.skills if skill.partner == partner)


def effective_rank(matrix: np.ndarray) -> float | None:
    """exp of the Shannon entropy of the singular values as shares of their sum [Roy2007]; None for a matrix of zeros.

    1 where all partners earn alike with everybody, n for n partners who get on with themselves alone.
    """
    values = np.linalg.svd(matrix, compute_uv=False)
    if not values.any():
        return None
    shares = values[values > 0] / values.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def event_volume(events: np.ndarray) -> tuple[float | None, int]:
    """det(K)^(1/n) of the squared-exponential kernel of n partners' event counts [n, events], and K's rank.

    The determinant of behaviours' kernel is the volume they span [ParkerHolder2020]; the n-th root makes populations of
    different sizes comparable: 1 where all are far from each other, towards 0 as two become alike. Counts are divided
    by their deviation over partners, and squared distances by the number of events that vary. None, instead of
    whatever rounding makes of 0, where K has not full rank, as when two partners are alike in every event.
    """
    spread = events.std(axis=0)
    told = events[:, spread > 0] / spread[spread > 0]
    squares = ((told[:, None] - told[None]) ** 2).sum(axis=2) / max(1, told.shape[1])
    kernel = np.exp(-squares / 2)
    rank = int(np.linalg.matrix_rank(kernel, hermitian=True))
    if rank < len(kernel):
        return None, rank
    return float(np.exp(np.linalg.slogdet(kernel)[1] / len(kernel))), rank


def event_means(counts: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """What happens around each of n partners, [n, events], from the counts [episodes, 2, events] of match (i, j).

    Mean over whom it plays with, its seat and episodes, of its own seat's events.
    """
    n = len(counts)
    own = [[counts[i][j][:, 0].mean(axis=0) for j in range(n)] for i in range(n)]
    mates = [[counts[j][i][:, 1].mean(axis=0) for j in range(n)] for i in range(n)]
    return (np.array(own).mean(axis=1) + np.array(mates).mean(axis=1)) / 2
