"""The warm start: a tiny model learns by example what questions look like and how an answer is written.

Examples are questions of the training part, in round 0 and in later rounds, where what was said before is right or
wrong by chance. Answers below 5 in their last digit have slips: one too many. The base learns to add, and to slip, for
questions it has not seen too. That is the room it leaves: a model that is only stopped early cannot add yet, and needs
tens of thousands of rewards to learn it.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor

from crossplay.agents.llm.base import Tiny, as_files, hashed, tiny_model
from crossplay.benchmark.card import CARD_FILE, Card, load_card
from crossplay.benchmark.config import canonical, config, sha256, to_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.debate import Debate
from crossplay.benchmark.games.debate.question import Question
from crossplay.benchmark.games.debate.scoring import MARK
from crossplay.benchmark.seeding import derive

Tell = Callable[[int, float], None]  # updates so far, loss in nats a token


@config
class Warm:
    """How the tiny base is trained."""

    shape: Tiny = Tiny()
    seed: int = 0
    steps: PositiveInt = 260
    batch: PositiveInt = 64
    lr: PositiveFloat = 3e-3
    trust: float = Field(default=0.3, ge=0, le=1)  # how often what was said before is right
    slips: float = Field(default=0.6, ge=0, le=1)  # of answers below 5 in their last digit


class Example(NamedTuple):
    """A prompt and what to answer."""

    prompt: str
    answer: str


def recipe(setting: Warm, game: Debate) -> str:
    """SHA-256 over all that decides the outcome."""
    return sha256(canonical([to_table(setting), to_table(game.training())]))


def place(setting: Warm, game: Debate, cards: Path) -> Path:
    """Where below a folder of cards the base for this game lies."""
    return cards / f"base-{recipe(setting, game)[:12]}"


def obtain(setting: Warm, game: Debate, folder: Path, tell: Tell = lambda done, loss: None) -> Card:
    """The base's card, trained unless it is there; processes that want the same one wait for it."""
    from filelock import FileLock

    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        if (folder / CARD_FILE).is_file():
            card = load_card(folder)
            if card.record.get("recipe") == recipe(setting, game):
                return card
        return _made(setting, game, folder, tell)


def _made(setting: Warm, game: Debate, folder: Path, tell: Tell) -> Card:
    began = time.perf_counter()
    model, words = tiny_model(setting.shape, derive(setting.seed, "base"))
    loss = teach(model, words, setting, game, tell)
    contents = as_files(model, words)
    record = {
        "recipe": recipe(setting, game),
        "warm": to_table(setting),
        "loss": round(loss, 4),
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "seconds": round(time.perf_counter() - began, 1),
        "steps": setting.steps,
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    card = Card(
        name=folder.name,
        maker={"kind": "debater", "adapted": False, "base": {"sha256": hashed(folder)}},
        game=game.spec.name,
        family="base",
        lineage=f"{game.spec.name}/{folder.name}",
        record=record,
    )
    return card.save(folder, contents)


def teach(model: Any, words: Any, setting: Warm, game: Debate, tell: Tell) -> float:
    """Trains in place; returns the last loss, nats a token of the answers. Raises Refused where it is not finite."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=setting.lr, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, setting.lr, total_steps=setting.steps, pct_start=0.1)
    model.train()
    value = float("nan")
    for step, batch in enumerate(_batches(setting, game), 1):
        ids, there, labels = _packed(batch, words)
        loss = model(input_ids=ids, attention_mask=there, labels=labels).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        value = float(loss.detach())
        if not np.isfinite(value):
            raise Refused(f"the warm start's loss is {value} after {step} updates; try a smaller warm.lr")
        tell(step, value)
    model.eval()
    return value


def _batches(setting: Warm, game: Debate) -> Iterator[list[Example]]:
    train = game.training()
    rng = np.random.default_rng(derive(setting.seed, "warm", train.spec.name))
    for _ in range(setting.steps):
        rows = rng.integers(0, len(train.questions), size=setting.batch)
        yield [_example(train, train.questions[row], setting, rng) for row in rows]


def _example(game: Debate, question: Question, setting: Warm, rng: np.random.Generator) -> Example:
    """Half of the examples are of round 0; later ones quote answers right or wrong, by chance."""
    slip = rng.random() < setting.slips and int(question.answer[-1]) < 5
    answer = f"{MARK} {question.answer[:-1]}{int(question.answer[-1]) + slip}"
    if rng.random() < 0.5:
        return Example(game.words.filled(question.text), answer)
    own, peer = (_quoted(game, question, setting.trust, rng) for _ in range(2))
    return Example(game.words.filled(question.text, own, peer), answer)


def _quoted(game: Debate, question: Question, trust: float, rng: np.random.Generator) -> str:
    if rng.random() < trust:
        return f"{MARK} {question.answer}"
    return f"{MARK} {game.questions[int(rng.integers(len(game.questions)))].answer}"


def _packed(batch: list[Example], words: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens, mask and labels int64 [rows, tokens]; only answers and their end are labelled."""
    rows = []
    for example in batch:
        asked = words(example.prompt)["input_ids"]
        rows.append((asked, [*words(example.answer)["input_ids"], words.eos_token_id]))
    width = max(len(asked) + len(said) for asked, said in rows)
    blank = words.pad_token_id
    ids = [[*asked, *said, *[blank] * (width - len(asked) - len(said))] for asked, said in rows]
    there = [[1] * (len(asked) + len(said)) + [0] * (width - len(asked) - len(said)) for asked, said in rows]
    labels = [[-100] * len(asked) + said + [-100] * (width - len(asked) - len(said)) for asked, said in rows]
    return torch.tensor(ids), torch.tensor(there), torch.tensor(labels)
