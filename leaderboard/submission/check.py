"""Everything that is wrong with an agent from outside, said at once."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from crossplay.benchmark.card import Card
from crossplay.benchmark.check import act_time, check_policy
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.seeding import spread
from crossplay.leaderboard.submission import manifest
from crossplay.leaderboard.submission.manifest import Submission
from crossplay.leaderboard.submission.python import Caged

HEAVY = 2**30  # bytes of memory: with more a run on many cores may end for want of it
TIMED = 50  # steps that say how long an agent thinks; of fewer than three the first, slow one would be too many


class Finding(NamedTuple):
    """What was found of one source in one game: faults, and how long it thinks."""

    source: str
    game: str
    faults: tuple[str, ...]
    microseconds: float | None  # an episode's step, in a batch of 64; None for faults and the shortest games
    memory: int | None = (
        None  # bytes at most: a caged agent's process, or what loading, checking and playing add to this
    )


def check(folder: Path) -> Iterator[Finding]:
    """Looks at every source in every game and seat. Raises Refused where its agent.toml cannot be read at all."""
    agent = manifest.load(folder)
    wrong = tuple(manifest.faults(folder, agent))
    if wrong:
        yield Finding(manifest.AGENT_FILE, "", wrong, None)
        return
    for game in agent.played():
        for card in agent.cards(game):
            yield _look(agent, card, game)


def _look(agent: Submission, card: Card, game: Game) -> Finding:
    source = agent.sources[int(card.name.rpartition("-")[2])]
    before = _own_memory(reset=True)
    try:
        policy = _watched(card.policy(game))
        if agent.form == "llm":  # to see it play would have to be paid for
            return Finding(source, game.spec.name, (), None)
        exact = agent.form == "python"  # a network rounds by batch, so alone it may differ in the last bit
        faults = [
            f"seat {seat}: {fault}"
            for seat in range(game.spec.seats)
            for fault in check_policy(policy, game, seat, alone=exact)
        ]
        steps = min(TIMED, game.spec.horizon)  # one episode: a caged agent's next would be another process
        took = act_time(policy, game, steps=steps) if not faults and steps > 2 else None
        peak = _peak(policy, game, steps, before) if not faults else None
    except Refused as refused:
        faults, took, peak = [str(refused)], None, None
    return Finding(source, game.spec.name, tuple(faults), took, peak)


def _watched(policy: Policy) -> Policy:
    return policy._replace(watch=True) if isinstance(policy, Caged) else policy


def _peak(policy: Policy, game: Game, steps: int, before: int | None) -> int | None:
    """Bytes of memory at most: of a caged agent's process, or what this one has had above `before`; None: unknown.

    Of a cage it is for a batch of 64 that is shown the first observation over and over.
    """
    if not isinstance(policy, Caged):
        after = _own_memory()
        return None if before is None or after is None else after - before
    seeds = spread(0, 64)
    observation = game.observe(game.reset(seeds), policy.view).of(0, slice(None))
    memory = policy.begin(seeds, 0)
    for _ in range(steps):
        _, memory = policy.act(observation, memory)
    return policy.peak(memory)


def _own_memory(reset: bool = False) -> int | None:
    """The most memory this process has had, in bytes; `reset` makes that what it has now. Only Linux says so."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        return int(Path("/proc/self/status").read_text(encoding="ascii").partition("VmHWM:")[2].split()[0]) * 1024
    except OSError:
        return None
