"""textlm-tiny: trained here by one command, and the same decisions scored, over HTTP and from its tape."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from crossplay.benchmark.config import build
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games import Overcooked
from crossplay.benchmark.workers import single_threaded
from crossplay.leaderboard import pool
from crossplay.populations.llm import tape
from crossplay.populations.llm.backend import ChoiceRequest
from crossplay.populations.llm.hf_backend import HFBackend, fixture, rendered
from crossplay.populations.llm.live import LLMPlayer
from crossplay.populations.llm.macros import adapter
from crossplay.populations.llm.openai_backend import OpenAIBackend
from crossplay.populations.llm.tape import Recording, TapeBackend
from tests.leaderboard.test_cli import run
from tests.populations.llm.server import Chef, answer
from tests.populations.llm.test_live import match

pytestmark = pytest.mark.skipif(not find_spec("transformers"), reason="the extra [llm-local] is not installed")
GAME = Overcooked(layout="cramped_room", horizon=200)
TEXT = "overcooked:layout=cramped_room,horizon=200"
needs_openai = pytest.mark.skipif(not find_spec("openai"), reason="the extra [llm] is not installed")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A folder as the command writes it."""
    from crossplay.leaderboard.cli import main

    out = tmp_path_factory.mktemp("models") / "textlm-tiny"
    with pytest.raises(SystemExit) as stop:
        main(["llm", "tiny", TEXT, "--out", str(out)])
    assert stop.value.code == 0
    return out


@pytest.fixture(scope="module")
def played(tiny, tmp_path_factory):
    """Its match with greedy: (returns, actions), the tape, and every question that was asked."""
    path = tmp_path_factory.mktemp("tapes") / "tape.jsonl"
    asked = {}

    class Noting(HFBackend):
        def choose(self, requests):
            asked.update((request.key, request) for request in requests)
            return super().choose(requests)

    backend = Noting(path=str(tiny))
    player = LLMPlayer(adapter("test", GAME), backend)
    outcome = match(player._replace(backend=Recording(backend, path, player.about)), game=GAME, episodes=4)
    return outcome, path, asked


def test_it_is_small_loads_anywhere_and_says_what_it_is(tiny):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, words = AutoModelForCausalLM.from_pretrained(tiny), AutoTokenizer.from_pretrained(tiny)
    assert sum(weight.numel() for weight in model.parameters()) < 1_000_000
    assert words.chat_template
    assert {path.suffix for path in tiny.iterdir()} <= {".json", ".safetensors", ".md", ".jinja"}
    assert "**not a language model**" in (tiny / "README.md").read_text()
    assert fixture(tiny)


def test_it_earns_soups_with_greedy_and_always_names_an_option(played):
    (returns, _), path, asked = played
    print(f"return with greedy in {GAME.horizon} steps: {returns[:, 0].tolist()}, {len(asked)} situations")
    assert returns[:, 0].mean() >= 20
    told = tape.stats(path)
    assert (told["fallback"], told["rungs"]) == (0.0, {"scores": told["answers"]})


def test_its_tape_plays_the_same_match(played):
    (returns, trail), path, _ = played
    player = LLMPlayer(adapter("test", GAME), TapeBackend(path=path))
    again = match(player, game=GAME, episodes=4)
    np.testing.assert_array_equal(again[0], returns)
    assert again[1] == trail


class Serving(Chef):
    """A server that lets the model of a folder write its likeliest tokens, as any inference server would."""

    def __init__(self, folder):
        super().__init__(rule=self.written)
        self.model, self.words = HFBackend(path=str(folder))._loaded()

    def written(self, text):
        import torch

        prompt = rendered(self.words, ChoiceRequest((("user", text),), ()), "test")
        ids = torch.tensor([self.words(prompt, add_special_tokens=False)["input_ids"]])
        with self.lock, single_threaded():
            out = self.model.generate(ids, max_new_tokens=4, do_sample=False, pad_token_id=self.words.pad_token_id)
        return self.words.decode(out[0, ids.shape[1] :], skip_special_tokens=True)


@needs_openai
def test_over_http_it_writes_what_scoring_chooses(tiny, played, monkeypatch):
    """Every question of the recorded match: greedy decoding of any token, against the best of the options."""
    _, path, asked = played
    monkeypatch.setattr("tests.populations.llm.server.MODEL", "textlm-tiny")
    with Serving(tiny) as server:
        client = OpenAIBackend(base_url=server.url, model="textlm-tiny", key_env="", timeout=60.0, parallel=1)
        replies = client.choose(list(asked.values()))
    recorded = TapeBackend(path=path).choose(list(asked.values()))
    assert [reply.index for reply in replies] == [reply.index for reply in recorded]
    assert not [reply for reply in replies if reply.repaired]


