"""Boards as CSV, JSON and Markdown: texts, and the one function that writes them."""

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.match import HARNESS
from crossplay.leaderboard import budgets
from crossplay.leaderboard.board import Board
from crossplay.leaderboard.estimates import COLUMNS, FAMILY, FAMILY_SCORE, RETENTION
from crossplay.leaderboard.metrics import METRICS
from crossplay.leaderboard.row import Row
from crossplay.leaderboard.table import (
    SCORE_DIGITS,
    captions,
    decimals,
    footnotes,
    headers,
    kept,
    numbers,
    scored_families,
    shown,
    shown_rank,
)

PLAIN = (
    "rank",
    "rank_low",
    "rank_high",
    "status",
    "n_seeds",
    "score",
    "score_low",
    "score_high",
    "br_prox",
    "mean",
    "low",
    "high",
    "covers",
    "iqm",
    "worst_partner",
    "worst_partner_name",
    "cvar20",
    "self_play",
    "gap",
    "free_riding",
    "holes",
    "steps",
    "samples_per_hero",
)


def to_json(boards: Sequence[Board], identity: Mapping[str, Any] | None = None) -> str:
    """All boards with full precision, what each metric is, and what the boards are of; null is null."""
    metrics = {
        name: {field: getattr(METRICS[name], field) for field in _DOCS}
        for name in (*COLUMNS, "family", "family_score", "retention")
    }
    content = {
        "harness": HARNESS,
        **({"identity": identity} if identity else {}),
        "metrics": metrics,
        "boards": [asdict(board) for board in boards],
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


_DOCS = ("formula", "axes", "unit", "direction", "source", "covers")


def to_csv(boards: Sequence[Board]) -> str:
    """One line per game and entry, full precision, null empty.

    `family:NAME`, `retention:NOISE` and `family_score:NAME` come last, and then what intervals there are besides the
    mean's and the score's, `COLUMN:low` and `COLUMN:high`.
    """
    families = sorted({family for board in boards for family in board.families})
    scored = sorted({family for board in boards for family in scored_families(board)})
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    noises = list(dict.fromkeys(noise for board in boards for noise in board.noise))
    ends = [*map(FAMILY.__add__, families), *map(RETENTION.__add__, noises), *map(FAMILY_SCORE.__add__, scored)]
    sure = list(dict.fromkeys(name for board in boards for row in board.rows for name in row.intervals))
    sure = [name for name in sure if name not in ("mean", "score")]
    spans = [f"{name}:{end}" for name in sure for end in ("low", "high")]
    writer.writerow(["game", "entry", *PLAIN, "notes", *ends, *spans])
    for board in boards:
        for row in board.rows:
            values = [getattr(row, name) for name in PLAIN]
            means = [row.families.get(family) for family in families]
            means += [row.retention.get(noise) for noise in noises]
            means += [row.family_scores.get(family) for family in scored]
            means += [end for name in sure for end in row.intervals.get(name, (None, None))]
            writer.writerow([board.game, row.entry, *map(_plain, values), "; ".join(row.notes), *map(_plain, means)])
    return file.getvalue()


def to_markdown(boards: Sequence[Board]) -> str:
    """A heading, a table, the captions and the notes for every board."""
    return "\n".join(_section(board) for board in boards)


def save(boards: Sequence[Board], path: Path, identity: Mapping[str, Any] | None = None) -> Path:
    """Writes the boards to a .csv, .json or .md file, whole or not at all; returns the path.

    Raises Refused for any other suffix, or where the place cannot be written.
    """
    forms: dict[str, Callable[[Sequence[Board]], str]] = {
        ".csv": to_csv,
        ".json": partial(to_json, identity=identity),
        ".md": to_markdown,
    }
    if path.suffix not in forms:
        raise Refused(f"cannot write a board to {path.name!r}: its suffix must be one of {', '.join(forms)}")
    draft = path.with_name(f".{path.name}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(forms[path.suffix](boards), encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise Refused(f"cannot write {path}: {error.strerror or error}") from None
    return path


def _plain(value: Any) -> str:
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def _section(board: Board) -> str:
    marks, digits = footnotes(board), decimals(board)
    heads = [
        "#",
        "entry",
        "seeds",
        *headers(board),
        *(escaped(f"{name}, score") for name in scored_families(board)),
        *map(escaped, board.families),
        *map(kept, board.noise),
        "worst with",
        "steps",
        "samples a hero",
    ]
    rule = ["--:", ":--", *["--:"] * (len(heads) - 5), ":--", "--:", "--:"]
    lines = [f"## {board.game}", "", f"In {board.unit}.", "", line(heads), line(rule)]
    lines += [line(_markdown_row(board, row, marks, digits)) for row in board.rows]
    lines += ["", *captions(board)]
    return "\n".join([*lines, *(f"{'' if n > 1 else chr(10)}{n}. {note}" for note, n in marks.items())]) + "\n"


def _markdown_row(board: Board, row: Row, marks: dict[str, int], digits: int) -> list[str]:
    name = escaped(row.entry) + "".join(f" <sup>{marks[note]}</sup>" for note in row.notes)
    means = [shown(row.family_scores.get(name), SCORE_DIGITS) for name in scored_families(board)]
    means += [shown(value, digits) for value in row.families.values()]
    means += [shown(value, SCORE_DIGITS) for value in row.retention.values()]
    costs = [budgets.shown(row.steps), budgets.shown(row.samples_per_hero)]
    worst = shown(None, 0) if row.worst_partner_name is None else escaped(row.worst_partner_name)
    return [shown_rank(row), name, str(row.n_seeds), *numbers(board, row, digits), *means, worst, *costs]


def line(values: Iterable[str]) -> str:
    """A line of a Markdown table."""
    return f"| {' | '.join(values)} |"


def escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|~" else c for c in text)
