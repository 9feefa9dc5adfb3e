"""Tapes: every answer of a model, once, as JSON lines. A match that a model played is replayed from its tape alone."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from crossplay.benchmark.config import canonical, config
from crossplay.benchmark.errors import Refused
from crossplay.populations.llm.backend import BackendCard, ChoiceReply, ChoiceRequest, Exhausted, TextBackend, Usage

FORMAT = 1
_FIELDS = tuple(field.name for field in fields(ChoiceReply))


def _line(request: ChoiceRequest, reply: ChoiceReply) -> str:
    table = {**asdict(reply), "usage": list(reply.usage), "options": list(request.options)}
    return canonical({"key": request.key, "situation": request.messages[-1][1], **table})


def _header(card: BackendCard, about: dict[str, Any]) -> str:
    return canonical({"tape": FORMAT, "backend": card._asdict(), "about": about})


def read(path: Path) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """(header, key → entry). Raises Refused naming the line that is broken, twice there, or no answer."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path}: the tape cannot be read: {error}") from None
    header: dict[str, Any] = {}
    entries: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(lines, 1):
        entry = _entry(line, f"{path}, line {number}")
        if number == 1:
            header = entry
        elif entry.get("key") in entries:
            raise Refused(f"{path}, line {number}: the request {entry['key'][:12]}… is answered twice")
        else:
            _check(entry, f"{path}, line {number}")
            entries[entry["key"]] = entry
    if header.get("tape") != FORMAT:
        raise Refused(f"{path}: not a tape of format {FORMAT}: its first line has tape = {header.get('tape')!r}")
    return header, entries


def _entry(line: str, where: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError as error:
        raise Refused(f"{where}: not valid JSON: {error}") from None
    if not isinstance(entry, dict):
        raise Refused(f"{where}: wanted a JSON object; given {type(entry).__name__}")
    return entry


def _check(entry: dict[str, Any], where: str) -> None:
    missing = sorted({"key", "options", *_FIELDS} - set(entry))
    if missing:
        raise Refused(f"{where}: lacks {', '.join(missing)}")
    index, count = entry["index"], len(entry["options"])
    if index is not None and not (isinstance(index, int) and 0 <= index < count):
        raise Refused(f"{where}: index {index!r} given; there are {count} options")


def _reply(entry: dict[str, Any]) -> ChoiceReply:
    return ChoiceReply(**{**{name: entry[name] for name in _FIELDS}, "usage": Usage(*entry["usage"])})


@config
class TapeBackend:
    """Answers from a tape and from nowhere else."""

    path: Path

    @cached_property
    def _tape(self) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        return read(self.path)

    def choose(self, requests: Sequence[ChoiceRequest]) -> list[ChoiceReply]:
        """The recorded replies. Raises Refused for a request that was never recorded, or not with these options."""
        for request in requests:
            if request.key not in self._tape[1]:
                raise Refused(
                    f"{self.path}: no answer to request {request.key[:12]}…, one of {len(requests)}; "
                    f"{len(self._tape[1])} are recorded, and none for: {request.messages[-1][1].splitlines()[0]}"
                )
            if (given := self._tape[1][request.key]["options"]) != list(request.options):
                raise Refused(
                    f"{self.path}: the tape was altered: request {request.key[:12]}… has options "
                    f"{list(request.options)}, and is answered for {given}"
                )
        return [_reply(self._tape[1][request.key]) for request in requests]

    def card(self) -> BackendCard:
        """What was recorded."""
        return BackendCard(**self._tape[0]["backend"])

    @property
    def about(self) -> dict[str, Any]:
        """What the recording was of."""
        return dict(self._tape[0]["about"])


class Recording:
    """A backend that asks every question once, and writes each answer to a tape before it is used.

    Any number of processes may record on one tape: a question that another one asks right now is waited for.
    """

    def __init__(self, inner: TextBackend, path: Path, about: dict[str, Any]) -> None:
        """Goes on with the tape at `path`, or begins one. Raises Refused where that one is of something else."""
        self.inner, self.path, self.known = inner, path, dict[str, ChoiceReply]()
        self._read = 0  # bytes of the tape that are known
        header = _header(inner.card(), about)
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path, "end", [0]):
            if not path.is_file() or not path.stat().st_size:
                path.write_text(header + "\n", encoding="utf-8")
            _mend(path)
            known, entries = read(path)
            self._read = path.stat().st_size
        if canonical(known) != header:
            raise Refused(f"{path}: the tape is of {canonical(known)[:200]}; wanted {header[:200]}")
        self.known.update((key, _reply(entry)) for key, entry in entries.items())

    def choose(self, requests: Sequence[ChoiceRequest]) -> list[ChoiceReply]:
        """Recorded replies, and new ones in one call of the inner backend. Raises what that raises."""
        if new := {request.key: request for request in requests if request.key not in self.known}:
            with _locked(self.path, "asked", {int(key[:12], 16) for key in new}):
                self._ask(new)
        return [self.known[request.key] for request in requests]

    def _ask(self, wanted: dict[str, ChoiceRequest]) -> None:
        """Asks what nobody else has asked meanwhile."""
        self._add(())
        new = [request for key, request in wanted.items() if key not in self.known]
        try:
            self._add(list(zip(new, self.inner.choose(new) if new else [], strict=True)))
        except Exhausted as spent:
            self._add(spent.had)
            raise

    def _add(self, answered: Iterable[tuple[ChoiceRequest, ChoiceReply]]) -> None:
        """Reads what others have added, and writes these answers behind it."""
        with _locked(self.path, "end", [0]):
            _mend(self.path)
            with self.path.open("r+b") as tape:
                tape.seek(self._read)
                for line in tape.read().decode().splitlines():
                    entry = _entry(line, str(self.path))
                    self.known[entry["key"]] = _reply(entry)
                for request, reply in answered:
                    tape.write(f"{_line(request, reply)}\n".encode())
                    self.known[request.key] = reply
                self._read = tape.tell()

    def card(self) -> BackendCard:
        """The inner one's."""
        return self.inner.card()