@contextmanager
def serve(log):
    """`transformers serve` on a free port; it takes half a minute to be there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", "--device", "cpu", "--port", str(port)]
    with log.open("wb") as said, subprocess.Popen(command, stdout=said, stderr=said) as process:
        try:
            for _ in range(240):
                with suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=5).close()
                    break
                assert process.poll() is None, f"it ended: {log.read_text()}"
                time.sleep(0.5)
            else:
                pytest.fail(f"it is not there after two minutes: {log.read_text()}")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


@needs_openai
@pytest.mark.skipif(
    not (find_spec("fastapi") and find_spec("uvicorn")), reason="`transformers serve` needs fastapi and uvicorn"
)
def test_transformers_serve_writes_what_scoring_chooses(tiny, played, tmp_path):
    _, path, asked = played
    some = list(asked.values())[::10]
    with serve(tmp_path / "served.txt") as url:
        client = OpenAIBackend(base_url=url, model=str(tiny), key_env="", timeout=120.0, parallel=1)
        replies = client.choose(some)
    assert [reply.index for reply in replies] == [reply.index for reply in TapeBackend(path=path).choose(some)]


def test_scores_are_log_likelihoods_of_the_whole_answer(tiny):
    """Against one plain pass over prompt and answer for every option; numbers of two digits among them."""
    import torch

    backend = HFBackend(path=str(tiny))
    options = tuple(f"wait {number}" for number in range(1, 13))
    request = ChoiceRequest((("system", "x"), ("user", "You hold nothing.\nOptions:\n1. get onion")), options)
    scores, asked = backend.scores(request)
    model, words = backend._loaded()
    prompt = words(rendered(words, request, "test"))["input_ids"]
    assert len(prompt) == asked
    for number, score in enumerate(scores, 1):
        answered = [*words(str(number))["input_ids"], words.eos_token_id]
        with torch.inference_mode():
            logits = model(torch.tensor([[*prompt, *answered]])).logits[0].double().log_softmax(-1)
        wanted = sum(logits[len(prompt) - 1 + place, token] for place, token in enumerate(answered))
        assert score == pytest.approx(float(wanted), abs=1e-4)


def test_drawn_options_follow_the_scores_and_come_again(tiny):
    backend = HFBackend(path=str(tiny), temperature=1e6)
    requests = [ChoiceRequest((("user", f"You hold nothing {n}"),), ("a", "b", "c"), n, n) for n in range(60)]
    drawn = [reply.index for reply in backend.choose(requests)]
    assert drawn == [reply.index for reply in backend.choose(requests[::-1])][::-1]
    assert min(np.bincount(drawn, minlength=3)) >= 8, "so hot, all are about equally likely"
    cold = [reply.index for reply in replace(backend, temperature=1e-6).choose(requests)]
    assert cold == [reply.index for reply in replace(backend, temperature=0.0).choose(requests)]


def test_no_template_is_rendered_plainly(tiny):
    _, words = HFBackend(path=str(tiny))._loaded()
    request = ChoiceRequest((("system", "You cook."), ("user", "You hold nothing.")), ("a",))
    kept = words.chat_template
    try:
        words.chat_template = None
        assert rendered(words, request, "m") == "You cook.\n\nYou hold nothing.\nAnswer: "
        words.chat_template = "{{ raise_exception('no system messages') }}"
        with pytest.raises(Refused, match=r"m: its chat template refuses .* no system messages"):
            rendered(words, request, "m")
    finally:
        words.chat_template = kept


def test_what_local_models_are_refused(tiny, tmp_path):
    long = ChoiceRequest((("user", "You hold nothing.\n" * 600),), ("a", "b"))
    with pytest.raises(Refused, match=r"textlm-tiny: prompt and answer have \d+ tokens; its context holds 512"):
        HFBackend(path=str(tiny)).choose([long])
    with pytest.raises(Refused, match=r"nowhere/model is no folder .* needs revision = the 40 digits of a commit"):
        build(HFBackend, {"path": "nowhere/model"})
    with pytest.raises(Refused, match=r"has SHA-256 .*…; revision = 000000000000… is wanted"):
        HFBackend(path=str(tiny), revision="0" * 64).choose([long])
    pickled = tmp_path / "pickled"
    pickled.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (pickled / name).write_bytes((tiny / name).read_bytes())
    (pickled / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(Refused, match="no causal language model that can be loaded"):
        HFBackend(path=str(pickled)).choose([long])
    config = json.loads((tiny / "config.json").read_text())
    (pickled / "config.json").write_text(
        json.dumps(config | {"auto_map": {"AutoConfig": "evil.py--E"}, "model_type": "x"})
    )
    with pytest.raises(Refused, match="no causal language model that can be loaded"):
        HFBackend(path=str(pickled)).choose([long])


def test_as_a_partner_it_is_a_fixture_and_its_place_is_not_its_name(tiny, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("CROSSPLAY_MODELS", str(tiny.parent))
    words = ["--local", "textlm-tiny", "--set", 'personas=["helper"]', "--jobs", 1]
    code, out, err = run(capsys, "populate", "llm", TEXT, "--out", tmp_path / "cards", *words)
    assert (code, "textlm-tiny-helper: textlm-tiny, " in out) == (0, True), err
    from crossplay.benchmark.card import load_card

    card = load_card(tmp_path / "cards" / "textlm-tiny-helper")
    assert "is a fixture" in pool.unfit(card)
    assert str(Path(tiny).parent) not in (tmp_path / "cards" / "textlm-tiny-helper" / "card.toml").read_text()
    assert answer("1", "m")["model"] == "m"
