"""How often a board tells equal entries apart, in simulation: any wrong claim among all pairs counts.

python -m tests.speed.apart [BOARDS]    # the table of docs/scores.md, 200 boards a number: a few minutes
"""

import sys

import numpy as np

from crossplay.leaderboard.differences import SAMPLES, differences
from crossplay.leaderboard.metrics import Mean
from tests.leaderboard.league import table

LUCKS = {  # deviations of what seeds, what entry and partner, and what seed and partner together are worth
    "seeds 1, cells 1": (1.0, 0.0, 1.0),
    "entry × partner 1, cells 1, seeds .3": (0.3, 1.0, 1.0),
    "all three 1": (1.0, 1.0, 1.0),
    "cells 1": (0.0, 0.0, 1.0),
}
SIZES = ((4, 3), (4, 5), (4, 10), (9, 5))  # entries, seeds
PARTNERS = 12  # in two families
HARD = 3.0  # deviation of the partners' own level


def told_apart(entries: int, seeds: int, luck: tuple[float, float, float], board: int, samples: int = SAMPLES) -> bool:
    """Whether some pair of equal entries is called different on this board."""
    rng = np.random.default_rng([board, entries, seeds])
    hard = HARD * rng.normal(size=(1, PARTNERS, 1))
    scores = {}
    for name in "abcdefghi"[:entries]:
        shapes = (seeds, 1, 1), (1, PARTNERS, 1), (seeds, PARTNERS, 1)
        values = hard + sum(size * rng.normal(size=shape) for size, shape in zip(luck, shapes, strict=True))
        scores[name] = values.repeat(2, 2)
    families = {"f": PARTNERS // 2, "g": PARTNERS - PARTNERS // 2}
    found = differences([table(scores, families)], list(scores), Mean(), seed=board, samples=samples)
    return any(pair.better for pair in found.pairs)


def main(boards: int = 200) -> None:
    """Prints the table."""
    print(f"| entries | seeds | {' | '.join(LUCKS)} |\n|{'---|' * (len(LUCKS) + 2)}")
    for entries, seeds in SIZES:
        found = [[told_apart(entries, seeds, luck, board) for board in range(boards)] for luck in LUCKS.values()]
        shares = " | ".join(f"{100 * np.mean(each):.1f} %" for each in found)
        print(f"| {entries} | {seeds} | {shares} |", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
