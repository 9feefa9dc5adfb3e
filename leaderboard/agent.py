"""Agents as a user names them: a card's folder, or a policy in words; checked, or set at a table."""

from pathlib import Path

from crossplay.benchmark.card import CARD_FILE, Card, load_card
from crossplay.benchmark.check import check_policy
from crossplay.benchmark.config import from_text, to_table
from crossplay.benchmark.crossplay import MatchResult, fixture, play_batch
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game, GameSpec
from crossplay.benchmark.registry import GAMES, POLICIES
from crossplay.leaderboard import suite as _suite  # noqa: F401  registers everything


def find(text: str) -> Card:
    """The card in the folder `text`, or one for the policy that `text` spells. Raises Refused for neither."""
    path = Path(text)
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
        policy = find(agent).policy(played)
    except Refused as refused:
        return [str(refused)]
    return [f"seat {seat}: {fault}" for seat in range(played.spec.seats) for fault in check_policy(policy, played, seat)]


def play_match(game: str, ego: str, partner: str, *, seat: int, episodes: int, seed: int) -> tuple[GameSpec, MatchResult]:
    """One match between named agents, with the seeds a board would give it."""
    played: Game = from_text(GAMES, game)
    result = play_batch([fixture(played, find(ego), find(partner), seat=seat, episodes=episodes, seed=seed)])[0]
    if isinstance(result, Refused):
        raise result
    return played.spec, result
