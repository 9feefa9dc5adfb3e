"""Commands about stores of matches: merge."""

from pathlib import Path
from typing import Annotated

import typer

from crossplay.leaderboard import console
from crossplay.leaderboard.cli.app import store_app

Place = Annotated[str, typer.Argument(help="A results folder, an SQLite file or a database URL.")]


@store_app.command()
def merge(into: Place, other: Annotated[list[str], typer.Argument(help="Stores to take matches from.")]) -> None:
    """Take over the matches of other stores, failed ones too: work that several machines share ends in one board.

    Example: **crossplay store merge results/standard /mnt/other/standard**
    """
    from crossplay.leaderboard import failures
    from crossplay.leaderboard.address import shown
    from crossplay.leaderboard.store import ResultStore

    place = _place(into)
    with ResultStore(place) as store:
        for name in other:
            source = _place(name)
            with ResultStore(source, create=False) as theirs:
                new, same = store.merge(theirs)
            told = f"{shown(name)}: {new} new matches, {same} that were there already"
            if isinstance(place, Path) and isinstance(source, Path):  # they are noted beside a store that is a file
                failed = failures.merge(place.parent, source.parent, store.keys())
                told += f", {failed} that failed" if failed else ""
            console.say(told)


def _place(text: str) -> str | Path:
    from crossplay.leaderboard.run import STORE

    if "://" in text:
        return text
    return Path(text) / STORE if Path(text).is_dir() else Path(text)
