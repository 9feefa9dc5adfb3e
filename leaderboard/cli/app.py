"""The application, and the options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from crossplay.benchmark.workers import default_jobs

app = typer.Typer(
    help="How well does an agent work with partners it has never met?",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
population_app = typer.Typer(help="Look at a population, measure it, or prove that nothing in it has changed.")
app.add_typer(population_app, name="population")
store_app = typer.Typer(help="Bring stored matches together.", no_args_is_help=True)
app.add_typer(store_app, name="store")
llm_app = typer.Typer(help="Let a language model play, and keep what it answered.", no_args_is_help=True)
app.add_typer(llm_app, name="llm")
tape_app = typer.Typer(help="Look at a tape of answers, or play it again.", no_args_is_help=True)
llm_app.add_typer(tape_app, name="tape")

Jobs = Annotated[int, typer.Option(default_factory=default_jobs, help="Processes; one per core by default.")]
Device = Annotated[str, typer.Option(help="Where networks train: cpu or cuda[:number].")]
Seed = Annotated[int, typer.Option(help="Everything random derives from it.")]
GameText = Annotated[str, typer.Argument(help="kind, kind:value or kind:field=value,…, as in overcooked:cramped_room.")]
Results = Annotated[Path, typer.Argument(help="A folder that `crossplay run` wrote.")]
Agent = Annotated[str, typer.Argument(help="A card's folder, or a policy as text: uniform, constant:4 …")]
Manifest = Annotated[
    str, typer.Argument(help="A manifest or its folder; or a suite's, as in standard/coordination_ring.")
]
Settings = Annotated[list[str] | None, typer.Option("--set", help="field=value, dotted: ppo.learning_rate=1e-3.")]
