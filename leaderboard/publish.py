"""From stored matches to boards and pictures; nothing is played or trained here."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from crossplay.benchmark.crossplay import Fixture, MatchResult
from crossplay.benchmark.errors import Refused, unknown
from crossplay.leaderboard import export, failures
from crossplay.leaderboard.board import Board, rank
from crossplay.leaderboard.board import compared as differences_of
from crossplay.leaderboard.canvas import PAIR
from crossplay.leaderboard.canvas import check as formats_of
from crossplay.leaderboard.cells import Cells, cells
from crossplay.leaderboard.differences import SAMPLES
from crossplay.leaderboard.failures import Failures
from crossplay.leaderboard.heatmap import draw, matrix, part
from crossplay.leaderboard.identity import identity
from crossplay.leaderboard.measures import MEASURES, measure
from crossplay.leaderboard.meetings import Meetings, meetings
from crossplay.leaderboard.order import ROSTER, order
from crossplay.leaderboard.pairs import Compared
from crossplay.leaderboard.panels import draw as draw_sweep
from crossplay.leaderboard.rankings import Rankings, rankings
from crossplay.leaderboard.roster import Roster
from crossplay.leaderboard.run import STORE, of_folder
from crossplay.leaderboard.site import Site, sites
from crossplay.leaderboard.store import ResultStore
from crossplay.leaderboard.suite import Suite, short
from crossplay.leaderboard.sweep import Point, check, points
from crossplay.leaderboard.tally import tally
from crossplay.populations.population import MANIFEST

FORMS = {"csv": export.to_csv, "json": export.to_json, "markdown": export.to_markdown}


class Played(NamedTuple):
    """One game's part of a results folder, as far as it has been played."""

    site: Site
    roster: Roster
    fixtures: list[Fixture]
    results: dict[str, MatchResult]
    failures: Failures  # of the whole folder

    @property
    def cells(self) -> Cells:
        """The results as arrays."""
        return cells(self.results, self.roster, self.fixtures, self.failures)


def store(folder: Path) -> ResultStore:
    """The store of a results folder. Raises Refused where there is none."""
    if not (folder / STORE).is_file():
        raise Refused(f"{folder}: no {STORE} here; `crossplay run` writes one")
    return ResultStore(folder / STORE, create=False)


def played(folder: Path, games: Sequence[str] = ()) -> Iterator[Played]:
    """Every game of a results folder that has its partners, or only these, cards and manifests verified.

    Raises Refused with the nearest name for a game there is not, and where there are no partners yet at all.
    """
    begun = _begun(folder, games)
    with store(folder) as results:
        for site in begun:
            roster = site.roster()
            fixtures = site.fixtures(roster)
            outcomes = results.outcomes(fixture.pairing for fixture in fixtures)
            yield Played(site, roster, fixtures, outcomes, failures.read(folder))


def _places(folder: Path, games: Sequence[str] = ()) -> tuple[list[Site], list[str]]:
    """The games whose partners are there, and the names of those that are still to be begun."""
    every = sites(of_folder(folder, games), folder)
    waiting = [place for place in every if not (place.root / MANIFEST).is_file()]
    return [place for place in every if place not in waiting], [short(place.game.spec.name) for place in waiting]


def _begun(folder: Path, games: Sequence[str] = ()) -> list[Site]:
    begun, waiting = _places(folder, games)
    if not begun:
        raise Refused(f"{folder}: no partners yet of {', '.join(waiting)}; `crossplay run` makes them")
    return begun


def waiting(folder: Path) -> list[str]:
    """Games of a results folder that were asked for and have not been begun; without them there is no overall board."""
    return _places(folder)[1]


def boards(folder: Path) -> list[Board]:
    """A board per game, and the overall one where there are several."""
    begun, failed = _begun(folder), failures.read(folder)
    with store(folder) as results:
        return _ranked([tally(results, site, failed) for site in begun], begun[0].suite)


def boards_of(parts: Sequence[Played]) -> list[Board]:
    """The boards of games that have been read."""
    return _ranked([p.cells for p in parts], parts[0].site.suite)


def _ranked(all_cells: Sequence[Cells], suite: Suite) -> list[Board]:
    return rank(all_cells, seed=suite.seed, overall=len(all_cells) == len(suite.games))


