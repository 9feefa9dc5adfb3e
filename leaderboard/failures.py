"""Matches that an agent broke: kept beside the store, a line of JSON each, so that they are not tried over and over."""

import json
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from crossplay.benchmark.crossplay import PASSING, Failure
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.pairing import Pairing

FAILURES = "failures.jsonl"
Failures = Mapping[str, str]  # match key → what happened


def note(folder: Path, failure: Failure) -> None:
    """Adds a failed match; a reader sees the file with it or without it."""
    pairing = failure.pairing
    line = {"key": pairing.key, "reason": failure.reason, **asdict(pairing), "provenance": failure.provenance}
    _write(folder, [*_lines(folder), json.dumps(line, ensure_ascii=False)])


def read(folder: Path) -> dict[str, str]:
    """What failed, by match key. Raises Refused where the file is not what was written."""
    found = {}
    for number, text in enumerate(_lines(folder), 1):
        try:
            line = json.loads(text)
            found[str(line["key"])] = str(line["reason"])
        except (ValueError, KeyError, TypeError):
            raise Refused(
                f"{folder / FAILURES}, line {number}: not a failed match; delete the line to have it played"
            ) from None
    return found


def forget(folder: Path, egos: Iterable[str]) -> int:
    """Takes out the failures of these agents, by name, so that they are played again; returns how many."""
    read(folder)  # what is broken in it is said in words
    lines, names = _lines(folder), set(egos)
    kept = [line for line in lines if json.loads(line).get("ego") not in names]
    if len(kept) < len(lines):
        _write(folder, kept)
    return len(lines) - len(kept)


def forget_passing(folder: Path) -> int:
    """Takes out the failures that say nothing of an agent, so that they are played again; returns how many."""
    read(folder)
    lines = _lines(folder)
    kept = [line for line in lines if not json.loads(line).get("provenance", {}).get(PASSING)]
    if len(kept) < len(lines):
        _write(folder, kept)
    return len(lines) - len(kept)


def merge(folder: Path, other: Path, played: Container[str]) -> int:
    """Takes over another folder's failures, but for known ones and matches that were `played`; returns how many.

    A match that failed in one place and was played in the other has been played: what was noted of it here goes too.
    """
    known, theirs = read(folder), read(other)
    mine, new = _lines(folder), [line for line in _lines(other) if json.loads(line)["key"] not in known]
    kept = {key: line for line in (*mine, *new) if (key := json.loads(line)["key"]) not in played}
    if list(kept.values()) != mine:
        _write(folder, kept.values())
    return len((theirs.keys() - known.keys()) & kept.keys())


def _lines(folder: Path) -> list[str]:
    path = folder / FAILURES
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _write(folder: Path, lines: Iterable[str]) -> None:
    draft = folder / f".{FAILURES}.draft"
    draft.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    draft.replace(folder / FAILURES)


def told(failures: Failures, pairings: Iterable[Pairing], egos: set[str]) -> tuple[str, ...]:
    """What broke these agents' matches, the most frequent first, as `3 matches: reason`."""
    mine = Counter(_cause(failures[p.key]) for p in pairings if p.ego in egos and p.key in failures)
    return tuple(f"{count} match{'es' if count > 1 else ''}: {reason}" for reason, count in mine.most_common())


def _cause(reason: str) -> str:
    """The reason without the place, `NAME in GAME, seat S, step N: `."""
    place, apart, cause = reason.partition(": ")
    return cause if apart and ", step " in place else reason
