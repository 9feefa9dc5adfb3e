"""What the command prints and draws: rows, JSON, table and diagram of a game a user names."""

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from crossplay.benchmark.errors import Refused
from crossplay.leaderboard.cli import app
from crossplay.leaderboard.theory import draw, equilibria, game_of, robots, table, to_json

RUNNER = CliRunner()
EXAMPLES = Path(__file__).parents[3] / "examples"


def test_rows_of_the_volunteer_game():
    rows = equilibria(game_of("volunteer", cost=0.4), (0.5, 10, np.inf), 0.2)
    assert [[round(x, 4) for x in row.first] for row in rows[:4]] == [
        [0.8425, 0.2802],
        [0.5837, 0.5837],
        [0.2802, 0.8425],
        [0.7942, 0.7942],
    ]
    assert [row.stable for row in rows] == [True, False, True, True, True]
    assert all(row.residual <= 1e-9 and -1e-12 <= row.exploitability <= 1e-9 for row in rows)


def test_beta_and_cost_reach_the_game():
    (row,) = equilibria(game_of("effort", cost=0.4, beta=0.25), (10,), 0.1)
    assert row.first == pytest.approx((0.188, 0.188), abs=5e-5)


def test_json_reads_back():
    game = game_of("volunteer")
    rows = equilibria(game, (2, np.inf), 0.2)
    read = json.loads(to_json(game, rows))
    assert read["game"] == "matrix/volunteer-v1"
    assert [e["tau"] for e in read["equilibria"]] == [2, "inf"]
    assert read["equilibria"][0]["first"] == list(rows[0].first)


def test_more_seats_have_symmetric_rows():
    (row,) = equilibria(game_of("matrix:game=volunteer,seats=3"), (1,), 0.2)
    assert len(row.first) == 3
    assert len(set(row.first)) == 1
    assert row.stable is None


def test_a_game_of_ones_own_and_its_table():
    from rich.console import Console

    game = game_of(str(EXAMPLES / "shared_chores.toml"))
    rows = equilibria(game, (5,), 0.1)
    console = Console(width=120, file=StringIO())
    console.print(table(game, rows))
    shown = console.file.getvalue()
    assert "P(all) per seat" in shown
    assert all(f"{row.first[0]:.4f}" in shown for row in rows)
    assert [len(x) for x in rows[0].profile] == [3, 3]


def test_the_diagram_is_the_same_twice(tmp_path):
    game = game_of("volunteer")
    rows = equilibria(game, (0, 0.5, 2, np.inf), 0.2)
    once, again = draw(game, rows, tmp_path / "a"), draw(game, rows, tmp_path / "b.svg")
    assert [path.name for path in (*once, *again)] == ["a.png", "a.svg", "b.png", "b.svg"]
    assert once[1].read_bytes() == again[1].read_bytes()
    assert once[0].read_bytes()[:4] == b"\x89PNG"
    text = once[1].read_text()
    for colour in ("#20639b", "#c2185b"):  # stable and unstable
        assert colour in text


def test_what_is_no_matrix_game_is_refused():
    with pytest.raises(Refused, match="no matrix game"):
        game_of("collab-grid")
    with pytest.raises(Refused, match="ready-made"):
        game_of(str(EXAMPLES / "shared_chores.toml"), cost=0.1)
    with pytest.raises(Refused, match="no such file"):
        game_of("nowhere.toml")
    with pytest.raises(Refused, match="beta"):
        game_of("volunteer", beta=0.5)
    with pytest.raises(Refused, match="target goes with two_robots"):
        game_of("volunteer", target=2.0)


def ran(*words):
    done = RUNNER.invoke(app, ["rqe", *words], env={"COLUMNS": "140"})
    assert done.exit_code == 0, done.output
    return done.output


def test_two_robots_are_printed_to_four_digits():
    shown = ran("two_robots", "--target", "2", "--eps", "0.5", "--tau", "2", "--tau", "4", "--tau", "inf")
    for number in ("0.8000", "0.2500", "-0.3300", "-1.5500", "0.0000"):
        assert number in shown
    assert shown.count("infinite risk") == 2


def test_two_robots_as_json_say_where_the_risk_is_infinite():
    read = json.loads(ran("two_robots", "--eps", "0.5", "--tau", "1", "--tau", "4", "--tau", "inf", "--json"))
    finite, *infinite = read["equilibria"]
    assert read["game"] == "two_robots"
    assert finite["mean"] == pytest.approx(1 / (3 - 0.25), abs=1e-12)
    assert (finite["variance"], finite["infinite_risk"]) == (pytest.approx(0.25), False)
    assert [row["tau"] for row in infinite] == [4, "inf"]
    assert all(row["infinite_risk"] and row["mean"] is row["welfare"] is None for row in infinite)


@pytest.mark.parametrize("option", [("--plot", "x"), ("--cost", "1"), ("--beta", "0.5")])
def test_two_robots_take_no_option_of_matrix_games(option):
    done = RUNNER.invoke(app, ["rqe", "two_robots", *option])
    assert isinstance(done.exception, Refused)
    assert option[0] in str(done.exception)


def test_robots_refuse_what_makes_no_sense():
    for target, tau, eps in ((np.nan, 1, 0.5), (1.0, -1, 0.5), (1.0, np.inf, 0.0)):
        with pytest.raises(Refused, match="want"):
            robots(target, (tau,), eps)


@pytest.mark.parametrize(("tau", "effort"), [("0", "0.9653"), ("10", "0.1880")])
def test_the_command_shows_the_face_that_hurts(tau, effort):
    assert f"{effort}  {effort}" in ran("effort", "--beta", ".25", "--cost", ".4", "--eps", ".1", "--tau", tau)
