"""The command line. Heavy imports wait inside the commands, so that --help answers at once."""

import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from crossplay.benchmark.errors import Refused, unknown
from crossplay.benchmark.workers import default_jobs, one_thread
from crossplay.leaderboard import console

app = typer.Typer(
    help="How well does an agent work with partners it has never met?",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
population_app = typer.Typer(help="Look at a population's manifest, or prove that nothing in it has changed.")
app.add_typer(population_app, name="population")

Jobs = Annotated[int, typer.Option(default_factory=default_jobs, help="Processes; one per core by default.")]
Device = Annotated[str, typer.Option(help="Where networks train: cpu or cuda[:number].")]
Seed = Annotated[int, typer.Option(help="Everything random derives from it.")]
GameText = Annotated[str, typer.Argument(help="kind, kind:value or kind:field=value,…, as in overcooked:cramped_room.")]
Results = Annotated[Path, typer.Argument(help="A folder that `crossplay run` wrote.")]
Agent = Annotated[str, typer.Argument(help="A card's folder, or a policy as text: uniform, constant:4 …")]
Manifest = Annotated[Path, typer.Argument(help="A manifest, or its folder.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="field=value, dotted: ppo.learning_rate=1e-3.")]


@app.command()
def run(
    suite: Annotated[str, typer.Argument(help="A shipped suite's name, or a TOML file.")] = "quick",
    out: Annotated[Path | None, typer.Option(help="Results folder; results/SUITE by default.")] = None,
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
        run_suite(plan, folder, jobs=jobs, device=device, tell=tell)
    boards, paths = publish.write(folder)
    console.show_boards(boards)
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
    console.show_boards(boards) if form == "table" else console.say(publish.text(boards, form))


@app.command()
def heatmap(
    folder: Results = Path("results/quick"),
    out: Annotated[
        Path | None, typer.Option(help="Folder for PNG, SVG and CSV; the results folder by default.")
    ] = None,
) -> None:
    """Draw the cross-play heatmap of every game from stored matches; nothing is played.

    Example: **crossplay heatmap results/quick --out figures**
    """
    from crossplay.leaderboard import publish

    for path in publish.heatmaps(folder, out or folder):
        console.say(f"wrote {path}")


@app.command()
def train(
    trainer: Annotated[str, typer.Argument(help="A trainer's name; see `crossplay list trainers`.")],
    game: GameText,
    out: Annotated[Path, typer.Option(help="The card's folder.")],
    seed: Seed = 0,
    partner: Annotated[list[Path] | None, typer.Option(help="A partner's card folder; may be repeated.")] = None,
    device: Device = "cpu",
    settings: Settings = None,
) -> None:
    """Train one agent and save its card; interrupted, it goes on where it stopped.

    Example: **crossplay train ippo overcooked:cramped_room --out agents/ann --set budget.steps=1000000**
    """
    from crossplay.leaderboard.agent import training

    task = training(trainer, game, out, seed=seed, partners=partner or [], device=device, settings=settings or [])
    with console.training(out.name) as on_update:
        card = task.run(on_update)
    console.say(f"{card.name}: {card.digest[:12]}… in {out}")


@app.command()
def populate(
    generator: Annotated[str, typer.Argument(help="A generator's name; see `crossplay list generators`.")],
    game: GameText,
    out: Annotated[Path, typer.Option(help="Folder for the cards, one folder each.")],
    seed: Seed = 0,
    device: Device = "cpu",
    settings: Settings = None,
    *,
    jobs: Jobs,
) -> None:
    """Make partners of one family.

    Example: **crossplay populate fcp overcooked:cramped_room --out partners --set seeds=2**
    """
    from crossplay.leaderboard.agent import partners

    for card in partners(generator, game, out, seed=seed, device=device, settings=settings or [], jobs=jobs):
        console.say(f"{card.name}: {card.family}, {card.digest[:12]}… in {card.root}")


@app.command()
def check(agent: Agent, game: GameText) -> None:
    """Say everything that is wrong with an agent for a game, all at once.

    Example: **crossplay check agents/ann overcooked:cramped_room**
    """
    from crossplay.leaderboard.agent import examine

    faults = examine(agent, game)
    for fault in faults:
        console.say(f"✗ {fault}")
    if faults:
        raise typer.Exit(1)
    console.say(f"✓ {agent} plays {game} in every seat")


@app.command()
def play(
    game: GameText,
    ego: Agent,
    partner: Agent,
    seat: Annotated[int, typer.Option(help="The ego's seat.")] = 0,
    episodes: Annotated[int, typer.Option(min=1)] = 64,
    seed: Seed = 0,
) -> None:
    """Play one match and print what it paid.

    Example: **crossplay play overcooked:cramped_room overcooked-greedy uniform --episodes 100**
    """
    from crossplay.leaderboard.agent import play_match

    spec, result = play_match(game, ego, partner, seat=seat, episodes=episodes, seed=seed)
    console.show_match(spec, result)


@app.command()
def export(folder: Results, out: Annotated[Path, typer.Argument(help="A .parquet or .csv file.")]) -> None:
    """Write every stored episode as one tidy table.

    Example: **crossplay export results/quick episodes.parquet**
    """
    from crossplay.leaderboard import publish

    with publish.store(folder) as results:
        results.export(out)
    console.say(f"wrote {out}")


@population_app.command()
def show(path: Manifest) -> None:
    """Print a population's members.

    Example: **crossplay population show results/quick/collab-grid-v1**
    """
    from crossplay.populations.population import load_population

    console.show_population(load_population(path))


@population_app.command()
def verify(path: Manifest) -> None:
    """Re-hash a manifest and every file it names; one changed byte is refused.

    Example: **crossplay population verify results/quick/collab-grid-v1**
    """
    from crossplay.populations.population import verify as verify_population

    population = verify_population(path)
    count = len(population.train) + len(population.held_out)
    console.say(f"✓ {population.name}: {count} members as stated, digest {population.digest}")


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


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs the command line. Exit codes: 0 fine, 1 refused or failed, 2 wrong usage, 130 interrupted."""
    one_thread()
    try:
        result: Any = app(args=arguments, standalone_mode=False, prog_name="crossplay")
        sys.exit(result if isinstance(result, int) else 0)
    except Refused as refused:
        code, message = 1, f"refused: {refused}"
    except (typer.Abort, KeyboardInterrupt):
        code, message = 130, "stopped; run the same command again to go on"
    except Exception as error:
        if hasattr(error, "show") and hasattr(error, "exit_code"):  # click's own: wrong usage
            error.show()
            sys.exit(error.exit_code)
        raise
    print(message, file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
