"""Every match of a stored board deleted in turn: its rows are incomplete, nothing rises, no other row moves."""

import sqlite3
from dataclasses import replace

import pytest

from crossplay.leaderboard import publish
from crossplay.leaderboard.board import rank
from crossplay.leaderboard.cells import spots
from crossplay.leaderboard.run import STORE
from crossplay.leaderboard.site import sites
from crossplay.leaderboard.tally import tally
from crossplay.populations.population import load_population
from tests.leaderboard.shelf import filled
from tests.leaderboard.test_recompute import bounds
from tests.leaderboard.test_recompute import plan as plan_of

NUMBERS = ("mean", "score", "br_prox", "iqm", "worst_partner", "cvar20", "self_play", "free_riding", "low", "score_low")


def plan():
    """Partners that no entry is a copy of."""
    tables = {name: {"kind": "constant", "action": i} for i, name in enumerate(("on", "off"))} | {
        "shaker": {"kind": "uniform"}
    }
    on, off, shaker = (
        {"name": name, "maker": {"kind": "noisy", "epsilon": 0.1, "maker": maker}} for name, maker in tables.items()
    )
    groups = (("scripted", [on, shaker]), ("other", [off]))
    return replace(
        plan_of(),
        held_out=tuple({"kind": "scripted", "family": family, "partners": mine} for family, mine in groups),
    )


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """Two games with bounds, trembling partners, an entry of three seeds and one of one."""
    out = filled(tmp_path_factory.mktemp("deletion") / "shelf", plan(), [[0, 1, 0], [1]])
    for place in sites(plan(), out):
        population = load_population(place.root)
        replace(population, bounds=bounds(population.held_out)).save(place.root)
    return out


def numbers(row):
    """Everything a row says by name; higher is better of those in NUMBERS."""
    parts = {"family": row.families, "family_score": row.family_scores, "retention": row.retention}
    return {name: getattr(row, name) for name in NUMBERS} | {
        f"{kind}:{name}": value for kind, values in parts.items() for name, value in values.items()
    }


def test_every_single_match_counts_and_none_that_is_missing_helps(out):
    places = sites(plan(), out)
    with publish.store(out) as store:
        whole = [tally(store, place, {}) for place in places]
    before = [{row.entry: row for row in board.rows} for board in rank(whole, samples=20)]
    deleted = 0
    for at, place in enumerate(places[:1]):
        roster = place.roster()
        owner = {card.name: entry for entry, cards in roster.entries.items() for card in cards}
        scored = {(ego.name, partner.name, seat) for ego, partner, seat in spots(roster)}
        for fixture in place.fixtures(roster):
            pairing = fixture.pairing
            with sqlite3.connect(out / STORE) as database:
                (row,) = database.execute("select * from matches where key = ?", (pairing.key,)).fetchall()
                database.execute("delete from matches where key = ?", (pairing.key,))
            with publish.store(out) as store:
                after = rank([*whole[:at], tally(store, place, {}), *whole[at + 1 :]], samples=20)
            with sqlite3.connect(out / STORE) as database:
                database.execute(f"insert into matches values ({','.join('?' * len(row))})", row)
            hit = (pairing.ego, pairing.partner, pairing.seat) in scored
            mine = {at, len(places)} if hit else set()
            for number, board in enumerate(after):
                for one in board.rows:
                    old = before[number][one.entry]
                    if number in mine and one.entry == owner[pairing.ego]:
                        assert (one.status, one.rank, one.rank_low) == ("incomplete", None, None)
                        assert one.holes == 1
                        assert board.rows[-1] == one
                        lost = [name for name, value in numbers(old).items() if numbers(one)[name] != value]
                        assert lost
                        assert all(numbers(one)[name] is None for name in lost)
                    else:
                        assert numbers(one) == numbers(old)
                        assert one.status == "ranked"
            deleted += 1
    assert deleted == (4 + 4 * 3 * 2 * 2 + 4 * 3 * 2)
