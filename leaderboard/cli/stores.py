"""Commands about stores of matches: merge."""

from pathlib import Path
from typing import Annotated

import typer

from crossplay.leaderboard import console
from crossplay.leaderboard.cli.app import store_app

Place = Annotated[str, typer.Argument(help="A results folder, an SQLite file or a database URL.")]


@store_app.command()
def merge(into: Place, other: Annotated[list[str], typer.Argument(help="Stores to take matches from.")]) -> None:
    """Take over the matches of other stores: work that several machines share ends in one board.

    Example: **crossplay store merge results/standard /mnt/other/standard**
    """
    from crossplay.leaderboard.address import shown
    from crossplay.leaderboard.store import ResultStore

    with ResultStore(_place(into)) as store:
        for name in other:
            with ResultStore(_place(name), create=False) as theirs:
                new, same = store.merge(theirs)
            console.say(f"{shown(name)}: {new} new matches, {same} that were there already")


def _place(text: str) -> str | Path:
    from crossplay.leaderboard.run import STORE

    return Path(text) / STORE if "://" not in text and Path(text).is_dir() else text
