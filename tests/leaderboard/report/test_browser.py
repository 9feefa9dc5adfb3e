"""The report in a browser: sorting, filtering, the heatmap, a replay to its end; no errors, no request to outside."""

import shutil
from dataclasses import replace

import pytest

from crossplay.leaderboard.report import pages
from crossplay.populations.bounds import Bound, Bounds
from crossplay.populations.population import load_population
from tests.leaderboard.report.kitchens import kitchens

CHROMIUM = shutil.which("chromium")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = kitchens(tmp_path_factory.mktemp("browser") / "results", "overcooked", "matrix")
    for root in (path.parent for path in folder.glob("*/population.toml")):
        population = load_population(root)
        rows = tuple(
            Bound(partner=one.name, digest=one.digest, seat=seat, low=0.0, high=100.0)
            for one in population.held_out
            for seat in (0, 1)
        )
        replace(population, bounds=Bounds(trainer={}, seed=0, episodes=3, rows=rows)).save(root)
    pages.write(folder, folder / "report", 1, lambda line: None)
    return folder / "report"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    """A page whose every error and request is watched."""
    page = browser.new_page(viewport={"width": 1100, "height": 800})
    faults, requests = [], []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    yield page
    page.close()
    assert faults == []
    assert [url for url in requests if not url.startswith("file://")] == []


def kitchen(site):
    return next(site.glob("overcooked*"))


def entries(page):
    return page.eval_on_selector_all("#board-1 tbody tr:not([hidden])", "rows => rows.map(row => row.dataset.entry)")


def test_sorting_and_filtering(page, site):
    page.goto((site / "index.html").as_uri())
    assert entries(page) == ["able", "idle"]
    page.click("#board-1 button[data-key=entry]")
    assert entries(page) == ["able", "idle"]
    page.click("#board-1 button[data-key=entry]")
    assert entries(page) == ["idle", "able"]
    assert page.get_attribute("#board-1 thead th:nth-child(2)", "aria-sort") == "descending"
    page.fill("input.filter >> nth=0", "ABL")
    assert entries(page) == ["able"]
    page.fill("input.filter >> nth=0", "nobody")
    assert entries(page) == []
    assert page.is_visible(".empty >> nth=0")


def test_the_heatmap_tells_and_leads_to_the_replay(page, site):
    page.goto((kitchen(site) / "index.html").as_uri())
    page.focus("#heat")
    page.keyboard.press("ArrowDown")
    told = page.inner_text("#told")
    assert told.startswith("able-1 with shy (scripted): ")
    assert "95 % over 3 episodes" in told
    assert "watch" not in told, "only the first seed can be watched"
    page.keyboard.press("ArrowUp")
    assert "press Enter to watch" in page.inner_text("#told")
    page.keyboard.press("Enter")
    page.wait_for_url("**/replay.html*")
    page.wait_for_function("document.getElementById('who').innerText.startsWith('able-0 with shy')")


def test_pointing_at_a_cell_tells_of_it(page, site):
    page.goto((kitchen(site) / "index.html").as_uri())
    box = page.locator("#heat").bounding_box()
    left, top = page.evaluate("[left, top_]")
    page.locator("#heat").hover(position={"x": left + 9, "y": top + 2 * 18 + 9})
    assert page.inner_text("#told").startswith("idle-0 with shy")
    assert box["width"] > left


def test_a_replay_plays_to_the_end(page, site):
    page.goto((kitchen(site) / "replay.html").as_uri() + "#able-0--shy--0")
    page.wait_for_function("document.getElementById('scrub').max === '120'")
    first = page.evaluate("document.getElementById('stage').toDataURL()")
    page.select_option("#speed", "60")
    page.click("#play")
    page.wait_for_function("document.getElementById('now').innerText.startsWith('Step 120 of 120')", timeout=20_000)
    assert page.inner_text("#play") == "Play"
    assert page.evaluate("document.getElementById('stage').toDataURL()") != first
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#now").startswith("Step 1 of 120")


def test_a_replay_that_is_not_there_says_so(browser, site):
    page = browser.new_page()
    page.goto((kitchen(site) / "replay.html").as_uri() + "#able-1--shy--0")
    page.wait_for_function("document.getElementById('what').innerText.includes('no replay of able-1--shy--0')")
    page.close()


def test_what_cannot_be_drawn_is_listed(page, site):
    page.goto((next(site.glob("matrix*")) / "replay.html").as_uri() + "#able-0--shy--0")
    page.wait_for_function("document.getElementById('now').innerText.startsWith('Step 0')")
    page.click("#on")
    assert page.inner_text("#words").startswith("1. ")


def test_scores_and_returns_by_family_have_intervals_and_are_explained(page, site):
    page.goto((kitchen(site) / "entry-able.html").as_uri())
    heads = page.eval_on_selector_all("section h2", "all => all.map(one => one.innerText)")
    assert heads[:2] == ["Score by family", "Return by family"]
    score = page.inner_text("section:has(h2:text('Score by family')) tbody tr").split("\t")
    assert score[0] == "scripted"
    assert " … " in score[2]
    assert " … " in page.inner_text("dl.facts div:has(dt:text-is('mean'))")
    assert " … " not in page.inner_text("dl.facts div:has(dt:text-is('worst'))")
    assert not page.is_visible("text=BR-Prox: as ZSC-Eval has it")
    page.focus("details.captions summary")
    page.keyboard.press("Enter")
    assert page.is_visible("text=BR-Prox: as ZSC-Eval has it")
    page.goto((kitchen(site) / "index.html").as_uri())
    assert page.get_attribute("section:has(h2) table:not(.board) tbody td >> nth=0", "title").startswith("95 %: ")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_a_phone(browser, site, scheme):
    page = browser.new_page(viewport={"width": 400, "height": 800}, color_scheme=scheme)
    for path in [site / "index.html", *kitchen(site).glob("*.html")]:
        page.goto(path.as_uri() + ("#able-0--shy--0" if path.stem == "replay" else ""))
        assert page.evaluate("document.documentElement.scrollWidth") <= 400, path
    page.close()
