"""A small made-up league: cards that differ, a game nobody plays, and results with whatever returns a test wants."""

import re
from collections.abc import Callable

import numpy as np

from crossplay.benchmark.card import Card
from crossplay.benchmark.config import config
from crossplay.benchmark.crossplay import Fixture, MatchResult
from crossplay.benchmark.game import GameSpec
from crossplay.benchmark.match import Returns
from crossplay.benchmark.pairing import Pairing
from crossplay.leaderboard.cells import Cells, cells
from crossplay.leaderboard.roster import Roster


@config
class Paper:
    """A game on paper only: it has a spec, and that is all that fixtures and stores ask for."""

    name: str = "test/paper-v1"
    seats: int = 2
    events: tuple[str, ...] = ("served", "dropped")

    @property
    def spec(self) -> GameSpec:
        return GameSpec(
            name=self.name,
            seats=self.seats,
            actions=("wait", "go"),
            views={"all": (1,)},
            horizon=3,
            events=self.events,
        )


def card(name: str, family: str = "self_play", **fields: object) -> Card:
    """A card whose digest follows its name."""
    return Card(name=name, maker={"kind": "constant", "label": name}, family=family, lineage=name, **fields)


def ego(entry: str, seed: int) -> str:
    """The name of an entry's card, which allows fewer characters than the entry's."""
    return re.sub(r"[^\w.+~=@-]", "-", f"{entry}.{seed}")


def roster(entries: dict[str, int], held_out: dict[str, int], game: Paper | None = None, **fields: object) -> Roster:
    """Entry → number of seeds, family → number of partners."""
    spec = (game or Paper()).spec
    return Roster(
        game=spec.name,
        seats=spec.seats,
        entries={name: tuple(card(ego(name, i)) for i in range(count)) for name, count in entries.items()},
        held_out=tuple(card(f"{family}{i}", family) for family, count in held_out.items() for i in range(count)),
        **fields,
    )


def outcome(fixture: Fixture, values: np.ndarray) -> MatchResult:
    """A result with returns [episodes, seats]; costs and events follow from them."""
    values = np.array(np.broadcast_to(values, (fixture.pairing.episodes, fixture.game.spec.seats)), dtype=np.float64)
    events = np.stack([np.floor(values), np.floor(values) % 3], axis=-1).astype(np.int64)
    events = np.resize(events, (*values.shape, len(fixture.game.spec.events)))
    return MatchResult(fixture.pairing, Returns(values, np.abs(values) / 10, events), {"seconds": 0.5})


def results(fixtures: list[Fixture], value: Callable[[Pairing], float]) -> dict[str, MatchResult]:
    """A result for every fixture where `value` is a number, none where it is NaN."""
    pairs = [(fixture, value(fixture.pairing)) for fixture in fixtures]
    return {f.pairing.key: outcome(f, np.float64(v)) for f, v in pairs if not np.isnan(v)}


def table(
    scores: dict[str, list], families: dict[str, int], alone: dict[str, list] | None = None, game: Paper | None = None
) -> Cells:
    """Cells by way of roster, fixtures and results: entry → [seeds, partners, seats], NaN for a hole."""
    game = game or Paper()
    arrays = {name: np.asarray(values, dtype=float) for name, values in scores.items()}
    league = roster({name: len(values) for name, values in arrays.items()}, families, game)
    order = [partner.name for partner in league.held_out]
    alone = alone or {name: [0.0] * len(values) for name, values in arrays.items()}

    whose = {ego(name, seed): (name, seed) for name, values in arrays.items() for seed in range(len(values))}

    def value(p: Pairing) -> float:
        entry, seed = whose[p.ego]
        if p.partner in order:
            return float(arrays[entry][seed, order.index(p.partner), p.seat])
        return float(alone[entry][seed]) if p.partner == p.ego else 0.0

    fixtures = league.fixtures(game, 4, 0)
    return cells(results(fixtures, value), league, fixtures)
