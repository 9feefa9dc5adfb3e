"""The frozen base: a model folder the user has, or a tiny model that is trained here.

Both are loaded by AutoModelForCausalLM and from tokenizer.json in a folder, so there is one code path at both scales. A
folder's place is no part of what an agent is: a base goes by its name below CROSSPLAY_MODELS, and by its SHA-256.
"""

import hashlib
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field

from crossplay.agents.llm.tokens import tokenizer
from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused, unknown

PLACE = "CROSSPLAY_MODELS"
HASHED = ("config.json", "tokenizer.json", "*.safetensors")
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@config
class Tiny:
    """A Qwen2 of about 0.2 million parameters, from nothing. A fixture, not an LLM."""

    hidden: int = Field(default=96, ge=8, multiple_of=8)
    inner: int = Field(default=288, ge=8)
    layers: int = Field(default=2, ge=1)
    heads: int = Field(default=4, ge=2, multiple_of=2)


@config
class Lora:
    """Low-rank adapters on every linear layer [Hu2022]."""

    rank: int = Field(default=8, ge=1)
    alpha: int = Field(default=16, ge=1)


@config
class Place:
    """Which base an agent stands on."""

    name: str = Field(default="", pattern=r"^[\w./-]*$")  # of a folder below CROSSPLAY_MODELS; empty: the card's own
    sha256: str = ""  # of its weights, config and tokenizer
    dtype: Literal["float32", "bfloat16"] = "float32"


def needed() -> None:
    """Raises Refused where the packages that models need are not installed."""
    missing = [name for name in ("transformers", "peft", "tokenizers") if find_spec(name) is None]
    if missing:
        raise Refused(f"language models need {', '.join(missing)}: pip install 'crossplay[llm-local]'")


def located(name: str) -> Path:
    """The folder of a named base. Raises Refused with the nearest name where there is none."""
    root = os.environ.get(PLACE, "")
    if not root or not Path(root).is_dir():
        raise Refused(f"base {name!r}: set {PLACE} to the folder that holds model folders; it is {root!r}")
    path = Path(root) / name
    if not (path / "config.json").is_file():
        raise unknown(f"model below {PLACE}", name, [found.parent.name for found in Path(root).glob("*/config.json")])
    if not list(path.glob("*.safetensors")):
        raise Refused(f"{path}: no .safetensors file; other formats of weights are not read")
    return path


def hashed(folder: Path) -> str:
    """SHA-256 over a model folder's config, tokenizer and weights, in the order of their names."""
    found = sorted(path for pattern in HASHED for path in folder.glob(pattern) if path.name != "adapters.safetensors")
    return _hash(tuple((path, path.stat().st_mtime_ns) for path in found))


@lru_cache(maxsize=32)
def _hash(files: tuple[tuple[Path, int], ...]) -> str:
    total = hashlib.sha256()
    for path, _ in files:
        with path.open("rb") as file:
            total.update(f"{path.name}\n{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()


@contextmanager
def own_luck(seed: int) -> Iterator[None]:
    """Libraries initialise weights from torch's global generator: here it is lent a seed, and put back."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of peft about transformers: nothing of ours
        torch.manual_seed(seed)
        yield


def tiny_model(shape: Tiny, seed: int) -> tuple[Any, Any]:
    """A fresh model and its tokenizer."""
    needed()
    from transformers import AutoModelForCausalLM, Qwen2Config

    words = tokenizer()
    with own_luck(seed):
        settings = Qwen2Config(
            vocab_size=len(words),
            hidden_size=shape.hidden,
            intermediate_size=shape.inner,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.heads // 2,
            initializer_range=0.1,  # 0.02 is for thousands of dimensions: here it learns nothing for minutes
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=words.eos_token_id,
            pad_token_id=words.pad_token_id,
        )
        return AutoModelForCausalLM.from_config(settings), words


def as_files(model: Any, words: Any) -> dict[str, bytes]:
    """A model and its tokenizer as the files of a folder."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        words.save_pretrained(folder)
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir()) if path.is_file()}


def load(folder: Path, dtype: str = "float32", device: str = "cpu") -> tuple[Any, Any]:
    """Model and tokenizer of a folder; nothing is downloaded, nothing in the folder is run."""
    needed()
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
    from transformers.utils import logging

    logging.disable_progress_bar()
    safe: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=DTYPES[dtype], use_safetensors=True, **safe)
    words = PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)  # AutoTokenizer rewrites it by model
    if words.pad_token_id is None:
        words.pad_token = words.eos_token
    return model.to(device).eval(), words
