"""Recorded matches of a live model: replayed from the tape alone, refused where anything has changed."""

import json
from importlib.util import find_spec

import pytest

from crossplay.leaderboard import tapes
from tests.leaderboard.test_cli import run
from tests.populations.llm.server import KEY, MODEL, Chef

pytestmark = pytest.mark.skipif(not find_spec("openai"), reason="the extra [llm] is not installed")
GAME = "overcooked:layout=cramped_room,horizon=60"


@pytest.fixture
def recorded(tmp_path, monkeypatch, capsys):
    """A match that a live model played, and what the command said."""
    monkeypatch.setenv("CHEF_KEY", KEY)
    with Chef([500, "silly"]) as server:
        words = ["--model", MODEL, "--base-url", server.url, "--key-env", "CHEF_KEY", "--out", tmp_path / "chef"]
        more = ["--episodes", 3, "--set", "pause=0.0", "--set", "timeout=5.0", "--persona", "You help."]
        code, out, err = run(capsys, "llm", "record", GAME, "overcooked-greedy", *words, *more)
    assert (code, err) == (0, "")
    assert "chef in seat 0 with overcooked-greedy: 3 episodes" in out
    return tmp_path / "chef"


def test_a_recorded_match_is_replayed_without_the_model(recorded, capsys, monkeypatch):
    monkeypatch.delenv("CHEF_KEY")
    code, out, _ = run(capsys, "llm", "tape", "replay", recorded)
    assert code == 0
    assert "pays in every episode what it paid when it was recorded" in out
    code, out, _ = run(capsys, "llm", "tape", "stats", recorded)
    answers = len((recorded / "tape.jsonl").read_text().splitlines()) - 1
    assert f"answers: {answers}\nrepaired: {1 / answers:.1%}\nfallback: 0.0%\ncalls: {answers + 2}\n" in out
    code, out, _ = run(capsys, "llm", "tape", "verify", recorded)
    assert (code, f"{answers} answers, SHA-256" in out) == (0, True)
    assert not [path for path in recorded.rglob("*") if path.is_file() and KEY in path.read_text()]


def test_another_answer_is_refused_by_the_card_and_by_the_returns(recorded, capsys):
    tape, card = recorded / "tape.jsonl", recorded / "card.toml"
    before, lines = tapes.verify(recorded)[0], tape.read_text().splitlines()
    head, *entries = lines
    stay = [json.loads(line) for line in entries]
    changed = [{**entry, "index": entry["options"].index("wait 1")} for entry in stay]
    tape.write_text("\n".join([head, *(json.dumps(entry) for entry in changed)]) + "\n")
    assert "was altered" in run(capsys, "llm", "tape", "verify", recorded)[2]
    card.write_text(card.read_text().replace(before, _sha256(tape)))
    refused = run(capsys, "llm", "tape", "replay", recorded)[2]
    assert "no answer to request" in refused or "when it was recorded" in refused


def _sha256(path):
    from crossplay.benchmark.config import sha256

    return sha256(path.read_bytes())


def test_what_is_no_recording_is_refused(tmp_path, capsys):
    run(capsys, "populate", "llm_program", "overcooked:cramped_room", "--out", tmp_path)
    _, _, err = run(capsys, "llm", "tape", "replay", tmp_path / "program-plater")
    assert "wanted a card that `crossplay llm record` made; given family 'llm-program'" in err
    words = ["--model", "m", "--base-url", "https://host/v1", "--out", tmp_path / "x", "--set", "temprature=1"]
    _, _, err = run(capsys, "llm", "record", GAME, "overcooked-greedy", *words)
    assert "unknown field of OpenAIBackend 'temprature'; did you mean 'temperature'?" in err
