"""Cross-play: pairings, and the engine that plays many of them at once."""

import hashlib
import json
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from functools import cached_property, lru_cache
from importlib.metadata import version
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from pydantic import NonNegativeInt, PositiveInt

from crossplay.benchmark.card import Card
from crossplay.benchmark.config import config, digest
from crossplay.benchmark.errors import Fault, Outage, Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.match import HARNESS, Returns, Table, Watch, match_seeds, play_tables
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import derive, spread
from crossplay.benchmark.workers import in_processes

PASSING = "passing"  # in a failure's provenance: it says nothing of the agent, so a later run tries again
EPISODES_A_BATCH = 2048  # enough to keep the engine busy, few enough to commit often


@config
class Pairing:
    """One match to be played; everything that decides its outcome, and nothing else, is in its key."""

    game: str
    game_digest: str
    ego: str
    ego_digest: str
    partner: str
    partner_digest: str
    seat: NonNegativeInt  # the ego's; the partner takes all the others
    episodes: PositiveInt
    seed: int
    harness: int = HARNESS

    @cached_property
    def key(self) -> str:
        """SHA-256 over every field."""
        return _key(*_values(self))


PAIRING = tuple(field.name for field in fields(Pairing))
Fields = tuple[str, str, str, str, str, str, int, int, int, int]  # a pairing's values, in PAIRING's order
_values: Callable[[Pairing], Fields] = attrgetter(*PAIRING)


def pairing(values: Fields) -> Pairing:
    """The pairing of these values."""
    named: dict[str, Any] = dict(zip(PAIRING, values, strict=True))
    return Pairing(**named)


_quoted = json.encoder.encode_basestring_ascii


def _key(*values: Any) -> str:
    """SHA-256 of config.canonical of the table, faster: what all matches of an ego begin with is hashed once."""
    game, game_digest, ego, ego_digest, partner, partner_digest, seat, episodes, seed, harness = values
    hashed = _begun(ego, ego_digest, episodes, game, game_digest, harness).copy()
    other = f'"partner":{_quoted(partner)},"partner_digest":{_quoted(partner_digest)}'
    hashed.update(f'{other},"seat":{seat},"seed":{seed}}}'.encode("ascii"))
    return str(hashed.hexdigest())


@lru_cache(maxsize=256)
def _begun(ego: str, ego_digest: str, episodes: int, game: str, game_digest: str, harness: int) -> Any:
    first = f'{{"ego":{_quoted(ego)},"ego_digest":{_quoted(ego_digest)},"episodes":{episodes},"game":{_quoted(game)}'
    return hashlib.sha256(f'{first},"game_digest":{_quoted(game_digest)},"harness":{harness},'.encode("ascii"))


class Fixture(NamedTuple):
    """A pairing together with what is needed to play it."""

    pairing: Pairing
    game: Game
    ego: Card
    partner: Card


class MatchResult(NamedTuple):
    """A pairing, what every episode of it paid, and where it was played."""

    pairing: Pairing
    returns: Returns
    provenance: dict[str, Any]


class Failure(NamedTuple):
    """A pairing that could not be played to its end, since an agent broke it, and how."""

    pairing: Pairing
    reason: str
    provenance: dict[str, Any]


def fixture(game: Game, ego: Card, partner: Card, *, seat: int, episodes: int, seed: int) -> Fixture:
    """The fixture of an ego in `seat` with a partner in every other seat."""
    return next(fixtures(game, [(ego, partner, seat)], episodes=episodes, seed=seed))


Match = tuple[Card, Card, int]  # ego, partner, the ego's seat


def fixtures(game: Game, matches: Iterable[Match], *, episodes: int, seed: int) -> Iterator[Fixture]:
    """A fixture for each of these matches of a game."""
    matches = list(matches)
    for (ego, partner, _), values in zip(matches, _fields(game, matches, episodes, seed), strict=True):
        yield Fixture(pairing(values), game, ego, partner)


def keyed(game: Game, matches: Iterable[Match], *, episodes: int, seed: int) -> Iterator[tuple[str, Fields]]:
    """Key and fields of each match's pairing, several times as fast as by way of fixtures."""
    for values in _fields(game, matches, episodes, seed):
        yield _key(*values), values


def _fields(game: Game, matches: Iterable[Match], episodes: int, seed: int) -> Iterator[Fields]:
    name, seats, known = game.spec.name, game.spec.seats, digest(game)
    for ego, partner, seat in matches:
        if not 0 <= seat < seats:
            raise Refused(f"{name} has seats 0 to {seats - 1}; given {seat}")
        yield name, known, ego.name, ego.digest, partner.name, partner.digest, seat, episodes, seed, HARNESS


