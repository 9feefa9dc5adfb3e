"""The board: by hand, with holes, ties, lone seeds and contamination; and one golden board from a store."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from crossplay.leaderboard.board import OVERALL, rank
from crossplay.leaderboard.cells import cells
from crossplay.leaderboard.export import to_json
from crossplay.leaderboard.roster import Roster
from crossplay.leaderboard.store import ResultStore
from tests.leaderboard.league import Paper, card, outcome, roster, table

GOLDEN = Path(__file__).parent / "golden" / "board.json"
OTHER = Paper(name="test/other-v1")


def flat(*values):
    """One seed, one seat pair a partner: J with each partner, the same in both seats."""
    return [[[value, value] for value in values]]


def rows(found, game=0, **options):
    return {row.entry: row for row in rank(found, samples=50, **options)[game].rows}


def test_a_row_by_hand():
    scores = [
        [[0, 4], [10, 10], [30, 50]],
        [[2, 2], [20, 0], [40, 40]],
        [[1, 3], [10, 10], [35, 45]],
    ]
    (board,) = rank([table({"a": scores}, {"f": 2, "g": 1}, {"a": [60, 60, 90]})])
    (row,) = board.rows
    assert row.entry == "a"
    assert (row.rank, row.status, row.n_seeds, row.holes, row.notes) == (1, "ranked", 3, 0, ())
    assert row.families == pytest.approx({"f": 6.0, "g": 40.0})
    assert row.mean == pytest.approx(23.0)
    assert row.self_play == pytest.approx(70.0)
    assert row.gap == pytest.approx(47.0)
    assert (row.worst_partner, row.worst_partner_name) == (pytest.approx(2.0), "f0")
    assert row.cvar20 == pytest.approx(2.0)
    assert row.iqm == pytest.approx(13.4)  # 0 0 1 2 | 2 3 4 10 10 10 10 20 30 35 | 40 40 45 50
    assert row.low < row.mean < row.high
    assert row.covers == "trained seeds and partners"
    assert (board.game, board.partners, board.seats, board.episodes) == ("test/paper-v1", (3,), (2,), (4,))
    assert (board.families, board.single) == (("f", "g"), ("g",))


def test_ranks_ties_and_order():
    found = table({"c": flat(1, 3), "a": flat(2, 2), "b": flat(5, 5), "d": flat(0, 1)}, {"f": 2})
    board = rank([found], samples=50)[0]
    assert [(row.entry, row.rank) for row in board.rows] == [("b", 1), ("a", 2), ("c", 2), ("d", 4)]


def test_a_tie_is_to_the_bit():
    found = table({"a": flat(1.0), "b": flat(1.0 + 2**-52)}, {"f": 1})
    assert {name: row.rank for name, row in rows([found]).items()} == {"b": 1, "a": 2}


def test_a_hole_is_null_and_unranked_and_lifts_nobody():
    nan = np.nan
    found = table({"best": [[[9, nan], [9, 9]]], "good": flat(2, 2), "bad": flat(1, 1)}, {"f": 1, "g": 1})
    mine = rows([found])
    assert list(mine) == ["good", "bad", "best"]
    best = mine["best"]
    assert (best.rank, best.status, best.holes) == (None, "incomplete", 1)
    assert (best.mean, best.low, best.high, best.iqm, best.worst_partner, best.worst_partner_name) == (None,) * 6
    assert (best.cvar20, best.gap, best.self_play) == (None, None, 0.0)
    assert best.families == {"f": None, "g": 9.0}
    assert best.notes[0] == "incomplete: 1 of 5 matches of test/paper-v1 are missing; not ranked"
    assert (mine["good"].rank, mine["bad"].rank) == (1, 2)


def test_a_missing_self_play_match_is_incomplete_too():
    row = rows([table({"a": flat(1, 2)}, {"f": 2}, {"a": [np.nan]})])["a"]
    assert (row.rank, row.status, row.gap, row.self_play, row.mean) == (None, "incomplete", None, None, 1.5)


@pytest.mark.parametrize(
    ("seeds", "partners", "covers", "note"),
    [
        (1, 2, "partners only", "fewer than 3 trained seeds (1): the interval covers partners only"),
        (2, 2, "trained seeds and partners", "fewer than 3 trained seeds (2): the interval may be too narrow"),
        (3, 2, "trained seeds and partners", None),
        (1, 1, "", "one trained seed and one partner a family: no interval"),
        (3, 1, "trained seeds only", None),
    ],
)
def test_few_seeds_are_said(seeds, partners, covers, note):
    scores = np.random.default_rng(0).normal(size=(seeds, partners, 2))
    row = rows([table({"a": scores}, {"f": partners})])["a"]
    assert row.covers == covers
    assert row.notes == ((note,) if note else ())
    assert (row.low is None) == (covers == "")
    assert row.rank == 1


def contaminated(*names):
    league = roster({"clean": 1}, {"scripted": 5})
    met = tuple(card.digest for card in league.held_out if card.name in names)
    league = Roster(
        game=league.game,
        seats=2,
        entries={**league.entries, "met": (card("met.0"), card("met.1", trained_with=met))},
        held_out=league.held_out,
    )
    fixtures = league.fixtures(Paper(), 2, 0)
    played = {f.pairing.key: outcome(f, np.float64(9 if f.pairing.ego.startswith("met") else 1)) for f in fixtures}
    return rows([cells(played, league, fixtures)])


def test_a_contaminated_row_is_shown_and_unranked():
    mine = contaminated("scripted3")
    assert list(mine) == ["clean", "met"]
    assert (mine["clean"].rank, mine["clean"].status) == (1, "ranked")
    assert (mine["met"].rank, mine["met"].status, mine["met"].mean) == (None, "contaminated", 9.0)
    assert mine["met"].notes[0] == ("contaminated: has met held-out scripted3 of test/paper-v1 in training; not ranked")
    many = contaminated("scripted0", "scripted1", "scripted2", "scripted4")["met"].notes[0]
    assert "scripted0, scripted1, scripted2 and 1 more" in many


def test_overall_is_the_mean_over_games_and_null_where_one_is_lacking():
    one = table({"a": flat(1, 3), "b": flat(4, 4), "c": flat(9, 9)}, {"f": 1, "g": 1}, {"a": [4], "b": [4], "c": [9]})
    two = table({"a": flat(100), "b": flat(10)}, {"f": 1}, {"a": [110], "b": [10]}, OTHER)
    boards = rank([one, two], samples=50)
    assert [board.game for board in boards] == ["test/paper-v1", "test/other-v1", OVERALL]
    overall = boards[2]
    assert [(row.entry, row.rank, row.mean) for row in overall.rows] == [
        ("a", 1, 51.0),
        ("b", 2, 7.0),
        ("c", None, None),
    ]
    a, _, c = overall.rows
    assert a.families == {"f": 50.5, "g": 3.0}
    assert (a.gap, a.worst_partner, a.worst_partner_name) == (6.0, 50.5, None)
    assert (c.status, c.families, c.low, c.self_play) == ("incomplete", {"f": None, "g": 9.0}, None, None)
    assert c.notes[0] == "incomplete: never played test/other-v1; not ranked"
    assert overall.partners == (2, 1)
    assert (boards[0].rows[0].entry, boards[0].rows[0].rank) == ("c", 1)


def test_the_overall_interval_is_of_independent_games():
    draw = np.random.default_rng(3).normal(size=(3, 8, 2))
    same, twin = table({"a": draw}, {"f": 8}), table({"a": draw}, {"f": 8}, game=OTHER)
    first, second, overall = (board.rows[0] for board in rank([same, twin], samples=50))
    assert overall.mean == pytest.approx(first.mean)
    assert (first.low, first.high) == (second.low, second.high)
    assert overall.high - overall.low < (first.high - first.low) / np.sqrt(2)  # and of twice the degrees of freedom


LEAGUE = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d"]),
    arrays.arrays(np.float64, (2, 3, 2), elements=st.integers(-9, 9).map(float)),
    min_size=1,
)


@settings(max_examples=40, deadline=None)
@given(LEAGUE, st.data())
def test_who_else_plays_and_in_which_order_changes_no_number(scores, data):
    whole = rows([table(scores, {"f": 2, "g": 1})])
    names = data.draw(st.permutations(sorted(scores)))
    assert rows([table({name: scores[name] for name in names}, {"f": 2, "g": 1})]) == whole
    for name in scores:
        alone = rows([table({name: scores[name]}, {"f": 2, "g": 1})])[name]
        assert replace(whole[name], rank=1) == alone


@settings(max_examples=40, deadline=None)
@given(LEAGUE, st.data())
def test_ranks_agree_with_headlines_and_holes_never_help(scores, data):
    whole = rows([table(scores, {"f": 2, "g": 1})])
    for row in whole.values():
        assert row.rank == 1 + sum(other.mean > row.mean for other in whole.values())
    name = data.draw(st.sampled_from(sorted(scores)))
    holed = {key: values.copy() for key, values in scores.items()}
    holed[name][tuple(data.draw(st.integers(0, n - 1)) for n in (2, 3, 2))] = np.nan
    after = rows([table(holed, {"f": 2, "g": 1})])
    assert after[name].rank is None
    assert list(after)[-1] == name
    for other in set(scores) - {name}:
        beaten = whole[name].mean > whole[other].mean
        assert after[other] == replace(whole[other], rank=whole[other].rank - beaten)


@settings(max_examples=30, deadline=None)
@given(LEAGUE)
def test_a_dominated_newcomer_changes_nothing_and_comes_last(scores):
    before = rows([table(scores, {"f": 3})])
    worst = np.min([values.min(axis=0) for values in scores.values()], axis=0)
    after = rows([table({**scores, "zz": np.stack([worst - 1, worst - 2])}, {"f": 3})])
    assert after.pop("zz").rank == len(scores) + 1
    assert after == before


def golden_cells(store, game):
    """Four entries of 3, 3, 1 and 2 seeds; one has met a partner, one lacks a match."""
    league = roster({"steady": 3, "lucky": 3, "lonely": 1, "holed": 2}, {"scripted": 3, "fcp": 2, "llm": 1}, game)
    if game is OTHER:
        met = card("lucky.2", trained_with=(league.held_out[1].digest,))
        league = replace(league, entries={**league.entries, "lucky": (*league.entries["lucky"][:2], met)})
    store.declare(game.spec)
    fixtures = league.fixtures(game, 3, 0)
    for number, fixture in enumerate(fixtures):
        p = fixture.pairing
        if (p.ego, p.partner, p.seat) != ("holed.1", "fcp0", 1):
            skill = {"steady": 20, "lucky": 12, "lonely": 16, "holed": 30}[p.ego.split(".")[0]]
            base = skill + int(p.ego[-1]) + len(p.partner) * (1 + p.seat) + (25 if p.ego == p.partner else 0)
            store.add(outcome(fixture, base + np.array([[0, 1], [2, 3], [number % 7, 0.5]])))
    return cells(store.load(f.pairing.key for f in fixtures), league, fixtures)


def approximately(value):
    """The same structure with every float compared to 12 digits."""
    if isinstance(value, dict):
        return {key: approximately(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [approximately(inner) for inner in value]
    return pytest.approx(value, rel=1e-12, abs=1e-12) if isinstance(value, float) else value


def test_golden_board(tmp_path):
    with ResultStore(tmp_path / "golden.sqlite") as store:
        found = rank([golden_cells(store, Paper()), golden_cells(store, OTHER)], seed=0, samples=400)
    written = json.loads(to_json(found))
    assert written["boards"] == json.loads(json.dumps([asdict(board) for board in found]))
    assert written == approximately(json.loads(GOLDEN.read_text(encoding="utf-8")))
