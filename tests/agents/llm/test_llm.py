"""Tiny debaters: adapters on one base, what is learned, cards that round trip, and what is refused."""

import os
from dataclasses import replace

import numpy as np
import pytest
import torch

from crossplay.agents.llm.arms import ADVERSARIES, AGENTS, DebateIPPO, DebateNoKL, DebateSolo, DebateSRPO, DebateWarm
from crossplay.agents.llm.base import Lora, Tiny, as_files, hashed, located, tiny_model
from crossplay.agents.llm.brain import Brain
from crossplay.agents.llm.learner import Learner, Lesson
from crossplay.agents.llm.policy import ADAPTERS, packed, unpacked
from crossplay.agents.llm.talk import debate
from crossplay.agents.llm.training import DebateTraining
from crossplay.agents.llm.warm import Warm, _example, obtain
from crossplay.agents.trainer import TRAINERS
from crossplay.benchmark.card import load_card
from crossplay.benchmark.config import build, from_table, to_table
from crossplay.benchmark.crossplay import fixture, play_fixtures
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games import CollabGrid
from crossplay.benchmark.games.debate import Debate
from crossplay.benchmark.games.debate.arith import Arith
from crossplay.benchmark.text_check import check_text_policy
from crossplay.populations.debaters import DebateBase, DebateStrangers

SMALL = Tiny(hidden=16, inner=32, layers=1, heads=2)
WIDE = Tiny(hidden=64, inner=64, layers=1, heads=2)  # where logits reach far enough to be sure of something
GAME = Debate(arith=Arith(train=40, test=12))
ON = {"warm": {"shape": to_table(SMALL), "steps": 2, "batch": 4}, "gate": {"low": 0.0, "high": 1.0, "questions": 4}}
LEARN = {"steps": 1, "batch": 4, "epochs": 1, "tokens": 4}
ARMS = [build(arm, {"on": ON, "learn": LEARN}) for arm in (DebateIPPO, DebateSRPO, DebateNoKL, DebateSolo)]


@pytest.fixture
def brain():
    model, words = tiny_model(SMALL, 1)
    found = Brain(model, words, Lora(rank=4, alpha=8), "blank")
    for name in (*AGENTS, *ADVERSARIES):
        found.add(name, seed=3)
    return found


def task(arm, out, name="a", game=GAME):
    return DebateTraining(name, "arm", game, arm, out / name, 0)


def test_the_default_model_has_about_a_fifth_of_a_million_parameters():
    model, _ = tiny_model(Tiny(), 0)
    assert 180_000 < sum(weight.numel() for weight in model.parameters()) < 260_000


def test_the_tokenizer_says_back_what_it_reads():
    _, words = tiny_model(SMALL, 0)
    for text in ("x=1. #### 12\nYou: ####", "{peer} ~|", " a  b "):
        assert words.decode(words(text)["input_ids"]) == text
    assert len(words("####")["input_ids"]) == 1


def test_short_questions_are_few_tokens():
    """Letter by letter they were 26 and 45, and the tiny model did not learn to add."""
    _, words = tiny_model(SMALL, 0)
    first, later = (
        GAME.words.filled("x=12. y=34. x+y mod 10?"),
        GAME.words.filled("x=12. y=34. x+y mod 10?", "#### 6", ""),
    )
    assert words(first).tokens() == ["x=", "1", "2", ". ", "y=", "3", "4", ". ", "x+y mod 10?", "\nA:"]
    assert words(later).tokens()[9:] == ["\nYou: ", "####", " ", "6", "\nPeer: ", "\nA:"]


def test_slips_are_of_answers_below_five_and_by_one():
    game, rng = GAME.training(), np.random.default_rng(0)
    found = {"low": [], "high": []}
    for question in game.questions * 20:
        said = _example(game, question, Warm(slips=0.6), rng).answer
        gap = int(said.removeprefix("#### ")) - int(question.answer)
        found["low" if int(question.answer) < 5 else "high"].append(gap)
    assert set(found["low"]) == {0, 1}
    assert 0.5 < np.mean(found["low"]) < 0.7
    assert set(found["high"]) == {0}


def test_equal_seeds_give_equal_weights_and_leave_the_global_generator_alone():
    before = torch.get_rng_state()
    one, other, third = (tiny_model(SMALL, seed)[0].state_dict() for seed in (5, 5, 6))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert not all(torch.equal(one[key], third[key]) for key in one)


