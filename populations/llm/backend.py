"""One seam between partners and language models: a batch of choices in, a batch of answers out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from crossplay.benchmark.config import canonical, sha256
from crossplay.benchmark.errors import Outage

RAW = 2048  # most characters of an answer that are kept


class ChoiceRequest(NamedTuple):
    """What a model is asked: messages of (role, text), the options' names, and which sample of its answers is meant."""

    messages: tuple[tuple[str, str], ...]
    options: tuple[str, ...]
    seed: int = 0
    sample_index: int = 0

    @property
    def key(self) -> str:
        """SHA-256 of everything in it: equal requests have one answer."""
        messages = [list(message) for message in self.messages]
        return sha256(canonical([messages, list(self.options), self.seed, self.sample_index]))


class Usage(NamedTuple):
    """Tokens of all attempts at one answer."""

    prompt: int = 0
    completion: int = 0


NO_TOKENS = Usage()


@dataclass(frozen=True)
class ChoiceReply:
    """An answer: the option's index from 0, or None where even a second question brought none, and where it is from."""

    index: int | None
    raw: str = ""  # the last answer's text, at most `RAW` characters
    usage: Usage = NO_TOKENS
    rung: str = "plain"  # how the answer was constrained: choice, schema, plain
    model_reported: str = ""
    attempts: int = 1  # HTTP calls, those that failed included
    repaired: bool = False  # a second question was needed
    error: str = ""  # why there is no index


class BackendCard(NamedTuple):
    """What answers: a kind, the model asked for, and settings that change its answers. Never a key."""

    kind: str
    model: str
    settings: dict[str, Any]


class TextBackend(Protocol):
    """Chooses for a whole batch at once. Raises Exhausted where answers cannot be had."""

    def choose(self, requests: Sequence[ChoiceRequest]) -> list[ChoiceReply]:
        """One reply a request, in order."""
        ...

    def card(self) -> BackendCard:
        """What answers."""
        ...


class Exhausted(Outage):
    """Budget or retries are spent: the match is invalid. `had` are the answers that others of the same batch got."""

    had: tuple[tuple[ChoiceRequest, ChoiceReply], ...] = ()


@dataclass
class Budgeted:
    """A backend that stops before it costs more than it may; prices are in dollars per million tokens."""

    inner: TextBackend
    calls: int | None = None
    tokens: int | None = None
    usd: float | None = None
    prices: tuple[float, float] = (0.0, 0.0)  # prompt, completion
    spent_calls: int = 0
    spent_tokens: int = 0
    spent_usd: float = 0.0

    def choose(self, requests: Sequence[ChoiceRequest]) -> list[ChoiceReply]:
        """Asks, and adds up. Raises Exhausted where a limit is reached, or these calls would pass that of calls."""
        if self.calls is not None and self.spent_calls + len(requests) > self.calls:
            raise Exhausted(f"budget: {self.calls} calls allowed, {self.spent_calls} made, {len(requests)} more wanted")
        for noun, most, spent in (("tokens", self.tokens, self.spent_tokens), ("dollars", self.usd, self.spent_usd)):
            if most is not None and spent >= most:
                raise Exhausted(f"budget: {most} {noun} allowed, {spent:g} spent")
        replies = self.inner.choose(requests)
        self.count(replies)
        return replies

    def count(self, replies: Iterable[ChoiceReply]) -> None:
        """Adds up what these have cost."""
        for reply in replies:
            self.spent_calls += reply.attempts
            self.spent_tokens += sum(reply.usage)
            self.spent_usd += sum(price * count / 1e6 for price, count in zip(self.prices, reply.usage, strict=True))

    def card(self) -> BackendCard:
        """The inner one's: a budget changes no answer."""
        return self.inner.card()
