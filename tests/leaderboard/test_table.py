"""Tables and exports: what is shown is what the board says, null is a dash, and nothing is cut off."""

import csv
import json
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest

from crossplay.benchmark.errors import Refused
from crossplay.leaderboard import budgets
from crossplay.leaderboard.board import rank
from crossplay.leaderboard.budgets import Spent
from crossplay.leaderboard.cells import cells
from crossplay.leaderboard.export import save, to_csv, to_json, to_markdown
from crossplay.leaderboard.metrics import METRICS
from crossplay.leaderboard.table import decimals, shown, text
from tests.leaderboard.league import Paper, card, results, roster, table
from tests.leaderboard.test_board import flat

OTHER = Paper(name="test/other-v1")


@pytest.fixture
def boards():
    rng = np.random.default_rng(4)
    families = {
        "scripted_onion_only": 3,
        "llm_programs": 1,
        "self_play": 2,
        "fcp_checkpoints": 2,
        "behaviour_cloning": 2,
    }
    scores = {
        "srpo_recurrent_with_a_very_long_name_indeed": rng.normal(140, 20, (4, 10, 2)),
        "e3t[bold]": rng.normal(120, 20, (1, 10, 2)),
        "holed": np.where(np.arange(20).reshape(1, 10, 2) == 11, np.nan, 100.0),
    }
    alone = {name: [150.0] * len(values) for name, values in scores.items()}
    return rank([table(scores, families, alone, game) for game in (Paper(), OTHER)], samples=200)


def squeezed(words):
    return "".join(words.split())


@pytest.mark.parametrize("width", [80, 100, 140])
def test_the_terminal_table_fits_and_says_everything(boards, width):
    for board in boards:
        said = text(board, width)
        assert max(map(len, said.splitlines())) <= width
        digits = decimals(board)
        lines = said.splitlines()
        for row in board.rows:
            wanted = (row.mean, row.low, row.high, row.iqm, row.cvar20, row.worst_partner, row.self_play, row.gap)
            if width >= 100:
                (line,) = [one for one in lines if row.entry[:8] in one][:1]
                values = [shown(value, digits) for value in wanted]
                interval = [f"{values[1]} … {values[2]}"] if row.low is not None else ["–"]
                at = [line.find(value, 25) for value in [values[0], *interval]]
                assert -1 not in at
                assert squeezed("".join([values[0], *interval, *values[3:]])) in squeezed(line)
            for value in row.families.values():
                assert shown(value, digits) in said
            for note in row.notes:
                assert squeezed(note) in squeezed(said)
            assert row.entry[:20] in said
        for family in board.families:
            assert family[:12] in said
        assert "… " in said
        assert "llm_programs" in said.split("no partner uncertainty")[1]


def test_captions_state_partners_seats_episodes_and_interval(boards):
    said = " ".join(text(boards[0]).split())
    assert "Held out: 10 partners of 5 families, 2 seats, 4 episodes a match." in said
    assert (
        "95 %, for other trainings of the same kinds and other partners of the same families; never over episodes"
        in said
    )
    assert "return per episode" in said
    assert "Plain mean over 2 games" in text(boards[2])
    assert "Plain mean" not in text(boards[0])


def riding(costs, **holes):
    found = table({"a": flat(1, 2), "b": flat(3, 4)}, {"f": 2}, {"a": [150.0], "b": [150.0]})
    return rank([replace(found, costs=costs, riding_alone=np.array([0.25, holes.get("b", 12.5)]))], samples=10)[0]


def test_free_riding_is_shown_where_there_are_private_costs():
    said = text(riding(costs=True))
    assert [line.split()[-1] for line in said.splitlines() if line.split()[1:2] in (["a"], ["b"])] == ["12.50", "0.25"]
    assert "gap riding" in " ".join(said.split())
    assert "riding: with itself, how far apart the seats' mean private costs" in " ".join(said.split())
    assert "| gap | riding | f |" in to_markdown([riding(costs=True)])
    assert "| 12.50 |" in to_markdown([riding(costs=True)])
    assert "| – | 3.5 |" in to_markdown([riding(costs=True, b=np.nan)])  # null, and the family's mean


