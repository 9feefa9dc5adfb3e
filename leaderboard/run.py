"""The main job: make what is missing, play what is missing, publish the board. Doing it again does nothing twice."""

from collections.abc import Sequence
from pathlib import Path

from crossplay.agents.training import pick_device
from crossplay.benchmark.config import build, read_toml, write_toml
from crossplay.benchmark.errors import Refused
from crossplay.leaderboard.copies import compare
from crossplay.leaderboard.lost import note, reasons
from crossplay.leaderboard.site import Site, sites
from crossplay.leaderboard.suite import Suite, as_table
from crossplay.leaderboard.work import Tell, make_cards, play_missing
from crossplay.leaderboard.yardsticks import complete_bounds, measure_diversity
from crossplay.populations.generator import Task
from crossplay.populations.stages import forget_snapshots

STORE = "matches.sqlite"
SUITE = "suite.toml"


def of_folder(folder: Path, games: Sequence[str] = ()) -> Suite:
    """The suite of a results folder, or the part of it with these games. Raises Refused where there is none."""
    suite: Suite = build(Suite, read_toml(folder / SUITE), str(folder / SUITE))
    return suite.only(games) if games else suite


def run(suite: Suite, out: Path, *, games: Sequence[str] = (), jobs: int, device: str, tell: Tell) -> None:
    """Trains, plays and stores everything the suite, or these games of it, wants and `out` does not have yet."""
    if jobs < 1:
        raise Refused(f"jobs must be at least 1; given {jobs}")
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_toml(out / SUITE, as_table(_joined(suite, out, games)))
    except OSError as error:
        raise Refused(f"cannot write to {out}: {error.strerror or error}") from None
    places = sites(suite.only(games) if games else suite, out, pick_device(device))
    train(places, jobs, tell)
    for place in places if suite.bounds else []:
        known = complete_bounds(place.root, episodes=suite.episodes, device=device, jobs=jobs, tell=tell)
        if known.diversity is None:  # some come measured
            measure_diversity(place.root, episodes=suite.episodes, jobs=jobs, tell=tell)
    for place in places:
        compare(place.game, place.root, place.roster())
    play(places, out, jobs, tell)


def _joined(suite: Suite, out: Path, games: Sequence[str]) -> Suite:
    """The suite with the games asked for now and those `out` has been asked for before; with none asked for, all."""
    if not games or not (out / SUITE).is_file():
        return suite.only(games) if games else suite
    mine = {suite.game(setting).spec.name for setting in suite.games}
    before = {old.game(setting).spec.name for old in [of_folder(out)] for setting in old.games}
    return suite.only([*games, *(mine & before)])


def train(places: Sequence[Site], jobs: int, tell: Tell) -> None:
    """Makes partners and self-play entries first, all at once, then the entries that need those partners.

    Where an entry's training comes to nothing that is noted, and the rest goes on. Where a partner's does, Diverged is
    raised when the others are done.
    """
    roles = [(site, role, task) for site in places for role, task in site.partner_tasks()]
    alone: list[Task] = [
        training for site in places for e in site.suite.entries if not e.partners for training in site.trainings(e)
    ]
    own = {(place.game.spec.name, name) for place in places for e in place.suite.entries for name in place.seeds(e)}
    refused: list[Refused] = []
    made = make_cards("partners", [task for _, _, task in roles] + alone, jobs, tell, refused.append)[: len(roles)]
    reasons(refused, own)
    paired: list[Task] = []
    for place in places:
        mine = [(role, cards) for (site, role, _), cards in zip(roles, made, strict=True) if site is place]
        population = place.populate(mine)
        for entry in (e for e in place.suite.entries if e.partners):
            partners = [card for role, cards in mine for card in cards if role == entry.partners and entry.meets(card)]
            paired += place.trainings(entry, partners, population.digest)
    if paired:
        make_cards("agents", paired, jobs, tell, refused.append)
    gone = reasons(refused, own)
    for place in places:
        note(place.root, {name: why for (game, name), why in gone.items() if game == place.game.spec.name})
        forget_snapshots(place.cards)


def play(places: Sequence[Site], out: Path, jobs: int, tell: Tell) -> None:
    """Plays the matches the store lacks; each is committed as soon as its batch has ended."""
    wanted = [fixture for site in places for fixture in site.fixtures(site.roster())]
    play_missing(out / STORE, wanted, jobs, tell)
