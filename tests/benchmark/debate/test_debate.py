"""Debate: questions, scoring, prompts, what a match pays and counts, and what is refused."""

import json

import numpy as np
import pytest

from crossplay.benchmark.card import Card
from crossplay.benchmark.config import build, from_table, to_table
from crossplay.benchmark.crossplay import fixture, play_fixtures
from crossplay.benchmark.errors import Fault, Refused
from crossplay.benchmark.games.debate import Debate
from crossplay.benchmark.games.debate import gsm8k as files
from crossplay.benchmark.games.debate.arith import Arith, arith, pairs
from crossplay.benchmark.games.debate.prompt import Wording
from crossplay.benchmark.games.debate.question import split
from crossplay.benchmark.games.debate.scoring import last_answer, length, right
from crossplay.benchmark.match import Table, play_tables
from crossplay.benchmark.pettingzoo import to_parallel_env
from crossplay.benchmark.registry import GAMES
from crossplay.benchmark.seeding import spread
from crossplay.benchmark.text import TextGame
from crossplay.benchmark.text_check import check_text_game, check_text_policy

ALL = Arith(levels=(1, 2, 3, 4, 5), train=400, test=60)


class Says:
    """Says by round what it was given, and keeps what it was asked."""

    def __init__(self, *texts):
        self.texts, self.asked = texts, []

    def begin(self, seeds, seat):
        return 0

    def reply(self, asked, memory):
        self.asked.append(list(asked))
        return [self.texts[memory]] * len(asked), memory + 1


def table(*policies, episodes=1):
    return Table(policies, spread(1, episodes), [spread(2, episodes), spread(3, episodes)])


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("so it is\n#### 12", "12"),
        ("#### 1,200", "1200"),
        ("#### 3 no wait #### 4", "4"),
        ("#### -5\nI am sure", "-5"),
        ("#### 7.50", "7.50"),
        ("####8", "8"),
        ("12", None),
        ("#### 3\n#### none", None),
        ("#### $3", None),
        ("#### 3 pens", None),
        ("####", None),
        ("", None),
        ("#### 3.", None),
    ],
)
def test_only_a_number_after_the_last_mark_is_an_answer(text, answer):
    assert last_answer(text) == answer


def test_scoring_is_strict():
    assert right("#### 7", "7")
    assert not right("#### 7.0", "7")
    assert not right("#### 07", "7")
    assert not right("7", "7")


def test_tokens_are_words_numbers_and_signs():
    assert length("#### 12") == 2
    assert length("x+y is 3.") == 6
    assert length("") == 0


def solved(question):
    """The answer by reading the words, quite apart from how they were made."""
    numbers = [
        int(word.strip(".").partition("=")[2] or word.strip("."))
        for word in question.text.split()
        if any(c.isdigit() for c in word) and "mod" not in word and word != "10?"
    ]
    a, b, *c = numbers
    if "mod" in question.ask:
        return (a + b) % 10
    if "both" in question.ask:
        return a + a + b
    return a + b - (c[0] if c else 0)


def test_every_answer_is_right_at_every_level():
    for part in arith(ALL):
        assert {q.ask.split()[0] for q in part} >= {"x+y", "x+y?", "x+y-z?", "How"}
        assert [str(solved(q)) for q in part] == [q.answer for q in part]


def test_operands_of_training_and_test_are_disjoint_in_either_order():
    train, test = (set(pairs(ALL, part)) for part in ("train", "test"))
    assert train
    assert test
    assert not test & (train | {(b, a) for a, b in train})
    assert len(train) + len(test) == ALL.below**2


def test_equal_seeds_give_equal_questions_and_others_do_not():
    assert arith(ALL) == arith(Arith(levels=(1, 2, 3, 4, 5), train=400, test=60))
    assert arith(ALL).test != arith(Arith(levels=(1, 2, 3, 4, 5), train=400, test=60, seed=1)).test


def test_few_questions_repeat():
    questions = arith(Arith(test=200)).test
    assert len(set(questions)) == 200


def test_what_was_said_is_filled_in_literally():
    words = Wording(first="Q {question}", later="Q {question} own {own} peer {peer}")
    assert words.filled("{peer}?") == "Q {peer}?"
    assert words.filled("x", "{peer} \\1 {question}", "{own}") == "Q x own {peer} \\1 {question} peer {own}"


@pytest.mark.parametrize(
    "slots",
    [("{question}", "{question} {own}"), ("", "{question}{own}{peer}"), ("{question}", "{question}{own}{peer}{peer}")],
)
def test_a_wording_has_every_slot_once(slots):
    with pytest.raises(Refused, match="each once"):
        build(Wording, {"first": slots[0], "later": slots[1]})


