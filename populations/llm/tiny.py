"""textlm-tiny: a transformer of under a million parameters that learns from transcripts which errand rules would do.

It is a fixture: it makes the path of live models run here from end to end. It is not a language model and is never
counted, ranked or labelled as one. Its folder loads with transformers as any causal model does.
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import Field, PositiveInt

from crossplay.agents.llm.base import needed, own_luck
from crossplay.benchmark.config import config, from_table, sha256, to_table
from crossplay.benchmark.game import Game
from crossplay.benchmark.match import Table, play_tables
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import derive, spread
from crossplay.benchmark.workers import single_threaded
from crossplay.populations.llm.backend import BackendCard, ChoiceReply, ChoiceRequest
from crossplay.populations.llm.hf_backend import FIXTURE
from crossplay.populations.llm.live import LLMPlayer
from crossplay.populations.llm.macros import adapter
from crossplay.populations.llm.teacher import Rules
from crossplay.populations.scripted.generator import standard

SPECIAL = ("<pad>", "<eos>", "<unk>")
APART = r"[,.:]\s*|\n+"  # what parts one token from the next: a phrase, or an option's number or name, is one
TEMPLATE = (
    "{% for m in messages %}{% if m['role'] == 'user' %}{{ m['content'] + '\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}Answer:{% endif %}"
)
README = f"""# {FIXTURE}

A test fixture of crossplay: {{parameters}} parameters, trained in {{seconds}} s on {{examples}} situations of
{{game}}, in words, with the errand that a cook of fixed rules (`populations/llm/teacher.py`) chose in each.
It reads the user's message only and answers with one option's number. It is **not a language model**: it knows no word
outside such situations, and no board counts, ranks or labels it as one.
"""


@config
class Tiny:
    """How it is made. The same setting makes the same weights on the same machine."""

    seed: int = 0
    hidden: int = Field(default=96, ge=16, multiple_of=16)
    layers: PositiveInt = 2
    episodes: PositiveInt = 4  # of every partner and seat that transcripts are taken from
    stray: float = Field(default=0.15, ge=0, le=1)  # how often the cook does something else than the rules say
    steps: PositiveInt = 400
    batch: PositiveInt = 32
    lr: float = Field(default=3e-3, gt=0)


class Example(NamedTuple):
    """A situation in words, and the number of the option that the rules choose."""

    prompt: str
    answer: str


class _Straying:
    """The rules with now and then any other option, so that situations they would not get into are seen as well."""

    def __init__(self, share: float, seed: int) -> None:
        self.share, self.seed, self.seen = share, seed, dict[str, Example]()

    def choose(self, requests: Sequence[ChoiceRequest]) -> list[ChoiceReply]:
        return [self._one(request) for request in requests]

    def _one(self, request: ChoiceRequest) -> ChoiceReply:
        (right,) = Rules().choose([request])
        self.seen[request.key] = Example(request.messages[-1][1], str((right.index or 0) + 1))
        luck = np.random.default_rng(derive(self.seed, "stray", request.key))
        return ChoiceReply(int(luck.integers(len(request.options)))) if luck.random() < self.share else right

    def card(self) -> BackendCard:
        return Rules().card()


def transcripts(setting: Tiny, game: Game) -> list[Example]:
    """Every situation that the rules, straying, get into with the game's standard partners, in a fixed order."""
    scribe = _Straying(setting.stray, setting.seed)
    cook = LLMPlayer(adapter(FIXTURE, game), scribe, samples=setting.episodes)
    tables = []
    for partner in standard(game):
        mate: Policy = from_table(POLICIES, partner.maker).make(game, None)
        for seat in range(game.spec.seats):
            seeds = [spread(derive(setting.seed, "tiny", partner.name, seat, of), setting.episodes) for of in range(3)]
            tables.append(Table([cook, mate] if seat == 0 else [mate, cook], seeds[0], seeds[1:]))
    play_tables(game, tables)
    return sorted(set(scribe.seen.values()))


