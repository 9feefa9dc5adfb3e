"""Differences as a table and as JSON."""

import json

from rich.console import Console

from crossplay.leaderboard import pairs, publish
from tests.leaderboard.shelf import shelf


def test_every_pair_is_there_in_both_forms(tmp_path):
    out = shelf(tmp_path / "shelf", giver=[0, 0, 0], one=[1, 1, 1], other=[1, 1, 1], few=[1, 1])
    found = publish.compared(out)
    assert [one.game for one in found] == ["matrix/volunteer-v1", "matrix/stag_hunt-v1", "overall"]
    content = json.loads(pairs.to_json(found))
    assert content[0]["entries"] == ["few", "one", "other"], "who is held out as well is not compared"
    pair = next(p for p in content[0]["pairs"] if (p["entry"], p["other"]) == ("one", "other"))
    assert (pair["mean"], pair["low"], pair["high"], pair["improvement"]) == (0, 0, 0, 0.5)
    assert next(p for p in content[0]["pairs"] if (p["entry"], p["other"]) == ("few", "one"))["low"] is None
    console = Console(width=140, record=True)
    console.print(pairs.table(found[0]))
    text = console.export_text()
    assert "− other" in text
    assert "50 %" in text
    assert "–" in text