def play_fixtures(
    fixtures: Sequence[Fixture],
    *,
    jobs: int = 1,
    episodes_a_batch: int = EPISODES_A_BATCH,
    on_failure: Callable[[Failure], None] | None = None,
) -> Iterator[MatchResult]:
    """Plays fixtures in engine batches spread over processes; yields each match as soon as its batch is done.

    A fixture that is refused does not cost the others their results: the refusal is raised after all are played. One
    that an agent breaks is handed to `on_failure`; without it, it is refused.
    """
    refusals: list[Refused] = []
    for results in in_processes(play_batch, _batches(fixtures, jobs, episodes_a_batch), jobs):
        for result in results:
            if isinstance(result, Failure):
                (on_failure or (lambda failure: refusals.append(Fault(failure.reason))))(result)
            elif isinstance(result, Refused):
                refusals.append(result)
            else:
                yield result
    if refusals:
        raise refusals[0]


def play_one(fixture: Fixture) -> MatchResult:
    """One match. Raises Fault where an agent breaks it, Refused where somebody cannot play it."""
    result = play_batch([fixture])[0]
    if isinstance(result, Failure):
        raise Fault(result.reason)
    if isinstance(result, Refused):
        raise result
    return result


def play_watched(fixtures: Sequence[Fixture], watch: Watch) -> list[Returns]:
    """Matches of one game once more, with somebody looking on at their episodes, laid one after the other."""
    policies = _Policies()
    return play_tables(fixtures[0].game, [_table(f, policies) for f in fixtures], watch)


def play_batch(fixtures: Sequence[Fixture]) -> list[MatchResult | Failure | Refused]:
    """One engine batch; where somebody in it is refused or breaks it, each fixture on its own."""
    start = time.perf_counter()
    try:
        policies = _Policies()
        played = play_tables(fixtures[0].game, [_table(f, policies) for f in fixtures])
    except Refused as refused:
        if len(fixtures) == 1 and isinstance(refused, Fault):
            passing = {PASSING: True} if isinstance(refused, Outage) else {}
            return [Failure(fixtures[0].pairing, str(refused), _provenance(time.perf_counter() - start) | passing)]
        if len(fixtures) == 1:
            return [refused]
        return [result for f in fixtures for result in play_batch([f])]
    provenance = _provenance((time.perf_counter() - start) / len(fixtures))
    return [MatchResult(f.pairing, r, provenance) for f, r in zip(fixtures, played, strict=True)]


def _batches(fixtures: Sequence[Fixture], jobs: int, episodes_a_batch: int) -> list[list[Fixture]]:
    batches: list[list[Fixture]] = []
    for name in dict.fromkeys(f.pairing.game for f in fixtures):
        mine = [f for f in fixtures if f.pairing.game == name]
        fair = -(-len(mine) // max(1, 2 * jobs))
        size = max(1, min(fair, episodes_a_batch // mine[0].pairing.episodes))
        batches += [[f] for f in mine if _alone(f)]
        mine = [f for f in mine if not _alone(f)]
        batches += [mine[i : i + size] for i in range(0, len(mine), size)]
    return batches


def _alone(fixture: Fixture) -> bool:
    """Whether somebody in a match may break it, so that nobody else's is to be played beside it."""
    makers = [card.maker for card in (fixture.ego, fixture.partner)]
    makers += [inner for maker in makers if isinstance(inner := maker.get("maker"), dict)]
    kinds = (str(maker.get("kind")) for maker in makers)
    return any(getattr(POLICIES[kind], "alone", False) for kind in kinds if kind in POLICIES)


class _Policies(dict[tuple[str, str], Policy]):
    """Policies of one batch: policies are values, so one serves every table it sits at."""

    def of(self, game: Game, card: Card) -> Policy:
        key = (game.spec.name, card.digest)
        if key not in self:
            self[key] = card.policy(game)
        return self[key]


def _table(f: Fixture, policies: _Policies) -> Table:
    p = f.pairing
    luck, ego, partner = match_seeds(p.seed, p.game, p.ego, p.partner, p.seat)
    seats = range(f.game.spec.seats)
    cards = [f.ego if seat == p.seat else f.partner for seat in seats]
    seeds = [ego if seat == p.seat else derive(partner, seat) for seat in seats]
    return Table(
        [policies.of(f.game, card) for card in cards],
        spread(luck, p.episodes),
        [spread(seed, p.episodes) for seed in seeds],
        [card.name for card in cards],
    )


def _provenance(seconds: float) -> dict[str, Any]:
    return {
        "seconds": round(seconds, 4),
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "crossplay": version("crossplay"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
    }
