"""How often the board's intervals hold the truth, in simulation: seeds and partners drawn anew, and so is what they do.

python -m tests.speed.coverage [TRIALS]    # the table of docs/scores.md, 2000 trials a number: ten minutes
"""

import sys

import numpy as np

from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.intervals import interval
from crossplay.leaderboard.metrics import Mean

TRUTHS = {  # deviations of what seeds, partners, and their pairing do
    "seeds": (1.0, 0.2, 0.2),
    "partners": (0.1, 2.0, 0.5),
    "pairing": (0.1, 0.1, 1.0),
    "pairing alone": (0.0, 0.0, 1.0),
    "all alike": (1.0, 1.0, 1.0),
    "between": (1.0, 3.0, 0.3),
}
SHAPES = {"normal": 0.0, "skewed": 1.0, "very skewed": 2.0}  # skewness: of a normal, a gamma, an exponential


def drawn(rng: np.random.Generator, skew: float, size: tuple[int, ...]) -> np.ndarray:
    """Numbers of mean 0 and deviation 1."""
    if not skew:
        return rng.normal(size=size)
    shape = 4 / skew**2
    return (rng.gamma(shape, size=size) - shape) / np.sqrt(shape)


def cells(rng: np.random.Generator, seeds: int, partners: int, families: int, truth: str, skew: float) -> Cells:
    """One entry's, whose true mean is 0."""
    of_seeds, of_partners, of_pairs = TRUTHS[truth]
    scores = of_seeds * drawn(rng, skew, (seeds, 1)) + of_partners * drawn(rng, skew, (1, partners))
    scores = (scores + of_pairs * drawn(rng, skew, (seeds, partners)))[..., None]
    return Cells(
        game="made up",
        entries=("a",),
        egos=tuple(f"a-{i}" for i in range(seeds)),
        entry_of=np.zeros(seeds, int),
        families=tuple(f"f{i}" for i in range(families)),
        partners=tuple(f"p{i}" for i in range(partners)),
        family_of=np.sort(np.arange(partners) % families),
        scores=scores,
        self_play=np.zeros(seeds),
        riding=np.zeros_like(scores),
        riding_alone=np.zeros(seeds),
        shaken=np.empty((*scores.shape, 0)),
    )


def coverage(seeds: int, partners: int, families: int, truth: str, shape: str, trials: int) -> float:
    """The share of trials in which the interval of the mean holds 0."""
    rng, hits = np.random.default_rng([seeds, partners, families]), 0
    for _ in range(trials):
        low, high, _ = interval(cells(rng, seeds, partners, families, truth, SHAPES[shape]), Mean())
        hits += low <= 0 <= high
    return hits / trials


def main(trials: int) -> None:
    """Prints a table, a line for every number of seeds and partners."""
    print(f"| effects | seeds | partners | {' | '.join(TRUTHS)} |\n|{' --- |' * (3 + len(TRUTHS))}")
    for shape in SHAPES:
        for seeds in (2, 3, 5, 10):
            for partners, families in ((10, 1), (30, 1), (30, 6)):
                found = [f"{100 * coverage(seeds, partners, families, truth, shape, trials):.1f}" for truth in TRUTHS]
                groups = f"{partners} in {families} famil{'ies' if families > 1 else 'y'}"
                print(f"| {shape} | {seeds} | {groups} | {' | '.join(found)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
