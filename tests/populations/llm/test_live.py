"""The live seam: a real server on this machine, every fault it may have, tapes that replay to the same play."""

import json
import multiprocessing
import os
import pickle
import signal
import time
import warnings
from importlib.util import find_spec

import numpy as np
import pytest

from crossplay.benchmark.card import Card
from crossplay.benchmark.config import build, from_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games import Overcooked
from crossplay.benchmark.match import Table, play_tables
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import spread
from crossplay.populations.llm.answers import option
from crossplay.populations.llm.backend import BackendCard, Budgeted, ChoiceReply, ChoiceRequest, Exhausted, Usage
from crossplay.populations.llm.live import LLMPlayer
from crossplay.populations.llm.macros import adapter
from crossplay.populations.llm.openai_backend import OpenAIBackend
from crossplay.populations.llm.tape import Recording, TapeBackend, read, stats
from crossplay.populations.scripted import overcooked  # noqa: F401  registers the rule partners
from tests.populations.llm.server import KEY, MODEL, Chef

GAME = Overcooked(horizon=80)
OPTIONS = ("get onion", "get dish", "wait 1")
needs_openai = pytest.mark.skipif(not find_spec("openai"), reason="the extra [llm] is not installed")


@pytest.fixture(autouse=True)
def planted(monkeypatch):
    monkeypatch.setenv("CHEF_KEY", KEY)


def backend(server, **changed):
    settings = {"timeout": 0.5, "pause": 0.01, "key_env": "CHEF_KEY", "model": MODEL}
    return build(OpenAIBackend, {"base_url": server.url, **settings, **changed})


def request(text="You hold nothing.\nOptions:\n1. get onion\n2. get dish\n3. wait 1", sample=0):
    return ChoiceRequest((("system", "cook"), ("user", text)), OPTIONS, sample, sample)


def match(player, episodes=3, game=GAME, record=None):
    """Returns and all actions of a match of the player with greedy."""
    greedy = from_table(POLICIES, {"kind": "overcooked-greedy"}).make(game, None)
    table = Table([player, greedy], spread(1, episodes), [spread(2, episodes), spread(3, episodes)])
    trail = []
    returns = play_tables(
        game, [table], watch=lambda state, actions, paid: trail.append(None if actions is None else actions.tobytes())
    )[0]
    return returns.returns, trail


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("2", 1),
        (" 3.\n", 2),
        ("Option 1", 0),
        ("2. get dish", 1),
        ("2) get dish", 1),
        ("get onion", 0),
        ('{"option": 3}', 2),
        ("", None),
        ("0", None),
        ("4", None),
        ("1 or 2", None),
        ("2. get onion", None),
        ("I would get dish", None),
        ("deliver", None),
        ("I'm sorry, but I can't help with that.", None),
        ("Let me think. Option 2 is close, but my partner is nearer, so I might do 3 instead.", None),
        ("2\n2", None),
        ("-1", None),
        ("1e3", None),
        ('{"option": true}', None),
        ('{"option": 1, "why": 2}', None),
        ('{"option": ', None),
        ("{" * 5000, None),
    ],
)
def test_answers_are_read_strictly(text, index):
    assert option(text, OPTIONS) == index


@needs_openai
@pytest.mark.parametrize("fault", [429, 500, 503, "garbage", "truncated", "slow"])
def test_a_server_that_fails_is_asked_again(fault):
    with Chef([fault, fault]) as server:
        (reply,) = backend(server).choose([request()])
    assert (reply.index, reply.attempts, reply.repaired, reply.error) == (0, 3, False, "")
    assert (reply.model_reported, reply.usage) == (f"{MODEL}-2026", (7, 2))


@needs_openai
@pytest.mark.parametrize("fault", [429, 500, "garbage", "truncated", "slow"])
def test_a_server_that_goes_on_failing_ends_the_match(fault):
    with Chef([fault] * 9) as server, pytest.raises(Exhausted, match="given up after 3 attempts") as caught:
        backend(server, retries=2, timeout=0.2).choose([request()])
    assert KEY not in str(caught.value)
    assert MODEL in str(caught.value)


@needs_openai
@pytest.mark.parametrize(
    ("fault", "words"),
    [(401, "AuthenticationError.*\\[key\\]"), (404, "NotFoundError"), ("wrong model", "'other-model' answers")],
)
def test_what_asking_again_would_not_mend_is_refused_at_once(fault, words):
    with Chef([fault]) as server, pytest.raises(Refused, match=words) as caught:
        backend(server).choose([request()])
    assert KEY not in str(caught.value)
    assert len(server.seen) == 1


