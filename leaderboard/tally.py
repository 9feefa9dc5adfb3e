"""A game's cells straight from the store: all a board needs, without an object for every match."""

from crossplay.benchmark.crossplay import keyed
from crossplay.leaderboard.cells import HOLE, MEASURED, Cells, broken, filled, spots
from crossplay.leaderboard.failures import Failures
from crossplay.leaderboard.measures import MEASURES
from crossplay.leaderboard.site import Site
from crossplay.leaderboard.store import ResultStore


def tally(store: ResultStore, site: Site, failures: Failures) -> Cells:
    """As `cells` of the site's roster, fixtures and results. Raises Refused where a stored match was altered."""
    roster, suite = site.roster(), site.suite
    matches = list(keyed(site.game, spots(roster), episodes=suite.episodes, seed=suite.seed))
    found: dict[str, tuple[float, ...]] = {}
    costs = False
    for keys, paid in store.stacks(dict(matches)):
        each = [MEASURES[name].each(paid).tolist() for name in MEASURED]
        found |= zip(keys, zip(*each, strict=True), strict=True)
        costs = costs or bool(paid.costs.any())
    pairings = (fixture.pairing for fixture in site.fixtures(roster)) if failures else ()
    return filled(
        roster,
        [found.get(key, HOLE) for key, _ in matches],
        costs=costs,
        episodes=suite.episodes if matches else 0,
        failed=broken(roster, pairings, failures),
    )
