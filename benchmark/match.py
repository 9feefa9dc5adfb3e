"""Matches: episodes played by one table of policies, many tables stepped in one engine batch."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from crossplay.benchmark.errors import Fault, Refused
from crossplay.benchmark.game import Game, GameSpec, Observation, State, Step
from crossplay.benchmark.policy import Memory, Policy
from crossplay.benchmark.seeding import Seeds, derive, spread
from crossplay.benchmark.text import TextGame, play_texts
from crossplay.benchmark.workers import single_threaded

HARNESS = 1  # part of every match key: bump it with any change that moves scores


class Table(NamedTuple):
    """One match to play: who sits where, and the luck of each episode. Names are for error messages."""

    policies: Sequence[Policy]  # one per seat
    game_seeds: Seeds  # uint64 [episodes]
    policy_seeds: Sequence[Seeds]  # per seat, uint64 [episodes]
    names: Sequence[str] = ()


class Returns(NamedTuple):
    """What a match paid: sums over whole episodes."""

    returns: np.ndarray  # [episodes, seats] float64, undiscounted, private costs taken off
    costs: np.ndarray  # [episodes, seats] float64, the private costs
    events: np.ndarray  # [episodes, seats, events] int64


def play(
    game: Game, policies: Sequence[Policy], *, episodes: int, game_seed: int, policy_seeds: Sequence[int]
) -> Returns:
    """One match of whole episodes. Equal numbers as seeds of game and seats still give them separate luck."""
    seeds = [spread(derive(seed, "seat", seat), episodes) for seat, seed in enumerate(policy_seeds)]
    return play_tables(game, [Table(policies, spread(derive(game_seed, "game"), episodes), seeds)])[0]


Watch = Callable[[State, np.ndarray | None, Step | None], None]  # a state, and the actions and pay that led to it


def unseen(state: State, actions: np.ndarray | None, paid: Step | None) -> None:
    """The watch of who does not want to see."""


def play_tables(game: Game, tables: Sequence[Table], watch: Watch = unseen) -> list[Returns]:
    """Plays all tables in one engine batch; each policy acts on its own table's rows only.

    `watch` sees the first state and every later one, in memory that the next step reuses.
    A network always sees one table's episodes at a time, so results do not depend on what else is in the batch.
    Raises Fault where a policy breaks down, or its action is illegal, misshapen or not an integer.
    """
    spec = game.spec
    for table in tables:
        given = len(table.policies), len(table.policy_seeds)
        if given != (spec.seats, spec.seats):
            raise Refused(f"{spec.name} has {spec.seats} seats; given {given[0]} policies and {given[1]} policy seeds")
    ends = np.cumsum([len(table.game_seeds) for table in tables])
    rows = [slice(end - len(table.game_seeds), end) for end, table in zip(ends, tables, strict=True)]
    with single_threaded():
        return play_texts(game, tables, watch) if isinstance(game, TextGame) else _play(game, tables, rows, watch)


def _play(game: Game, tables: Sequence[Table], rows: list[slice], watch: Watch) -> list[Returns]:
    spec, episodes = game.spec, rows[-1].stop
    state = game.reset(np.concatenate([table.game_seeds for table in tables]))
    memories = [
        [policy.begin(seeds, seat) for seat, (policy, seeds) in enumerate(zip(t.policies, t.policy_seeds, strict=True))]
        for t in tables
    ]
    views = {policy.view for table in tables for policy in table.policies}
    total = _zeros(spec, episodes)
    actions = np.empty((episodes, spec.seats), dtype=np.int64)
    watch(state, None, None)
    for step in range(spec.horizon):
        seen = {view: game.observe(state, view) for view in views}
        for table, part, memory in zip(tables, rows, memories, strict=True):
            _choose(spec, table, seen, part, memory, actions, step)
        state, paid = game.step(state, actions)
        watch(state, actions, paid)
        total.returns[...] += paid.rewards
        total.costs[...] += paid.costs
        total.events[...] += paid.events
    return [Returns(*(array[part].copy() for array in total)) for part in rows]


def _zeros(spec: GameSpec, episodes: int) -> Returns:
    shape = (episodes, spec.seats)
    return Returns(np.zeros(shape), np.zeros(shape), np.zeros((*shape, len(spec.events)), dtype=np.int64))


def _choose(
    spec: GameSpec,
    table: Table,
    seen: dict[str, Observation],
    part: slice,
    memory: list[Memory],
    actions: np.ndarray,
    step: int,
) -> None:
    for seat, policy in enumerate(table.policies):
        observation = seen[policy.view].of(seat, part)
        try:
            chosen, memory[seat] = policy.act(observation, memory[seat])
        except Fault as broken:
            raise type(broken)(f"{_who(table, seat)} in {spec.name}, seat {seat}, step {step}: {broken}") from None
        fault = illegal(chosen, observation.legal)
        if fault:
            raise Fault(f"{_who(table, seat)} in {spec.name}, seat {seat}, step {step}: {fault}")
        actions[part, seat] = chosen


def _who(table: Table, seat: int) -> str:
    return table.names[seat] if table.names else repr(table.policies[seat])


def illegal(chosen: np.ndarray, legal: np.ndarray) -> str | None:
    """What is wrong with actions [episodes] given legal [episodes, actions]; None where nothing is."""
    chosen = np.asarray(chosen)
    if chosen.shape != legal.shape[:1]:
        return f"actions have shape {list(chosen.shape)}, wanted [{legal.shape[0]}]"
    if not np.issubdtype(chosen.dtype, np.integer):
        return f"actions have dtype {chosen.dtype}, wanted an integer type"
    count = legal.shape[1]
    if ((chosen >= 0) & (chosen < count)).all() and legal[np.arange(len(chosen)), chosen].all():
        return None
    episode = [0 <= action < count and legal[i, action] for i, action in enumerate(chosen)].index(False)
    wanted = np.flatnonzero(legal[episode]).tolist()
    return f"action {int(chosen[episode])} is illegal in episode {episode}; legal: {wanted}"


def match_seeds(seed: int, game: str, ego: str, partner: str, seat: int) -> tuple[int, int, int]:
    """Seeds (game, ego, partner) from names alone; the game's luck is the same for every ego."""
    return (
        derive(seed, "game", game, partner, seat),
        derive(seed, "policy", "ego", game, ego, partner, seat),
        derive(seed, "policy", "partner", game, ego, partner, seat),
    )
