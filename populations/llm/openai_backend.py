"""Any OpenAI-compatible endpoint as a backend: OpenAI, vLLM, Ollama, llama.cpp, `transformers serve`, proxies.

The key is named by an environment variable and read when it is sent; it is in no card, tape or message. A constrained
answer is asked for first as vLLM's choice, then as a JSON schema, then in plain text, as far as the server goes along.
"""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from math import inf
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.populations.llm.answers import REPAIR, option
from crossplay.populations.llm.backend import RAW, BackendCard, ChoiceReply, ChoiceRequest, Exhausted, Usage

Rung = Literal["choice", "schema", "plain"]
LOOPBACK = ("localhost", "127.0.0.1", "::1")
HIDDEN = "[key]"
PLACE = "OPENAI_BASE_URL"
LONGEST = 60.0  # seconds waited between two attempts at most, whatever the server says

MINUTE = 60.0
_GIVEN_UP: dict[str, float] = {}  # base_url → when, on this process's clock


@config
class OpenAIBackend:
    """One model at one endpoint. Plain http is for this machine only, unless `plain_http` says that it is meant."""

    base_url: str = ""  # empty: what OPENAI_BASE_URL says, so that the endpoint is no part of who plays
    model: str = Field(min_length=1)
    key_env: str = "OPENAI_API_KEY"  # empty: the server wants no key
    rungs: tuple[Rung, ...] = Field(default=("plain",), min_length=1)  # tried in this order
    temperature: NonNegativeFloat = 0.0
    max_tokens: PositiveInt = 16
    timeout: PositiveFloat = 60.0  # seconds a call
    retries: NonNegativeInt = 4  # of one question, where the server fails
    pause: NonNegativeFloat = 1.0  # seconds before the first retry, doubled each time
    parallel: PositiveInt = 8  # calls at a time
    plain_http: bool = False

    @model_validator(mode="after")
    def _safe(self) -> "OpenAIBackend":
        if self.base_url:
            self._check(self.base_url)
        return self

    def _check(self, base_url: str) -> None:
        url = urlsplit(base_url)
        if url.scheme not in ("http", "https") or not url.hostname or url.username or url.password:
            raise ValueError("base_url: wanted https://host/v1, without a name or password in it")
        if url.scheme == "http" and url.hostname not in LOOPBACK and not self.plain_http:
            raise ValueError("base_url: http sends the key for all to read; use https, or set plain_http = true")

    @property
    def url(self) -> str:
        """Where it is asked. Raises Refused where nobody says."""
        url = self.base_url or os.environ.get(PLACE, "")
        if not url:
            raise Refused(f"{self.model}: no base_url given, and the environment variable {PLACE} is not set")
        try:
            self._check(url)
        except ValueError as error:
            raise Refused(f"{PLACE}: {error}") from None
        return url

    def card(self) -> BackendCard:
        """Everything that changes answers."""
        settings = {"temperature": self.temperature, "max_tokens": self.max_tokens, "rungs": list(self.rungs)}
        return BackendCard("openai", self.model, settings)

    def choose(self, requests: Sequence[ChoiceRequest]) -> list[ChoiceReply]:
        """Asks all requests, several at a time. Raises Exhausted where one cannot be answered after all retries."""
        if self.key_env and not self.key:
            raise Refused(f"{self.model}: the environment variable {self.key_env} holds no key")
        with ThreadPoolExecutor(min(self.parallel, len(requests) or 1)) as pool:
            answers = [pool.submit(self._choose, request) for request in requests]
        try:
            return [answer.result() for answer in answers]
        except Exhausted as spent:
            pairs = zip(requests, answers, strict=True)
            spent.had = tuple((request, answer.result()) for request, answer in pairs if not answer.exception())
            raise

    def write(self, messages: Sequence[tuple[str, str]], seed: int) -> tuple[str, str]:
        """Any text in answer to messages of (role, text), the key taken out, and the model as reported."""
        call = _Call(self, ChoiceRequest(tuple(messages), (), seed))
        text = call.ask([{"role": role, "content": content} for role, content in messages])
        return self.hidden(text), call.reported

    @property
    def key(self) -> str:
        """The key, from the environment."""
        return os.environ.get(self.key_env, "") if self.key_env else ""

    def hidden(self, text: str) -> str:
        """A text without the key."""
        return text.replace(self.key, HIDDEN) if self.key else text

    def _choose(self, request: ChoiceRequest) -> ChoiceReply:
        """One answer; where it names no option, one second question."""
        messages = [{"role": role, "content": text} for role, text in request.messages]
        call = _Call(self, request)
        text = call.ask(messages)
        index, repaired = option(text, request.options), False
        if index is None:
            repaired = True
            again = REPAIR.format(count=len(request.options))
            text = call.ask(
                [*messages, {"role": "assistant", "content": text[:RAW]}, {"role": "user", "content": again}]
            )
            index = option(text, request.options)
        error = "" if index is not None else f"no option in the answer, asked twice; wanted 1 to {len(request.options)}"
        raw = self.hidden(text[:RAW])
        return ChoiceReply(index, raw, call.usage, call.rung, call.reported, call.attempts, repaired, error)