@needs_openai
def test_silly_answers_are_asked_about_once_and_then_counted():
    with Chef(["silly"]) as server:
        (mended,) = backend(server).choose([request()])
    assert (mended.index, mended.repaired, mended.attempts) == (0, True, 2)
    assert "Reply with one option number from 1 to 3" in server.seen[1]["messages"][-1]["content"]
    with Chef(["silly", "silly"]) as server:
        (lost,) = backend(server).choose([request()])
    assert (lost.index, lost.repaired, lost.attempts) == (None, True, 2)
    assert "no option in the answer, asked twice; wanted 1 to 3" in lost.error
    assert KEY not in repr(lost)


@needs_openai
def test_the_strictest_rung_that_the_server_takes_is_noted():
    rungs = ("choice", "schema", "plain")
    for refused, wanted in (((), "choice"), (("structured_outputs",), "schema"), (rungs_in_body(), "plain")):
        with Chef(refuses=refused) as server:
            (reply,) = backend(server, rungs=rungs).choose([request()])
        assert (reply.rung, reply.index) == (wanted, 0)
    with Chef(refuses=("messages",)) as server, pytest.raises(Refused, match="BadRequestError"):
        backend(server, rungs=rungs).choose([request()])


def rungs_in_body():
    return ("structured_outputs", "response_format")


@needs_openai
def test_a_batch_is_answered_in_order_and_several_at_a_time():
    texts = [f"Options:\n{n}. get onion" for n in (3, 1, 2) * 5]
    with Chef() as server:
        replies = backend(server).choose([request(text) for text in texts])
    assert [reply.index for reply in replies] == [2, 0, 1] * 5
    assert len(server.seen) == 15


@needs_openai
def test_recorded_play_replays_to_the_byte(tmp_path, capfd):
    with Chef([500, 429, "silly", "garbage", "silly", "silly"]) as server:
        live = {
            "base_url": server.url,
            "model": MODEL,
            "key_env": "CHEF_KEY",
            "pause": 0.0,
            "timeout": 2.0,
            "parallel": 1,
        }
        table = {"kind": "llm", "backend": live, "tape": "tape.jsonl", "persona": "You help.", "samples": 2}
        player = from_table(POLICIES, table).make(GAME, tmp_path)
        first = match(player)
        asked = len(server.seen)
        again = match(from_table(POLICIES, table).make(GAME, tmp_path))
        assert len(server.seen) == asked, "what is on the tape is not asked again"
    card = Card(
        name="chef",
        maker={"kind": "llm-replay", "persona": "You help.", "samples": 2},
        family="llm-replay",
        lineage=MODEL,
    ).save(tmp_path / "card", {"tape.jsonl": (tmp_path / "tape.jsonl").read_bytes()})
    replayed = match(card.policy(GAME))
    for other in (again, replayed):
        np.testing.assert_array_equal(first[0], other[0])
        assert first[1] == other[1]
    told = stats(tmp_path / "tape.jsonl")
    assert told["answers"] < asked
    assert told["fallback"] == pytest.approx(1 / told["answers"])
    assert told["repaired"] == pytest.approx(2 / told["answers"])
    assert told["calls"] == asked
    assert told["models"] == {f"{MODEL}-2026": told["answers"]}
    output = "".join(capfd.readouterr())
    everything = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert not [text for text in (output, *everything) if KEY in text]


@needs_openai
def test_all_episodes_ask_in_one_call(tmp_path):
    class Counting:
        def __init__(self, inner):
            self.inner, self.sizes = inner, []

        def choose(self, requests):
            self.sizes.append(len(requests))
            return self.inner.choose(requests)

        def card(self):
            return self.inner.card()

    with Chef() as server:
        counting = Counting(backend(server, timeout=5.0))
        match(LLMPlayer(adapter("test", GAME), counting), episodes=8)
    assert counting.sizes[0] == 8
    assert len(counting.sizes) <= GAME.horizon
    assert len(server.seen) == sum(counting.sizes)


@needs_openai
def test_a_live_cook_and_its_partner_deliver(tmp_path):
    game = Overcooked(horizon=200)
    with Chef() as server:
        player = LLMPlayer(adapter("test", game), backend(server, timeout=5.0))
        recorded = player._replace(backend=Recording(player.backend, tmp_path / "t.jsonl", player.about))
        assert match(recorded, game=game)[0].min() >= 20


