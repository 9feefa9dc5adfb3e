"""What the command line shows: progress bars, tables and lines."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

if TYPE_CHECKING:
    from crossplay.agents.trainer import Update
    from crossplay.benchmark.crossplay import MatchResult
    from crossplay.benchmark.game import GameSpec
    from crossplay.leaderboard.board import Board
    from crossplay.leaderboard.work import Tell

SCREEN = Console() if sys.stdout.isatty() else Console(width=100)


def say(line: str) -> None:
    """One line, as it is."""
    SCREEN.print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progress() -> "Iterator[Tell]":
    """Bars for the stages of a run; what ends is printed above them."""
    from crossplay.leaderboard.work import Progress as Stage

    columns = (TextColumn("{task.description:9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=SCREEN) as bars:
        tasks: dict[str, int] = {}

        def tell(stage: Stage) -> None:
            if stage.stage not in tasks:
                tasks[stage.stage] = bars.add_task(stage.stage, total=stage.total)
            bars.update(tasks[stage.stage], completed=stage.done, total=stage.total)  # type: ignore[arg-type]
            if stage.what:
                bars.console.print(f"{stage.stage}: {stage.what}", markup=False, highlight=False)

        yield tell


@contextmanager
def training(name: str) -> "Iterator[Callable[[Update], None]]":
    """A bar with return, entropy and steps per second."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[numbers]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=SCREEN) as bars:
        bar = bars.add_task(name, total=None, numbers="")
        first: list[int] = []

        def on_update(update: "Update") -> None:
            first[:] = first or [update.steps]
            speed = (update.steps - first[0]) / max(update.seconds, 1e-9)
            earned = "–" if update.episode_return is None else f"{update.episode_return:.1f}"
            numbers = f"return {earned}  entropy {update.stats['entropy']:.2f}  {speed:,.0f} steps/s"
            bars.update(bar, completed=update.steps, total=update.total, numbers=numbers)

        yield on_update


def show_boards(boards: "Sequence[Board]", waiting: Sequence[str] = ()) -> None:
    """Every board as a table, and the games that are still to be begun."""
    from crossplay.leaderboard.table import table

    for board in boards:
        SCREEN.print(table(board, SCREEN.width))
    if waiting:
        say(f"No overall board yet: {', '.join(waiting)} not begun; `crossplay run` does")


def show_list(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Names and words."""
    table = Table(title=None, box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, words in rows:
        table.add_row(name, words)
    SCREEN.print(table, markup=False)


def show_match(spec: "GameSpec", result: "MatchResult") -> None:
    """Mean and spread of returns, costs and events per seat."""
    p, paid = result.pairing, result.returns
    say(f"{p.ego} in seat {p.seat} with {p.partner}: {p.episodes} episodes of {spec.name}")
    table = Table("", *(f"seat {seat}" for seat in range(spec.seats)))
    for name, values in (("return", paid.returns), ("private cost", paid.costs)):
        mean, deviation = values.mean(axis=0), values.std(axis=0)
        table.add_row(name, *(f"{m:.2f} ± {s:.2f}" for m, s in zip(mean, deviation, strict=True)))
    for kind, name in enumerate(spec.events):
        if paid.events[:, :, kind].any():
            table.add_row(name, *(f"{m:.2f}" for m in paid.events[:, :, kind].mean(axis=0)))
    SCREEN.print(table)