def test_what_was_said_scores_as_it_did_when_it_was_said(brain):
    """Padding, caches and positions: sampling token by token and reading the whole agree."""
    talk = debate(brain, GAME, ("agent0", "agent1"), np.arange(6), 5, 7)
    for said in talk.said[1]:
        logs, entropy = brain.scored(said.asked, said.tokens, said.mask, None)
        assert torch.allclose(logs[said.mask], said.logs[said.mask], atol=1e-4)
        assert (entropy >= 0).all()


def test_a_fresh_adapter_says_what_the_base_says(brain):
    prompts = [asked.prompt for asked in GAME.ask(GAME.reset(np.arange(4, dtype=np.uint64), np.arange(4)), 0)]
    assert brain.say(prompts, "agent0", limit=5).texts == brain.say(prompts, None, limit=5).texts


def test_sampling_follows_its_seed_and_its_probabilities(brain):
    one, other, third = (debate(brain, GAME, AGENTS, np.arange(8), 5, seed) for seed in (1, 1, 2))
    assert [s.texts for pair in one.said for s in pair] == [s.texts for pair in other.said for s in pair]
    assert [s.texts for pair in one.said for s in pair] != [s.texts for pair in third.said for s in pair]
    count = 4000
    draws = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    said = brain.say(["x"] * count, None, limit=1, draw=lambda number: draws)
    shares = torch.bincount(said.tokens[:, 0], minlength=len(brain.words)) / count
    logs, _ = brain.scored(
        [said.asked[0]] * len(brain.words),
        torch.arange(len(brain.words))[:, None],
        torch.ones(len(brain.words), 1, dtype=torch.bool),
        None,
    )
    assert torch.allclose(shares, logs[:, 0].exp().float(), atol=2 / count)


def test_updating_one_adapter_changes_no_other_and_not_the_base(brain):
    before = {name: brain.tensors(name) for name in (*AGENTS, *ADVERSARIES)}
    base = {k: v.clone() for k, v in brain.model.state_dict().items() if "lora" not in k}
    talk = debate(brain, GAME, AGENTS, np.arange(6), 4, 7)
    learner = Learner(brain, "agent0", ARMS[0].learn)
    learner.update([Lesson(talk.said[0][0], np.arange(6.0))], 0.0)
    assert any(not torch.equal(w, before["agent0"][k]) for k, w in brain.tensors("agent0").items())
    for name in ("agent1", *ADVERSARIES):
        assert all(torch.equal(w, before[name][k]) for k, w in brain.tensors(name).items())
    assert all(torch.equal(v, base[k]) for k, v in brain.model.state_dict().items() if k in base)


def test_an_adapter_learns_to_say_what_pays():
    """The learning test: only digits are paid, and within seconds they are nearly all that is said."""
    model, words = tiny_model(WIDE, 1)
    brain = Brain(model, words, Lora(rank=4, alpha=8), "agent0")
    wanted = torch.tensor(brain.words("0123456789")["input_ids"])
    learner = Learner(brain, "agent0", replace(ARMS[0].learn, lr=2e-2, epochs=2))
    rng = np.random.default_rng(0)
    prompts = [question.text for question in GAME.questions]

    def share(seed):
        luck = np.random.default_rng(seed)
        said = brain.say(
            prompts * 4, "agent0", limit=1, draw=lambda number: torch.from_numpy(luck.random(4 * len(prompts)))
        )
        return said, torch.isin(said.tokens[:, 0], wanted).double().numpy()

    before = share(99)[1].mean()
    for _ in range(25):
        said, paid = share(int(rng.integers(1 << 30)))
        learner.update([Lesson(said, paid)], 0.0)
    assert before < 0.3
    assert share(99)[1].mean() > 0.8


