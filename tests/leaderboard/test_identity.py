"""Two people's boards: of the same suite, partners and agents, or not; and where what they say differs."""

import json
import shutil
from dataclasses import replace

import pytest

from crossplay.benchmark.errors import Refused
from crossplay.leaderboard import identity, publish
from crossplay.leaderboard.identity import contrast, read
from crossplay.leaderboard.run import play
from crossplay.leaderboard.site import sites
from tests.leaderboard.shelf import shelf, suite

PLAN = {"giver": [0, 0, 0], "taker": [1, 1, 1]}


@pytest.fixture
def mine(tmp_path):
    out = shelf(tmp_path / "mine", **PLAN)
    publish.write(out)
    return out


def test_a_board_file_says_what_it_is_of(mine):
    content = read(mine)
    parts = list(publish.played(mine))
    assert content["identity"] == identity.identity(parts[0].site.suite, parts)
    assert content["identity"]["games"]["matrix/volunteer-v1"]["held_out"] == {
        "giver": parts[0].roster.held_out[0].digest
    }
    assert len(content["identity"]["games"]["matrix/volunteer-v1"]["agents"]) == 6


def test_two_that_played_the_same_say_the_same(mine, tmp_path):
    theirs = shelf(tmp_path / "theirs", **PLAN)
    publish.write(theirs)
    told = list(contrast(read(mine), read(theirs / "board.json")))
    assert len(told) == 2 + 2 * 2 + 3
    assert all(": the same" in line or "rows are the same" in line for line in told)


def test_another_agent_of_the_same_name_is_told(mine, tmp_path):
    theirs = tmp_path / "theirs"
    shutil.copytree(mine, theirs)
    (place, _) = sites(suite(**PLAN), theirs)
    card = place.roster().entries["taker"][1]
    replace(card, maker={"kind": "constant", "action": 0}).save(place.cards / card.name)
    play([place], theirs, 1, lambda progress: None)
    publish.write(theirs)
    told = list(contrast(read(mine), read(theirs)))
    assert any(
        line.startswith("matrix/volunteer-v1: agents: two different agents are called taker-1, ") for line in told
    )
    assert any(line.startswith("matrix/volunteer-v1: taker: rank 1, mean ") for line in told)
    assert "matrix/stag_hunt-v1: agents: the same 6" in told
    assert "matrix/stag_hunt-v1: all 2 rows are the same, to the last digit" in told


def test_what_only_one_has_is_told(mine, tmp_path):
    theirs = shelf(tmp_path / "theirs", giver=[0, 0, 0])
    publish.write(theirs)
    told = list(contrast(read(mine), read(theirs)))
    assert "matrix/volunteer-v1: agents: taker-2 only in the first" in told
    assert any(line.startswith("suite: ") and " and " in line for line in told)
    assert not any("rows are the same" in line for line in told)


@pytest.mark.parametrize("text", ["", "{}", '{"identity": 3}', json.dumps({"identity": {"games": {}}})])
def test_what_is_no_board_file_is_refused(text, tmp_path):
    (tmp_path / "board.json").write_text(text)
    with pytest.raises(Refused, match="not a board file with digests"):
        read(tmp_path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(Refused, match="no board file here"):
        read(tmp_path / "nothing.json")