@contextmanager
def _locked(path: Path, what: str, places: Iterable[int]) -> Iterator[None]:
    """Holds locks on numbered places, which the system lets go of if this process dies.

    What is nested goes by another `what`, a file of its own: closing one lets go of all locks on that file.
    """
    try:
        import fcntl
    except ImportError:
        raise Refused(f"{path}: recording needs the file locks of Linux or macOS; replaying does not") from None
    with path.with_name(f".{path.name}.{what}").open("a") as file:
        for place in sorted(places):  # in one order, so that nobody waits for who waits for it
            fcntl.lockf(file, fcntl.LOCK_EX, 1, place)
        yield


def _mend(path: Path) -> None:
    """Takes off the half line that a killed run may have left at the end: its question will be asked again."""
    with path.open("r+b") as tape:
        size = tape.seek(0, 2)
        tape.seek(max(0, size - 1))
        if size and tape.read(1) != b"\n":
            tape.seek(0)
            tape.truncate(tape.read().rfind(b"\n") + 1)


def tidied(path: Path) -> bytes:
    """A tape's content with its answers in the order of their keys: equal answers make equal tapes."""
    header, entries = read(path)
    lines = [canonical(header), *(canonical(entries[key]) for key in sorted(entries))]
    return "".join(f"{line}\n" for line in lines).encode()


def stats(path: Path) -> dict[str, Any]:
    """What a tape says of its model: answers, shares that needed a second question or fell back, tokens, models."""
    _, entries = read(path)
    replies = [_reply(entry) for entry in entries.values()]
    count = len(replies)
    return {
        "answers": count,
        "repaired": sum(reply.repaired for reply in replies) / count if count else None,
        "fallback": sum(reply.index is None for reply in replies) / count if count else None,
        "calls": sum(reply.attempts for reply in replies),
        "prompt_tokens": sum(reply.usage.prompt for reply in replies),
        "completion_tokens": sum(reply.usage.completion for reply in replies),
        "models": dict(Counter(reply.model_reported for reply in replies)),
        "rungs": dict(Counter(reply.rung for reply in replies)),
    }
