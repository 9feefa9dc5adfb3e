"""A tokenizer of printable characters for models that are trained here from nothing; `####` is one token."""

import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

SPECIAL = ("<pad>", "<eos>", "<unk>", "####")
CHARACTERS = "\n " + string.digits + string.ascii_letters + string.punctuation


def tokenizer() -> "PreTrainedTokenizerFast":
    """As a transformers tokenizer, so that it is saved and loaded as those of large models are."""
    from tokenizers import Regex, Tokenizer
    from tokenizers.decoders import Fuse
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Split
    from transformers import PreTrainedTokenizerFast

    numbered = {token: number for number, token in enumerate((*SPECIAL, *CHARACTERS))}
    inner = Tokenizer(WordLevel(numbered, unk_token="<unk>"))
    inner.pre_tokenizer = Split(Regex(r"####|[\s\S]"), behavior="isolated")
    inner.decoder = Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        pad_token="<pad>",
        eos_token="<eos>",
        unk_token="<unk>",
        clean_up_tokenization_spaces=False,
    )
