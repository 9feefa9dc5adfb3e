"""Commands about agents: train, populate, check, play."""

from pathlib import Path
from typing import Annotated

import typer

from crossplay.benchmark.errors import Refused
from crossplay.leaderboard import console
from crossplay.leaderboard.cli.app import Agent, Device, GameText, Jobs, Seed, Settings, app

TOLD = ("log_likelihood", "accuracy")  # what `populate` says of a record, where a card has it


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
    endpoint: Annotated[str, typer.Option(help="Of a language model: an OpenAI-compatible https://host/v1.")] = "",
    model: Annotated[str, typer.Option(help="Its id, as that server knows it.")] = "",
    local: Annotated[str, typer.Option(help="Or a model's folder on this machine.")] = "",
    *,
    jobs: Jobs,
) -> None:
    """Make partners of one family.

    Example: **crossplay populate fcp overcooked:cramped_room --out partners --set seeds=2**
    """
    from crossplay.leaderboard.agent import partners, spelled

    given = [*spelled(endpoint, model, local), *(settings or [])]
    for card in partners(generator, game, out, seed=seed, device=device, settings=given, jobs=jobs):
        told = "".join(f", {name.replace('_', ' ')} {card.record[name]}" for name in TOLD if name in card.record)
        console.say(f"{card.name}: {card.family}{told}, {card.digest[:12]}… in {card.root}")


@app.command()
def check(
    agent: Agent,
    game: Annotated[str, typer.Argument(help="As in overcooked:cramped_room; an agent.toml names its own.")] = "",
) -> None:
    """Say everything that is wrong with an agent for a game, all at once.

    Example: **crossplay check agents/ann overcooked:cramped_room**
    """
    from crossplay.leaderboard.agent import examine
    from crossplay.leaderboard.submission.manifest import is_submission

    if is_submission(Path(agent)):
        _check_submission(Path(agent))
        return
    if not game:
        raise Refused(f"check {agent}: wanted a game too, as in overcooked:cramped_room")
    faults = examine(agent, game)
    for fault in faults:
        console.say(f"✗ {fault}")
    if faults:
        raise typer.Exit(1)
    console.say(f"✓ {agent} plays {game} in every seat")


def _check_submission(folder: Path) -> None:
    from crossplay.leaderboard.submission.check import HEAVY
    from crossplay.leaderboard.submission.check import check as look

    faults = 0
    for found in look(folder):
        if not found.faults:
            time = "" if found.microseconds is None else f", {found.microseconds:.0f} µs a decision"
            memory = "" if found.memory is None else f", {found.memory / 2**20:.0f} MB of memory"
            console.say(f"✓ {found.source} plays {found.game} in every seat{time}{memory}")
            if found.memory is not None and found.memory > HEAVY:
                console.say(
                    f"! {found.source} {found.game}: over {HEAVY // 2**20} MB, and a board takes that on each core"
                )
        for fault in found.faults:
            console.say(f"✗ {found.source} {found.game}: {fault}")
        faults += len(found.faults)
    if faults:
        raise typer.Exit(1)


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
