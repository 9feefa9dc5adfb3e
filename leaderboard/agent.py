"""Agents as a user names them: a card's folder, or a policy in words; trained, checked, or set at a table."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crossplay.agents.graph_export import to_onnx
from crossplay.agents.inference import NetworkPolicy
from crossplay.agents.training import Training, pick_device, task_for
from crossplay.benchmark.card import CARD_FILE, Card, load_card
from crossplay.benchmark.check import check_policy
from crossplay.benchmark.config import from_text, to_table
from crossplay.benchmark.crossplay import MatchResult, fixture, play_one
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game, GameSpec
from crossplay.benchmark.registry import GAMES, POLICIES
from crossplay.benchmark.text import TextGame
from crossplay.benchmark.text_check import check_text_policy
from crossplay.benchmark.workers import in_processes
from crossplay.leaderboard.submission.manifest import is_submission, load
from crossplay.leaderboard.suite import generator_for, trainer_for
from crossplay.populations.generator import bundles, make
from crossplay.populations.llm.openai_backend import LOOPBACK


def find(text: str, game: Game | None = None) -> Card:
    """The card in the folder `text`, or one for the policy that `text` spells. Raises Refused for neither.

    Of an agent from outside it is the first of its sources, for the `game`.
    """
    path = Path(text)
    if game and is_submission(path):
        return load(path).cards(game)[0]
    if path.is_dir() or path.name == CARD_FILE:
        return load_card(path)
    if "/" in text or path.exists():
        raise Refused(f"{text}: no folder with a {CARD_FILE}, and not a policy's name")
    maker = to_table(from_text(POLICIES, text))
    name = "".join(c if c.isalnum() or c in ".+~=@-_" else "-" for c in text)
    return Card(name=name, maker=maker, family="named", lineage=f"named/{text}")


def examine(agent: str, game: str) -> list[str]:
    """Everything that is wrong with an agent for a game; empty where nothing is."""
    played: Game = from_text(GAMES, game)
    try:
        card = find(agent, played)
        policy = card.policy(played)
    except Refused as refused:
        return [str(refused)]
    seats = range(played.spec.seats)
    if isinstance(played, TextGame):
        return [f"seat {seat}: {fault}" for seat in seats for fault in check_text_policy(policy, played, seat)]
    exact = not _network(card.maker)  # a network rounds by batch, so alone it may differ in the last bit
    return [f"seat {seat}: {fault}" for seat in seats for fault in check_policy(policy, played, seat, alone=exact)]


def _network(maker: Mapping[str, Any]) -> bool:
    """Whether a maker is a network, or a policy around one."""
    return maker["kind"] == "network" or ("maker" in maker and _network(maker["maker"]))


def training(
    trainer: str, game: str, out: Path, *, seed: int, partners: Sequence[Path], device: str, settings: list[str]
) -> Training:
    """One agent's training as a user spells it; the card is named after its folder."""
    played, plan = trainer_for(trainer, game, settings)
    cards = tuple(load_card(path) for path in partners)
    made: Training = task_for(plan, out.name, trainer, played, out, seed, partners=cards, device=pick_device(device))
    return made


def partners(
    generator: str, game: str, out: Path, *, seed: int, device: str, settings: list[str], jobs: int
) -> Iterator[Card]:
    """A generator's partners, as they are made."""
    played, plan = generator_for(generator, game, settings)
    tasks = plan.tasks(played, out, seed=seed, device=pick_device(device))
    work = [[tasks[i] for i in numbers] for numbers in bundles(tasks, jobs)]
    for made in in_processes(make, work, jobs):
        for cards in made:
            yield from cards


def spelled(endpoint: str, model: str, local: str) -> list[str]:
    """A language model in short as a generator's settings; a server on this machine is not sent a key unasked."""
    table = {"backend.base_url": endpoint, "backend.model": model, "local.path": local}
    given = [f"{field}={json.dumps(value)}" for field, value in table.items() if value]
    return [*given, *(['backend.key_env=""'] if urlsplit(endpoint).hostname in LOOPBACK else [])]


def play_match(
    game: str, ego: str, partner: str, *, seat: int, episodes: int, seed: int
) -> tuple[GameSpec, MatchResult]:
    """One match between named agents, with the seeds a board would give it."""
    played: Game = from_text(GAMES, game)
    result = play_one(
        fixture(played, find(ego, played), find(partner, played), seat=seat, episodes=episodes, seed=seed)
    )
    return played.spec, result


def to_graph(card: Path, game: str) -> bytes:
    """A network's card as an ONNX graph. Raises Refused for other cards, and networks that no graph can hold."""
    played: Game = from_text(GAMES, game)
    policy = load_card(card).policy(played)
    if not isinstance(policy, NetworkPolicy):
        raise Refused(f"{card}: not a trained network, so there is nothing to write as a graph")
    return to_onnx(policy.net)
