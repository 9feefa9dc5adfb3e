"""A causal language model on this machine as a backend: every option is scored, so there is no answer to be read.

An option's score is the log-likelihood of its number and of the end of the answer; the highest is chosen, or one is
drawn. Weights are safetensors, and no code of a model's folder is run. What comes from a hub is pinned to a commit.
"""

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, NonNegativeFloat, PositiveInt, model_validator

from crossplay.agents.llm.base import DTYPES, PLACE, hashed
from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.seeding import derive
from crossplay.benchmark.workers import single_threaded
from crossplay.populations.llm.backend import BackendCard, ChoiceReply, ChoiceRequest, Usage

FIXTURE = "textlm-tiny"  # `crossplay_fixture` in the config.json of models that are trained here
Scores = np.ndarray  # float64 [options], nats


@config
class HFBackend:
    """A model by folder, by its name below CROSSPLAY_MODELS, or by hub id. Equal questions get equal answers.

    `revision` is a hub's commit, and wanted there; of a folder it is the SHA-256 of config, tokenizer and weights, and
    checked where it is given.
    """

    path: str = Field(min_length=1)
    revision: str = Field(default="", pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})?$")
    temperature: NonNegativeFloat = 0.0  # 0: the likeliest option; else drawn from their softmax by the question's hash
    dtype: Literal["float32", "bfloat16"] = "float32"
    device: str = "cpu"
    context: PositiveInt | None = None  # tokens of prompt and answer at most; the model's own where not given

    @model_validator(mode="after")
    def _pinned(self) -> "HFBackend":
        if self.folder is None and len(self.revision) != 40:
            raise ValueError(
                f"{self.path} is no folder with a config.json here or below {PLACE}; a model of a hub needs revision = "
                f"the 40 digits of a commit; given {self.revision!r}"
            )
        return self

    @property
    def folder(self) -> Path | None:
        """Where the model lies on this machine; None: it is a hub's."""
        root = os.environ.get(PLACE, "")
        places = [Path(self.path), *([Path(root) / self.path] if root else [])]
        return next((place for place in places if (place / "config.json").is_file()), None)

    @property
    def model(self) -> str:
        """What it is called: the last part of its path."""
        return Path(self.path).name

    def card(self) -> BackendCard:
        """Everything that changes answers; of a folder its content and not its place."""
        pinned = hashed(self.folder) if self.folder else self.revision
        settings = {"temperature": self.temperature, "dtype": self.dtype, "revision": pinned}
        return BackendCard("hf", self.model, settings)

    def choose(self, requests: Sequence[ChoiceRequest]) -> list[ChoiceReply]:
        """The likeliest option of each. Raises Refused for a prompt that is longer than the model's context."""
        with single_threaded():
            return [self._reply(request) for request in requests]

    def _reply(self, request: ChoiceRequest) -> ChoiceReply:
        scores, asked = self.scores(request)
        index = int(scores.argmax())
        if self.temperature:
            chances = np.exp((scores - scores.max()) / self.temperature)
            draw = np.random.default_rng(derive(request.seed, "option", request.key)).random()
            index = int((np.cumsum(chances / chances.sum()) <= draw).sum().clip(max=len(scores) - 1))
        return ChoiceReply(index, str(index + 1), Usage(asked, 0), "scores", self.model)

    def scores(self, request: ChoiceRequest) -> tuple[Scores, int]:
        """Log-likelihood in nats of every option's number with the answer's end; and the prompt's tokens."""
        model, words = self._loaded()
        prompt = words(rendered(words, request, self.model), add_special_tokens=False)["input_ids"]
        ends = [words.eos_token_id] if words.eos_token_id is not None else []
        answers = [
            [*words(str(number), add_special_tokens=False)["input_ids"], *ends]
            for number in range(1, len(request.options) + 1)
        ]
        most = self.context or getattr(model.config, "max_position_embeddings", None)
        longest = len(prompt) + max(map(len, answers))
        if most is not None and longest > most:
            raise Refused(f"{self.model}: prompt and answer have {longest} tokens; its context holds {most}")
        return _scored(model, prompt, answers), len(prompt)

    def _loaded(self) -> tuple[Any, Any]:
        return _load(
            str(self.folder or self.path), self.card().settings["revision"], self.revision, self.dtype, self.device
        )


def rendered(words: Any, request: ChoiceRequest, name: str) -> str:
    """The prompt as the model's chat template has it; without a template, plain paragraphs and `Answer: `."""
    messages = [{"role": role, "content": text} for role, text in request.messages]
    if not words.chat_template:
        return "\n\n".join(text for _, text in request.messages) + "\nAnswer: "
    try:
        return str(words.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
    except Exception as error:  # a template may raise what it likes, as some do for system messages
        raise Refused(f"{name}: its chat template refuses a system and a user message: {error}") from None


def _scored(model: Any, prompt: list[int], answers: list[list[int]]) -> Scores:
    """One pass over the prompt, one over all answers behind it."""
    import torch

    width = max(map(len, answers))
    tokens = torch.tensor([[*answer, *[0] * (width - len(answer))] for answer in answers], device=model.device)
    with torch.inference_mode():
        first = model(torch.tensor([prompt], device=model.device), use_cache=True)
        cache = first.cache
        cache.batch_repeat_interleave(len(answers))
        more = model(tokens[:, :-1], cache=cache).logits if width > 1 else None
    rows = first.logits[:, -1:].expand(len(answers), -1, -1)
    logits = (rows if more is None else torch.cat([rows, more], dim=1)).double()
    found = logits.log_softmax(dim=-1).gather(2, tokens[..., None])[..., 0].cpu().numpy()
    return np.array([row[: len(answer)].sum() for row, answer in zip(found, answers, strict=True)])


@lru_cache(maxsize=1)
def _load(place: str, found: str, wanted: str, dtype: str, device: str) -> tuple[Any, Any]:
    """Model and tokenizer. Raises Refused where packages are missing, or the folder is not the one that is meant."""
    try:
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging
    except ImportError:
        raise Refused("a local language model needs transformers: pip install 'crossplay[llm-local]'") from None
    logging.disable_progress_bar()
    local = Path(place).is_dir()
    if local and wanted and found != wanted:
        raise Refused(f"{place} has SHA-256 {found[:12]}…; revision = {wanted[:12]}… is wanted")
    safe: dict[str, Any] = {"trust_remote_code": False, "local_files_only": local}
    if not local:
        safe["revision"] = wanted
    try:
        words = AutoTokenizer.from_pretrained(place, **safe)
        model: Any = AutoModelForCausalLM.from_pretrained(place, dtype=DTYPES[dtype], use_safetensors=True, **safe)
    except (OSError, ValueError) as error:
        raise Refused(f"{place}: no causal language model that can be loaded: {str(error).splitlines()[0]}") from None
    return model.to(device).eval(), words


def fixture(folder: Path | None) -> bool:
    """Whether a model's folder says that it was trained here for tests."""
    import json

    try:
        table = json.loads((folder / "config.json").read_text(encoding="utf-8")) if folder else {}
    except ValueError:
        return False
    return isinstance(table, dict) and table.get("crossplay_fixture") == FIXTURE
