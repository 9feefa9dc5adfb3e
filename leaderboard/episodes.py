"""The store as one tidy table, for other tools: a row per episode and seat, in Parquet or CSV."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crossplay.benchmark.crossplay import MatchResult
from crossplay.benchmark.errors import Refused

if TYPE_CHECKING:
    from crossplay.leaderboard.store import ResultStore

MATCHES_A_BLOCK = 500
TEXTS = ("key", "game", "game_digest", "ego", "ego_digest", "partner", "partner_digest", "player")
NUMBERS = ("ego_seat", "seed", "harness", "episode", "seat")


def write(path: Path, store: "ResultStore") -> None:
    """Writes the table to a .parquet or .csv file, whole or not at all. Raises Refused for any other suffix.

    Columns: the pairing's fields (its seat as `ego_seat`), the match key, `episode`, `seat`, `player` (the card in
    that seat), `return`, `cost`, and `event_<name>` for the events of all stored games, null where a game has no
    such event. An empty store gives the header alone.
    """
    import pyarrow as arrow
    from pyarrow import csv, parquet

    writers = {".parquet": parquet.ParquetWriter, ".csv": csv.CSVWriter}
    if path.suffix not in writers:
        raise Refused(f"cannot export episodes to {path.name!r}: its suffix must be one of {', '.join(writers)}")
    schema = _schema(arrow, sorted({event for _, events in store.games.values() for event in events}))
    draft = path.with_name(f".{path.name}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with writers[path.suffix](str(draft), schema) as writer:
            results = store.results()
            while block := list(islice(results, MATCHES_A_BLOCK)):
                tables = [_table(arrow, schema, result, store.games[result.pairing.game][1]) for result in block]
                writer.write_table(arrow.concat_tables(tables))
        draft.replace(path)
    except OSError as error:
        raise Refused(f"cannot write {path}: {error.strerror or error}") from None


def _schema(arrow: Any, events: list[str]) -> Any:
    numbers = [(name, arrow.int64()) for name in NUMBERS]
    outcome = [("return", arrow.float64()), ("cost", arrow.float64())]
    return arrow.schema(
        [(name, arrow.string()) for name in TEXTS] + numbers + outcome + [(f"event_{e}", arrow.int64()) for e in events]
    )


def _table(arrow: Any, schema: Any, result: MatchResult, events: tuple[str, ...]) -> Any:
    columns = dict(_columns(result, events))
    rows = len(columns["episode"])
    arrays = []
    for field in schema:
        value = columns.get(field.name)
        if isinstance(value, np.ndarray):
            arrays.append(arrow.array(value, type=field.type))
        elif value is None:
            arrays.append(arrow.nulls(rows, field.type))
        else:
            arrays.append(arrow.repeat(arrow.scalar(value, field.type), rows))
    return arrow.Table.from_arrays(arrays, schema=schema)


def _columns(result: MatchResult, events: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    pairing, outcome = result.pairing, result.returns
    episodes, seats = outcome.returns.shape
    players = [pairing.ego if seat == pairing.seat else pairing.partner for seat in range(seats)]
    for name in (
        "key",
        "game",
        "game_digest",
        "ego",
        "ego_digest",
        "partner",
        "partner_digest",
        "seed",
        "harness",
    ):
        yield name, getattr(pairing, name)
    yield "ego_seat", pairing.seat
    yield "episode", np.repeat(np.arange(episodes), seats)
    yield "seat", np.tile(np.arange(seats), episodes)
    yield "player", np.tile(np.array(players, dtype=object), episodes)
    yield "return", outcome.returns.ravel()
    yield "cost", outcome.costs.ravel()
    for index, event in enumerate(events):
        yield f"event_{event}", outcome.events[:, :, index].ravel()
