"""Near-copies of held-out partners: found by what they do, compared once, noted on the board, and never forgotten."""

from dataclasses import replace

import pytest

from crossplay.benchmark.errors import Fault
from crossplay.leaderboard import copies, publish
from crossplay.leaderboard.run import play
from crossplay.leaderboard.site import sites
from tests.leaderboard.shelf import shelf, suite


@pytest.fixture
def place(tmp_path):
    """Two entries, of which one always gives, as the held-out partner does, and one never."""
    plan = {"cloned": [0, 1, 0], "apart": [1, 1, 1]}
    out = shelf(tmp_path / "shelf", **plan)
    return sites(suite(**plan), out)[0]


def test_who_acts_as_a_held_out_partner_does_is_found(place):
    found = copies.compare(place.game, place.root, place.roster())
    assert [(near.one, near.other) for near in found.near] == [("cloned-0", "giver"), ("cloned-2", "giver")]
    assert all(abs(near.distance) < 0.01 for near in found.near)
    assert set(found.agents) == {f"{name}-{i}" for name in ("cloned", "apart") for i in range(3)}


def test_it_is_done_once_and_read_back(place, monkeypatch):
    found = copies.compare(place.game, place.root, place.roster())
    monkeypatch.setattr(copies, "copies", lambda *_: pytest.fail("compared again"))
    assert copies.compare(place.game, place.root, place.roster()) == found
    assert place.roster().near == found.near


def test_all_are_compared_at_once_and_one_at_fault_costs_the_others_nothing(place, monkeypatch):
    real, asked = copies.copies, []

    def faulty(game, cards, held_out):
        asked.append(len(cards))
        if "apart-1" in [card.name for card in cards]:
            raise Fault("it broke")
        return real(game, cards, held_out)

    whole = copies.compare(place.game, place.root, place.roster())
    (place.root / copies.COPIES).unlink()
    monkeypatch.setattr(copies, "copies", faulty)
    found = copies.compare(place.game, place.root, place.roster())
    assert found.near == whole.near
    assert set(found.agents) == set(whole.agents) - {"apart-1"}
    assert (asked[0], len(asked)) == (6, 7)


def test_another_agent_of_the_same_name_is_compared_anew(place):
    copies.compare(place.game, place.root, place.roster())
    card = place.roster().entries["cloned"][0]
    replace(card, maker={"kind": "constant", "action": 1}).save(place.cards / card.name)
    assert [near.one for near in place.roster().near] == ["cloned-2"]
    assert [near.one for near in copies.compare(place.game, place.root, place.roster()).near] == ["cloned-2"]


def test_with_other_held_out_partners_nothing_is_known(place):
    copies.compare(place.game, place.root, place.roster())
    league = place.roster()
    other = replace(league, held_out=(replace(league.held_out[0], maker={"kind": "constant", "action": 1}),))
    assert copies.known(place.root, other).near == ()


def test_the_board_says_so_and_ranks_on(place):
    for seed in range(3):  # a trembling hand has another digest
        card = place.roster().entries["cloned"][seed]
        constant = {"kind": "constant", "action": 1 - seed % 2}
        replace(card, maker={"kind": "noisy", "maker": constant, "epsilon": 0.01}).save(place.cards / card.name)
    play([place], place.root.parent, 1, lambda progress: None)
    copies.compare(place.game, place.root, place.roster())
    board = publish.boards(place.root.parent)[0]
    row = next(row for row in board.rows if row.entry == "cloned")
    assert f"acts nearly as a held-out partner of {board.game} does: cloned-1 of giver" in row.notes
    assert (row.status, row.holes) == ("ranked", 0)
