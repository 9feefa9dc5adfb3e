"""Agents of the board that do nearly the same as a held-out partner, whatever their files say.

A digest tells equal files apart from others; behaviour is compared by fingerprint. What was compared lies beside the
manifest, so that it is done once, and boards only read it.
"""

from collections.abc import Sequence
from dataclasses import field
from pathlib import Path

from crossplay.benchmark.card import Card
from crossplay.benchmark.config import build, config, read_toml, to_table, write_toml
from crossplay.benchmark.errors import Fault
from crossplay.benchmark.game import Game
from crossplay.leaderboard.roster import Roster
from crossplay.populations.diversity import Near
from crossplay.populations.fingerprint import copies
from crossplay.populations.llm.live import asks

COPIES = "copies.toml"


@config
class Compared:
    """Agents (name → digest) that were compared with held-out partners (likewise), and who is near to whom."""

    held_out: dict[str, str]
    agents: dict[str, str] = field(default_factory=dict)
    near: tuple[Near, ...] = ()  # `one` is an agent, `other` a held-out partner

    def of(self, roster: Roster) -> tuple[Near, ...]:
        """What is known of the agents that play now."""
        return tuple(n for n in self.near if self.agents[n.one] == _names(roster.egos).get(n.one))


def known(root: Path, roster: Roster) -> Compared:
    """What has been compared in a site's folder with the held-out partners of now."""
    held_out, path = _names(_quick(roster.held_out)), root / COPIES
    found = build(Compared, read_toml(path), str(path)) if path.is_file() else Compared(held_out=held_out)
    return found if found.held_out == held_out else Compared(held_out=held_out)


def compare(game: Game, root: Path, roster: Roster) -> Compared:
    """Compares the agents that have not been, and writes it down."""
    before = known(root, roster)
    missing = [card for card in _quick(roster.egos) if before.agents.get(card.name) != card.digest]
    if not missing or not _quick(roster.held_out):
        return before
    again = {card.name for card in missing}
    looked_at, near = _looked_at(game, missing, _quick(roster.held_out))
    near = [*(n for n in before.near if n.one not in again), *near]
    after = Compared(held_out=before.held_out, agents={**before.agents, **_names(looked_at)}, near=tuple(near))
    write_toml(root / COPIES, to_table(after))
    return after


def _looked_at(game: Game, cards: Sequence[Card], held_out: Sequence[Card]) -> tuple[list[Card], list[Near]]:
    """Who could be compared, and who is near. Those at fault, found by halving, are left to what their matches say."""
    try:
        return list(cards), list(copies(game, cards, held_out))
    except Fault:
        if len(cards) == 1:
            return [], []
    half = len(cards) // 2
    parts = [_looked_at(game, part, held_out) for part in (cards[:half], cards[half:])]
    return parts[0][0] + parts[1][0], parts[0][1] + parts[1][1]


def _quick(cards: Sequence[Card]) -> tuple[Card, ...]:
    """Those that can be fingerprinted: a language model would be asked thousands of questions."""
    return tuple(card for card in cards if not asks(card.maker))


def _names(cards: tuple[Card, ...] | list[Card]) -> dict[str, str]:
    return {card.name: card.digest for card in cards}