class Fixed:
    """A backend that always picks the first option."""

    def choose(self, requests):
        return [ChoiceReply(0, usage=Usage(1000, 10), model_reported="fixed") for _ in requests]

    def card(self):
        return BackendCard("fixed", "fixed", {})


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"calls": 5}, "5 calls allowed, 5 made, 1 more wanted"),
        ({"tokens": 4500}, "4500 tokens allowed, 5050 spent"),
        ({"usd": 0.01, "prices": (2.0, 2.0)}, r"0\.01 dollars allowed, 0\.0101 spent"),
    ],
)
def test_budgets_end_the_match(limit, words):
    """A call of `Fixed` takes 1,010 tokens: 0.00202 dollars at 2 a million."""
    spender = Budgeted(Fixed(), **limit)
    for _ in range(5):
        spender.choose([request()])
    with pytest.raises(Exhausted, match=words):
        spender.choose([request()])


@needs_openai
def test_an_endpoint_that_was_given_up_is_asked_once_until_it_answers():
    """Else each of a thousand matches would wait for all retries of a dead endpoint."""
    ask = request("Options:\n1. get onion")
    with Chef([500] * 4 + [500]) as server:
        asked = backend(server, retries=3, pause=0.0)
        for attempts, seen in ((4, 4), (1, 5)):
            with pytest.raises(Exhausted, match=f"given up after {attempts} attempts"):
                asked.choose([ask])
            assert len(server.seen) == seen
        assert asked.choose([ask])[0].index == 0
        server.faults[:] = [500] * 3
        assert asked.choose([ask])[0].attempts == 4, "it answered again, so it is worth waiting for"


@needs_openai
@pytest.mark.parametrize(
    ("limit", "words"), [({"tokens": 60}, "60 tokens"), ({"usd": 6e-5, "prices": [1.0, 2.0]}, "6e-05")]
)
def test_a_partners_budget_is_of_its_whole_tape(tmp_path, limit, words):
    with Chef() as server:
        table = {"kind": "llm", "backend": {"base_url": server.url, "model": MODEL, "key_env": ""}, **limit}
        for _ in range(2):
            with pytest.raises(Exhausted, match=f"budget: {words}.* allowed"):
                match(from_table(POLICIES, table).make(GAME, tmp_path))
            asked = len(server.seen)
        player = from_table(POLICIES, table).make(GAME, tmp_path)
        assert player.backend.inner.spent_calls == asked
        assert player.backend.inner.spent_tokens == sum(
            stats(tmp_path / "tape.jsonl")[f"{k}_tokens"] for k in ("prompt", "completion")
        )
    with pytest.raises(Refused, match="usd limits what is spent at prices"):
        from_table(POLICIES, {"kind": "llm", "backend": table["backend"], "usd": 1.0})


@needs_openai
def test_answers_are_kept_when_another_of_their_batch_fails(tmp_path):
    texts = [f"Options:\n{n}. get onion" for n in (1, 2, 3)]
    with Chef(["garbage"]) as server:
        settings = {"retries": 0, "parallel": 1, "timeout": 5.0}
        recording = Recording(backend(server, **settings), tmp_path / "t.jsonl", {})
        with pytest.raises(Exhausted, match="given up after 1 attempts"):
            recording.choose([request(text) for text in texts])
        again = Recording(backend(server, **settings), tmp_path / "t.jsonl", {})
        assert [reply.index for reply in again.choose([request(text) for text in texts])] == [0, 1, 2]
    assert len(server.seen) == 4, "only the one that failed is asked again"


def test_half_a_line_at_the_end_is_asked_again(tmp_path):
    player, tape = taped(tmp_path)
    whole = tape.read_text()
    tape.write_text(whole[:-40])
    match(player._replace(backend=Recording(Fixed(), tape, player.about)))
    assert tape.read_text() == whole


def test_equal_requests_have_equal_keys_and_samples_differ():
    assert request().key == request().key != request(sample=1).key
    assert request().key != request("You hold a dish.").key


def taped(tmp_path):
    player = LLMPlayer(adapter("test", GAME), Fixed())
    tape = tmp_path / "t.jsonl"
    match(player._replace(backend=Recording(Fixed(), tape, player.about)))
    return player, tape


def test_a_miss_is_an_error(tmp_path):
    player, tape = taped(tmp_path)
    replay = player._replace(backend=TapeBackend(path=tape))
    match(pickle.loads(pickle.dumps(replay)))
    kept = tape.read_text().splitlines()
    tape.write_text("\n".join(kept[:-1]) + "\n")
    with pytest.raises(Refused, match=r"no answer to request [0-9a-f]{12}…, one of"):
        match(player._replace(backend=TapeBackend(path=tape)))


