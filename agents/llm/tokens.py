"""A tokenizer for models that are trained here from nothing: characters, and what all short questions say as one token.

Letter by letter, a question is three times as long and the tiny model does not learn to add within a warm start.
"""

import re
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

SPECIAL = ("<pad>", "<eos>", "<unk>", "####")
PHRASES = ("\nA:", "\nYou: ", "\nPeer: ", "x=", "y=", "z=", "x+y mod 10?", "x+y-z?", "x+y?", ". ")
CHARACTERS = "\n " + string.digits + string.ascii_letters + string.punctuation


def tokenizer() -> "PreTrainedTokenizerFast":
    """As a transformers tokenizer, so that it is saved and loaded as those of large models are."""
    from tokenizers import Regex, Tokenizer
    from tokenizers.decoders import Fuse
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Split
    from transformers import PreTrainedTokenizerFast

    numbered = {token: number for number, token in enumerate((*SPECIAL, *CHARACTERS, *PHRASES))}
    inner = Tokenizer(WordLevel(numbered, unk_token="<unk>"))
    whole = "|".join(re.sub(r"([+?.])", r"\\\1", phrase) for phrase in ("####", *PHRASES))
    inner.pre_tokenizer = Split(Regex(rf"{whole}|[\s\S]"), behavior="isolated")
    inner.decoder = Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        pad_token="<pad>",
        eos_token="<eos>",
        unk_token="<unk>",
        clean_up_tokenization_spaces=False,
    )
