"""Language models on a board: shared tapes, an endpoint that dies, a run that is killed, replay without the model."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import pytest
from joblib.externals.loky import get_reusable_executor

from crossplay.benchmark.card import load_card
from crossplay.benchmark.config import write_toml
from crossplay.leaderboard import failures, pool, publish, tapes
from crossplay.leaderboard.run import run as run_suite
from crossplay.leaderboard.submission.submit import submit
from crossplay.leaderboard.suite import load_suite
from crossplay.populations.llm import tape
from crossplay.populations.population import load_population
from tests.leaderboard.test_cli import run
from tests.leaderboard.test_recompute import off
from tests.populations.llm.server import MODEL, Chef, helpful

pytestmark = pytest.mark.skipif(not find_spec("openai"), reason="the extra [llm] is not installed")
GAME = "overcooked:layout=cramped_room,horizon=60"
SITE = "overcooked-cramped_room.h60-v1"
SUITE = """
name = "chefs"
episodes = 2
held_out = [
    { kind = "cards", folder = "FOLDER" },
    { kind = "scripted", partners = [{ name = "greedy", maker = { kind = "overcooked-greedy" } }] },
]
entries = [{ name = "ippo", seeds = 1, trainer = { kind = "ippo" } }]

[[games]]
game = { kind = "overcooked", layout = "cramped_room", horizon = 60 }
training = { budget = { steps = 400, games = 4 }, ppo = { rollout = 50 } }
"""
PERSONAS = 'personas=["helper", "plater-only", "mine: You do as you like."]'


@pytest.fixture(autouse=True)
def new_workers():
    """Workers keep the environment they began with, and another test's may still be there: they know its endpoint."""
    get_reusable_executor().shutdown(wait=True)


@pytest.fixture
def chefs(tmp_path, capsys, monkeypatch):
    """A folder of three cards that are asked where OPENAI_BASE_URL says, and a suite that holds them out."""
    quick = ["--set", "backend.pause=0.01", "--set", "backend.retries=1", "--set", 'backend.key_env=""']
    words = ["--model", MODEL, "--set", PERSONAS, *quick, "--jobs", 1]
    code, out, err = run(capsys, "populate", "llm", GAME, "--out", tmp_path / "chefs", *words)
    assert (code, err, out.count(": llm, ")) == (0, "", 3)
    path = tmp_path / "chefs.toml"
    path.write_text(SUITE.replace("FOLDER", str(tmp_path / "chefs")))
    return path


def carry_out(chefs, out, jobs=1):
    run_suite(load_suite(str(chefs)), out, jobs=jobs, device="cpu", tell=lambda progress: None)
    return publish.boards(out)[0]


def answers(out):
    return {path.parent.name: len(path.read_text().splitlines()) - 1 for path in out.glob("*/cards/*/tape.jsonl")}


def test_a_persona_is_part_of_who_a_partner_is(chefs):
    cards = [load_card(path) for path in sorted((chefs.parent / "chefs").iterdir())]
    assert [card.name for card in cards] == [f"{MODEL}-helper", f"{MODEL}-mine", f"{MODEL}-plater-only"]
    assert len({card.digest for card in cards}) == 3
    assert {card.lineage for card in cards} == {f"llm/{MODEL}"}, "one model stays on one side of a split"
    assert "base_url" in cards[0].maker["backend"]
    assert cards[0].maker["backend"]["base_url"] == ""


def test_a_board_with_language_models_from_two_processes(chefs, tmp_path, monkeypatch, capsys):
    """Nothing is asked twice, whoever asks; and tapes alone play what is stored, to the bit."""
    with Chef() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        board = carry_out(chefs, tmp_path / "res", jobs=2)
        asked = len(server.seen)
        assert asked == sum(answers(tmp_path / "res").values())
        carry_out(chefs, tmp_path / "res")
        assert len(server.seen) == asked
    assert board.rows[0].status == "ranked"
    assert board.families == ("llm", "scripted")
    monkeypatch.delenv("OPENAI_BASE_URL")
    code, out, _ = run(capsys, "llm", "tape", "replay", tmp_path / "res")
    assert code == 0
    assert "6 matches with language models pay what is stored, to the last bit" in out
    cards = tmp_path / "res" / SITE / "cards"
    code, out, _ = run(capsys, "llm", "tape", "freeze", cards / f"{MODEL}-helper", "--out", tmp_path / "helper")
    assert code == 0
    assert load_card(tmp_path / "helper").maker == {
        "kind": "llm-replay",
        "persona": load_card(cards / f"{MODEL}-helper").maker["persona"],
        "samples": 1,
        "tape": "tape.jsonl",
    }
    _changed(cards / f"{MODEL}-helper" / "tape.jsonl")
    _, _, err = run(capsys, "llm", "tape", "replay", tmp_path / "res")
    assert "now plays otherwise" in err or "no answer to request" in err


def _changed(tape):
    """Every answer becomes another one that was allowed."""
    head, *entries = tape.read_text().splitlines()
    others = [entry | {"index": (entry["index"] + 1) % len(entry["options"])} for entry in map(json.loads, entries)]
    tape.write_text("\n".join([head, *map(json.dumps, others)]) + "\n")