def test_a_leash_keeps_an_adversary_near_its_reference():
    ends = []
    for price in (0.0, 2.0):
        model, words = tiny_model(WIDE, 1)
        brain = Brain(model, words, Lora(rank=4, alpha=8), "agent1")
        brain.add("adv0", seed=3)
        learner = Learner(brain, "adv0", replace(ARMS[0].learn, lr=2e-2, epochs=2))
        for step in range(15):
            luck = np.random.default_rng(step)
            said = brain.say(["x"] * 64, "adv0", limit=1, draw=lambda n, luck=luck: torch.from_numpy(luck.random(64)))
            paid = (said.tokens[:, 0] == 3).double().numpy()
            watched = learner.update([Lesson(said, paid, "agent1")], price)
        ends.append(watched["nats"])
    assert ends[0] > 2 * max(ends[1], 0.0)
    assert ends[0] > 0.3


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.kind)
def test_every_arm_ends_in_a_card_of_two_heroes_that_is_made_once(arm, tmp_path):
    card = task(arm, tmp_path).run()
    assert load_card(tmp_path / "a").digest == card.digest
    names = {
        key.partition(":")[0]
        for key in __import__("safetensors.torch").torch.load((tmp_path / "a" / ADAPTERS).read_bytes())
    }
    assert names == set(AGENTS)
    assert card.record["columns"] == ["steps", "return", "entropy", "length", "adversary_nats", "base_nats"]
    assert len(card.record["curve"]) == 1
    assert card.record["tokens_a_second"] > 0
    assert 0.05 < card.record["peak_gb"] < 16
    for seat in (0, 1):
        assert check_text_policy(card.policy(GAME), GAME, seat) == []
    stamp = (tmp_path / "a" / ADAPTERS).stat().st_mtime_ns
    assert task(arm, tmp_path).run().digest == card.digest
    assert (tmp_path / "a" / ADAPTERS).stat().st_mtime_ns == stamp


def test_equal_names_and_seeds_give_equal_cards(tmp_path):
    one, other = (task(ARMS[1], tmp_path / place).run() for place in ("x", "y"))
    assert one.digest == other.digest
    assert task(ARMS[1], tmp_path / "x", "b").run().digest != one.digest


def test_arms_stand_on_one_base(tmp_path):
    cards = [task(arm, tmp_path, arm.kind).run() for arm in ARMS[:2]]
    assert len({card.files["model.safetensors"] for card in cards}) == 1
    assert len(list(tmp_path.glob("base-*"))) == 1


def test_checkpoints_meet_in_the_common_engine(tmp_path):
    cards = [task(arm, tmp_path, arm.kind).run() for arm in ARMS[:2]]
    base = DebateBase(trainer={"on": ON}).tasks(GAME, tmp_path, seed=0, device="cpu")[0].make()[0]
    matches = [
        fixture(GAME, a, b, seat=seat, episodes=12, seed=0) for a in cards for b in [*cards, base] for seat in (0, 1)
    ]
    first = {r.pairing.key: r.returns for r in play_fixtures(matches)}
    for result in play_fixtures(matches[::-1], episodes_a_batch=12):
        again = first[result.pairing.key]
        assert all(np.array_equal(a, b) for a, b in zip(again, result.returns, strict=True))


def test_strangers_are_trained_apart_from_the_board(tmp_path):
    maker = DebateStrangers(trainer={"on": ON, "learn": LEARN}, seeds=1)
    card = maker.tasks(GAME, tmp_path, seed=0, device="cpu")[0].make()[0]
    assert (card.name, card.family) == ("stranger-0", "stranger")
    assert card.lineage != task(ARMS[0], tmp_path).run().lineage


def test_the_gate_refuses_a_base_that_leaves_nothing_to_see(tmp_path):
    arm = build(DebateIPPO, {"on": {**ON, "gate": {"low": 0.99, "high": 1.0, "questions": 4}}, "learn": LEARN})
    with pytest.raises(Refused, match=r"untuned base answers 0\.\d+ .*wanted 0\.99 to 1\.0"):
        task(arm, tmp_path).run()


def test_an_alarm_is_noted_where_agents_run_from_the_base(tmp_path):
    quiet = task(ARMS[0], tmp_path, "quiet").run()
    learn = {**LEARN, "steps": 3, "lr": 0.5, "epochs": 4, "alarm": 1e-6, "watch": 1}
    loud = task(build(DebateIPPO, {"on": ON, "learn": learn}), tmp_path, "loud").run()
    assert quiet.record["alarms"] == []
    assert "nats a token from the base, past 1e-06" in loud.record["alarms"][-1]


def test_the_warm_start_is_one_trainer_and_is_done_once(tmp_path):
    arm = build(DebateWarm, {"on": ON})
    card = task(arm, tmp_path).run()
    assert card.record["parameters"] > 0
    assert task(arm, tmp_path).run().digest == card.digest
    assert check_text_policy(card.policy(GAME), GAME) == []


