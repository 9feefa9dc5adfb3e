"""Commands that only look: list, rqe, doctor."""

from pathlib import Path
from typing import Annotated

import typer

from crossplay.benchmark.errors import unknown
from crossplay.leaderboard import console
from crossplay.leaderboard.cli.app import app


@app.command(name="list")
def list_(what: Annotated[str, typer.Argument(help="One of the names below.")]) -> None:
    """List what there is: games, generators, trainers, policies, metrics, suites or layouts.

    Example: **crossplay list trainers**
    """
    from crossplay.leaderboard import catalogue

    if what not in catalogue.SHELVES:
        raise unknown("list", what, catalogue.SHELVES)
    console.show_list(what, catalogue.SHELVES[what]())


@app.command()
def doctor() -> None:
    """Print versions, threads, the compiler's cache and devices: what to paste into a bug report.

    Example: **crossplay doctor**
    """
    from crossplay.leaderboard import catalogue

    console.show_list("doctor", catalogue.doctor())


@app.command()
def rqe(
    game: Annotated[str, typer.Argument(help="A ready-made matrix game (volunteer …), two_robots, or a TOML file.")],
    tau: Annotated[list[float] | None, typer.Option(help="Risk aversion, 0 to inf; may be repeated.")] = None,
    eps: Annotated[float, typer.Option(help="Bounded rationality, payoff per nat.")] = 0.2,
    cost: Annotated[float | None, typer.Option(help="Private cost of effort.")] = None,
    beta: Annotated[float | None, typer.Option(help="What one alone achieves, in effort games.")] = None,
    target: Annotated[float | None, typer.Option(help="What the two robots' actions should add up to; 1.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Diagram over τ: PNG and SVG.")] = None,
) -> None:
    """Print a small game's risk-averse quantal response equilibria, each with its certificate.

    Example: **crossplay rqe volunteer --cost 0.4 --eps 0.2 --tau 0.5**
    """
    from crossplay.leaderboard import theory

    if game == theory.ROBOTS:
        theory.robots_only(cost, beta, plot)
        aim = 1.0 if target is None else target
        pairs = theory.robots(aim, tau or (0.0, 1.0, 10.0), eps)
        console.say(theory.to_json(game, pairs)) if json else console.SCREEN.print(theory.robots_table(aim, pairs))
        return
    played = theory.game_of(game, cost, beta, target)
    rows = theory.equilibria(played, tau or (theory.SWEEP if plot else (0.0, 1.0, 10.0)), eps)
    console.say(theory.to_json(played, rows)) if json else console.SCREEN.print(theory.table(played, rows))
    for path in theory.draw(played, rows, plot) if plot else []:
        console.say(f"wrote {path}")
