"""A match at rest: whether it can be stored, and its arrays as bytes, little-endian, deflated and exact."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from crossplay.benchmark.crossplay import MatchResult
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.match import Returns


def check(result: MatchResult, games: Mapping[str, tuple[int, tuple[str, ...]]]) -> None:
    """Raises Refused where a result is not of its game's shape, not finite or not a count."""
    pairing = result.pairing
    if pairing.game not in games:
        raise Refused(f"match {named(pairing)}: declare {pairing.game} to the store before adding results of it")
    seats, events = games[pairing.game]
    shape = (pairing.episodes, seats)
    for name, array, wanted in zip(Returns._fields, result.returns, (shape, shape, (*shape, len(events))), strict=True):
        array = np.asarray(array)
        if array.shape != wanted:
            raise Refused(f"match {named(pairing)}: {name} have shape {list(array.shape)}, wanted {list(wanted)}")
        if not np.isfinite(array).all():
            episode = int(np.argwhere(~np.isfinite(array))[0][0])
            raise Refused(f"match {named(pairing)}: {name} of episode {episode} are not finite")
    if not np.issubdtype(np.asarray(result.returns.events).dtype, np.integer):
        raise Refused(f"match {named(pairing)}: events are counts; given dtype {result.returns.events.dtype}")


def named(p: Any) -> str:
    """A pairing, or a row of the store, in words."""
    return f"{p.ego!r} with {p.partner!r} in {p.game}, seat {p.seat}"


def packed(array: np.ndarray, dtype: str) -> bytes:
    """An array as it is stored."""
    return zlib.compress(np.ascontiguousarray(array, dtype=dtype).tobytes(), 1)


def unpacked(data: bytes, dtype: str, shape: Sequence[int]) -> np.ndarray:
    """The array that was stored, read-only. Raises ValueError where it is damaged."""
    return np.frombuffer(_inflated(data, 8 * prod(shape)), dtype=dtype).reshape(shape)


def stacked(parts: Iterable[bytes], shape: Sequence[int], *, alike: bool = False) -> np.ndarray:
    """Stored arrays of one shape, float64 [arrays, *shape]; `alike`: many of them are the same, as costs of 0 are."""
    inflate = _inflated_again if alike else _inflated
    size = 8 * prod(shape)
    raw = b"".join([inflate(part, size) for part in parts])
    return np.frombuffer(raw, dtype="<f8").reshape(-1, *shape)


def _inflated(data: bytes, size: int) -> bytes:
    try:
        raw = zlib.decompress(data)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if len(raw) != size:
        raise ValueError(f"{len(raw)} bytes, wanted {size}")
    return raw


_inflated_again = lru_cache(maxsize=64)(_inflated)