class _Call:
    """One question with its retries, and what they used."""

    def __init__(self, backend: OpenAIBackend, request: ChoiceRequest) -> None:
        self.backend, self.request = backend, request
        self.usage, self.attempts, self.reported = Usage(), 0, ""
        self.left = list(backend.rungs)

    @property
    def rung(self) -> str:
        return self.left[0]

    def ask(self, messages: list[dict[str, str]]) -> str:
        """The answer's text. Raises Exhausted with the last fault, the key taken out of it.

        Whoever was given up is asked once only for a minute: else every match there is would wait for all retries.
        """
        openai, retry, url = _sdk(), 0, self.backend.url
        retries = self.backend.retries if time.monotonic() > _GIVEN_UP.get(url, -inf) + MINUTE else 0
        while True:
            try:
                text = self._once(messages)
                _GIVEN_UP.pop(url, None)
                return text
            except openai.BadRequestError as error:
                if len(self.left) == 1:
                    raise Refused(self._told(error)) from None
                self.left.pop(0)
            except (openai.AuthenticationError, openai.PermissionDeniedError, openai.NotFoundError) as error:
                raise Refused(self._told(error)) from None
            except (openai.APIError, ValueError) as error:  # ValueError: a body that is no JSON
                if retry == retries:
                    _GIVEN_UP[url] = time.monotonic()
                    raise Exhausted(f"{self._told(error)}; given up after {self.attempts} attempts") from None
                time.sleep(self._wait(error, retry))
                retry += 1

    def _once(self, messages: list[dict[str, str]]) -> str:
        backend = self.backend
        self.attempts += 1
        client = _client(backend.url, backend.key or "none", backend.timeout)
        answer = client.chat.completions.create(
            model=backend.model,
            messages=messages,
            temperature=backend.temperature,
            max_tokens=backend.max_tokens,
            seed=self.request.seed,
            **_constraint(self.rung, self.request.options),
        )
        if not getattr(answer, "choices", None) or answer.choices[0].message is None:
            raise ValueError("the answer holds no message")
        self._note(answer)
        return answer.choices[0].message.content or ""

    def _note(self, answer: Any) -> None:
        """Adds up tokens. Raises Refused where another model answers than was asked."""
        self.reported = str(answer.model or "")
        if not self.reported.startswith(self.backend.model):
            raise Refused(f"asked for model {self.backend.model!r}; {self.reported!r} answers")
        used = answer.usage
        if used:
            self.usage = Usage(self.usage.prompt + used.prompt_tokens, self.usage.completion + used.completion_tokens)

    def _wait(self, error: Exception, retry: int) -> float:
        """Seconds until the next attempt: what the server asks for, else twice as long each time."""
        headers = getattr(getattr(error, "response", None), "headers", None) or {}
        try:
            asked = float(headers.get("retry-after", ""))
        except ValueError:
            asked = self.backend.pause * 2**retry
        return min(max(asked, 0.0), LONGEST)

    def _told(self, error: Exception) -> str:
        text = f"{self.backend.model} at {self.backend.url}: {type(error).__name__}: {error}"
        return self.backend.hidden(text)[:500]


def _constraint(rung: str, options: tuple[str, ...]) -> dict[str, Any]:
    """What keeps an answer to the options, in the words of a rung."""
    numbers = [str(number) for number in range(1, len(options) + 1)]
    if rung == "choice":
        return {"extra_body": {"structured_outputs": {"choice": numbers}}}
    if rung == "schema":
        one = {"option": {"type": "integer", "enum": list(range(1, len(options) + 1))}}
        schema = {"type": "object", "properties": one, "required": ["option"], "additionalProperties": False}
        return {"response_format": {"type": "json_schema", "json_schema": {"name": "choice", "schema": schema}}}
    return {}


@cache
def _client(base_url: str, key: str, timeout: float) -> Any:
    return _sdk().OpenAI(base_url=base_url, api_key=key, timeout=timeout, max_retries=0)


def _sdk() -> Any:
    """The package openai, which takes two seconds to load."""
    try:
        import openai
    except ImportError:
        raise Refused("a live language model needs the package openai: install crossplay[llm]") from None
    return openai
