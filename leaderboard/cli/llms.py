"""Commands about language models: record, and what can be done with a tape: stats, verify, replay."""

from pathlib import Path
from typing import Annotated

import typer

from crossplay.leaderboard import console
from crossplay.leaderboard.cli.app import Agent, GameText, Seed, llm_app, tape_app

Tape = Annotated[Path, typer.Argument(help="A tape, or the folder of the card that it belongs to.")]
Setting = Annotated[list[str] | None, typer.Option("--set", help="field=value of the backend: temperature=0.7.")]


@llm_app.command()
def record(
    game: GameText,
    partner: Agent,
    model: Annotated[str, typer.Option(help="The model's id, as the server knows it.")],
    base_url: Annotated[str, typer.Option(help="An OpenAI-compatible endpoint, as in https://host/v1.")],
    out: Annotated[Path, typer.Option(help="Folder for the card that replays the match.")],
    key_env: Annotated[str, typer.Option(help="Environment variable that holds the key.")] = "OPENAI_API_KEY",
    persona: Annotated[str, typer.Option(help="A sentence that the model is told about itself.")] = "",
    samples: Annotated[int, typer.Option(min=1, help="Different answers that one situation may get.")] = 1,
    calls: Annotated[int, typer.Option(min=1, help="Most calls; past them the match is invalid.")] = 10_000,
    seat: Annotated[int, typer.Option(help="The model's seat.")] = 0,
    episodes: Annotated[int, typer.Option(min=1)] = 1,
    seed: Seed = 0,
    settings: Setting = None,
) -> None:
    """Let a live language model play one match, and keep a card that replays it without the model.

    Example: **crossplay llm record overcooked overcooked-greedy --model m --base-url https://host/v1 --out chef**
    """
    from crossplay.leaderboard import tapes

    backend = {"base_url": base_url, "model": model, "key_env": key_env}
    player = tapes.live(backend, settings or [], persona=persona, samples=samples, calls=calls)
    spec, result = tapes.record(game, partner, out, player, seat=seat, episodes=episodes, seed=seed)
    console.show_match(spec, result)
    console.say(f"wrote {out}: `crossplay llm tape replay {out}` plays it again")


@llm_app.command()
def tiny(
    game: GameText,
    out: Annotated[Path, typer.Option(help="Folder for the model, which transformers can load.")],
    seed: Seed = 0,
    settings: Annotated[list[str] | None, typer.Option("--set", help="field=value of its training: steps=800.")] = None,
) -> None:
    """Train textlm-tiny, a fixture that stands where a language model would: a test of the path, and no LLM.

    Example: **crossplay llm tiny overcooked:cramped_room --out textlm-tiny**
    """
    from crossplay.leaderboard import tapes

    told = tapes.train_tiny(game, out, seed, settings or [])
    console.say(", ".join(f"{name} {value}" for name, value in told.items()))
    console.say(f"wrote {out}, a fixture; as a partner: crossplay populate llm {game} --local {out} --out cooks")


@tape_app.command()
def stats(tape: Tape) -> None:
    """Say what a tape tells of its model: answers, second questions, fallbacks, tokens, models, rungs.

    Example: **crossplay llm tape stats chef**
    """
    from crossplay.leaderboard import tapes

    for name, words in tapes.rows(tape):
        console.say(f"{name}: {words}")


@tape_app.command()
def verify(tape: Tape) -> None:
    """Read every line of a tape, and re-hash it where a card says what it has to be.

    Example: **crossplay llm tape verify chef**
    """
    from crossplay.leaderboard import tapes

    digest, count = tapes.verify(tape)
    console.say(f"✓ {tape}: {count} answers, SHA-256 {digest}")


@tape_app.command()
def replay(
    folder: Annotated[Path, typer.Argument(help="A card that `crossplay llm record` made, or a results folder.")],
) -> None:
    """Play a recorded match, or every match of a board's language models, from tapes alone; what differs is refused.

    Example: **crossplay llm tape replay chef**
    """
    from crossplay.leaderboard import publish, tapes

    if (folder / publish.STORE).is_file():
        for game, count in tapes.replay_board(folder).items():
            console.say(f"✓ {game}: {count} matches with language models pay what is stored, to the last bit")
        return
    spec, result = tapes.replay(folder)
    console.show_match(spec, result)
    console.say(f"✓ {folder}: pays in every episode what it paid when it was recorded")


@tape_app.command()
def freeze(
    card: Annotated[Path, typer.Argument(help="The folder of a live language model's card.")],
    out: Annotated[Path, typer.Option(help="Folder for the card that plays from its tape alone.")],
) -> None:
    """Make a card that plays without the model what it has played so far, and nothing else.

    Example: **crossplay llm tape freeze results/llm/overcooked-cramped_room-v1/cards/m-helper --out helper**
    """
    from crossplay.leaderboard import tapes

    frozen = tapes.freeze(card, out)
    console.say(f"{frozen.name}: {frozen.family}, {frozen.record['answers']['answers']} answers in {out}")
