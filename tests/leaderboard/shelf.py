"""A results folder in no time: cards of constant policies instead of trained ones, every match played and stored."""

from pathlib import Path

from crossplay.benchmark.card import Card
from crossplay.benchmark.config import build, write_toml
from crossplay.leaderboard.run import SUITE, play
from crossplay.leaderboard.site import HELD_OUT, sites
from crossplay.leaderboard.suite import Suite, as_table

GAMES = ("volunteer", "stag_hunt")


def suite(**entries: list[int]) -> Suite:
    """Entry → the action each of its seeds always plays: 0 pays its private cost, 1 pays nothing."""
    partners = [{"name": "giver", "maker": {"kind": "constant", "action": 0}}]
    table = {
        "name": "shelf",
        "episodes": 2,
        "games": [{"game": {"kind": "matrix", "game": game}} for game in GAMES],
        "held_out": [{"kind": "scripted", "partners": partners}],
        "entries": [
            {"name": name.replace("_", "-"), "seeds": len(acts), "trainer": {"kind": "ippo"}}
            for name, acts in entries.items()
        ],
    }
    return build(Suite, table)


def shelf(out: Path, records: dict[str, dict] | None = None, **entries: list[int]) -> Path:
    """The folder, with a record for the cards of an entry where one is given."""
    return filled(out, suite(**entries), list(entries.values()), records)


def filled(out: Path, plan: Suite, acts: list[list[int]], records: dict[str, dict] | None = None) -> Path:
    """The folder of any plan; `acts` are the actions of each entry's seeds."""
    out.mkdir(parents=True)
    write_toml(out / SUITE, as_table(plan))
    places = sites(plan, out)
    for place in places:
        place.populate([(HELD_OUT, task.make()) for _, task in place.partner_tasks()])
        for entry, mine in zip(plan.entries, acts, strict=True):
            for seed, action in enumerate(mine):
                name = f"{entry.name}-{seed}"
                Card(
                    name=name,
                    maker={"kind": "constant", "action": action},
                    game=place.game.spec.name,
                    family=entry.name,
                    lineage=name,
                    record=(records or {}).get(entry.name, {}),
                ).save(place.cards / name)
    play(places, out, 1, lambda progress: None)
    return out
