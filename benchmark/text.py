"""A narrow second path for games whose actions are texts: what is said cannot be numbered beforehand.

`Game.step` takes one integer a seat, and every learner, checker and kernel of the house relies on that. Numbering texts
would make a network's answer a handle that only this process understands, so texts get a protocol of their own. All
else is shared: registries, cards, pairings, seeds, returns, store, board and heatmap. `match.play_tables` takes this
path for a game that asks; nothing else has to know.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from crossplay.benchmark.errors import Fault, Refused
from crossplay.benchmark.game import GameSpec, State, Step
from crossplay.benchmark.policy import Memory
from crossplay.benchmark.seeding import Seeds

if TYPE_CHECKING:
    from crossplay.benchmark.match import Returns, Table, Watch

LONGEST = 20_000  # characters of one text: past that somebody is not answering


class Asked(NamedTuple):
    """What one seat is asked in one episode. The parts after `prompt` say no more than it does, but for `number`."""

    prompt: str
    question: str
    number: int  # of the question in its data set: for scripted partners with the key to the answers
    round: int
    own: str = ""  # what this seat said in the round before
    peer: str = ""  # what its peer said


@runtime_checkable
class TextGame(Protocol):
    """A registered `config` class in GAMES with `spec.actions` empty. All luck comes from seeds and numbers."""

    @property
    def spec(self) -> GameSpec: ...

    def reset(self, seeds: Seeds, numbers: np.ndarray) -> State:
        """A fresh batch: seeds uint64 [episodes], and each episode's number in its match, int64 [episodes]."""
        ...

    def ask(self, state: State, seat: int) -> list[Asked]:
        """What a seat is asked, one per episode."""
        ...

    def answer(self, state: State, texts: Sequence[Sequence[str]]) -> tuple[State, Step]:
        """texts[seat][episode]; the Step is as in `Game.step`. The state given stays as it is."""
        ...


@runtime_checkable
class TextPolicy(Protocol):
    """Plays one seat of a text game in many episodes at once."""

    def begin(self, seeds: Seeds, seat: int) -> Memory:
        """Memory for fresh episodes, one per seed (uint64 [episodes])."""
        ...

    def reply(self, asked: Sequence[Asked], memory: Memory) -> tuple[list[str], Memory]:
        """One text per episode, and the next memory."""
        ...


def play_texts(game: TextGame, tables: Sequence["Table"], watch: "Watch") -> list["Returns"]:
    """Plays tables one after the other, so that no reply depends on who else is in the batch.

    Raises Refused for a policy that cannot speak, Fault where one breaks or says what is not a text.
    """
    return [_play(game, table, watch) for table in tables]


def _play(game: TextGame, table: "Table", watch: "Watch") -> "Returns":
    from crossplay.benchmark.match import Returns

    spec, episodes = game.spec, len(table.game_seeds)
    state = game.reset(table.game_seeds, np.arange(episodes))
    memory = [
        _speaker(p, spec).begin(s, i) for i, (p, s) in enumerate(zip(table.policies, table.policy_seeds, strict=True))
    ]
    shape = (episodes, spec.seats)
    total = Returns(np.zeros(shape), np.zeros(shape), np.zeros((*shape, len(spec.events)), dtype=np.int64))
    watch(state, None, None)
    for step in range(spec.horizon):
        texts = []
        for seat in range(spec.seats):
            said, memory[seat] = _said(game, table, state, seat, memory[seat], step)
            texts.append(said)
        state, paid = game.answer(state, texts)
        watch(state, np.zeros(shape, dtype=np.int64), paid)
        total.returns[...] += paid.rewards
        total.costs[...] += paid.costs
        total.events[...] += paid.events
    return total


def _said(
    game: TextGame, table: "Table", state: State, seat: int, memory: Memory, step: int
) -> tuple[list[str], Memory]:
    asked = game.ask(state, seat)
    who = (
        f"{table.names[seat] if table.names else table.policies[seat]!r} in {game.spec.name}, seat {seat}, step {step}"
    )
    try:
        said, memory = _speaker(table.policies[seat], game.spec).reply(asked, memory)
    except Fault as broken:
        raise Fault(f"{who}: {broken}") from None
    if fault := wordless(said, len(asked)):
        raise Fault(f"{who}: {fault}")
    return list(said), memory


def wordless(said: Any, episodes: int) -> str | None:
    """What is wrong with replies; None where nothing is."""
    if not isinstance(said, Sequence) or isinstance(said, str) or len(said) != episodes:
        return f"wanted {episodes} texts, one per episode; given {said!r:.60}"
    for episode, text in enumerate(said):
        if not isinstance(text, str):
            return f"the reply in episode {episode} is {type(text).__name__}, wanted str"
        if len(text) > LONGEST:
            return f"the reply in episode {episode} has {len(text)} characters; at most {LONGEST}"
    return None


def _speaker(policy: Any, spec: GameSpec) -> TextPolicy:
    if not isinstance(policy, TextPolicy):
        raise Refused(f"{spec.name} wants texts; {policy!r:.80} gives numbered actions and no `reply`")
    return policy
