"""`make speed`: every speed the project claims, beside a named peer in the same run."""

import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numba
import numpy as np
import torch

from crossplay.benchmark.games import CollabGrid
from crossplay.benchmark.seeding import spread
from crossplay.benchmark.workers import default_jobs
from tests.speed import crossplay, training
from tests.speed import test_overcooked_speed as overcooked


def collab_grid(episodes: int = 16_384) -> None:
    """Steps a second of random play on one thread, through the public game."""
    game = CollabGrid()
    numba.set_num_threads(1)
    chosen = np.random.default_rng(0).integers(0, 5, (game.spec.horizon, episodes, 2))
    state = game.reset(spread(0, episodes))
    for work in ("step", "step + ego"):

        def run(observe: bool = work != "step") -> None:
            for pair in chosen:
                game.step(state, pair)
                if observe:
                    game.observe(state, "ego")

        found = overcooked.rates(run, episodes * game.spec.horizon, 9)
        overcooked.line(f"crossplay, {work}", found)


def cross_play() -> None:
    """The load of 72 pairs, and what a home-made loop over the reference package would take for it."""
    jobs = default_jobs()
    with tempfile.TemporaryDirectory() as folder:
        fixtures = crossplay.load(Path(folder))
        crossplay.seconds(fixtures[: 2 * jobs], jobs)  # processes started, kernels loaded
        took = sorted(crossplay.seconds(fixtures, jobs) for _ in range(3))
    steps = len(fixtures) * 64 * 400
    peer = statistics.median(crossplay.home_made() for _ in range(3)) * jobs
    mid = statistics.median(took)
    print(f"  crossplay: {mid:.1f} s ({took[0]:.1f} to {took[-1]:.1f}), {steps / mid:,.0f} joint steps a second")
    print(f"  overcooked-ai + torch, an episode at a time on every core: {peer:,.0f} joint steps a second, ", end="")
    print(f"{steps / peer:,.0f} s; ratio {steps / peer / mid:,.0f}")


def help_page() -> None:
    """Wall time of --help in a fresh process."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "crossplay.leaderboard.cli", "--help"], check=True, capture_output=True)
        took.append(time.perf_counter() - began)
    print(f"  {statistics.median(took):.2f} s ({min(took):.2f} to {max(took):.2f})")


def main() -> None:
    """Prints it all."""
    torch.set_num_threads(1)
    print(
        f"{platform.machine()}, {default_jobs()} cores, python {platform.python_version()}, numba {numba.__version__}"
    )
    overcooked.report()
    print("collab-grid, one thread, 16384 episodes; steps per second: median (lowest to highest)")
    collab_grid()
    print("72 pairs (24 partners × 3 egos, 2×64 MLPs), both seats, 64 episodes of 400 steps in cramped_room")
    cross_play()
    print(f"training {training.SEEDS} seeds, 2×64 networks, one thread; environment steps a second")
    training.report()
    print("crossplay --help")
    help_page()


if __name__ == "__main__":
    main()
