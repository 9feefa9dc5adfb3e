"""Retention: matches of its own with trembling partners, by hand; a missing one costs the rank."""

from dataclasses import replace

import numpy as np
import pytest

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.benchmark.match import Table, play_tables
from crossplay.benchmark.seeding import spread
from crossplay.leaderboard.agent import find
from crossplay.leaderboard.board import rank
from crossplay.leaderboard.cells import cells
from crossplay.leaderboard.retention import Retention
from crossplay.leaderboard.roster import trembling
from tests.leaderboard.league import Paper, results, roster

NOISE = (0.1, 0.5)
LEFT = {"": 1.0, "0.1": 0.75, "0.5": 0.5}


def earned(pairing):
    """10 with family a, 30 with family b; of that three quarters and a half with trembling partners."""
    partner, _, noise = pairing.partner.partition("~")
    return {"a": 10.0, "b": 30.0}.get(partner[0], 20.0) * LEFT[noise]


def played(value=earned):
    league = roster({"ann": 3, "bob": 2}, {"a": 1, "b": 3}, noise=NOISE)
    fixtures = league.fixtures(Paper(), 2, 0)
    return league, fixtures, cells(results(fixtures, value), league, fixtures)


def test_what_is_left_of_the_mean():
    _, fixtures, found = played()
    assert found.holes == 0
    assert len([f for f in fixtures if "~" in f.pairing.partner]) == 5 * 4 * 2 * len(NOISE)
    assert Retention(noise=0.1)(found.of("ann")) == pytest.approx(0.75)
    (board,) = rank([found], samples=20)
    assert board.noise == ("0.1", "0.5")
    assert [row.retention for row in board.rows] == [pytest.approx({"0.1": 0.75, "0.5": 0.5})] * 2


def test_its_interval_leaves_its_own_matches_out_too():
    _, _, found = played(lambda p: earned(p) + (p.ego == "ann.1") * 3)
    from crossplay.leaderboard.intervals import interval

    span = interval(found.of("ann"), Retention(noise=0.5))
    value = Retention(noise=0.5)(found.of("ann"))
    assert value - 0.5 < span.low < value < span.high < value + 0.5
    (board,) = rank([found], samples=20)
    assert next(row for row in board.rows if row.entry == "ann").intervals["retention:0.5"] == pytest.approx(span[:2])


@pytest.mark.parametrize("noise", ["0.1", "0.5"])
def test_one_missing_match_costs_the_rank(noise):
    gone = f"b1~{noise}"
    _, _, found = played(lambda p: np.nan if (p.ego, p.partner, p.seat) == ("ann.0", gone, 1) else earned(p))
    (board,) = rank([found], samples=20)
    ann = next(row for row in board.rows if row.entry == "ann")
    assert (ann.rank, ann.status, ann.holes) == (None, "incomplete", 1)
    assert ann.retention[noise] is None
    assert ann.mean == pytest.approx(20.0)


def test_no_share_of_nothing():
    _, _, found = played(lambda p: 0.0)
    assert np.isnan(Retention(noise=0.1)(found.of("ann")))
    with pytest.raises(Refused, match=r"unknown noise of partners 0\.2"):
        Retention(noise=0.2)(found)


def test_a_trembling_partner_slips_as_often_as_it_says():
    game, seeds = CollabGrid(), spread(1, 64)
    steady = find("constant:0")
    slips = trembling(steady, 0.4)
    assert slips.name == f"{steady.name}~0.4"
    assert slips.digest != steady.digest
    did = []

    def watch(state, actions, paid):
        if actions is not None:
            did.append(actions[:, 1].copy())

    policies = [steady.policy(game), slips.policy(game)]
    play_tables(game, [Table(policies, seeds, [seeds, spread(2, 64)])], watch)
    other = np.mean(np.concatenate(did) != 0)
    count = len(game.spec.actions)
    assert other == pytest.approx(0.4 * (count - 1) / count, abs=0.04)


def test_names_of_partners_stay_one_agents():
    league = roster({"ann": 1}, {"a": 1}, noise=NOISE)
    with pytest.raises(Refused, match="twice"):
        replace(league, held_out=league.held_out * 2)
