"""What a text game and a policy for one must keep to, all faults at once; `check.py` is for games of actions."""

from typing import Any

import numpy as np

from crossplay.benchmark.errors import Fault
from crossplay.benchmark.match import Table, play_tables
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.seeding import Seeds, derive, spread
from crossplay.benchmark.text import Asked, TextGame

SAYINGS = ("", "#### 1", "#### 12", "perhaps {peer}\n#### -3")


def check_text_game(game: TextGame, *, episodes: int = 5, seed: int = 0) -> list[str]:
    """Everything wrong with a text game, in words: shapes, kinds, and whether equal seeds and texts give equal play."""
    seeds = spread(derive(seed, "check"), episodes)
    faults: list[str] = []
    once = _record(game, seeds, np.arange(episodes), faults)
    if once != _record(game, seeds, np.arange(episodes), []):
        faults.append("with equal seeds and texts, played again: what is asked or paid differs")
    alone = _record(game, seeds[-1:], np.arange(episodes)[-1:], [])
    if [[row[-1:] for row in step] for step in once] != alone:
        faults.append("an episode alone: what is asked or paid differs")
    return list(dict.fromkeys(faults))


def _record(game: TextGame, seeds: Seeds, numbers: np.ndarray, faults: list[str]) -> list[list[Any]]:
    """What was asked and paid step by step, as lists with one item an episode."""
    state, found = game.reset(seeds.copy(), numbers.copy()), []
    seats = range(game.spec.seats)
    for step in range(game.spec.horizon):
        asked = [game.ask(state, seat) for seat in seats]
        for seat, mine in enumerate(asked):
            if [isinstance(one, Asked) and bool(one.prompt) for one in mine] != [True] * len(seeds):
                faults.append(f"ask must give {len(seeds)} prompts, one per episode; seat {seat} gets {mine!r:.60}")
        texts = [[SAYINGS[(int(n) + seat + step) % len(SAYINGS)] for n in numbers] for seat in seats]
        state, paid = game.answer(state, texts)
        shape = (len(seeds), game.spec.seats)
        wanted = {"rewards": shape, "shaping": shape, "costs": shape, "events": (*shape, len(game.spec.events))}
        for name, array in paid._asdict().items():
            if np.shape(array) != wanted[name] or not np.isfinite(array).all():
                faults.append(f"{name} must be finite of shape {list(wanted[name])}, have {list(np.shape(array))}")
        if (np.asarray(paid.costs) < 0).any() or (np.asarray(paid.events) < 0).any():
            faults.append("costs and events must not be negative")
        found.append([*asked, *(np.asarray(array).tolist() for array in paid)])
    return found


class _Kept:
    """A policy whose replies are kept."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.said: list[list[str]] = []

    def begin(self, seeds: Seeds, seat: int) -> Any:
        return self._inner.begin(seeds, seat)

    def reply(self, asked: list[Asked], memory: Any) -> tuple[list[str], Any]:
        said, memory = self._inner.reply(asked, memory)
        self.said.append(said)
        return said, memory


class _Other:
    """The rest of the table: says something that derives from the round alone."""

    def begin(self, seeds: Seeds, seat: int) -> None:
        return None

    def reply(self, asked: list[Asked], memory: None) -> tuple[list[str], None]:
        return [SAYINGS[(one.number + one.round) % len(SAYINGS)] for one in asked], None


def check_text_policy(policy: Policy, game: TextGame, seat: int = 0, *, episodes: int = 5, seed: int = 0) -> list[str]:
    """Everything wrong with a policy in one seat of a text game, in words."""
    if not hasattr(policy, "reply"):
        return [f"{game.spec.name} wants texts; the policy has no `reply`"]
    try:
        once, again = (_met(policy, game, seat, episodes, seed) for _ in range(2))
    except Fault as fault:
        return [str(fault)]
    if once != again:
        return ["begun again with equal seeds it says something else: its play is not a function of its seeds"]
    return []


def _met(policy: Policy, game: TextGame, seat: int, episodes: int, seed: int) -> list[list[str]]:
    kept = _Kept(policy)
    luck = [spread(derive(seed, "check", who), episodes) for who in range(1 + game.spec.seats)]
    players: list[Any] = [kept if s == seat else _Other() for s in range(game.spec.seats)]
    play_tables(game, [Table(players, luck[0], luck[1:])])  # type: ignore[arg-type]
    return kept.said
