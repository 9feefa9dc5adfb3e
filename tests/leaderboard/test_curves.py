"""Learning curves of a results folder: what is averaged, what is not, and what is drawn."""

import shutil

import pytest

from crossplay.benchmark.errors import Refused
from crossplay.leaderboard.curves import draw, learned, rows, tables, to_csv
from tests.leaderboard.shelf import shelf


def record(last):
    return {"columns": ["steps", "return"], "curve": [[0, 0.0], [100, last / 2], [200, last]], "seconds": 2.0}


@pytest.fixture
def folder(tmp_path):
    return shelf(tmp_path / "shelf", {"ann": record(8.0), "bob": record(3.0)}, ann=[0, 1, 1], bob=[0])


def test_an_entry_is_the_mean_of_its_seeds(folder):
    found = learned(folder)
    assert [(one.game, one.entry) for one in found] == [
        (f"matrix/{game}-v1", entry) for game in ("volunteer", "stag_hunt") for entry in ("ann", "bob")
    ]
    assert rows(found)[0] == ["ann", "3/3", "200", "8.0", "8.0 … 8.0", "8.0", "8.0", "2"]
    assert rows(found)[1] == ["bob", "1/1", "200", "3.0", "–", "3.0", "3.0", "2"]  # one seed has no interval


def test_a_missing_seed_is_no_mean(folder):
    shutil.rmtree(next(folder.glob("*/cards/ann-1")))
    incomplete = next(one for one in learned(folder) if len(one.returns) < one.wanted)
    assert rows([incomplete])[0][1:5] == ["2/3", "200", "–", "–"]


def test_nothing_trained_yet_is_said(folder):
    for cards in folder.glob("*/cards"):
        shutil.rmtree(cards)
    with pytest.raises(Refused, match="no finished training here yet"):
        learned(folder)


def test_files_hold_every_point(folder, tmp_path):
    found = learned(folder)
    assert "matrix/volunteer-v1,ann,2,100,4.0\n" in to_csv(found)
    paths = draw(found, tmp_path / "figures" / "curves.png")
    assert [path.suffix for path in paths] == [".png", ".svg", ".csv"]
    assert "stag_hunt" in paths[1].read_text()
    assert len(tables(found)) == 2
    assert tables(found)[0].row_count == 2
