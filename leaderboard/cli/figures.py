"""The command that draws figures for papers: plot."""

from pathlib import Path
from typing import Annotated

import typer

from crossplay.leaderboard import console
from crossplay.leaderboard.cli.app import Results, app


@app.command()
def plot(
    kind: Annotated[str, typer.Argument(help="profile, families, tau or curves.")],
    folder: Results,
    out: Annotated[Path, typer.Option(help="A .png, .pdf or .svg file; its numbers lie beside it as .csv.")],
    game: Annotated[list[str] | None, typer.Option(help="Only this game; may be repeated.")] = None,
    entries: Annotated[str, typer.Option(help="Entries to show, with commas; all by default.")] = "",
    over: Annotated[str, typer.Option(help="plot tau: a setting of the trainers, dotted; risk.tau by default.")] = "",
    metric: Annotated[str, typer.Option(help="plot tau: metrics, with commas, as in `crossplay sweep`.")] = "",
) -> None:
    """Draw a figure for a paper from stored matches or cards; nothing is played.

    **profile**: share of seed × partner cells that reach τ, with bands. **families**: every entry with every family of
    partners. **tau**: metrics over a setting of the trainers. **curves**: how the entries learned.

    Example: **crossplay plot profile results/quick --out figures/profile.pdf**
    """
    from crossplay.leaderboard import plots

    named, metrics = ([name for name in text.split(",") if name] for text in (entries, metric))
    drawn = plots.plot(kind, plots.Asked(folder, out, game or (), named, over, metrics))
    for note in drawn.notes:
        console.say(note)
    for path in drawn.paths:
        console.say(f"wrote {path}")
