"""What the report's pages show, as plain tables and numbers; everything is read from a results folder."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from crossplay.benchmark.card import Card
from crossplay.leaderboard.board import Board
from crossplay.leaderboard.heatmap import Matrix
from crossplay.leaderboard.measures import mean_return
from crossplay.leaderboard.metrics import METRICS
from crossplay.leaderboard.placed import placed
from crossplay.leaderboard.publish import Played
from crossplay.leaderboard.report.groups import groups, parts, said
from crossplay.leaderboard.table import (
    SCORE_DIGITS,
    captions,
    decimals,
    footnotes,
    four_digits,
    shown,
    shown_ranks,
)

Table = dict[str, Any]
TITLES = {
    "score": "score",
    "br_prox": "BR-Prox",
    "mean": "mean",
    "iqm": "IQM",
    "cvar20": "CVaR₂₀",
    "worst_partner": "worst",
    "self_play": "self",
    "gap": "gap",
    "free_riding": "riding",
}


def columns(board: Board) -> list[Table]:
    """The board's columns of numbers: key, title, what it is, and how many decimals it has."""
    names = [name for name in TITLES if _has(board, name)]
    return [
        {
            "key": name,
            "title": TITLES[name],
            "digits": _digits(board, name),
            "interval": name == board.headline,
            "said": said(METRICS[name]),
        }
        for name in names
    ]


def _has(board: Board, name: str) -> bool:
    if name in ("score", "br_prox"):
        return board.headline == "score"
    return name != "free_riding" or board.costs


def _digits(board: Board, name: str) -> int:
    if name in ("score", "br_prox", "family_score", "retention"):
        return SCORE_DIGITS
    if name == "free_riding":
        return four_digits(row.free_riding for row in board.rows)
    return decimals(board)


def board_table(board: Board) -> Table:
    """One board: rows with every number both exact, for sorting, and as shown; bars for the headline's interval."""
    marks, shape = footnotes(board), columns(board)
    ends = [
        value for row in board.rows for value in (_low(board, row), _high(board, row), getattr(row, board.headline))
    ]
    known = [value for value in ends if value is not None]
    low, high = (min(0.0, *known), max(known)) if known else (0.0, 1.0)
    span = (high - low) or 1.0

    def bar(value: float | None) -> float | None:
        return None if value is None else round(100 * (value - low) / span, 2)

    rows = [
        {
            **asdict(row),
            "ranks": shown_ranks(row),
            "shown": {c["key"]: shown(getattr(row, c["key"]), c["digits"]) for c in shape},
            "span": [
                shown(end, SCORE_DIGITS if board.headline == "score" else decimals(board)) for end in _ends(board, row)
            ],
            "bar": [bar(_low(board, row)), bar(getattr(row, board.headline)), bar(_high(board, row))],
            "marks": [marks[note] for note in row.notes],
            "sure": {name: _sure(board, name, ends) for name, ends in row.intervals.items()},
            "part": {name: shown(value, _digits(board, name.partition(":")[0])) for name, value in parts(row)},
            "parts": dict(parts(row)),
        }
        for row in board.rows
    ]
    return {
        "game": board.game,
        "unit": board.unit,
        "headline": board.headline,
        "columns": shape,
        "rows": rows,
        "groups": [group for group in groups(board) if group["names"]],
        "captions": captions(board),
        "notes": [{"number": number, "text": text} for text, number in marks.items()],
    }


def _sure(board: Board, name: str, ends: Sequence[float | None]) -> str:
    digits = _digits(board, name.partition(":")[0])
    return " … ".join(shown(end, digits) for end in ends)


def _ends(board: Board, row: Any) -> tuple[float | None, float | None]:
    return _low(board, row), _high(board, row)


def _low(board: Board, row: Any) -> float | None:
    return row.score_low if board.headline == "score" else row.low


def _high(board: Board, row: Any) -> float | None:
    return row.score_high if board.headline == "score" else row.high


def heat(played: Played, matrix: Matrix, replays: Sequence[str]) -> Table:
    """The heatmap: groups, values, and of every cell what each seat earned, with its standard error over episodes."""
    where = placed(played.roster.game, played.fixtures)

    def seats(ego: str, partner: str) -> list[list[float] | None]:
        pairings = [where.get((ego, partner, seat)) for seat in range(played.roster.seats)]
        return [_paid(played, pairing) for pairing in pairings if pairing]

    return {
        "unit": matrix.unit,
        "rows": list(matrix.rows),
        "row_groups": [group._asdict() for group in matrix.row_groups],
        "columns": list(matrix.columns),
        "column_groups": [group._asdict() for group in matrix.column_groups],
        "values": [[None if np.isnan(v) else round(v, 4) for v in row] for row in matrix.values.tolist()],
        "seats": [[seats(ego, partner) for partner in matrix.columns] for ego in matrix.rows],
        "replays": list(replays),
    }


def _paid(played: Played, pairing: Any) -> list[float] | None:
    result = played.results.get(pairing.key)
    if result is None:
        return None
    each = result.returns.returns.mean(axis=1)
    error = float(each.std(ddof=1) / np.sqrt(len(each))) if len(each) > 1 else 0.0
    return [round(mean_return(result.returns), 3), round(error, 3), len(each)]


def partners(played: Played, matrix: Matrix) -> list[Table]:
    """Every held-out partner: where it comes from, its bounds, and what each entry earns with it, best first."""
    found = []
    for card in sorted(played.roster.held_out, key=lambda card: (card.family, card.name)):
        column = matrix.values[:, matrix.columns.index(card.name)]
        earned = [
            {"entry": group.label, "value": _whole(column[group.start : group.stop])} for group in matrix.row_groups
        ]
        bounds = [
            row for row in (played.roster.bounds.rows if played.roster.bounds else ()) if row.partner == card.name
        ]
        found.append(
            {
                "name": card.name,
                "family": card.family,
                "earned": sorted(earned, key=_earned, reverse=True),
                "bounds": [asdict(row) for row in bounds],
                **provenance(card),
            }
        )
    return found


def _earned(one: Table) -> float:
    """For sorting: what is not known counts as least."""
    return -np.inf if one["value"] is None else float(one["value"])


def _whole(values: np.ndarray) -> float | None:
    return None if np.isnan(values).any() else float(values.mean())


def entries(played: Played, matrix: Matrix) -> list[Table]:
    """Every entry: its seeds, their curves and provenance, and its returns with held-out partners, worst first."""
    found = []
    for group in matrix.row_groups:
        cards = played.roster.entries[group.label]
        earned = [
            {
                "partner": card.name,
                "family": card.family,
                "value": _whole(matrix.values[group.start : group.stop, matrix.columns.index(card.name)]),
            }
            for card in played.roster.held_out
        ]
        found.append(
            {
                "name": group.label,
                "seeds": [provenance(card) for card in cards],
                "curves": [[point[:2] for point in card.record.get("curve", [])] for card in cards],
                "trainer": cards[0].record.get("trainer"),
                "earned": sorted(earned, key=_earned),
            }
        )
    return found


def provenance(card: Card) -> Table:
    """Where an agent comes from."""
    record = card.record
    return {
        "card": card.name,
        "digest": card.digest,
        "lineage": card.lineage,
        "kind": card.maker["kind"],
        "steps": record.get("steps"),
        "seconds": record.get("seconds"),
        "trained_with": len(card.trained_with),
        "recipe": record.get("recipe", ""),
    }
