"""How fast trainings are: seeds in a stack beside the same seeds one after the other, in environment steps a second."""

import statistics
import time

from crossplay.agents.trainer import Pupil, train
from crossplay.benchmark.workers import single_threaded
from crossplay.leaderboard.suite import trainer_for

SEEDS = 8
LOADS = {  # trainer, game, settings
    "ippo, collab-grid, a net per seat": ("ippo", "collab-grid", ["shared=false", "budget.steps=24000"]),
    "srpo, collab-grid": ("srpo", "collab-grid", ["budget.steps=24000"]),
    "ippo, cramped_room": ("ippo", "overcooked:cramped_room", ["budget.steps=16000"]),
}


def rate(kind: str, game: str, settings: list[str], stack: int) -> float:
    """Environment steps a second of SEEDS seeds on one thread, taught `stack` at a time."""
    played, trainer = trainer_for(kind, game, settings)
    began = time.perf_counter()
    with single_threaded():
        for first in range(0, SEEDS, stack):
            train(trainer, played, [Pupil(seed) for seed in range(first, first + stack)])
    return SEEDS * trainer.budget.steps / (time.perf_counter() - began)


def report(rounds: int = 3) -> None:
    """Prints medians and their ratio; the two ways take turns."""
    for name, load in LOADS.items():
        rate(*load, stack=SEEDS)  # kernels loaded
        pairs = [(rate(*load, stack=SEEDS), rate(*load, stack=1)) for _ in range(rounds)]
        together, alone = (sorted(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(a / b for a, b in pairs)
        print(f"  {name}: {SEEDS} in a stack {together[1]:,.0f} ({together[0]:,.0f} to {together[-1]:,.0f}), ", end="")
        print(f"one by one {alone[1]:,.0f} ({alone[0]:,.0f} to {alone[-1]:,.0f}); ratio {ratio:.1f}")
