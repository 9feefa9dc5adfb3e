"""Rule partners as a population: cards that need no training, only the names of rules [Carroll2019] [Yu2023]."""

from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from crossplay.benchmark.card import Card
from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.games.carry import Carry
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.benchmark.games.debate import Debate
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.populations.generator import GENERATORS
from crossplay.populations.scripted import carry, collab_grid, debate, noisy, overcooked  # noqa: F401  registers the policies

Table = dict[str, Any]
GREEDY: Table = {"kind": "overcooked-greedy"}


@config
class Partner:
    """One rule partner: its name, and a table for POLICIES."""

    name: str = Field(pattern=r"^[\w.-]+$")
    maker: Table


class _Cards(NamedTuple):
    family: str
    partners: tuple[Partner, ...]
    game: Game
    out: Path

    def make(self) -> list[Card]:
        """Saves one card a partner. Raises Refused where a partner does not fit the game."""
        cards = [
            Card(
                name=partner.name,
                maker=partner.maker,
                game=self.game.spec.name,
                family=self.family,
                lineage=f"{self.family}/{partner.name}",
            )
            for partner in self.partners
        ]
        for card in cards:
            card.policy(self.game)
        return [card.save(self.out / card.name) for card in cards]


@GENERATORS.register("scripted")
@config
class Scripted:
    """Rule partners, as listed; without a list, the standard ones of the game. Nothing in them depends on a seed."""

    family: str = Field(default="scripted", pattern=r"^[\w.-]+$")
    partners: tuple[Partner, ...] = ()

    def tasks(self, game: Game, out: Path, *, seed: int, device: str) -> list[_Cards]:
        """One task for all. Raises Refused where two partners share a name."""
        partners = self.partners or standard(game)
        names = [partner.name for partner in partners]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise Refused(f"scripted: the partner names {', '.join(twice)} are given twice")
        return [_Cards(self.family, partners, game, out)]


def standard(game: Game) -> tuple[Partner, ...]:
    """The standard rule partners: diverse, most of them competent, and each of use to a partner who adapts."""
    if isinstance(game, Overcooked):
        tables = _overcooked(game)
    elif isinstance(game, CollabGrid):
        tables = _collab_grid()
    elif isinstance(game, Carry):
        tables = _carry(game)
    elif isinstance(game, Debate):
        tables = dict(debate.debaters())
    else:
        constant = {f"always-{k}": {"kind": "constant", "action": k} for k in range(len(game.spec.actions))}
        tables = {"uniform": {"kind": "uniform"}, **constant}
    return tuple(Partner(name=name, maker=maker) for name, maker in tables.items())


def _overcooked(game: Overcooked) -> dict[str, Table]:
    """Ten to thirteen. Specialists only where each side of the kitchen has every station, or nobody could help them."""
    from crossplay.populations.scripted.overcooked_tables import has_ways_round, kitchen, self_sufficient

    found = kitchen(game.layout, game.dynamics)
    tables: dict[str, Table] = {
        "greedy": GREEDY,
        "hoarder": {"kind": "overcooked-hoarder", "cap": 2},
        "sporadic": {"kind": "overcooked-sporadic", "q": 0.5},
        "sticky": {"kind": "overcooked-sticky", "q": 0.5},
        "lazy": {"kind": "overcooked-lazy", "steps": 200},
        "late-starter": {"kind": "overcooked-late-starter", "steps": 100},
        "trembling": {"kind": "noisy", "epsilon": 0.3, "maker": GREEDY},
    }
    if self_sufficient(found):
        tables |= {
            "onion-only": {"kind": "overcooked-onion-only"},
            "dish-only": {"kind": "overcooked-dish-only"},
            "finisher": {"kind": "overcooked-finisher", "ticks": 10},
        }
    else:
        tables |= {
            "dozing": {"kind": "overcooked-sporadic", "q": 0.25},
            "quitter": {"kind": "overcooked-lazy", "steps": 300},
            "sleeper": {"kind": "overcooked-late-starter", "steps": 200},
        }
    if has_ways_round(found):
        for side in ("left", "right"):
            tables[f"keeps-{side}"] = {"kind": "overcooked-handed", "side": side, "strength": 2.0}
    if len(found.pots) > 1:
        tables["one-pot"] = {"kind": "overcooked-one-pot", "pot": len(found.pots) - 1}
    return tables


def _collab_grid() -> dict[str, Table]:
    worker: Table = {"kind": "collab-grid-worker"}
    return {
        "worker": worker,
        "worker-right": {"kind": "collab-grid-worker", "onion": "right"},
        "worker-lower": {"kind": "collab-grid-worker", "onion": "lower", "rows_first": False},
        "half": {"kind": "collab-grid-half", "share": 0.5},
        "quitter": {"kind": "collab-grid-quitter", "steps": 25},
        "trembling": {"kind": "noisy", "epsilon": 0.3, "maker": worker},
        "shirker": {"kind": "collab-grid-shirker"},
        "circler": {"kind": "collab-grid-circler", "ring": "outer"},
        "circler-inner": {"kind": "collab-grid-circler", "ring": "inner", "clockwise": False},
        "hoarder": {"kind": "collab-grid-hoarder", "onion": "right"},
    }


def _carry(game: Carry) -> dict[str, Table]:
    """Nine. A shirker cannot help with heavy items unless it starts near the goal, so a dozing one stands in there."""
    worker: Table = {"kind": "carry-worker"}
    tables: dict[str, Table] = {
        "worker": worker,
        "worker-columns": {"kind": "carry-worker", "rows_first": False},
        "worker-spare": {"kind": "carry-worker", "item": "spare"},
        "half": {"kind": "carry-half", "share": 0.5},
        "quitter": {"kind": "carry-quitter", "steps": 30},
        "trembling": {"kind": "noisy", "epsilon": 0.3, "maker": worker},
        "camper": {"kind": "carry-camper"},
        "helper": {"kind": "carry-helper"},
    }
    lazy: Table = {"kind": "carry-half", "share": 0.2} if game.heavy else {"kind": "carry-shirker"}
    return tables | {"dozing" if game.heavy else "shirker": lazy}
