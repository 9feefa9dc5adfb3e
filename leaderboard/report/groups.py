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
    """Tables of parts: what stands above the rows and above the values, what they are, and columns (part, heading)."""
    kinds = (
        (FAMILY_SCORE, BY_FAMILY["family_score"], "family", [(name, name) for name in scored_families(board)]),
        (FAMILY, BY_FAMILY["family"], "family", [(name, name) for name in board.families]),
        (RETENTION, "where partners slip", "share of slips", [(noise, kept(noise)) for noise in board.noise]),
    )
    return [
        {
            "head": head,
            "of": of,
            "value": VALUE[kind],
            "said": SAID[kind],
            "title": said(METRICS[kind.removesuffix(":")]),
            "names": [(kind + key, name) for key, name in names],
        }
        for kind, head, of, names in kinds
    ]


VALUE = {FAMILY_SCORE: "score", FAMILY: "return per episode", RETENTION: "share kept"}
SAID = {
    FAMILY_SCORE: "Share of the way from uniform play (0) to a best response (1), mean over a family's partners.",
    FAMILY: "Return per episode, mean over a family's partners, over trained seeds and seats.",
    RETENTION: "What is left of the mean where partners take a random action in such a share of their steps.",
}