def test_an_endpoint_that_dies_leaves_its_matches_missing_and_the_next_run_goes_on(chefs, tmp_path, monkeypatch):
    out = tmp_path / "res"
    with Chef() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)

        def dies(text):
            if len(server.seen) > 60:
                server.faults += [503] * 1000
            return helpful(text)

        server.rule = dies
        board = carry_out(chefs, out)
    kept, told = answers(out), failures.read(out)
    assert 0 < sum(kept.values()) <= 62
    assert told
    assert all("503" in reason or "given up" in reason for reason in told.values())
    assert all("step " in reason for reason in told.values()), "it says where"
    assert board.rows[0].status == "incomplete"
    assert any("failed in" in note for note in board.rows[0].notes)
    with Chef() as server:  # at another port: where a model is reached is not who it is
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        board = carry_out(chefs, out, jobs=1)
        assert len(server.seen) == sum(answers(out).values()) - sum(kept.values()), "nothing is paid twice"
    assert (failures.read(out), board.rows[0].status) == ({}, "ranked")
    assert tapes.replay_board(out) == {board.game: 6}


def test_a_run_that_is_killed_goes_on_where_it_was(chefs, tmp_path, monkeypatch):
    out = tmp_path / "res"
    with Chef() as server:
        server.rule = lambda text: time.sleep(0.01) or helpful(text)
        place = {**os.environ, "OPENAI_BASE_URL": server.url}
        words = [sys.executable, "-m", "crossplay.leaderboard.cli", "run", str(chefs), "--out", str(out), "--jobs", "2"]
        with subprocess.Popen(
            words, env=place, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            deadline = time.monotonic() + 240
            while len(server.seen) < 40 and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            os.killpg(process.pid, signal.SIGKILL)
        assert len(server.seen) >= 40
        time.sleep(1.0)  # workers that outlive their parent end within half a second
        before, kept = len(server.seen), sum(answers(out).values())
        assert before - kept <= 2 * 8, "at most what was on the wire is lost"
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        board = carry_out(chefs, out)
        assert len(server.seen) - before == sum(answers(out).values()) - kept
    assert board.rows[0].status == "ranked"
    assert tapes.replay_board(out) == {board.game: 6}


def test_a_model_that_names_no_option_leaves_the_pool(chefs, tmp_path, monkeypatch):
    def rambles(text):
        return "Well, it depends." if "You hold an onion" in text else helpful(text)

    with Chef(rule=rambles) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        board = carry_out(chefs, tmp_path / "res")
    assert board.partners == (1,)
    assert board.rows[0].status == "ranked"
    notes = [note for note in board.rows[0].notes if "not scored" in note]
    assert len(notes) == 3
    assert "of its answers named no option, more than 5%" in notes[0]
    publish.write(tmp_path / "res")
    assert f"{MODEL}-helper" in (tmp_path / "res" / f"heatmap-{SITE}.csv").read_text()
    assert off(tmp_path / "res") < 1e-9, "nor is it in what the board is recomputed from"


def test_nobody_is_trained_against_a_model_that_answers(chefs, tmp_path, monkeypatch):
    """Bounds: uniform play meets it, a best response would ask it in every step of its training."""
    plan = tmp_path / "bounds.toml"
    plan.write_text(
        chefs.read_text().replace("games = 4", "games = 8").replace("episodes = 2", "episodes = 2\nbounds = true")
    )
    with Chef(rule=helpful) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        board = carry_out(plan, tmp_path / "res")
    rows = {row.partner: row for row in load_population(tmp_path / "res" / SITE).bounds.rows if row.seat == 0}
    assert set(rows) == {"greedy", *(f"{MODEL}-{persona}" for persona in ("helper", "mine", "plater-only"))}
    assert rows["greedy"].high is not None
    for name, row in rows.items():
        assert ("language model" in row.unmeasured) == (name != "greedy")
    assert board.rows[0].status == "ranked"
    assert board.rows[0].br_prox is None, "not everybody has a best response"


def test_what_models_were_asked_is_told_while_they_play(chefs, tmp_path, monkeypatch):
    """Calls, tokens, what they cost at the prices given, and answers that named no option; at the end at the latest."""
    for path in (chefs.parent / "chefs").glob("*/card.toml"):
        path.write_text(path.read_text().replace('kind = "llm"', 'kind = "llm"\nprices = [1000.0, 0.0]', 1))
    told = []
    with Chef(rule=helpful) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        run_suite(load_suite(str(chefs)), tmp_path / "res", jobs=1, device="cpu", tell=told.append)
        asked = len(server.seen)
    last = [progress.what for progress in told if progress.stage == "matches"][-1]
    stats = [tape.stats(path) for path in (tmp_path / "res" / SITE / "cards").glob("*/tape.jsonl")]
    assert asked == sum(one["calls"] for one in stats) > 0
    read, written = (sum(one[f"{what}_tokens"] for one in stats) for what in ("prompt", "completion"))
    assert last == (
        f"language models: {asked:,} calls, {read:,} tokens read and {written:,} written, ${read / 1000:.2f}; "
        f"0.0% of {sum(one['answers'] for one in stats):,} answers named no option"
    )
    again = []
    run_suite(load_suite(str(chefs)), tmp_path / "res", jobs=1, device="cpu", tell=again.append)
    assert not [progress for progress in again if "language models" in progress.what], "nobody was asked"


AGENT = """
name = "chef"
authors = ["somebody"]
licence = "MIT"
form = "llm"
games = ["overcooked:layout=cramped_room,horizon=60"]
sources = ["llm.toml"]
training = "none: a pretrained model and a persona"
"""


def agent(folder, **more):
    folder.mkdir(exist_ok=True)
    (folder / "agent.toml").write_text(AGENT)
    backend = {"model": MODEL, "key_env": "", "pause": 0.01, "retries": 1, **more}
    write_toml(folder / "llm.toml", {"persona": "You help.", "backend": backend})
    return folder


def test_a_submitted_language_model_has_a_row_that_replays(chefs, tmp_path, monkeypatch, capsys):
    path, out = tmp_path / "rules.toml", tmp_path / "res"
    path.write_text(SUITE.replace('{ kind = "cards", folder = "FOLDER" },', "").replace("chefs", "rules"))
    suite, quiet = load_suite(str(path)), {"jobs": 1, "tell": lambda progress: None}
    with Chef() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert run(capsys, "check", agent(tmp_path / "chef"))[0] == 0
        assert not server.seen, "checking costs nothing"
        _, boards = submit(tmp_path / "chef", out, suite, **quiet)
        asked = len(server.seen)
        assert asked > 20
        submit(tmp_path / "chef", out, suite, **quiet)
        assert len(server.seen) == asked
    assert [(row.entry, row.status) for row in boards[0].rows] == [("chef", "ranked")]
    monkeypatch.delenv("OPENAI_BASE_URL")
    assert tapes.replay_board(out) == {boards[0].game: 3}
    (tmp_path / "chef" / "agent.toml").write_text(AGENT.replace("none: a", "no training: a"))
    submit(tmp_path / "chef", out, suite, **quiet)
    assert tapes.replay_board(out) == {boards[0].game: 3}, "its tape stays when a word of its description changes"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ('tape = "mine.jsonl"', "a tape is kept for it"),
        ("sampels = 2", "unknown field of LLM 'sampels'; did you mean 'samples'"),
    ],
)
def test_what_is_no_agent_is_refused(change, words, tmp_path, capsys):
    folder = agent(tmp_path / "chef")
    (folder / "llm.toml").write_text(f"{change}\n{(folder / 'llm.toml').read_text()}")
    code, out, _ = run(capsys, "check", folder)
    assert code == 1
    assert words in " ".join(out.split())


