"""A large league on paper: cards that play nothing, and a store full of drawn results; how long its board takes.

python -m tests.speed.board FOLDER    # 50 entries × 200 partners × 5 layouts; made first where it is not there
"""

import sys
import time
from pathlib import Path

import numpy as np

from crossplay.benchmark.card import Card
from crossplay.benchmark.config import build, write_toml
from crossplay.benchmark.crossplay import Fixture, MatchResult
from crossplay.benchmark.match import Returns
from crossplay.benchmark.seeding import derive
from crossplay.leaderboard import publish
from crossplay.leaderboard.run import STORE, SUITE
from crossplay.leaderboard.site import HELD_OUT, Site, sites
from crossplay.leaderboard.store import ResultStore
from crossplay.leaderboard.suite import Suite, as_table

LAYOUTS = (
    "cramped_room",
    "asymmetric_advantages",
    "coordination_ring",
    "forced_coordination",
    "counter_circuit_o_1order",
)
EPISODES = 64


def plan(entries: int, seeds: int, partners: int, games: int) -> Suite:
    """Five families of partners, all different by how often they slip."""
    tables = [
        {"name": f"p{i}", "maker": {"kind": "noisy", "epsilon": i / partners, "maker": {"kind": "uniform"}}}
        for i in range(partners)
    ]
    table = {
        "name": "large",
        "episodes": EPISODES,
        "games": [{"game": {"kind": "overcooked", "layout": layout}} for layout in LAYOUTS[:games]],
        "held_out": [{"kind": "scripted", "family": f"f{i}", "partners": tables[i::5]} for i in range(5)],
        "entries": [{"name": f"e{i}", "seeds": seeds, "trainer": {"kind": "ippo"}} for i in range(entries)],
    }
    return build(Suite, table)


def fill(out: Path, suite: Suite) -> int:
    """Cards, manifests and a store below `out`; returns the number of matches."""
    out.mkdir(parents=True)
    write_toml(out / SUITE, as_table(suite))
    count = 0
    with ResultStore(out / STORE) as store:
        for place in sites(suite, out):
            _cards(place)
            store.declare(place.game.spec)
            rng = np.random.default_rng(derive(0, place.game.spec.name))
            for fixture in place.fixtures(place.roster()):
                store.add(_drawn(fixture, rng))
                count += 1
    return count


def _cards(place: Site) -> None:
    place.populate([(HELD_OUT, task.make()) for _, task in place.partner_tasks()])
    for entry in place.suite.entries:
        for seed in range(entry.seeds):
            name = f"{entry.name}-{seed}"
            maker = {"kind": "constant", "action": 0, "label": name}
            card = Card(name=name, maker=maker, game=place.game.spec.name, family=entry.name, lineage=name)
            card.save(place.cards / name)


def _drawn(fixture: Fixture, rng: np.random.Generator) -> MatchResult:
    """What a kitchen might pay: the team's return in dishes of 20, in both seats."""
    returns = np.repeat(20.0 * rng.integers(0, 13, (EPISODES, 1)), 2, axis=1)
    events = rng.integers(0, 9, (EPISODES, 2, len(fixture.game.spec.events)))
    return MatchResult(fixture.pairing, Returns(returns, np.zeros_like(returns), events), {"seconds": 0.1})


def seconds(out: Path) -> float:
    """Wall time from the results folder to all its boards, as `crossplay board` makes them."""
    began = time.perf_counter()
    assert publish.boards(out)
    return time.perf_counter() - began


def main(out: Path) -> None:
    """Prints seconds, of the wall and of the processor."""
    if not out.exists():
        print(f"{fill(out, plan(entries=50, seeds=1, partners=200, games=5)):,} matches of {EPISODES} episodes stored")
    for _ in range(3):
        worked = time.process_time()
        print(f"boards in {seconds(out):.1f} s, {time.process_time() - worked:.1f} s of a processor")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