def test_warming_up_learns_the_form_of_an_answer(tmp_path):
    losses = []
    setting = Warm(shape=SMALL, steps=25, batch=8, lr=2e-2)
    obtain(setting, GAME, tmp_path / "base", lambda done, loss: losses.append(loss))
    assert losses[-1] < 0.5 * losses[0]


def test_adapters_round_trip_and_a_missing_one_is_named(brain):
    data = packed({name: brain.tensors(name) for name in AGENTS})
    again = unpacked(data, "agent1")
    assert all(torch.equal(again[key], weight) for key, weight in brain.tensors("agent1").items())
    with pytest.raises(Refused, match="no adapter 'adv0'"):
        unpacked(data, "adv0")


def test_tables_round_trip():
    for arm in ARMS:
        assert from_table(TRAINERS, to_table(arm)) == arm
    for fields in ({"learn": {"stpes": 3}}, {"on": {"gate": {"low": 0.9, "high": 0.1}}}, {"learn": {"clip": 2.0}}):
        with pytest.raises(Refused):
            build(DebateIPPO, fields)
    with pytest.raises(Refused, match="tau"):
        build(DebateSRPO, {"tau": -1.0})


def test_what_is_no_debate_or_has_partners_is_refused(tmp_path):
    with pytest.raises(Refused, match="wanted debate"):
        task(ARMS[0], tmp_path, game=CollabGrid()).run()
    card = task(ARMS[0], tmp_path).run()
    with pytest.raises(Refused, match="train with each other"):
        task(ARMS[0], tmp_path, "b")._replace(partners=(card,)).run()
    with pytest.raises(Refused, match="was made for"):
        card.policy(CollabGrid())


def test_an_altered_base_is_refused(tmp_path):
    card = task(ARMS[0], tmp_path).run()
    path = tmp_path / "a" / "config.json"
    path.write_text(path.read_text() + " ")
    with pytest.raises(Refused, match="was altered"):
        card.policy(GAME)


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A user's folder of models with one Qwen2 of random weights and two thin layers."""
    model, words = tiny_model(Tiny(hidden=32, inner=48, layers=2, heads=4), 9)
    words.chat_template = "{% for m in messages %}user: {{ m['content'] }}\n{% endfor %}assistant:"
    folder = tmp_path / "models" / "qwen-thin"
    folder.mkdir(parents=True)
    for name, data in as_files(model, words).items():
        (folder / name).write_bytes(data)
    monkeypatch.setenv("CROSSPLAY_MODELS", str(tmp_path / "models"))
    return folder


def test_a_users_model_goes_the_whole_way(models, tmp_path):
    """Load, adapters, a full training step of every arm, and two checkpoints that meet in both seats."""
    on = {"model": "qwen-thin", "lora": {"rank": 4, "alpha": 4}, "gate": ON["gate"]}
    cards = []
    for arm in (DebateIPPO, DebateSRPO, DebateNoKL, DebateSolo):
        made = build(arm, {"on": on, "learn": {**LEARN, "micro": 3, "lr": 1e-3}})
        cards.append(task(made, tmp_path, arm.kind).run())
        assert set(cards[-1].files) == {ADAPTERS}
        assert os.sep not in str(cards[-1].maker)
        assert cards[-1].maker["base"]["sha256"] == hashed(models)
    matches = [
        fixture(GAME, a, b, seat=seat, episodes=4, seed=0) for a in cards[:2] for b in cards[:2] for seat in (0, 1)
    ]
    assert len(list(play_fixtures(matches))) == 8
    (models / "config.json").write_text((models / "config.json").read_text() + "\n")
    with pytest.raises(Refused, match="the card wants"):
        cards[0].policy(GAME)


def test_a_chat_template_is_used_where_there_is_one(models):
    from crossplay.agents.llm.base import load

    brain = Brain(*load(models), Lora(rank=2, alpha=2), "blank")
    assert brain.words.decode(brain.encoded(["hi"])[0]) == "user: hi\nassistant:"


def test_a_missing_model_is_named_with_the_nearest(models, monkeypatch):
    with pytest.raises(Refused, match="did you mean 'qwen-thin'"):
        located("qwen-thn")
    (models / "model.safetensors").unlink()
    with pytest.raises(Refused, match=r"no \.safetensors"):
        located("qwen-thin")
    monkeypatch.delenv("CROSSPLAY_MODELS")
    with pytest.raises(Refused, match="set CROSSPLAY_MODELS"):
        located("qwen-thin")
