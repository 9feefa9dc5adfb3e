"""Writes the report: pages from templates, replays as scripts, so that it works from a folder as from a server."""

import json
from collections.abc import Callable, Sequence
from importlib import resources
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from crossplay.benchmark.crossplay import Fixture
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.match import HARNESS
from crossplay.leaderboard import publish
from crossplay.leaderboard.board import OVERALL
from crossplay.leaderboard.heatmap import matrix
from crossplay.leaderboard.publish import Played
from crossplay.leaderboard.report import drawing, gather, replay
from crossplay.leaderboard.suite import short
from crossplay.leaderboard.table import shown

SAID = Callable[[str], None]
STATIC = ("style.css", "board.js", "heatmap.js", "replay.js")


def write(folder: Path, out: Path, replays: int, tell: SAID) -> Path:
    """The report of a results folder; returns its first page. `replays`: seeds an entry whose matches can be watched.

    Raises Refused where the folder holds no results, or the place cannot be written.
    """
    parts = list(publish.played(folder))
    suite = parts[0].site.suite
    boards = publish.boards_of(parts)
    tables = [gather.board_table(board) for board in boards]
    common = {
        "suite": suite.name,
        "about": suite.about,
        "harness": HARNESS,
        "games": [{"title": short(p.roster.game), "slug": p.site.root.name, "game": p.roster.game} for p in parts],
        "overall": OVERALL,
    }
    pages = _Pages(out, common)
    games = tables[: len(parts)]
    pages.page("index.html", "index.html", "", boards=[*tables[len(parts) :], *games])  # overall first
    for part, table in zip(parts, games, strict=True):
        _game(pages, part, table, replays, tell)
    pages.static()
    return out / "index.html"


class _Pages:
    def __init__(self, out: Path, common: dict[str, Any]) -> None:
        self._out, self._common = out, common
        self._made = Environment(
            loader=PackageLoader("crossplay.leaderboard.report"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._made.filters |= {"number": shown, "curves": drawing.curves}

    def page(self, template: str, path: str, up: str, **content: Any) -> None:
        """One page; `up` leads from it to the site's root."""
        self.text(path, self._made.get_template(template).render(**self._common, up=up, **content))

    def text(self, path: str, text: str) -> None:
        """One file, whole or not at all."""
        target = self._out / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = target.with_name(f".{target.name}.draft")
            draft.write_text(text, encoding="utf-8")
            draft.replace(target)
        except OSError as error:
            raise Refused(f"cannot write the report to {target}: {error.strerror or error}") from None

    def static(self) -> None:
        """Style and scripts."""
        for name in STATIC:
            source = resources.files("crossplay.leaderboard.report").joinpath("static", name)
            self.text(f"static/{name}", source.read_text(encoding="utf-8"))


def _game(pages: _Pages, part: Played, table: dict[str, Any], replays: int, tell: SAID) -> None:
    root, game = part.site.root.name, {"title": short(part.roster.game), "game": part.roster.game}
    grid = matrix(part.results, part.roster, part.fixtures)
    shown_pairs, faults = _replays(pages, part, replays, tell)
    heat, known = gather.heat(part, grid, shown_pairs), gather.partners(part, grid)
    common = {"game": game, "slug": root, "board": table, "digits": table["columns"][-1]["digits"]}
    pages.page("game.html", f"{root}/index.html", "../", heat=heat, partners=known, faults=faults, **common)
    pages.page("replay.html", f"{root}/replay.html", "../", **common)
    rows = {row["entry"]: row for row in table["rows"]}
    for entry in gather.entries(part, grid):
        pages.page(
            "entry.html", f"{root}/entry-{entry['name']}.html", "../", entry=entry, row=rows[entry["name"]], **common
        )
    for partner in known:
        pages.page("partner.html", f"{root}/partner-{partner['name']}.html", "../", partner=partner, **common)


def _replays(pages: _Pages, part: Played, count: int, tell: SAID) -> tuple[list[str], list[str]]:
    """Writes the replays that are wanted; which pairs there are, as ego--partner--seat, and why others failed."""
    made, faults = [], []
    for _, mine in groupby(_wanted(part, count), key=lambda match: match.pairing.ego):
        matches = [(match, part.results[match.pairing.key]) for match in mine]
        for (match, _), film in zip(matches, replay.replays(matches), strict=True):
            p = match.pairing
            if isinstance(film, str):
                faults.append(film)
                continue
            made.append(f"{p.ego}--{p.partner}--{p.seat}")
            text = json.dumps(film, separators=(",", ":"), ensure_ascii=False)
            pages.text(f"{part.site.root.name}/replays/{made[-1]}.js", f"window.FILM={text};\n")
        tell(f"{part.roster.game}: {len(made)} replays, the last of {matches[0][0].pairing.ego}")
    return made, faults


def _wanted(part: Played, count: int) -> Sequence[Fixture]:
    """Matches of the first `count` seeds of every entry, by name, with every held-out partner, in every seat."""
    egos = {card.name for cards in part.roster.entries.values() for card in sorted(cards, key=lambda c: c.name)[:count]}
    partners = {card.name for card in part.roster.held_out}
    found = [
        match
        for match in part.fixtures
        if match.pairing.ego in egos and match.pairing.partner in partners and match.pairing.key in part.results
    ]
    return sorted(found, key=lambda match: match.pairing.ego)
