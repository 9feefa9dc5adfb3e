"""A match to be played, and its key: everything that decides its outcome, and nothing else."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import fields
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import Any

from pydantic import NonNegativeInt, PositiveInt

from crossplay.benchmark.config import config
from crossplay.benchmark.match import HARNESS


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
        return key_of(*values_of(self))


PAIRING = tuple(field.name for field in fields(Pairing))
Fields = tuple[str, str, str, str, str, str, int, int, int, int]  # a pairing's values, in PAIRING's order
_quoted = json.encoder.encode_basestring_ascii
values_of: Callable[[Pairing], Fields] = attrgetter(*PAIRING)


def pairing(values: Fields) -> Pairing:
    """The pairing of these values."""
    named: dict[str, Any] = dict(zip(PAIRING, values, strict=True))
    return Pairing(**named)


def key_of(
    game: str,
    game_digest: str,
    ego: str,
    ego_digest: str,
    partner: str,
    partner_digest: str,
    seat: int,
    episodes: int,
    seed: int,
    harness: int,
) -> str:
    """SHA-256 of config.canonical of the table, faster: what all matches of an ego begin with is hashed once."""
    hashed = _begun(ego, ego_digest, episodes, game, game_digest, harness).copy()
    other = f'"partner":{_quoted(partner)},"partner_digest":{_quoted(partner_digest)}'
    hashed.update(f'{other},"seat":{seat},"seed":{seed}}}'.encode("ascii"))
    return hashed.hexdigest()


@lru_cache(maxsize=256)
def _begun(ego: str, ego_digest: str, episodes: int, game: str, game_digest: str, harness: int) -> Any:
    first = f'{{"ego":{_quoted(ego)},"ego_digest":{_quoted(ego_digest)},"episodes":{episodes},"game":{_quoted(game)}'
    return hashlib.sha256(f'{first},"game_digest":{_quoted(game_digest)},"harness":{harness},'.encode("ascii"))