def test_free_riding_is_no_column_where_nobody_pays():
    board = riding(costs=False)
    assert "riding" not in text(board) + to_markdown([board])
    assert json.loads(to_json([board]))["boards"][0]["costs"] is False


def told(**records):
    """A board whose entries' seeds have these records."""
    league = roster({}, {"f": 1})
    entries = {
        name: tuple(replace(card(f"{name}{i}"), record=record) for i, record in enumerate(given))
        for name, given in records.items()
    }
    league = replace(league, entries=entries)
    fixtures = league.fixtures(Paper(), 2, 0)
    return rank([cells(results(fixtures, lambda p: 1.0), league, fixtures)], samples=10)


PLANNED = {"trainer": {"kind": "ippo", "budget": {"steps": 2_000_000, "games": 64}}}


def test_budgets_are_shown_where_the_cards_tell_them():
    boards = told(
        a=[{**PLANNED, "samples_per_hero": 800_000}] * 2,  # what a card says
        b=[{**PLANNED, "steps": 2_000_896, "samples_per_hero": 800_000}],  # what was done, not what was planned
        c=[PLANNED],
        d=[PLANNED, {**PLANNED, "steps": 5}],  # seeds that differ
        e=[{}, {"trainer": "by hand"}],
    )
    costs = {row.entry: (row.steps, row.samples_per_hero) for row in boards[0].rows}
    assert costs == {
        "a": (2_000_000, 800_000),
        "b": (2_000_896, 800_000),
        "c": (2_000_000, None),
        "d": (None, None),
        "e": (None, None),
    }
    said = text(boards[0])
    for line in (
        "Trained on 2e6 steps · samples a hero 8e5: a, b.",
        "Trained on 2e6 steps · samples a hero –: c.",
        "Training not told: d, e.",
    ):
        assert line in said
    assert "| 2e6 | 8e5 |" in to_markdown(boards)
    (e,) = [line for line in to_markdown(boards).splitlines() if "| e " in line]
    assert e.endswith("| – | – |")
    lines = {line["entry"]: line for line in csv.DictReader(StringIO(to_csv(boards)))}
    assert (lines["b"]["steps"], lines["b"]["samples_per_hero"]) == ("2000896", "800000")
    assert (lines["e"]["steps"], lines["e"]["samples_per_hero"]) == ("", "")
    assert json.loads(to_json(boards))["boards"][0]["rows"][0]["steps"] == 2_000_000


def test_a_board_whose_cards_tell_nothing_has_no_line_about_it():
    assert "Train" not in text(told(a=[{}], b=[{}])[0])


def test_over_games_a_budget_is_told_where_it_is_the_same():
    one, two = (table({"a": flat(1), "b": flat(1)}, {"f": 1}, game=game) for game in (Paper(), OTHER))
    one = replace(one, spent={"a": Spent(5, 3), "b": Spent(5, 3)})
    two = replace(two, spent={"a": Spent(5, 4), "b": Spent(7, 3)})
    overall = rank([one, two], samples=10)[2]
    assert [(row.steps, row.samples_per_hero) for row in overall.rows] == [(5, None), (None, 3)]


@pytest.mark.parametrize(
    ("count", "wanted"),
    [(None, "–"), (0, "0"), (9999, "9999"), (10_000, "1e4"), (819_200, "8.19e5"), (2_000_896, "2e6"), (10**8, "1e8")],
)
def test_counts_are_short(count, wanted):
    assert budgets.shown(count) == wanted


def test_null_is_a_dash_and_never_a_number():
    said = text(rank([table({"a": [[[np.nan, np.nan]]]}, {"f": 1}, {"a": [np.nan]})], samples=10)[0])
    (line,) = [line for line in said.splitlines() if line.lstrip().startswith("–  a")]
    assert line.split() == ["–", "a", "[1]", "[2]", "1", *"––––––––"]
    assert "nan" not in said.lower()


