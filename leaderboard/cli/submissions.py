"""Commands about agents from outside: init, pack, submit, accept, withdraw, graph."""

import os
from pathlib import Path
from typing import Annotated

import typer

from crossplay.benchmark.errors import Refused
from crossplay.leaderboard import console
from crossplay.leaderboard.cli.app import Jobs, app

Folder = Annotated[Path, typer.Argument(help="The agent's folder, with its agent.toml.")]
SuiteName = Annotated[str, typer.Option(help="A shipped suite's name, or a TOML file.")]
Out = Annotated[Path | None, typer.Option(help="Results folder; results/SUITE by default.")]
Trust = Annotated[bool, typer.Option(help="Run Python agents without a cage: their code can do whatever you can.")]


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A new folder; its name is the agent's.")],
    form: Annotated[str, typer.Option(help="python, onnx, network or llm.")] = "python",
) -> None:
    """Write a working agent to start from.

    Example: **crossplay init my_agent --form python**
    """
    from crossplay.leaderboard.submission import scaffold

    said = scaffold.init(folder, form)
    console.say(f"wrote {folder}: {said}")
    console.say(f"then: crossplay check {folder} && crossplay submit {folder}")


@app.command()
def pack(
    folder: Folder, out: Annotated[Path | None, typer.Option(help="The archive; NAME.zip by default.")] = None
) -> None:
    """Make an agent's archive, the same for the same files, and print its digest.

    Example: **crossplay pack my_agent**
    """
    from crossplay.leaderboard.submission import archive

    place = out or Path(f"{folder.resolve().name}.zip")
    digest = archive.pack(folder, place)
    console.say(f"wrote {place}, digest {digest}")


@app.command()
def submit(
    agent: Annotated[Path, typer.Argument(help="The agent's folder, or its archive.")],
    suite: SuiteName = "quick",
    out: Out = None,
    trust: Trust = False,
    again: Annotated[bool, typer.Option(help="Play once more what the agent failed at.")] = False,
    *,
    jobs: Jobs,
) -> None:
    """Check an agent, play the matches that are missing, and say where it lands; a second time plays nothing.

    Example: **crossplay submit my_agent --suite quick**
    """
    from crossplay.leaderboard.submission import submit as submission
    from crossplay.leaderboard.suite import load_suite

    _trusted(trust)
    plan = load_suite(suite)
    folder = out or Path("results") / plan.name
    with console.progress() as tell:
        taken, boards = submission.submit(agent, folder, plan, jobs=jobs, tell=tell, again=again)
    console.show_boards(boards)
    for landing in submission.landings(taken, boards, folder):
        console.say(f"{taken.name} on {landing.board.game}:")
        for line in landing.lines:
            console.say(f"  {line}")


@app.command()
def accept(
    folder: Annotated[Path, typer.Argument(help="Where the archives are.")],
    suite: SuiteName = "quick",
    out: Out = None,
    *,
    jobs: Jobs,
) -> None:
    """Submit every archive of a folder, once each; a bad one costs the others nothing.

    Example: **crossplay accept inbox --suite standard**
    """
    from crossplay.leaderboard.submission import queue
    from crossplay.leaderboard.suite import load_suite

    plan = load_suite(suite)
    with console.progress() as tell:
        verdicts = queue.accept(folder, out or Path("results") / plan.name, plan, jobs=jobs, tell=tell)
    for verdict in verdicts:
        console.say(f"{verdict.archive}: {verdict.status}")
        for line in verdict.lines:
            console.say(f"  {line}")


@app.command()
def withdraw(
    name: Annotated[str, typer.Argument(help="The agent's name.")],
    folder: Annotated[Path, typer.Argument(help="A results folder.")] = Path("results/quick"),
) -> None:
    """Take an agent off the boards of a results folder; its matches stay in the store.

    Example: **crossplay withdraw my_agent results/quick**
    """
    from crossplay.leaderboard import publish
    from crossplay.leaderboard.submission import entrants

    entrants.withdraw(name, folder)
    publish.write(folder)
    console.say(f"{name} is off the boards of {folder}")


@app.command()
def graph(
    card: Annotated[Path, typer.Argument(help="A network's card folder.")],
    out: Annotated[Path, typer.Argument(help="The .onnx file.")],
    game: Annotated[str, typer.Argument(help="The game, as in overcooked:cramped_room.")],
) -> None:
    """Write a trained network as an ONNX graph, which any framework can read and any board can play.

    Example: **crossplay graph agents/ann ann.onnx overcooked:cramped_room**
    """
    from crossplay.leaderboard.agent import to_graph

    data = to_graph(card, game)
    try:
        out.write_bytes(data)
    except OSError as error:
        raise Refused(f"cannot write {out}: {error.strerror or error}") from None
    console.say(f"wrote {out}")


def _trusted(trust: bool) -> None:
    """Says yes for this process and its workers."""
    if trust:
        from crossplay.leaderboard.submission.walls import TRUST

        os.environ[TRUST] = "1"
