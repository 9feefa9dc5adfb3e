"""A model of Qwen2.5-0.5B's shape, with random weights, through what a user's would go through: an update and matches.

python -m tests.speed.qwen FOLDER [DEVICE]    # a minute on a GPU, half an hour on two cores

Random weights say nothing: answers run to their last token, and no gate is asked for. What it shows is that every arm
trains at this size, how much memory that takes, and how fast it is.
"""

import os
import sys
import time
from pathlib import Path

import torch

from crossplay.agents.llm.base import PLACE, as_files, own_luck
from crossplay.agents.llm.tokens import tokenizer
from crossplay.agents.training import task_for
from crossplay.benchmark.crossplay import fixture, play_fixtures
from crossplay.leaderboard.suite import trainer_for

NAME = "qwen2.5-0.5b-random"
ARMS = ("debate_ippo", "debate_srpo", "debate_srpo_no_kl", "debate_solo")
SETTINGS = (
    f"on.model={NAME}",
    "on.dtype=bfloat16",
    "on.lora.rank=32",
    "on.lora.alpha=32",
    "on.gate.questions=4",
    "on.gate.low=0",
    "learn.steps=1",
    "learn.epochs=1",
    "learn.lr=1e-6",
)


def make(folder: Path) -> None:
    """Writes the model, a gigabyte; its tokenizer is ours, so that most of what it says is no word at all."""
    from transformers import AutoModelForCausalLM, Qwen2Config

    words = tokenizer()
    words.chat_template = "{% for m in messages %}user: {{ m['content'] }}\n{% endfor %}assistant:"
    settings = Qwen2Config(
        vocab_size=151_936,
        hidden_size=896,
        intermediate_size=4864,
        num_hidden_layers=24,
        num_attention_heads=14,
        num_key_value_heads=2,
        rope_theta=1_000_000.0,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    with own_luck(0):
        model = AutoModelForCausalLM.from_config(settings).to(torch.bfloat16)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.0f} million parameters")
    folder.mkdir(parents=True)
    for name, data in as_files(model, words).items():
        (folder / name).write_bytes(data)


def main(out: Path, device: str = "cpu") -> None:
    """Prints a line an arm, and one for the matches of the first two."""
    os.environ |= {PLACE: str(out / "models"), "CROSSPLAY_DEVICE": device}
    if not (out / "models" / NAME).is_dir():
        make(out / "models" / NAME)
    batch = ("learn.batch=64", "learn.tokens=256") if device != "cpu" else ("learn.batch=2", "learn.tokens=24")
    cards = []
    for arm in ARMS:
        game, trainer = trainer_for(arm, "debate:arith", [*SETTINGS, *batch, "learn.micro=2"])
        began = time.perf_counter()
        card = task_for(trainer, arm, arm, game, out / "cards" / arm, 0, device=device).run()
        watched = {name: card.record[name] for name in ("peak_gb", "tokens_a_second") if name in card.record}
        print(f"{arm}: {watched}, {time.perf_counter() - began:.0f} s", flush=True)
        cards.append(card)
    began = time.perf_counter()
    pairs = [(a, b, seat) for a, b in (cards[:2], cards[1::-1]) for seat in (0, 1)]
    played = list(play_fixtures([fixture(game, a, b, seat=seat, episodes=2, seed=0) for a, b, seat in pairs]))
    print(f"{len(played)} matches of 2 questions: {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
