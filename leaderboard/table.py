"""A board as a table for the terminal: numbers first, then what must be known to read them."""

from collections.abc import Iterable, Sequence
from io import StringIO
from math import floor, log10

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from crossplay.leaderboard import budgets
from crossplay.leaderboard.board import OVERALL, Board
from crossplay.leaderboard.budgets import Spent
from crossplay.leaderboard.row import Number, Row

NULL = "–"
WIDTH = 100
HEADERS = {
    "mean": ("ranks", "mean", "95 % interval", "IQM", "CVaR₂₀", "worst", "self", "gap"),
    "score": ("ranks", "score", "95 %", "BR-Prox", "mean", "CVaR₂₀", "worst", "self", "gap"),
}
RIDING = "riding"
SCORE_DIGITS = 2
BY_FAMILY = {"family_score": "score by family", "family": "return by family"}


def text(board: Board, width: int = WIDTH) -> str:
    """The table as plain text, at most `width` columns wide."""
    file = StringIO()
    Console(file=file, width=width, color_system=None).print(table(board, width))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def table(board: Board, width: int = WIDTH) -> Group:
    """What rich prints: the ranking, the families' scores and means, and the notes."""
    title = Text(f"{board.game} · {board.unit}", style="bold")
    marks = footnotes(board)
    said = [*captions(board), *budgets.lines({row.entry: Spent(row.steps, row.samples_per_hero) for row in board.rows})]
    return Group(title, _ranking(board, marks), *_families(board, width), *map(Text, said), *_notes(marks))


def _ranking(board: Board, marks: dict[str, int]) -> Table:
    grid = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), collapse_padding=True, pad_edge=False)
    grid.add_column("#", justify="right")
    grid.add_column("entry", overflow="fold", min_width=8)
    for name in ("seeds", *headers(board)):
        grid.add_column(name, justify="right", no_wrap=True)
    digits = decimals(board)
    for row in board.rows:
        style = "" if row.status == "ranked" else "dim"
        label = Text(row.entry) + Text("".join(f" [{marks[note]}]" for note in row.notes), style="yellow")
        values = [Text(value) for value in (str(row.n_seeds), *numbers(board, row, digits))]
        grid.add_row(Text(shown_rank(row)), label, *values, style=style)
    return grid


Column = tuple[str, list[str], str]  # heading, a value a row, the side it stands on


def _families(board: Board, width: int) -> Iterable[Table]:
    digits = decimals(board)
    scores: list[Column] = [
        (name, [shown(row.family_scores.get(name), SCORE_DIGITS) for row in board.rows], "right")
        for name in scored_families(board)
    ]
    means: list[Column] = [
        (name, [shown(row.families[name], digits) for row in board.rows], "right") for name in board.families
    ]
    means += [
        (kept(noise), [shown(row.retention[noise], SCORE_DIGITS) for row in board.rows], "right")
        for noise in board.noise
    ]
    if len(board.games) == 1:
        means.append(("worst with", [row.worst_partner_name or NULL for row in board.rows], "left"))
    yield from _grids(board, BY_FAMILY["family_score"], scores, width)
    yield from _grids(board, BY_FAMILY["family"], means, width)


def scored_families(board: Board) -> list[str]:
    """Families of which some partner has a yardstick."""
    return sorted({name for row in board.rows for name in row.family_scores})


