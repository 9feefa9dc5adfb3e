"""New programs from a live model: what is good is frozen with its origin, what is not is kept with its verdict."""

import json
from importlib.util import find_spec

import pytest

from crossplay.benchmark.card import load_card
from crossplay.populations.llm.generator import shipped
from tests.leaderboard.test_cli import run
from tests.populations.llm.server import MODEL, Chef

pytestmark = pytest.mark.skipif(not find_spec("openai"), reason="the extra [llm] is not installed")
GAME = "overcooked:layout=cramped_room,horizon=120"


def program(name, called=None):
    table = json.loads(shipped()[name].read_text())
    return json.dumps({"name": called or name, "convention": table["convention"], "program": table["program"]})


ANSWERS = [
    "I would rather not write programs.",
    program("plater").replace('"deliver"', '"delivr"'),
    f"```json\n{program('plater')}\n```",
    program("plater", "another-plater"),
    program("finisher", "plater"),
    json.dumps({"name": "idle", "convention": "I wait.", "program": {"rules": []}, "why": "rest"}),
    json.dumps({"name": "blocker", "convention": "I wait.", "program": {"default": "wait 5"}}),
    program("finisher"),
]


class Author(Chef):
    """Answers in order, whatever is asked."""

    def __init__(self, answers):
        super().__init__()
        left = list(answers)
        self.rule = lambda text: left.pop(0)


def propose(capsys, out, server, *more):
    words = ["--endpoint", server.url, "--model", MODEL, "--set", "backend.pause=0.01", "--jobs", 1, *more]
    return run(capsys, "populate", "llm_program", GAME, "--out", out, *words)


def test_proposals_are_judged_and_the_good_ones_frozen(tmp_path, capsys):
    with Author(ANSWERS) as server:
        code, out, err = propose(capsys, tmp_path, server, "--set", "n=2", "--set", "asks=8")
        assert len(server.seen) == 8
    assert code == 0, err
    verdicts = [json.loads(line)["verdict"] for line in (tmp_path / "proposals.jsonl").read_text().splitlines()]
    wanted = [
        "not valid JSON",
        "did you mean 'deliver'",
        "frozen",
        "does nearly the same as program-plater: ",
        "a program of the name 'program-plater' was written before",
        "name, convention and program are wanted, no more; differs in why",
        "delivers nothing with greedy",
        "frozen",
    ]
    assert [want for want, verdict in zip(wanted, verdicts, strict=True) if want not in verdict] == []
    card = load_card(tmp_path / "program-finisher")
    assert (card.family, card.record["author_model"]) == ("llm-program", f"{MODEL}-2026")
    assert card.record["prompt"].rstrip().endswith('"program": the program}.')
    assert "unlike these: program-plater." in card.record["prompt"]
    with Author([]) as server:
        code, again, _ = propose(capsys, tmp_path, server, "--set", "n=2", "--set", "asks=8")
        assert (code, again, server.seen) == (0, out, []), "what was answered is not asked again"


def test_too_few_good_ones_are_refused_with_the_verdicts(tmp_path, capsys):
    with Author(ANSWERS[:3]) as server:
        code, _, err = propose(capsys, tmp_path, server, "--set", "n=2", "--set", "asks=3")
    said = " ".join(err.split())
    assert code != 0
    assert f"{MODEL}: 1 of 2 programs in 3 answers: 1 × the answer: not valid JSON" in said
    assert load_card(tmp_path / "program-plater").family == "llm-program"
    code, _, err = run(capsys, "populate", "llm_program", GAME, "--out", tmp_path, "--set", "n=2", "--jobs", 1)
    assert "new programs want n, --endpoint" in " ".join(err.split())