def train(setting: Tiny, game: Game, out: Path) -> dict[str, Any]:
    """Trains, writes the folder, and says how it went. Raises Refused where packages or the game will not do."""
    needed()
    from transformers.utils import logging

    began = time.perf_counter()
    examples = transcripts(setting, game)
    words = tokenizer(examples, [macro.name for macro in adapter(FIXTURE, game).macros])
    model = blank(setting, words)
    with single_threaded():  # two threads on a busy machine of two cores are many times slower
        loss = teach(model, words, setting, examples)
    told = {
        "game": game.spec.name,
        "examples": len(examples),
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "loss": round(loss, 4),
        "seconds": round(time.perf_counter() - began, 1),
    }
    logging.disable_progress_bar()
    model.config.crossplay_fixture = FIXTURE
    model.config.crossplay_recipe = sha256(json.dumps([to_table(setting), game.spec.name], sort_keys=True))
    model.save_pretrained(out)
    words.save_pretrained(out)
    (out / "README.md").write_text(README.format(**told), encoding="utf-8")
    return told


def tokenizer(examples: Sequence[Example], names: Sequence[str]) -> Any:
    """Whole phrases, as "your partner 0-2"; what is in no transcript and no macro's name is unknown."""
    from tokenizers import Regex, Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Split
    from transformers import PreTrainedTokenizerFast

    split = Split(Regex(APART), behavior="removed")
    texts = [f"{example.prompt}\nAnswer:" for example in examples]
    texts += [*names, *map(str, range(1, 41))]
    known = {piece for text in texts for piece, _ in split.pre_tokenize_str(text)}
    inner = Tokenizer(WordLevel({word: n for n, word in enumerate((*SPECIAL, *sorted(known)))}, unk_token="<unk>"))
    inner.pre_tokenizer = split
    words = PreTrainedTokenizerFast(
        tokenizer_object=inner,
        pad_token="<pad>",
        eos_token="<eos>",
        unk_token="<unk>",
        clean_up_tokenization_spaces=False,
    )
    words.chat_template = TEMPLATE
    return words


def blank(setting: Tiny, words: Any) -> Any:
    """The model before it has learned."""
    from transformers import AutoModelForCausalLM, LlamaConfig

    with own_luck(derive(setting.seed, FIXTURE)):
        return AutoModelForCausalLM.from_config(
            LlamaConfig(
                vocab_size=len(words),
                hidden_size=setting.hidden,
                intermediate_size=3 * setting.hidden,
                num_hidden_layers=setting.layers,
                num_attention_heads=4,
                num_key_value_heads=4,
                max_position_embeddings=512,
                initializer_range=0.1,  # 0.02 is for thousands of dimensions
                tie_word_embeddings=True,
                bos_token_id=None,
                eos_token_id=words.eos_token_id,
                pad_token_id=words.pad_token_id,
            )
        )


def teach(model: Any, words: Any, setting: Tiny, examples: Sequence[Example]) -> float:
    """Trains in place on answers and their ends; returns the mean loss of the last tenth, nats a token."""
    import torch

    asked = [words(f"{example.prompt}\nAnswer:")["input_ids"] for example in examples]
    said = [[*words(example.answer)["input_ids"], words.eos_token_id] for example in examples]
    optimiser = torch.optim.AdamW(model.parameters(), lr=setting.lr, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, setting.lr, total_steps=setting.steps, pct_start=0.1)
    rng, losses = np.random.default_rng(derive(setting.seed, "batches")), []
    model.train()
    for _ in range(setting.steps):
        rows = rng.choice(len(examples), size=min(setting.batch, len(examples)), replace=False)
        width = max(len(asked[row]) + len(said[row]) for row in rows)
        ids = torch.full((len(rows), width), words.pad_token_id)
        labels = torch.full((len(rows), 2), -100)
        for place, row in enumerate(rows):  # padded on the left, so that all answers end together
            line = torch.tensor([*asked[row], *said[row]])
            ids[place, width - len(line) :], labels[place] = line, line[-2:]
        there = ids != words.pad_token_id
        logits = model(input_ids=ids, attention_mask=there.long(), logits_to_keep=3).logits[:, :2]
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
    model.eval()
    return float(np.mean(losses[-max(1, setting.steps // 10) :]))
