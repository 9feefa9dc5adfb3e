"""A results folder with pictures in no time: rule partners in two kitchens and a gridworld, and a matrix game."""

from pathlib import Path

from crossplay.benchmark.card import Card
from crossplay.benchmark.config import build, write_toml
from crossplay.leaderboard.run import SUITE, play
from crossplay.leaderboard.site import HELD_OUT, sites
from crossplay.leaderboard.suite import Suite, as_table

KITCHEN = {"kind": "overcooked", "layout": "cramped_room", "horizon": 120}
GAMES = {
    "overcooked": (KITCHEN, "overcooked-greedy", "overcooked-onion-only"),
    "collab-grid": ({"kind": "collab-grid", "horizon": 20}, "collab-grid-worker", "collab-grid-shirker"),
    "carry": ({"kind": "carry", "horizon": 20}, "carry-worker", "carry-shirker"),
    "matrix": ({"kind": "matrix"}, "uniform", "uniform"),
}
RECORD = {"curve": [[0, 1.0], [100, 3.0]], "steps": 100, "seconds": 2.0, "trainer": {"kind": "ippo"}}


def kitchens(out: Path, *names: str) -> Path:
    """The folder: entries `able` and `idle`, two seeds each, with held-out `worker` and `other`."""
    suite = build(
        Suite,
        {
            "name": "kitchens",
            "about": "Rule partners <only>.",
            "episodes": 3,
            "games": [{"game": GAMES[name][0]} for name in names],
            "held_out": [{"kind": "scripted", "partners": [{"name": "shy", "maker": {"kind": "uniform"}}]}],
            "entries": [{"name": name, "seeds": 2, "trainer": {"kind": "ippo"}} for name in ("able", "idle")],
        },
    )
    out.mkdir(parents=True)
    write_toml(out / SUITE, as_table(suite))
    places = sites(suite, out)
    for place, name in zip(places, names, strict=True):
        place.populate([(HELD_OUT, task.make()) for _, task in place.partner_tasks()])
        for entry, kind in zip(("able", "idle"), GAMES[name][1:], strict=True):
            for seed in range(2):
                Card(
                    name=f"{entry}-{seed}",
                    maker={"kind": kind},
                    game=place.game.spec.name,
                    family=entry,
                    lineage=f"{entry}-{seed}",
                    record=RECORD,
                ).save(place.cards / f"{entry}-{seed}")
    play(places, out, 1, lambda progress: None)
    return out
