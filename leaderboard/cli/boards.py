"""Commands about boards: run, board, diff, compare, rankings, heatmap, meet, debate, sweep, curves, report, export."""

from pathlib import Path
from typing import Annotated

import typer

from crossplay.benchmark.errors import unknown
from crossplay.leaderboard import console
from crossplay.leaderboard.cli.app import Device, Jobs, Results, app

Of = Annotated[str, typer.Option(help="What of a match: return or free_riding.")]


@app.command()
def run(
    suite: Annotated[str, typer.Argument(help="A shipped suite's name, or a TOML file.")] = "quick",
    out: Annotated[Path | None, typer.Option(help="Results folder; results/SUITE by default.")] = None,
    game: Annotated[list[str] | None, typer.Option(help="Only this game of the suite; may be repeated.")] = None,
    device: Device = "cpu",
    *,
    jobs: Jobs,
) -> None:
    """Train, play everybody with everybody held out, and publish board and heatmap; done work is never done again.

    Example: **crossplay run quick --jobs 2**
    """
    from crossplay.leaderboard import publish
    from crossplay.leaderboard.run import run as run_suite
    from crossplay.leaderboard.suite import load_suite

    plan = load_suite(suite)
    folder = out or Path("results") / plan.name
    with console.progress() as tell:
        run_suite(plan, folder, games=game or (), jobs=jobs, device=device, tell=tell)
    boards, paths = publish.write(folder)
    console.show_boards(boards, publish.waiting(folder))
    for path in paths:
        console.say(f"wrote {path}")


@app.command()
def board(
    folder: Results = Path("results/quick"),
    form: Annotated[str, typer.Option("--format", help="table, csv, json or markdown.")] = "table",
) -> None:
    """Print the board from stored matches; nothing is played.

    Example: **crossplay board results/quick --format markdown**
    """
    from crossplay.leaderboard import publish

    boards = publish.boards(folder)
    console.show_boards(boards, publish.waiting(folder)) if form == "table" else console.say(publish.text(boards, form))


@app.command()
def diff(
    one: Annotated[Path, typer.Argument(help="A board.json, or a results folder.")],
    other: Annotated[Path, typer.Argument(help="Another.")],
) -> None:
    """Say whether two boards are of the same suite, partners and agents, and where they differ.

    Example: **crossplay diff results/quick theirs/board.json**
    """
    from crossplay.leaderboard import identity

    for line in identity.contrast(identity.read(one), identity.read(other)):
        console.say(line)


@app.command()
def compare(
    folder: Results = Path("results/quick"),
    form: Annotated[str, typer.Option("--format", help="table or json.")] = "table",
) -> None:
    """Print the difference between every two entries, all intervals at once, and who is likely to earn more.

    Example: **crossplay compare results/quick**
    """
    from crossplay.leaderboard import pairs, publish

    if form not in ("table", "json"):
        raise unknown("format", form, ["table", "json"])
    found = publish.compared(folder)
    console.say(pairs.to_json(found)) if form == "json" else console.SCREEN.print(*map(pairs.table, found))


@app.command()
def rankings(
    folder: Results = Path("results/quick"),
    form: Annotated[str, typer.Option("--format", help="table or json.")] = "table",
) -> None:
    """Print secondary rankings, Nash averages over partners and α-rank; the board does not rank by them.

    Example: **crossplay rankings results/quick**
    """
    from crossplay.leaderboard import publish
    from crossplay.leaderboard import rankings as secondary

    if form not in ("table", "json"):
        raise unknown("format", form, ["table", "json"])
    found = publish.ranked(folder)
    console.say(secondary.to_json(found)) if form == "json" else console.SCREEN.print(*map(secondary.table, found))


@app.command()
def heatmap(
    folder: Results = Path("results/quick"),
    out: Annotated[Path | None, typer.Option(help="Folder for what is drawn; the results folder by default.")] = None,
    of: Of = "return",
    only: Annotated[str, typer.Option(help="board: the agents on it with each other; held-out: who is scored.")] = "",
    normalised: Annotated[bool, typer.Option("--normalised", help="Scores by the partners' bounds.")] = False,
    order: Annotated[str, typer.Option(help="Within entries and families: roster, name or cluster.")] = "roster",
    form: Annotated[str, typer.Option("--format", help="png, pdf, svg, with commas; CSV always.")] = "png,svg",
    game: Annotated[list[str] | None, typer.Option(help="Only this game; may be repeated.")] = None,
) -> None:
    """Draw the cross-play heatmap of every game from stored matches; nothing is played.

    Normalised, 0 is what uniform play earns with a partner and 1 what a best response does; partners without such a
    yardstick are grey and have no number.

    Example: **crossplay heatmap results/quick --out figures**
    """
    from crossplay.leaderboard import publish

    look = publish.Look(of, only, normalised, order, [name for name in form.split(",") if name])
    for path in publish.heatmaps(folder, out or folder, look, game or ()):
        console.say(f"wrote {path}")