def test_a_fixture_is_no_agent_and_is_not_scored(tmp_path, capsys):
    code, out, _ = run(capsys, "check", agent(tmp_path / "chef", model="textlm-tiny"))
    assert code == 1
    assert "textlm-tiny is a fixture" in " ".join(out.split())
    words = ["--endpoint", "http://127.0.0.1:9/v1", "--model", "textlm-tiny", "--set", 'personas=["helper"]']
    code, out, _ = run(capsys, "populate", "llm", GAME, "--out", tmp_path / "tiny", *words, "--jobs", 1)
    card = load_card(tmp_path / "tiny" / "textlm-tiny-helper")
    assert (card.family, card.lineage) == ("textlm-tiny", "textlm-tiny/textlm-tiny")
    assert pool.parted([card]) == ((), ((card, pool.unfit(card)),))
    assert "is a fixture" in pool.unfit(card)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "wanted a model: --endpoint URL --model NAME, or --local PATH"),
        (["--model", "m", "--set", 'personas=["helpful"]'], "unknown persona 'helpful'; did you mean 'helper'"),
        (["--model", "m", "--set", 'personas=["helper", "helper"]'], "the personas helper are given twice"),
        (["--model", "m", "--set", "backend.temprature=1"], "did you mean 'temperature'"),
        (["--model", "m", "--endpoint", "http://host/v1"], "http sends the key for all to read"),
        (["--local", "nowhere"], "nowhere is no folder with a config.json here"),
    ],
)
def test_cooks_that_cannot_be_are_refused(words, said, tmp_path, capsys):
    code, _, err = run(capsys, "populate", "llm", GAME, "--out", tmp_path / "x", *words, "--jobs", 1)
    assert code != 0
    assert said in " ".join(err.split())


def test_cards_for_another_game_are_not_taken_in(chefs, capsys, tmp_path):
    words = ["--out", tmp_path / "x", "--set", f"folder={json.dumps(str(tmp_path / 'chefs'))}", "--jobs", 1]
    _, _, err = run(capsys, "populate", "cards", "overcooked:coordination_ring", *words)
    assert "has 3 cards, none of them for overcooked/coordination_ring-v1" in " ".join(err.split())
