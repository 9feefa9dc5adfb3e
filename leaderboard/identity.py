"""What a board is a board of: digests of its suite, populations and agents; so two people can prove they mean the same.

A board file carries them. Two files with equal digests are of the same matches, whatever the machine that played them.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossplay.benchmark.config import canonical, sha256
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.match import HARNESS
from crossplay.leaderboard.suite import Suite, as_table
from crossplay.leaderboard.table import NULL, shown

if TYPE_CHECKING:
    from crossplay.leaderboard.publish import Played

BOARD = "board.json"
Content = dict[str, Any]


def identity(suite: Suite, parts: Sequence["Played"]) -> Content:
    """Digests of the suite, and per game of every agent and held-out partner, also as it is met with slips."""
    return {
        "harness": HARNESS,
        "suite": sha256(canonical(as_table(suite))),
        "games": {
            part.roster.game: {
                "held_out": {card.name: card.digest for card in part.roster.held_out},
                "trembling": {
                    card.name: card.digest for noise in part.roster.noise for card in part.roster.trembling(noise)
                },
                "agents": {card.name: card.digest for card in part.roster.egos},
            }
            for part in parts
        },
    }


def read(path: Path) -> Content:
    """A board file, or the one in a results folder. Raises Refused where there is none, or one without digests."""
    path = path / BOARD if path.is_dir() else path
    try:
        content: Content = json.loads(path.read_text(encoding="utf-8"))
        content["identity"]["games"], content["boards"]
    except OSError as error:
        raise Refused(f"{path}: no board file here ({error.strerror}); `crossplay run` writes {BOARD}") from None
    except (ValueError, KeyError, TypeError):
        raise Refused(f"{path}: not a board file with digests; `crossplay run` writes {BOARD}") from None
    return content


def contrast(one: Content, other: Content) -> Iterator[str]:
    """What two board files have in common and what not, a line each: first what they are of, then what they say."""
    mine, theirs = one["identity"], other["identity"]
    for what in ("harness", "suite"):
        yield _same(what, str(mine[what]), str(theirs[what]))
    for game in dict.fromkeys([*mine["games"], *theirs["games"]]):
        if game not in mine["games"] or game not in theirs["games"]:
            yield f"{game}: only in the {'first' if game in mine['games'] else 'second'}"
            continue
        for part in ("held_out", "agents"):
            yield from _members(
                f"{game}: {part.replace('_', '-')}", mine["games"][game][part], theirs["games"][game][part]
            )
    yield from _rows(one["boards"], other["boards"])


def _same(what: str, mine: str, theirs: str) -> str:
    return f"{what}: the same, {mine[:12]}" if mine == theirs else f"{what}: {mine[:12]} and {theirs[:12]}"


def _members(what: str, mine: dict[str, str], theirs: dict[str, str]) -> Iterator[str]:
    if mine == theirs:
        yield f"{what}: the same {len(mine)}"
    for name in sorted({*mine, *theirs}):
        if name not in mine or name not in theirs:
            yield f"{what}: {name} only in the {'first' if name in mine else 'second'}"
        elif mine[name] != theirs[name]:
            yield f"{what}: two different agents are called {name}, {mine[name][:12]} and {theirs[name][:12]}"


def _rows(one: list[Content], other: list[Content]) -> Iterator[str]:
    boards = {board["game"]: board for board in other}
    for board in one:
        rows = {row["entry"]: row for row in boards.get(board["game"], {"rows": []})["rows"]}
        equal = True
        for row in board["rows"]:
            twin = rows.get(row["entry"])
            if twin is not None and twin != row:
                equal = False
                yield f"{board['game']}: {row['entry']}: {_said(row, board)}, then {_said(twin, boards[board['game']])}"
        if rows and equal and set(rows) == {row["entry"] for row in board["rows"]}:
            yield f"{board['game']}: all {len(rows)} rows are the same, to the last digit"


def _said(row: Content, board: Content) -> str:
    headline = board["headline"]
    return f"rank {NULL if row['rank'] is None else row['rank']}, {headline} {shown(row[headline], 3)}"
