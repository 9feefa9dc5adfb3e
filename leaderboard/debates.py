"""What happened in debates, round by round, from stored matches; nothing is played.

A line is one entry with one kind of partner: its own pair, other seeds of its entry, agents of other entries, and each
held-out partner. Numbers are means over episodes, both seats and pairs. `joint`: mean over both seats of whether the
last answer is right; `both`: share of debates in which both are; `hero`: the entry's own seat. The rest is the hero's
too: right and agreeing by round, and answers per debate that recovered (wrong → right), were corrupted or flipped.

Intervals are 95 % over the entry's trained seeds, partners as they are; none for fewer than three seeds. Pairs of one
entry share seeds, so for those the interval is of `meetings.within` [Efron1981].
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crossplay.benchmark.crossplay import MatchResult
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.debate import Debate
from crossplay.leaderboard.intervals import of_mean
from crossplay.leaderboard.meetings import FEWEST, within

if TYPE_CHECKING:
    from rich.table import Table

    from crossplay.leaderboard.roster import Roster

OWN, OTHERS, ELSEWHERE = "own pair", "other seeds", "other entries"
Matches = dict[tuple[str, str, int], MatchResult]


@dataclass(frozen=True)
class Line:
    """One entry with one kind of partner; shares of debates, and per debate where a name says so."""

    entry: str
    partner: str
    pairs: int  # matches: ego, partner, seat
    joint: float
    both: float
    hero: float
    joint_interval: tuple[float, float] | None
    hero_interval: tuple[float, float] | None
    right: tuple[float, ...]  # the hero's, by round
    agree: tuple[float, ...]  # by round
    recovered: float  # per debate
    corrupted: float
    flipped: float
    tokens: float


def lines(folder: Path) -> list[Line]:
    """Every line of every debate in a results folder. Raises Refused where there is none, or a match is missing."""
    from crossplay.leaderboard.publish import store
    from crossplay.leaderboard.run import of_folder
    from crossplay.leaderboard.site import sites

    found: list[Line] = []
    with store(folder) as results:
        for site in sites(of_folder(folder), folder):
            if isinstance(site.game, Debate):
                roster = site.roster()
                pairings = [fixture.pairing for fixture in site.fixtures(roster)]
                known = results.load([pairing.key for pairing in pairings])
                if missing := [p for p in pairings if p.key not in known]:
                    raise Refused(
                        f"{folder}: {len(missing)} matches are still to be played; `crossplay run` plays them"
                    )
                matches = {(p.ego, p.partner, p.seat): known[p.key] for p in pairings}
                found += _lines(site.game, roster, matches)
    if not found:
        raise Refused(f"{folder}: no debate in it")
    return found


def _lines(game: Debate, roster: "Roster", matches: Matches) -> Iterator[Line]:
    for entry, cards in roster.entries.items():
        egos = [card.name for card in cards]
        strangers = [card.name for card in roster.egos if card.name not in egos]
        kinds = {OWN: egos, OTHERS: egos, ELSEWHERE: strangers}
        kinds |= {card.name: [card.name] for card in roster.held_out}
        for kind, partners in kinds.items():
            pairs = [
                (ego, partner, seat)
                for ego in egos
                for partner in partners
                for seat in range(roster.seats)
                if (ego, partner, seat) in matches and (kind == OWN) == (ego == partner)
            ]
            if pairs:
                yield _line(game, entry, kind, {pair: matches[pair] for pair in pairs})


def _line(game: Debate, entry: str, kind: str, matches: Matches) -> Line:
    seen = {pair: _events(game, result, pair[2], kind == OWN) for pair, result in matches.items()}
    means = {name: float(np.mean([one[name] for one in seen.values()])) for name in next(iter(seen.values()))}
    return Line(
        entry=entry,
        partner=kind,
        pairs=len(seen),
        joint=means["joint"],
        both=means["both"],
        hero=means["hero"],
        joint_interval=_interval(seen, "joint", kind),
        hero_interval=_interval(seen, "hero", kind),
        right=tuple(means[f"right_{r}"] for r in range(game.rounds)),
        agree=tuple(means[f"agree_{r}"] for r in range(game.rounds)),
        **{name: means[name] for name in ("recovered", "corrupted", "flipped", "tokens")},
    )


def _events(game: Debate, result: MatchResult, seat: int, own: bool) -> dict[str, float]:
    """Means over a match's episodes. Of a pair's own match both seats are the hero's."""
    events = result.returns.events
    named = {name: events[..., i] for i, name in enumerate(game.spec.events)}
    last = named[f"right_{game.rounds - 1}"]
    mine = slice(None) if own else seat
    heroic = {name: float(counts[:, mine].mean()) for name, counts in named.items()}
    return {
        **heroic,
        "joint": float(last.mean()),
        "both": float(last.all(axis=1).mean()),
        "hero": float(last[:, mine].mean()),
    }


def _interval(seen: dict[tuple[str, str, int], dict[str, float]], what: str, kind: str) -> tuple[float, float] | None:
    egos = sorted({ego for ego, _, _ in seen})
    if len(egos) < FEWEST:
        return None
    if kind == OTHERS:
        square = np.zeros((len(egos), len(egos)))
        for (ego, partner, _), one in seen.items():
            square[egos.index(ego), egos.index(partner)] += one[what] / 2
        middle, half = float(square.sum() / (len(egos) * (len(egos) - 1))), within(square)
    else:
        each = np.array([np.mean([one[what] for pair, one in seen.items() if pair[0] == ego]) for ego in egos])
        middle, half = float(each.mean()), of_mean(each)
    return None if half is None else (middle - half, middle + half)


HEADS = (
    "entry",
    "with",
    "joint",
    "both",
    "hero",
    "right by round",
    "agree by round",
    "recovered",
    "corrupted",
    "flipped",
)


def rows(found: Sequence[Line]) -> list[list[str]]:
    """Cells of the table, to three digits."""
    return [
        [
            line.entry,
            line.partner,
            _sure(line.joint, line.joint_interval),
            f"{line.both:.3f}",
            _sure(line.hero, line.hero_interval),
            " ".join(f"{value:.3f}" for value in line.right),
            " ".join(f"{value:.3f}" for value in line.agree),
            *(f"{value:.3f}" for value in (line.recovered, line.corrupted, line.flipped)),
        ]
        for line in found
    ]


def _sure(value: float, interval: tuple[float, float] | None) -> str:
    return f"{value:.3f}" + (f" ({interval[0]:.3f} … {interval[1]:.3f})" if interval else "")


def to_json(found: Sequence[Line]) -> str:
    """All lines with full precision."""
    return json.dumps([asdict(line) for line in found], indent=1, allow_nan=False) + "\n"


def to_markdown(found: Sequence[Line]) -> str:
    """One table."""
    from crossplay.leaderboard.export import escaped, line

    rule = [":--", ":--", *["--:"] * (len(HEADS) - 2)]
    return "\n".join([line(HEADS), line(rule), *(line(map(escaped, row)) for row in rows(found))]) + "\n"


def table(found: Sequence[Line]) -> "Table":
    """What rich prints."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    grid = Table(box=SIMPLE_HEAD, caption=CAPTION, caption_justify="left")
    for number, head in enumerate(HEADS):
        grid.add_column(head, justify="right" if number > 1 else "left")
    for row in rows(found):
        grid.add_row(*(cell.replace(" (", "\n(") for cell in row))
    return grid


CAPTION = (
    "joint: mean over both seats of whether the last answer is right; both: debates in which both are; hero: the "
    "entry's seat, and of it also the rest. 95 % intervals over trained seeds; none for fewer than three."
)