def test_round_0_shows_the_question_and_later_rounds_what_both_said():
    one, other = Says("#### 1", "a", "b"), Says("#### 2", "c", "d")
    game = Debate()
    play_tables(game, [table(one, other)])
    question = game.questions[0].text
    assert [asked[0].prompt for asked in one.asked] == [
        f"{question}\nA:",
        f"{question}\nYou: #### 1\nPeer: #### 2\nA:",
        f"{question}\nYou: a\nPeer: c\nA:",
    ]
    assert other.asked[1][0].prompt == f"{question}\nYou: #### 2\nPeer: #### 1\nA:"


def test_pay_is_the_last_answer_less_the_cost_of_every_token():
    key = Debate().questions[0].answer
    good, bad = f"#### {key}", "#### -1"
    played = play_tables(Debate(cost=0.01), [table(Says(good, good, bad), Says(bad, "", good))])[0]
    assert played.costs.tolist() == [[pytest.approx(0.07), pytest.approx(0.05)]]  # "#### -1" is three tokens
    assert played.returns.tolist() == [[pytest.approx(-0.07), pytest.approx(0.95)]]


def test_events_count_what_happened_between_rounds():
    game = Debate()
    key = game.questions[0].answer
    good, bad = f"#### {key}", "#### -1"
    played = play_tables(game, [table(Says(bad, good, bad), Says(bad, "", good))])[0]
    events = {name: played.events[0, :, i].tolist() for i, name in enumerate(game.spec.events)}
    assert events == {
        "right_0": [0, 0],
        "agree_0": [1, 1],
        "right_1": [1, 0],
        "agree_1": [0, 0],
        "right_2": [0, 1],
        "agree_2": [0, 0],
        "tokens": [8, 5],
        "silent": [0, 1],
        "flipped": [2, 2],
        "recovered": [1, 1],
        "corrupted": [1, 0],
    }


def test_two_who_say_nothing_do_not_agree():
    game = Debate(rounds=1)
    played = play_tables(game, [table(Says("x"), Says("y"))])[0]
    assert played.events[0, 0, game.spec.events.index("agree_0")] == 0


def test_a_match_of_as_many_episodes_as_questions_asks_each_once():
    seen = Says("", "", "")
    game = Debate(arith=Arith(test=50))
    play_tables(game, [table(seen, Says("", "", ""), episodes=50)])
    assert [asked.number for asked in seen.asked[0]] == list(range(50))


def test_halves_hold_every_fact_and_neither_holds_all():
    one, other = Says("", "", ""), Says("", "", "")
    game = Debate(split_info=True, arith=ALL)
    play_tables(game, [table(one, other, episodes=60)])
    swapped = set()
    for mine, theirs in zip(one.asked[0], other.asked[0], strict=True):
        question = game.questions[mine.number]
        for fact in question.facts:
            assert (fact in mine.question) + (fact in theirs.question) == 1
        assert mine.question.endswith(question.ask)
        swapped.add(question.facts[0] in mine.question)
    assert swapped == {True, False}


@pytest.mark.parametrize("fields", [{}, {"split_info": True, "cost": 0.1}, {"rounds": 1}, {"part": "train"}])
def test_the_game_passes_its_checker_and_round_trips(fields):
    game = Debate(**fields, arith=ALL)
    assert isinstance(game, TextGame)
    assert check_text_game(game) == []
    assert from_table(GAMES, to_table(game)) == game


def test_the_checker_finds_luck_from_elsewhere():
    class Odd:
        spec, calls = Debate().spec, 0
        reset, answer = Debate().reset, Debate().answer

        def ask(self, state, seat):
            Odd.calls += 1
            return [one._replace(prompt=f"{one.prompt}{Odd.calls}") for one in Debate().ask(state, seat)]

    assert "played again" in check_text_game(Odd())[0]


def test_other_settings_are_another_game():
    names = {
        g.spec.name for g in (Debate(), Debate(cost=0.1), Debate(part="train"), Debate(arith=ALL), Debate(rounds=2))
    }
    assert len(names) == 5
    assert Debate().spec.name == "debate/arith-v1"


@pytest.mark.parametrize(
    ("said", "complaint"),
    [(["x"] * 2, "wanted 1 texts"), ([1], "is int, wanted str"), (["x" * 30_000], "at most 20000")],
)
def test_what_is_no_text_is_a_fault_of_who_said_it(said, complaint):
    class Odd(Says):
        def reply(self, asked, memory):
            return said, memory

    with pytest.raises(Fault, match=complaint):
        play_tables(Debate(), [table(Odd(), Says("", "", ""))])
    assert complaint in str(check_text_policy(Odd(), Debate(), episodes=1))


def test_numbered_actions_are_refused_where_texts_are_wanted():
    for maker in ({"kind": "uniform"}, {"kind": "constant", "action": 0}):
        with pytest.raises(Refused, match="debate/arith-v1"):
            Card(name="x", maker=maker, family="f", lineage="l").policy(Debate())
    with pytest.raises(Refused, match="texts"):
        to_parallel_env(Debate())