def test_answers_to_other_options_are_refused(tmp_path):
    player, tape = taped(tmp_path)
    tape.write_text(tape.read_text().replace('"get onion","get dish"', '"get dish","get onion"'))
    with pytest.raises(Refused, match=r"the tape was altered: request .* has options .* and is answered for"):
        match(player._replace(backend=TapeBackend(path=tape)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda lines: [*lines, lines[-1]], "is answered twice"),
        (lambda lines: lines[1:], "not a tape of format 1"),
        (lambda lines: [*lines[:-1], lines[-1][:30]], "line .*: not valid JSON"),
        (lambda lines: [lines[0], lines[1].replace('"index":0', '"index":99')], "index 99 given; there are"),
        (lambda lines: [lines[0], lines[1].replace('"rung"', '"rang"')], "lacks rung"),
        (lambda lines: [lines[0], "[]"], "line 2: wanted a JSON object; given list"),
    ],
)
def test_broken_tapes_are_refused(change, words, tmp_path):
    _, tape = taped(tmp_path)
    tape.write_text("\n".join(change(tape.read_text().splitlines())) + "\n")
    with pytest.raises(Refused, match=words):
        read(tape)


def test_a_tape_belongs_to_one_kitchen_and_persona(tmp_path):
    _, tape = taped(tmp_path)
    kept = {"kind": "llm-replay", "tape": tape.name}
    assert from_table(POLICIES, kept).make(GAME, tmp_path).view == "symbols"
    with pytest.raises(Refused, match="recorded with another game and macros"):
        from_table(POLICIES, kept).make(Overcooked(layout="coordination_ring"), tmp_path)
    with pytest.raises(Refused, match="recorded with another system"):
        from_table(POLICIES, {**kept, "persona": "You hoard."}).make(GAME, tmp_path)
    with pytest.raises(Refused, match="the tape is of"):
        Recording(Fixed(), tape, {"game": "another"})


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://models.example/v1", "http sends the key for all to read"),
        ("ftp://models.example", "wanted https://host/v1"),
        ("https://me:secret@models.example/v1", "without a name or password"),
    ],
)
def test_where_a_key_must_not_go(url, words):
    with pytest.raises(Refused, match=words):
        build(OpenAIBackend, {"base_url": url, "model": MODEL})


def test_a_missing_key_is_named_not_guessed(monkeypatch):
    monkeypatch.delenv("CHEF_KEY")
    with Chef() as server, pytest.raises(Refused, match="the environment variable CHEF_KEY holds no key"):
        backend(server).choose([request()])


def test_tapes_are_plain_json_lines(tmp_path):
    _, tape = taped(tmp_path)
    lines = [json.loads(line) for line in tape.read_text().splitlines()]
    assert set(lines[0]) == {"tape", "backend", "about"}
    assert all(line["situation"].startswith("You hold") for line in lines[1:])


class Slow(Fixed):
    """A backend that takes its time, and notes every question in a file."""

    def __init__(self, log):
        self.log = log

    def choose(self, requests):
        time.sleep(0.2)
        with self.log.open("a") as log:
            log.writelines(f"{request.key}\n" for request in requests)
        return super().choose(requests)


def _asks(tape, log, texts):
    replies = Recording(Slow(log), tape, {}).choose([request(text) for text in texts])
    assert [reply.index for reply in replies] == [0] * len(texts)


def test_processes_that_share_a_tape_ask_every_question_once(tmp_path):
    """Six at once, three of them the other way round, each with questions of others in its batch."""
    tape, log, texts = tmp_path / "t.jsonl", tmp_path / "log", [f"You hold {n} onions." for n in range(12)]
    orders = [texts[n : n + 7] for n in (0, 2, 5)] + [texts[n : n + 7][::-1] for n in (0, 2, 5)]
    context = multiprocessing.get_context("fork")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads: none of theirs is used
        crowd = [context.Process(target=_asks, args=(tape, log, order)) for order in orders]
        for one in crowd:
            one.start()
    for one in crowd:
        one.join(60)
    assert [one.exitcode for one in crowd] == [0] * 6
    asked = log.read_text().split()
    assert len(asked) == len(set(asked)) == 12
    assert len(read(tape)[1]) == 12


def test_who_dies_while_asking_holds_nobody_up(tmp_path):
    tape, log = tmp_path / "t.jsonl", tmp_path / "log"
    context = multiprocessing.get_context("fork")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        dying = context.Process(target=Recording(Dying(), tape, {}).choose, args=([request()],))
        dying.start()
    dying.join(60)
    assert dying.exitcode == -signal.SIGKILL
    with tape.open("a") as torn:
        torn.write('{"key": "torn')
    _asks(tape, log, ["You hold nothing.", "You hold a dish."])
    assert len(read(tape)[1]) == 2


class Dying(Fixed):
    """A backend in whose call the process is killed."""

    def choose(self, requests):
        os.kill(os.getpid(), signal.SIGKILL)