@pytest.mark.parametrize(
    ("value", "digits", "wanted"),
    [(None, 2, "–"), (-1.25, 1, "−1.2"), (-0.001, 2, "0.00"), (0.0, 1, "0.0"), (235.04, 1, "235.0"), (-12.0, 0, "−12")],
)
def test_numbers_are_shown_plainly(value, digits, wanted):
    assert shown(value, digits) == wanted


@pytest.mark.parametrize(("size", "wanted"), [(2000.0, 0), (235.0, 1), (23.5, 2), (2.35, 3), (0.02, 4), (0.0, 1)])
def test_four_digits_are_shown(size, wanted):
    assert decimals(rank([table({"a": flat(size)}, {"f": 1})], samples=10)[0]) == wanted


def test_csv_has_every_number_to_the_bit(boards):
    lines = list(csv.DictReader(StringIO(to_csv(boards))))
    rows = [(board.game, row) for board in boards for row in board.rows]
    assert len(lines) == len(rows) == 9
    for line, (game, row) in zip(lines, rows, strict=True):
        assert (line["game"], line["entry"], line["status"]) == (game, row.entry, row.status)
        assert line["notes"] == "; ".join(row.notes)
        assert line["rank"] == ("" if row.rank is None else str(row.rank))
        for name in ("mean", "low", "high", "iqm", "worst_partner", "cvar20", "self_play", "gap", "free_riding"):
            value = getattr(row, name)
            assert line[name] == "" if value is None else float(line[name]) == value
        for family, value in row.families.items():
            found = line[f"family:{family}"]
            assert found == "" if value is None else float(found) == value


def test_json_says_what_its_metrics_are(boards):
    content = json.loads(to_json(boards))
    assert [board["game"] for board in content["boards"]] == ["test/paper-v1", "test/other-v1", "overall"]
    assert content["boards"][0]["rows"][0]["mean"] == boards[0].rows[0].mean
    assert content["boards"][0]["rows"][-1]["mean"] is None
    assert content["metrics"]["iqm"]["source"] == "[Agarwal2021]"
    assert {name: m["direction"] for name, m in content["metrics"].items()} == {
        name: METRICS[name].direction
        for name in (
            "mean",
            "score",
            "br_prox",
            "iqm",
            "worst_partner",
            "cvar20",
            "self_play",
            "gap",
            "free_riding",
            "family",
            "family_score",
            "retention",
        )
    }
    assert content["harness"] >= 1


def test_markdown_is_a_table_whatever_the_names():
    board = rank([table({"a|b*c": flat(1, 2), "_d_": flat(3, 4)}, {"f_1": 2})], samples=20)
    lines = to_markdown(board).splitlines()
    grid = [line for line in lines if line.startswith("|")]
    columns = {line.replace("\\|", "").count("|") for line in grid}
    assert len(grid) == 4
    assert columns == {17}
    assert r"\_d\_ <sup>1</sup>" in grid[2]
    assert r"a\|b\*c <sup>1</sup>" in grid[3]
    assert lines[0] == "## test/paper-v1"
    assert lines[-1].startswith("1. fewer than 3 trained seeds")
    assert lines[-2] == ""


def test_save_chooses_by_suffix(boards, tmp_path):
    for suffix, form in ((".csv", to_csv), (".json", to_json), (".md", to_markdown)):
        path = save(boards, tmp_path / "out" / f"board{suffix}")
        assert path.read_text(encoding="utf-8") == form(boards)
    assert len(list((tmp_path / "out").iterdir())) == 3
    with pytest.raises(Refused, match=r"must be one of \.csv, \.json, \.md"):
        save(boards, tmp_path / "board.xlsx")
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="cannot write"):
        save(boards, tmp_path / "file" / "board.md")
