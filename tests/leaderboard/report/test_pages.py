"""The report's pages: everybody has one, links lead somewhere, nothing comes from outside, null is no number."""

import json
import re
import sqlite3
from html.parser import HTMLParser

import numpy as np
import pytest

from crossplay.benchmark.errors import Refused
from crossplay.leaderboard import publish
from crossplay.leaderboard.report import drawing, pages, replay
from crossplay.leaderboard.run import STORE
from tests.leaderboard.report.kitchens import GAMES, kitchens

KITCHEN = "overcooked-cramped_room.h120-v1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return kitchens(tmp_path_factory.mktemp("report") / "results", *GAMES)


@pytest.fixture(scope="module")
def site(folder):
    pages.write(folder, folder / "report", 1, lambda line: None)
    return folder / "report"


class Links(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.ids = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in ("href", "src")]
        self.ids |= {value for name, value in attrs if name == "id"}


def test_everybody_has_a_page(site):
    for game in (path for path in site.iterdir() if path.name not in ("static", "index.html")):
        names = {path.name for path in game.glob("*.html")}
        assert names == {"index.html", "replay.html", "entry-able.html", "entry-idle.html", "partner-shy.html"}


def test_every_link_leads_somewhere_inside(site):
    for page in site.rglob("*.html"):
        links = Links(page.read_text(encoding="utf-8"))
        for link in links.found:
            path, _, mark = link.partition("#")
            assert not re.match(r"[a-z]+:|//", link), f"{page}: {link}"
            assert (page.parent / path).is_file() if path else mark in links.ids, f"{page}: {link}"


def test_nothing_is_fetched(site):
    for path in [*site.rglob("*.html"), *site.rglob("*.js"), *site.rglob("*.css")]:
        assert not re.search(r"https?://|fetch\(|@import|url\(", path.read_text(encoding="utf-8")), path


def test_names_and_words_are_escaped(site):
    assert "Rule partners &lt;only&gt;." in (site / "index.html").read_text(encoding="utf-8")


def test_the_numbers_are_the_boards(folder, site):
    text = (site / KITCHEN / "entry-able.html").read_text(encoding="utf-8")
    row = next(row for row in publish.boards(folder)[0].rows if row.entry == "able")
    assert f"{row.mean:.1f}" in text
    assert f"{row.self_play:.1f}" in text


def film(site, game, name):
    text = next(site.glob(f"{game}*")) / "replays" / f"{name}.js"
    return json.loads(text.read_text(encoding="utf-8").removeprefix("window.FILM=").rstrip(";\n"))


def test_only_as_many_seeds_as_wanted_can_be_watched(site):
    names = {path.stem for path in (site / KITCHEN / "replays").iterdir()}
    assert names == {f"{entry}-0--shy--{seat}" for entry in ("able", "idle") for seat in (0, 1)}


@pytest.mark.parametrize(("game", "steps", "numbers"), [("overcooked", 120, None), ("collab", 20, 7), ("carry", 20, 7)])
def test_a_replay_is_the_stored_episode(folder, site, game, steps, numbers):
    found = film(site, game, "able-0--shy--1")
    part = next(p for p in publish.played(folder) if p.roster.game.startswith(game))
    match = next(
        f.pairing for f in part.fixtures if (f.pairing.ego, f.pairing.partner, f.pairing.seat) == ("able-0", "shy", 1)
    )
    with publish.store(folder) as store:
        stored = store.load([match.key])[match.key].returns
    assert found["returns"] == stored.returns[found["episode"]].tolist()
    assert np.sum([step[2] for step in found["steps"]], axis=0) == pytest.approx(found["returns"], abs=1e-3)
    events = np.zeros_like(stored.events[0])
    for step in found["steps"]:
        for seat, event in step[3]:
            events[seat, event] += 1
    assert (events <= stored.events[found["episode"]]).all()
    assert len(found["steps"]) == steps
    assert numbers in (None, len(found["first"]))


def test_changes_lead_from_the_first_state_to_what_the_game_says(folder, site):
    found = film(site, "overcooked", "able-0--shy--0")
    slots = len(found["scene"]["slots"])
    assert len(found["first"]) == 6 + slots + found["scene"]["pots"]
    now = list(found["first"])
    for changes, *_ in found["steps"]:
        for place, value in zip(changes[::2], changes[1::2], strict=True):
            assert now[place] != value
            now[place] = value
    for cook in (now[0], now[3]):
        assert found["scene"]["kinds"][cook] == 0, "a cook stands on the floor"


def test_games_nobody_can_draw_list_their_actions(site):
    found = film(site, "matrix", "able-0--shy--0")
    assert (found["scene"]["kind"], found["first"]) == ("words", [])
    assert {len(step[1]) for step in found["steps"]} == {2}


def test_the_typical_episode_is_the_median(folder):
    part = next(iter(publish.played(folder)))
    for result in part.results.values():
        returns = result.returns.returns.mean(axis=1)
        assert returns[replay.typical(result)] == np.sort(returns)[1]


def test_a_match_that_pays_something_else_now_is_not_shown(folder, tmp_path):
    part = next(iter(publish.played(folder)))
    match = part.fixtures[0]
    result = part.results[match.pairing.key]
    returns = result.returns._replace(returns=result.returns.returns + np.array([[0.0], [1.0], [0.0]]))
    (told,) = replay.replays([(match, result._replace(returns=returns))])
    assert "1 of 3 episodes pay something else than what is stored" in told


def test_what_was_not_played_is_a_dash(tmp_path):
    folder = kitchens(tmp_path / "results", "matrix")
    with sqlite3.connect(folder / STORE) as store:
        (table,) = [
            name for (name,) in store.execute("select name from sqlite_master where type = 'table'") if "match" in name
        ]
        store.execute(f"delete from {table} where partner = 'shy' and ego = 'idle-1'")
    pages.write(folder, tmp_path / "site", 0, lambda line: None)
    entry = next((tmp_path / "site").rglob("entry-idle.html")).read_text(encoding="utf-8")
    assert "incomplete: " in entry
    assert re.search(r'partner-shy\.html">shy</a></th><td>scripted</td><td class="num">–</td>', entry)
    assert not list((tmp_path / "site").rglob("replays"))
    assert not re.search(r"\bnan\b", entry.lower())


def test_a_place_that_cannot_be_written_is_refused(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="cannot write the report to"):
        pages.write(folder, tmp_path / "file", 0, lambda line: None)


def test_curves_without_points_are_no_picture():
    assert drawing.curves([[], []]) == ""
    assert drawing.curves([[[0, 1.0], [10, 2.0]], []]).count("<polyline") == 1