def test_scripted_debaters_meet_in_the_common_engine():
    from crossplay.populations.scripted.generator import standard

    game = Debate(arith=Arith(test=40))
    cards = [Card(name=p.name, maker=p.maker, family="scripted", lineage=p.name) for p in standard(game)]
    assert {card.name for card in cards} == {"random", "copycat", "stubborn", "silent"}
    matches = [fixture(game, a, b, seat=1, episodes=40, seed=0) for a in cards for b in cards]
    found = {(r.pairing.ego, r.pairing.partner): r.returns for r in play_fixtures(matches)}
    index = game.spec.events.index
    assert found["stubborn", "stubborn"].returns.sum() == 0
    assert found["stubborn", "stubborn"].events[..., index("flipped")].sum() == 0
    assert found["silent", "random"].events[:, 1, index("silent")].tolist() == [3] * 40
    both = found["copycat", "stubborn"]  # from round 1 on the copycat, in seat 1, says what it heard in round 0
    assert both.events[:, 0, index("agree_2")].all()
    assert 0.02 < found["random", "random"].returns.mean() < 0.3


def row(question="Ann has 3 pens. She buys 4. How many?", answer="3+4=7\n#### 7"):
    return {"question": question, "answer": answer}


@pytest.fixture
def gsm(tmp_path, monkeypatch):
    def write(train, test):
        for name, rows in (("train", train), ("test", test)):
            (tmp_path / f"{name}.jsonl").write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows))
        monkeypatch.setenv("CROSSPLAY_GSM8K", str(tmp_path))
        return tmp_path

    return write


def test_gsm8k_is_read_from_the_users_folder_and_named_by_content(gsm):
    folder = gsm([row()], [row(answer="#### 1,007")])
    game = Debate(data="gsm8k")
    assert game.questions[0].answer == "1007"
    assert game.questions[0].facts == ("Ann has 3 pens.", "She buys 4.")
    assert game.questions[0].ask == "How many?"
    assert game.training().questions[0].answer == "7"
    assert "path" not in json.dumps(to_table(game))
    assert str(folder) not in game.spec.name
    assert check_text_game(game) == []
    before = game.spec.name
    gsm([row()], [row(answer="#### 1008")])
    assert Debate(data="gsm8k").spec.name != before


def test_gsm8k_may_be_parquet(gsm):
    import pyarrow as pa
    import pyarrow.parquet as parquet

    folder = gsm([row()], [row()])
    name = Debate(data="gsm8k").spec.name
    for part in ("train", "test"):
        parquet.write_table(pa.Table.from_pylist([row()]), folder / f"{part}.parquet")
        (folder / f"{part}.jsonl").unlink()
    assert Debate(data="gsm8k").spec.name == name


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([row(), "{"], "line 2 is not JSON"),
        ([[1]], "row 1: a list, wanted an object"),
        ([{"question": "x"}], "'answer' is None, wanted a text; fields: question"),
        ([row(answer="seven")], "must end in '#### number'; ends in 'seven'"),
        ([], "no question in it"),
    ],
)
def test_what_is_wrong_with_gsm8k_files_is_said_with_its_place(gsm, rows, complaint):
    gsm([row()], rows)
    with pytest.raises(Refused, match=complaint.replace("(", r"\(")):
        files.gsm8k()


def test_gsm8k_without_files_says_what_to_set(tmp_path, monkeypatch):
    monkeypatch.delenv("CROSSPLAY_GSM8K", raising=False)
    with pytest.raises(Refused, match="set CROSSPLAY_GSM8K"):
        files.gsm8k()
    monkeypatch.setenv("CROSSPLAY_GSM8K", str(tmp_path / "none"))
    with pytest.raises(Refused, match="not a folder"):
        files.gsm8k()
    monkeypatch.setenv("CROSSPLAY_GSM8K", str(tmp_path))
    with pytest.raises(Refused, match=r"has no train\.jsonl"):
        files.gsm8k()


def test_settings_that_contradict_are_refused():
    with pytest.raises(Refused, match="data = 'gsm8k'"):
        build(Debate, {"data": "gsm8k", "arith": {"seed": 1}})
    for fields in (
        {"rounds": 0},
        {"cost": -1.0},
        {"data": "arth"},
        {"arith": {"levels": [6]}},
        {"arith": {"lvels": [1]}},
    ):
        with pytest.raises(Refused):
            build(Debate, fields)


def test_a_question_in_one_sentence_has_no_facts():
    assert split("How many are 3 and 4?", "7") == ((), "How many are 3 and 4?", "7")


def test_one_more_round_is_refused():
    game = Debate(rounds=1)
    state = game.reset(spread(0, 1), np.arange(1))
    state, _ = game.answer(state, [[""], [""]])
    with pytest.raises(Refused, match="1 rounds were played"):
        game.answer(state, [[""], [""]])
