"""How fast the kitchens are, on one thread; `report` sets them against the installed reference in the same run."""

import statistics
import time
from collections.abc import Callable

import numba
import numpy as np
import pytest

from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.games.overcooked.reference import actions, gridworld
from crossplay.benchmark.seeding import spread

EPISODES, CALLS = 4096, 64
WORK = ("step", "step + compact", "step + lossless", "step + symbols")


def engine(work: str, layout: str = "cramped_room") -> Callable[[], None]:
    """CALLS steps of EPISODES kitchens through the public game, observing after each where the name says so."""
    game = Overcooked(layout=layout)
    state = game.reset(spread(1, EPISODES))
    chosen = np.random.default_rng(0).integers(0, 6, (CALLS, EPISODES, 2))
    view = work.partition(" + ")[2]

    def run() -> None:
        for pair in chosen:
            game.step(state, pair)
            if view:
                game.observe(state, view)

    return run


def reference(encode: bool, layout: str = "cramped_room", steps: int = 1000) -> Callable[[], None]:
    """One kitchen of the installed package, the same way."""
    mdp = gridworld(layout)
    chosen = [actions(pair) for pair in np.random.default_rng(0).integers(0, 6, (steps, 2))]

    def run() -> None:
        state = mdp.get_standard_start_state()
        for pair in chosen:
            state, _ = mdp.get_state_transition(state, pair)
            if encode:
                mdp.lossless_state_encoding(state, 400)

    return run


def rates(run: Callable[[], None], steps: int, rounds: int) -> list[float]:
    """Steps per second of each round, after a warm-up."""
    run()
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        found.append(steps / (time.perf_counter() - began))
    return sorted(found)


@pytest.mark.parametrize("work", WORK)
def test_engine(benchmark, work):
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        benchmark(engine(work))
    finally:
        numba.set_num_threads(threads)


def test_reference(benchmark):
    benchmark(reference(encode=True, steps=50))


def report() -> None:
    """Prints millions of steps a second (median, and the range), and ratios to the reference."""
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    print(f"overcooked, cramped_room, one thread, {EPISODES} episodes; steps per second: median (lowest to highest)")
    peers = {encode: rates(reference(encode), 1000, 5) for encode in (False, True)}
    for encode, found in peers.items():
        line(f"reference, step{' + lossless' if encode else ''}", found)
    for work in WORK:
        found = rates(engine(work), EPISODES * CALLS, 15)
        ratio = statistics.median(found) / statistics.median(peers[work != "step"])
        line(f"crossplay, {work}", found, f"{ratio:,.0f} × the reference{'' if work == 'step' else ' + lossless'}")
    numba.set_num_threads(threads)


def line(name: str, found: list[float], tail: str = "") -> None:
    """One row of the report."""
    print(f"  {name:<28}{statistics.median(found):>14,.0f}  ({found[0]:,.0f} to {found[-1]:,.0f})  {tail}")


if __name__ == "__main__":
    report()