def _grids(board: Board, head: str, columns: Sequence[Column], width: int) -> Iterable[Table]:
    """As many tables below each other as the columns need."""
    left = min(max(map(len, [head, *(row.entry for row in board.rows)])), width // 3)
    while columns:
        taken = _fitting(columns, width - left)
        grid = Table(box=SIMPLE_HEAD, padding=(0, 2, 0, 0), collapse_padding=True, pad_edge=False)
        grid.add_column(head, overflow="fold", width=left)
        for name, _, side in columns[:taken]:
            grid.add_column(Text(name), justify="left" if side == "left" else "right", overflow="fold")
        for index, row in enumerate(board.rows):
            grid.add_row(Text(row.entry), *(Text(values[index]) for _, values, _ in columns[:taken]))
        columns = columns[taken:]
        yield grid


def _fitting(columns: Sequence[Column], room: int) -> int:
    """How many columns fit side by side; at least one."""
    used, count = 0, 0
    for name, values, _ in columns:
        used += max(len(name), *map(len, values), 0) + 3
        if used > room:
            break
        count += 1
    return max(1, count)


def captions(board: Board) -> list[str]:
    """What the numbers are: partners, seats, episodes, the headline and its interval."""
    overall = board.game == OVERALL
    weigh = "" if board.headline == "score" else " in their own units: those that pay more weigh more"
    what = f"Plain mean over {len(board.games)} games{weigh}. " if overall else ""
    lines = [
        f"{what}Held out: {_span(board.partners)} partners of {len(board.families)} families, "
        f"{_span(board.seats)} seats, {_span(board.episodes)} episodes a match.",
        *(_about_scores(board) if board.headline == "score" else []),
        "mean: average over families of the average over their partners; worst: the lowest partner; CVaR₂₀: the worst "
        "fifth of partners; self: with itself; gap: self − mean (lower is better).",
        "Interval: 95 %, for other trainings of the same kinds and other partners of the same families; never over "
        f"episodes. {NULL}: something it needs was not played.",
        *_about_ranks(board),
    ]
    if board.noise:
        lines.append(
            "kept at δ: what is left of the mean where partners take a random action in a share δ of their steps."
        )
    if board.costs:
        lines.append(
            f"{RIDING}: with itself, how far apart the seats' mean private costs an episode are (lower is better)."
        )
    if board.single:
        lines.append(f"One partner only, so no partner uncertainty: {', '.join(board.single)}.")
    return lines


def _about_scores(board: Board) -> Iterable[str]:
    yield (
        "score: share of the way from uniform play (0) to a best response (1) with each partner, averaged as mean is; "
        "BR-Prox: as ZSC-Eval has it, clipped at 1, to compare with."
    )
    lacking = sum(board.partners) - sum(board.yardsticks)
    if lacking:
        yield (
            f"No score with {lacking} of {sum(board.partners)} partners, with whom a best response is not clearly "
            "better than uniform play: left out of every row alike."
        )


def _about_ranks(board: Board) -> Iterable[str]:
    if any(row.rank_low is not None for row in board.rows):
        yield "ranks: those that are left open by the differences to all other rows, all at once with 95 %."
    if board.detectable is not None:
        digits = SCORE_DIGITS if board.headline == "score" else decimals(board)
        yield (
            f"Rows less than {shown(board.detectable, digits)} apart can hardly be told apart by so many seeds and "
            f"partners (the median pair, four times in five)."
        )


def footnotes(board: Board) -> dict[str, int]:
    """Note → its number, in order of appearance; equal notes share one."""
    return {note: number for number, note in enumerate(dict.fromkeys(n for row in board.rows for n in row.notes), 1)}


def _notes(marks: dict[str, int]) -> Iterable[Text]:
    return (Text(f"[{number}] {note}", style="yellow") for note, number in marks.items())


def kept(noise: str) -> str:
    """The heading of what is left where partners act at random in a share `noise` of their steps."""
    return f"kept at {noise}"


def headers(board: Board) -> tuple[str, ...]:
    """The columns of numbers: free-riding only where there are private costs to share."""
    return (*HEADERS[board.headline], RIDING) if board.costs else HEADERS[board.headline]


def numbers(board: Board, row: Row, digits: int) -> list[str]:
    """A row's values in the order of `headers`."""
    scored = board.headline == "score"
    low, high, places = (row.score_low, row.score_high, SCORE_DIGITS) if scored else (row.low, row.high, digits)
    interval = NULL if low is None else f"{shown(low, places)} … {shown(high, places)}"
    own = shown(row.score if scored else row.mean, places)
    second = [shown(row.br_prox, SCORE_DIGITS), shown(row.mean, digits)] if scored else [shown(row.iqm, digits)]
    rest = (shown(value, digits) for value in (row.cvar20, row.worst_partner, row.self_play, row.gap))
    riding = [shown(row.free_riding, four_digits(other.free_riding for other in board.rows))] if board.costs else []
    return [shown_ranks(row), own, interval, *second, *rest, *riding]


def shown_ranks(row: Row) -> str:
    """The ranks that luck leaves open, as in 2–5."""
    if row.rank_low is None:
        return NULL
    return str(row.rank_low) if row.rank_low == row.rank_high else f"{row.rank_low}–{row.rank_high}"


def shown_rank(row: Row) -> str:
    """The rank, or a dash for an unranked row."""
    return NULL if row.rank is None else str(row.rank)


def shown(value: Number, digits: int) -> str:
    """A number with a typographic minus, or a dash for null."""
    if value is None:
        return NULL
    plain = f"{value:.{digits}f}"
    plain = plain.lstrip("-") if float(plain) == 0 else plain
    return plain.replace("-", "−")


def decimals(board: Board) -> int:
    """Decimals of a board's returns: four digits of the largest headline or self-play value."""
    return four_digits(value for row in board.rows for value in (row.mean, row.self_play, row.high))


def four_digits(numbers: Iterable[Number]) -> int:
    """Decimals that show four digits of the largest of these numbers, between 0 and 4."""
    values = [abs(value) for value in numbers if value]
    return max(0, min(4, 3 - floor(log10(max(values))))) if values else 1


def _span(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"
