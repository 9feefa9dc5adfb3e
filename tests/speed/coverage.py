"""How often the board's intervals hold the truth, in simulation: seeds and partners drawn anew, and so is what they do.

python -m tests.speed.coverage [TRIALS]    # the table of docs/scores.md, 2000 trials a number: a few minutes
"""

import sys

import numpy as np

from crossplay.leaderboard.cells import Cells
from crossplay.leaderboard.intervals import spread

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


def cells(
    rng: np.random.Generator, seeds: int, partners: int, families: int, effects: np.ndarray, skew: float, trials: int
) -> Cells:
    """Entries whose true mean is 0, every trial in a seat of its own."""
    shapes = (seeds, 1, trials), (1, partners, trials), (seeds, partners, trials)
    scores = sum(size * drawn(rng, skew, shape) for size, shape in zip(effects, shapes, strict=True))
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
        riding=np.zeros((seeds, partners, 0)),
        riding_alone=np.zeros(seeds),
        shaken=np.zeros((seeds, partners, 0)),
    )


def means(played: Cells) -> np.ndarray:
    """The board's mean of every seat by itself, [..., seats]."""
    return played.over_families(np.moveaxis(played.scores.mean(axis=-3), -1, -2)).mean(axis=-1)


def coverage(seeds: int, partners: int, families: int, truth: str, shape: str, trials: int) -> float:
    """The share of trials in which the interval of the mean holds 0."""
    rng = np.random.default_rng([seeds, partners, families])
    played = cells(rng, seeds, partners, families, np.array(TRUTHS[truth]), SHAPES[shape], trials)
    return float((np.abs(means(played)) <= spread(played, means).half).mean())


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
