"""`gsm8k`: grade-school word problems [Cobbe2021] from files the user has; nothing is downloaded.

The folder in the environment variable CROSSPLAY_GSM8K holds train.jsonl and test.jsonl, or .parquet files of the same
names, with `question` and `answer`, the answer ending in `#### number`. A path is no part of what a game is, so it is
no field: the files' SHA-256 is in the game's name instead.
"""

import json
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from crossplay.benchmark.config import sha256
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.debate.question import Parts, Question, split
from crossplay.benchmark.games.debate.scoring import last_answer

PLACE = "CROSSPLAY_GSM8K"
WANTED = "wanted a folder with train.jsonl and test.jsonl (or .parquet) of `question` and `answer`"


def folder() -> Path:
    """The folder the user named. Raises Refused where there is none."""
    given = os.environ.get(PLACE, "")
    if not given:
        raise Refused(f"gsm8k: set {PLACE}; {WANTED}")
    if not Path(given).is_dir():
        raise Refused(f"gsm8k: {PLACE}={given} is not a folder; {WANTED}")
    return Path(given)


def gsm8k() -> Parts:
    """Both parts. Raises Refused naming the file, the line and the field that is not as wanted."""
    root = folder()
    return Parts(*(_read(_file(root, part)) for part in ("train", "test")))


def mark() -> str:
    """Eight hexadecimal digits of the SHA-256 over both files' questions and answers, whatever their format."""
    return sha256(json.dumps(gsm8k()))[:8]


def _file(root: Path, part: str) -> Path:
    for ending in ("jsonl", "parquet"):
        if (root / f"{part}.{ending}").is_file():
            return root / f"{part}.{ending}"
    there = ", ".join(sorted(path.name for path in root.iterdir())[:5]) or "nothing"
    raise Refused(f"gsm8k: {root} has no {part}.jsonl and no {part}.parquet; there is {there}")


def _read(path: Path) -> tuple[Question, ...]:
    return _parsed(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _parsed(path: Path, changed: int) -> tuple[Question, ...]:
    found = tuple(_question(row, f"{path}: row {number}") for number, row in enumerate(_rows(path), 1))
    if not found:
        raise Refused(f"{path}: no question in it")
    return found


def _rows(path: Path) -> Iterator[Any]:
    if path.suffix == ".parquet":
        import pyarrow.parquet as parquet

        yield from parquet.read_table(path).to_pylist()
        return
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise Refused(f"{path}: not UTF-8: {error}") from None
    for number, line in enumerate(lines, 1):
        try:
            yield json.loads(line)
        except ValueError as error:
            raise Refused(f"{path}: line {number} is not JSON: {error}") from None


def _question(row: Any, where: str) -> Question:
    if not isinstance(row, dict):
        raise Refused(f"{where}: a {type(row).__name__}, wanted an object with `question` and `answer`")
    for field in ("question", "answer"):
        if not isinstance(row.get(field), str) or not row[field].strip():
            raise Refused(
                f"{where}: {field!r} is {row.get(field)!r}, wanted a text; fields: {', '.join(row) or 'none'}"
            )
    answer = last_answer(row["answer"])
    if answer is None:
        raise Refused(f"{where}: `answer` must end in '#### number'; ends in {row['answer'][-30:]!r}")
    return split(row["question"], answer)
