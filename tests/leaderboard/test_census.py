"""A population on the screen: it is found by the name one would type, and the table says what the manifest says."""

from io import StringIO

import pytest
from rich.console import Console

from crossplay.benchmark.card import Card
from crossplay.benchmark.config import build, read_toml
from crossplay.benchmark.errors import Refused
from crossplay.leaderboard import census
from crossplay.leaderboard.run import run
from crossplay.leaderboard.suite import Suite
from crossplay.populations import population as populations
from crossplay.populations.population import MANIFEST, assemble, load_population
from tests.leaderboard.test_cli import run as command
from tests.leaderboard.test_yardsticks import HOPELESS, measure, measure_diversity, populate


def shown(population, width=100):
    file = StringIO()
    Console(file=file, width=width, color_system=None).print(census.table(population, "s/g"))
    return " ".join(file.getvalue().split())


@pytest.fixture
def results(tmp_path):
    for folder in (
        "standard/overcooked-coordination_ring-v1",
        "standard/overcooked-cramped_room-v1",
        "gw/collab-grid-v1",
    ):
        root = tmp_path / "results" / folder
        root.mkdir(parents=True)
        card = Card(name="x", maker={"kind": "uniform"}, family="f", lineage="x").save(root / "cards" / "x")
        assemble("p", "g-v1", root, [], [card], {}).save(root)
    return tmp_path / "results"


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("standard/coordination_ring", "standard/overcooked-coordination_ring-v1"),
        ("standard/overcooked-cramped_room-v1", "standard/overcooked-cramped_room-v1"),
        ("gw/collab-grid", "gw/collab-grid-v1"),
        ("gw", "gw/collab-grid-v1"),
    ],
)
def test_a_suites_population_is_found_by_its_games_name(results, text, folder):
    assert census.find(text, results) == results / folder


def test_paths_are_taken_as_they_are(results):
    folder = results / "gw/collab-grid-v1"
    assert census.find(str(folder)) == folder
    assert census.find(str(folder / MANIFEST)) == folder / MANIFEST


def test_what_comes_with_the_package_is_shown_until_there_are_results_of_ones_own(results, tmp_path, monkeypatch):
    shipped = tmp_path / "shipped"
    for folder in ("standard/overcooked-coordination_ring-v1", "standard/overcooked-forced_coordination-v1"):
        (shipped / folder).mkdir(parents=True)
        (shipped / folder / MANIFEST).write_text("")
    monkeypatch.setattr(populations, "SHIPPED", shipped)
    ring, forced = "standard/overcooked-coordination_ring-v1", "standard/overcooked-forced_coordination-v1"
    assert census.find("standard/forced_coordination", results, shipped=True) == shipped / forced
    assert census.find("standard/coordination_ring", results, shipped=True) == results / ring
    with pytest.raises(Refused, match="unknown population of standard"):
        census.find("standard/forced_coordination", results)


def test_manifests_that_come_with_the_package_are_as_they_were_written():
    for manifest in populations.SHIPPED.glob(f"*/*/{MANIFEST}"):
        assert load_population(manifest).name == manifest.parent.parent.name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "standard/coordinaton_ring",
            "unknown population of standard 'coordinaton_ring'; did you mean 'coordination_ring'",
        ),
        ("standard", "known: coordination_ring"),
        ("nosuch/x", "no such file or folder, and no population below"),
    ],
)
def test_what_is_not_there_is_refused(results, text, words):
    with pytest.raises(Refused, match=words):
        census.find(text, results)


def test_what_is_not_measured_is_said_with_the_command_that_measures_it(tmp_path):
    said = shown(load_population(populate(tmp_path, HOPELESS)))
    assert "Bounds not measured: crossplay population bounds s/g" in said
    assert "Diversity not measured: crossplay population diversity s/g" in said
    assert "Families nobody trains with: scripted." in said


def test_the_table_says_what_was_measured(tmp_path):
    root = populate(tmp_path, HOPELESS)
    measure(root)
    found = measure_diversity(root, episodes=4, jobs=1, tell=lambda progress: None)
    said, bounds = shown(found), found.bounds
    row = bounds.row("always-0", 1)
    digest = found.held_out[0].digest[:8]
    assert f"{row.low:.3f} … {row.high:.3f} {digest}" in said
    assert "held out always-0 scripted 1.000" in said
    assert "held out always-1 scripted 0.000 0.000 … 0.000 * 0.000 … 0.000 *" in said
    assert "* always-1, seat 0: the best response is not 3 standard errors better than uniform play" in said
    assert "effective rank of cross-play 1.00 (1 to 2)" in said
    assert "near-duplicates, less than 0.01 apart: 0." in said


def test_who_earns_more_than_the_trained_response_is_told(tmp_path):
    root = populate(tmp_path, HOPELESS)
    found = measure(root, settings=["budget.steps=5", "ppo.rollout=5"])
    assert "Held-out partners earn more than the trained response with: always-0 (a copy)." in shown(found)


def test_the_commands_show_and_thin_what_is_named(results, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(results.parent)
    assert command(capsys, "population", "show", "standard/coordination_ring")[0] == 0
    populate(results / "small" / "matrix-custom-v1", HOPELESS)
    code, out, _ = command(capsys, "population", "diversity", "small", "--episodes", "4", "--jobs", "1")
    assert (code, "event volume" in out) == (0, True)
    code, out, _ = command(capsys, "population", "thin", "small")
    assert (code, "0 near-duplicates taken out" in out) == (0, True)


@pytest.mark.parametrize("kitchen", ["cramped_room", "counter_circuit_o_1order"])
def test_what_comes_with_the_package_can_be_shown_and_verified_by_name(kitchen, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command(capsys, "population", "show", f"standard/{kitchen}")[0] == 0
    code, out, _ = command(capsys, "population", "verify", f"standard/{kitchen}")
    assert code == 0
    assert "33 members as stated" in out


def test_a_suite_may_ask_for_bounds_and_for_thinning(tmp_path):
    """Twins are among its held-out partners; a second run changes nothing."""
    twin = {"kind": "noisy", "epsilon": 0.0, "maker": {"kind": "constant", "action": 0}}
    partners = [
        {"name": "giver", "maker": {"kind": "constant", "action": 0}},
        {"name": "taker", "maker": {"kind": "constant", "action": 1}},
        {"name": "twin", "maker": twin},
    ]
    table = {
        "name": "yards",
        "episodes": 8,
        "thin": True,
        "bounds": True,
        "games": [
            {"game": {"kind": "matrix"}, "training": {"ppo": {"rollout": 5}, "budget": {"steps": 400, "games": 8}}}
        ],
        "held_out": [{"kind": "scripted", "partners": partners}],
        "entries": [{"name": "ippo", "seeds": 3, "trainer": {"kind": "ippo"}}],
    }
    out, texts = tmp_path / "yards", []
    for _ in range(2):
        run(build(Suite, table), out, jobs=1, device="cpu", tell=lambda progress: None)
        found = load_population(out / "matrix-volunteer-v1")
        assert [member.name for member in found.held_out] == ["giver", "taker"]
        assert [(one["one"], one["other"]) for one in found.recipe["removed"]] == [("twin", "giver")]
        assert [(row.partner, row.seat) for row in found.bounds.rows] == [
            (n, s) for n in ("giver", "taker") for s in (0, 1)
        ]
        assert found.bounds.episodes == found.diversity.episodes == 8
        texts.append((out / "matrix-volunteer-v1" / MANIFEST).read_bytes())
    assert build(Suite, read_toml(out / "suite.toml")).bounds
    assert texts[0] == texts[1]
