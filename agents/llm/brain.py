"""One frozen base with many adapters: who speaks is a name, and no name is the base itself, adapters off."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from crossplay.agents.llm.base import Lora, own_luck

Draw = Callable[[int], Tensor]  # token number → uniform float64 [rows] in [0, 1)


class Spoken(NamedTuple):
    """What a batch of answers was, token by token; the end token is part of an answer."""

    asked: list[list[int]]  # tokens of the prompts
    tokens: Tensor  # int64 [rows, tokens], padded on the right
    mask: Tensor  # bool [rows, tokens]
    logs: Tensor  # float32 [rows, tokens] log-probability of each when it was said
    seen: Tensor  # float32 [rows, hidden] last hidden state at the end of the prompt
    texts: list[str]


class Brain:
    """A base model, its tokenizer and its adapters, on one device."""

    def __init__(self, model: Any, words: Any, lora: Lora, first: str = "agent0") -> None:
        from peft import LoraConfig, get_peft_model

        self._lora = LoraConfig(r=lora.rank, lora_alpha=lora.alpha, target_modules="all-linear", task_type="CAUSAL_LM")
        self.words = words
        with own_luck(0):
            self.model = get_peft_model(model, self._lora, adapter_name=first)
        self.model.eval()
        self.hidden = int(model.config.hidden_size)

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def has(self, name: str) -> bool:
        """Whether there is an adapter of this name."""
        return name in self.model.peft_config

    def add(self, name: str, seed: int = 0, tensors: Mapping[str, Tensor] | None = None) -> None:
        """An adapter that changes nothing yet, its luck from `seed`; or one with these tensors."""
        from peft import set_peft_model_state_dict

        with own_luck(seed):
            self.model.add_adapter(name, self._lora)
        if tensors is not None:
            set_peft_model_state_dict(self.model, dict(tensors), adapter_name=name)

    def tensors(self, name: str) -> dict[str, Tensor]:
        """An adapter's weights, on the CPU."""
        from peft import get_peft_model_state_dict

        found = get_peft_model_state_dict(self.model, adapter_name=name)
        return {key: value.detach().cpu().contiguous().clone() for key, value in found.items()}

    def weights(self, name: str) -> list[Tensor]:
        """What there is to train of an adapter."""
        return [weight for key, weight in self.model.named_parameters() if f".{name}." in key]

    @contextmanager
    def speaking(self, name: str | None) -> Iterator[None]:
        """Inside, `name` speaks; None is the base."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of peft and transformers about each other
            if name is None:
                with self.model.disable_adapter():
                    yield
                return
            self.model.set_adapter(name)
            yield

    def encoded(self, prompts: Sequence[str]) -> list[list[int]]:
        """Prompts as tokens, each a user's message where the tokenizer knows how a chat is written."""
        if not prompts:
            return []
        if getattr(self.words, "chat_template", None):
            chats = [[{"role": "user", "content": prompt}] for prompt in prompts]
            texts = self.words.apply_chat_template(chats, add_generation_prompt=True, tokenize=False)
            return list(self.words(texts, add_special_tokens=False)["input_ids"])
        return list(self.words(list(prompts))["input_ids"])

    @torch.no_grad()
    def say(
        self, prompts: Sequence[str], name: str | None, *, limit: int, draw: Draw | None = None, pad: int = 1
    ) -> Spoken:
        """Answers of at most `limit` tokens: the likeliest tokens, or by `draw` tokens as likely as they are.

        Prompts are padded on the left to a multiple of `pad` tokens.
        """
        asked = self.encoded(prompts)
        ids, mask = self._left(asked, pad)
        said, logs, lives = [], [], []
        with self.speaking(name):
            now = self._step(ids, mask, None, first=True)
            seen = now.hidden_states[-1][:, -1].float()
            alive = torch.ones(len(asked), dtype=torch.bool, device=self.device)
            for number in range(limit):
                token, log = _chosen(now.logits[:, -1].float(), draw(number) if draw else None)
                said.append(torch.where(alive, token, self.words.pad_token_id))
                logs.append(torch.where(alive, log, 0.0))
                mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
                kept, alive = alive, alive & (token != self.words.eos_token_id)
                lives.append(kept)
                if not alive.any() or number == limit - 1:
                    break
                now = self._step(token[:, None], mask, now.cache)
        tokens, mask = torch.stack(said, dim=1), torch.stack(lives, dim=1)
        return Spoken(asked, tokens, mask, torch.stack(logs, dim=1), seen, self._texts(tokens, mask))

    def _texts(self, tokens: Tensor, mask: Tensor) -> list[str]:
        rows = [row[keep].tolist() for row, keep in zip(tokens, mask, strict=True)]
        return [self.words.decode(row, skip_special_tokens=True).strip() for row in rows]

    def _step(self, ids: Tensor, mask: Tensor, past: Any, first: bool = False) -> Any:
        places = (mask.long().cumsum(dim=1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        given = {} if past is None else {"cache": past}
        return self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=places,
            use_cache=True,
            logits_to_keep=1,
            output_hidden_states=first,
            **given,
        )

    def _left(self, asked: Sequence[Sequence[int]], pad: int) -> tuple[Tensor, Tensor]:
        width = -(-max(map(len, asked)) // pad) * pad
        blank = self.words.pad_token_id
        ids = torch.tensor([[blank] * (width - len(row)) + list(row) for row in asked], device=self.device)
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in asked], device=self.device)
        return ids, mask

    def scored(
        self, asked: Sequence[Sequence[int]], tokens: Tensor, mask: Tensor, name: str | None
    ) -> tuple[Tensor, Tensor]:
        """Log-probabilities of said tokens and entropies in nats where they were said, float32 [rows, tokens] each."""
        ids, known = self._left(asked, 1)
        whole, there = torch.cat([ids, tokens], dim=1), torch.cat([known, mask.long()], dim=1)
        places = (there.cumsum(dim=1) - 1).clamp(min=0)
        count = tokens.shape[1]
        with self.speaking(name):
            out = self.model(input_ids=whole, attention_mask=there, position_ids=places, logits_to_keep=count + 1)
        logs = torch.log_softmax(out.logits[:, :-1].float(), dim=-1)
        entropy = -(logs.exp() * logs).sum(dim=-1)
        return logs.gather(2, tokens[..., None])[..., 0], entropy


def _chosen(logits: Tensor, draws: Tensor | None) -> tuple[Tensor, Tensor]:
    """Tokens int64 [rows] and their log-probabilities, from logits float32 [rows, vocabulary]."""
    logs = torch.log_softmax(logits, dim=-1)
    if draws is None:
        token = logits.argmax(dim=-1)
    else:
        below = logs.double().exp().cumsum(dim=-1)
        token = (below <= (draws.to(below.device) * below[:, -1])[:, None]).sum(dim=-1).clamp(max=logits.shape[1] - 1)
    return token, logs.gather(1, token[:, None])[:, 0]