def compared(folder: Path) -> list[Compared]:
    """The differences between ranked entries, a game each, and over all games where there are several."""
    parts = list(played(folder))
    every = [p.cells for p in parts]
    boards, seed = boards_of(parts), parts[0].site.suite.seed
    return [
        Compared(
            board.game,
            board.headline,
            differences_of([c for c in every if c.game in board.games], board.rows, board.headline, seed, SAMPLES),
        )
        for board in boards
    ]


def ranked(folder: Path) -> list[Rankings]:
    """Secondary rankings, per game and over all games where there are several; the boards do not rank by them."""
    parts = list(played(folder))
    every = [p.cells for p in parts]
    return [rankings([c for c in every if c.game in board.games], board) for board in boards_of(parts)]


def text(found: list[Board], form: str) -> str:
    """Boards as csv, json or markdown. Raises Refused for any other form."""
    if form not in FORMS:
        raise unknown("format", form, ["table", *FORMS])
    return FORMS[form](found)


class Look(NamedTuple):
    """How heatmaps are shown: `of` is a measure, `only` a part of the columns, `order` one of order.py's."""

    of: str = "return"
    only: str = ""
    normalised: bool = False
    order: str = ROSTER
    formats: Sequence[str] = PAIR

    @property
    def stem(self) -> str:
        """The file's name before the game's: what is not as usual."""
        words = (self.of, "normalised" if self.normalised else "", self.only, self.order)
        return "-".join(("heatmap", *(word for word in words if word not in ("return", "", ROSTER))))


def heatmaps(folder: Path, out: Path, look: Look | None = None, games: Sequence[str] = ()) -> list[Path]:
    """Writes every game's heatmap, or these games', as pictures and CSV.

    Raises Refused with the nearest name for a measure, part, order or format there is not.
    """
    look = look or Look()
    measure(look.of)
    pick, arrange, formats = part(look.only), order(look.order), formats_of(look.formats)
    grids = [
        (p.site.root.name, arrange(pick(matrix(p.results, p.roster, p.fixtures, look.of, look.normalised))))
        for p in played(folder, games)
    ]
    return [path for name, grid in grids for path in draw(grid, out / f"{look.stem}-{name}.png", formats)]


def met(folder: Path, of: str = "return") -> list[Meetings]:
    """How the board's own agents do with each other, per game. Raises Refused for a measure there is not."""
    measure(of)
    return [meetings(matrix(p.results, p.roster, p.fixtures, of)) for p in played(folder)]


def sweep(folder: Path, over: str, metrics: Sequence[str], out: Path, only: Sequence[str] = ()) -> list[Path]:
    """Draws metrics over a setting of the trainers, a row of panels a game: PNG, SVG, and the numbers as CSV.

    `only`: the entries to show, empty for all. Raises Refused with the nearest name where there is no such entry.
    """
    return draw_sweep(swept(folder, over, metrics, only), over, out)


def swept(
    folder: Path, over: str, metrics: Sequence[str], only: Sequence[str] = (), games: Sequence[str] = ()
) -> list[Point]:
    """What `sweep` draws, of all games or of these."""
    check(metrics)
    found = []
    for p in played(folder, games):
        met = {of: meetings(matrix(p.results, p.roster, p.fixtures, of)) for of in MEASURES}
        for entry in only:
            if entry not in p.roster.entries:
                raise unknown("entry", entry, p.roster.entries)
        shown = {name: cards for name, cards in p.roster.entries.items() if not only or name in only}
        found += points(p.cells, met, shown, over, metrics)
    return found


def write(folder: Path) -> tuple[list[Board], list[Path]]:
    """Writes board.csv, board.json, board.md and the heatmaps into the results folder; returns boards and paths."""
    parts = list(played(folder))
    found, of = boards_of(parts), identity(parts[0].site.suite, parts)
    paths = [export.save(found, folder / f"board.{suffix}", of) for suffix in ("md", "csv", "json")]
    having = [p.roster.game for p in parts if p.roster.entries]  # guests may be for some of the games only
    return found, paths + (heatmaps(folder, folder, games=having) if having else [])
