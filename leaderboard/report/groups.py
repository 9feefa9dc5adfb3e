"""What a board says by family and by noise, as tables for the report's pages."""

from typing import Any

from crossplay.leaderboard.board import Board
from crossplay.leaderboard.estimates import FAMILY, FAMILY_SCORE, RETENTION
from crossplay.leaderboard.metrics import METRICS
from crossplay.leaderboard.row import Row
from crossplay.leaderboard.table import BY_FAMILY, kept, scored_families


def said(metric: Any) -> str:
    """A metric in a sentence or two."""
    return f"{metric.__doc__} {metric.formula}; in {metric.unit}, {metric.direction} is better {metric.source}"


def parts(row: Row) -> list[tuple[str, float | None]]:
    """What a row says by family and by noise, under the names of its intervals."""
    kinds = ((FAMILY_SCORE, row.family_scores), (FAMILY, row.families), (RETENTION, row.retention))
    return [(kind + name, value) for kind, values in kinds for name, value in values.items()]


def groups(board: Board) -> list[dict[str, Any]]:
    """Tables of parts: what stands above, what it is, and columns as (name in `part`, heading)."""
    kinds = (
        (FAMILY_SCORE, BY_FAMILY["family_score"], [(name, name) for name in scored_families(board)]),
        (FAMILY, BY_FAMILY["family"], [(name, name) for name in board.families]),
        (RETENTION, "what is left", [(noise, kept(noise)) for noise in board.noise]),
    )
    return [
        {
            "head": head,
            "said": said(METRICS[kind.removesuffix(":")]),
            "names": [(kind + key, name) for key, name in names],
        }
        for kind, head, names in kinds
    ]