@app.command()
def meet(
    folder: Results = Path("results/quick"),
    form: Annotated[str, typer.Option("--format", help="table, json or markdown.")] = "table",
    of: Of = "return",
) -> None:
    """Print how the board's own agents do with each other: own pairs, other seeds, other entries; nothing is played.

    Example: **crossplay meet results/gridworld --of free_riding**
    """
    from crossplay.leaderboard import meetings, publish

    forms = {"json": meetings.to_json, "markdown": meetings.to_markdown}
    if form not in ("table", *forms):
        raise unknown("format", form, ["table", *forms])
    found = publish.met(folder, of)
    for one in found if form == "table" else []:
        console.SCREEN.print(meetings.table(one))
    if form != "table":
        console.say(forms[form](found))


@app.command()
def debate(
    folder: Results = Path("results/debate-tiny"),
    form: Annotated[str, typer.Option("--format", help="table, json or markdown.")] = "table",
) -> None:
    """Print how debates went: accuracy by round, agreement, answers recovered and corrupted; nothing is played.

    Example: **crossplay debate results/debate-tiny --format markdown**
    """
    from crossplay.leaderboard import debates

    forms = {"json": debates.to_json, "markdown": debates.to_markdown}
    if form not in ("table", *forms):
        raise unknown("format", form, ["table", *forms])
    found = debates.lines(folder)
    console.SCREEN.print(debates.table(found)) if form == "table" else console.say(forms[form](found))


@app.command()
def sweep(
    folder: Results,
    over: Annotated[str, typer.Option(help="A setting of the trainers, dotted: risk.tau.")],
    metric: Annotated[
        str, typer.Option(help="Metrics, with commas; see `crossplay list metrics`, and cross_play.")
    ] = "mean,self_play,free_riding,cross_play",
    entries: Annotated[str, typer.Option(help="Entries to show, with commas; all by default.")] = "",
    out: Annotated[Path | None, typer.Option(help="PNG, SVG and CSV; in the results folder by default.")] = None,
) -> None:
    """Draw metrics over a setting that the entries' trainers differ in, from stored matches; nothing is played.

    Example: **crossplay sweep results/taus --over risk.tau --metric mean,self_play --out figures/taus.png**
    """
    from crossplay.leaderboard import publish

    only = [name for name in entries.split(",") if name]
    for path in publish.sweep(folder, over, metric.split(","), out or folder / f"sweep-{over}", only):
        console.say(f"wrote {path}")


@app.command()
def curves(
    folder: Results,
    out: Annotated[Path | None, typer.Option(help="PNG, SVG and CSV; in the results folder by default.")] = None,
) -> None:
    """Print and draw how the entries learned, a panel a game, from their cards; nothing is played.

    Example: **crossplay curves results/learning --out figures/learning.png**
    """
    from crossplay.leaderboard import curves as learning

    found = learning.learned(folder)
    console.SCREEN.print(*learning.tables(found))
    for path in learning.draw(found, out or folder / "curves"):
        console.say(f"wrote {path}")


@app.command()
def report(
    folder: Results = Path("results/quick"),
    out: Annotated[Path | None, typer.Option(help="Folder of the site; `report` in the results folder.")] = None,
    replays: Annotated[int, typer.Option(min=0, help="Seeds an entry whose matches can be watched; 0: none.")] = 1,
) -> None:
    """Write a static site: boards, entries, partners, heatmaps, replays; works from the folder, without a network.

    Example: **crossplay report results/quick --out site**
    """
    from crossplay.leaderboard.report import pages

    first = pages.write(folder, out or folder / "report", replays, console.say)
    console.say(f"wrote {first}")


@app.command()
def export(folder: Results, out: Annotated[Path, typer.Argument(help="A .parquet or .csv file.")]) -> None:
    """Write every stored episode as one tidy table.

    Example: **crossplay export results/quick episodes.parquet**
    """
    from crossplay.leaderboard import publish

    with publish.store(folder) as results:
        results.export(out)
    console.say(f"wrote {out}")
