"""Macro-actions for whoever thinks in errands instead of steps: what is legal, what a cook sees in words, what to do.

`look` says in which episodes a choice is due and what may be chosen; `step` carries choices out. Both read one seat's
view "symbols" and keep all they remember in `Notes`, so a policy made of them holds no state of its own.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from crossplay.benchmark.config import canonical, config, sha256
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.games.overcooked.layouts import COUNTER
from crossplay.benchmark.games.overcooked.symbols import OWN_CELL
from crossplay.benchmark.seeding import Seeds
from crossplay.populations.llm.words import THINGS, Macro, macros

if TYPE_CHECKING:
    from crossplay.populations.llm.grid import GridAdapter
    from crossplay.populations.llm.kernel import Rules

VIEW = "symbols"
RULES = """You are one of two cooks in a kitchen. Three ingredients in a pot become a soup; once it is ready, take it
out with a dish and deliver it at the serving window. Each delivered soup pays both cooks; a shift is {steps} steps."""


class Notes(NamedTuple):
    """What a cook remembers: its episodes' luck, the step, and one row of counters an episode."""

    seeds: Seeds
    step: int
    rows: np.ndarray  # int64 [episodes, kernel.MEMORY]


class Choices(NamedTuple):
    """What is to be chosen before the next step."""

    due: np.ndarray  # bool [episodes] the last macro is done, pointless, blocked or too old
    legal: np.ndarray  # bool [episodes, macros] precondition holds and there is a way now


@config
class MacroAdapter:
    """The macro-actions of one kitchen."""

    game: Overcooked

    view: ClassVar[str] = VIEW

    @property
    def rules(self) -> str:
        """The game, for whoever has to play it."""
        return RULES.format(steps=self.game.horizon)

    def fresh(self, seeds: Seeds, seat: int) -> Notes:
        """The memory of a cook at the start of its episodes."""
        from crossplay.populations.llm.kernel import blank

        return Notes(np.ascontiguousarray(seeds, dtype=np.uint64), 0, blank(len(seeds), seat))

    @cached_property
    def macros(self) -> tuple[Macro, ...]:
        """All macro-actions, as numbered."""
        return macros(len(self._tables[0].pots))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the macro set and the kitchen: answers to other ones are not answers to these."""
        return sha256(canonical([self.game.spec.name, [list(macro) for macro in self.macros]]))

    @cached_property
    def _tables(self) -> tuple:
        from crossplay.populations.llm.plan import plan
        from crossplay.populations.scripted.overcooked_tables import kitchen

        return kitchen(self.game.layout, self.game.dynamics), plan(self.game.layout, self.game.dynamics)

    @cached_property
    def _numbers(self) -> tuple[np.ndarray, np.ndarray]:
        verbs, args = np.array([(macro.verb, macro.arg) for macro in self.macros], dtype=np.int64).T
        return np.ascontiguousarray(verbs), np.ascontiguousarray(args)

    def look(self, symbols: np.ndarray, notes: Notes) -> tuple[Choices, Notes]:
        """What is to be chosen, given symbols int16 [episodes, features] of the own seat; call it once a step."""
        from crossplay.populations.llm.kernel import review

        rows, due = notes.rows.copy(), np.empty(len(notes.rows), dtype=np.bool_)
        legal = np.empty((len(due), len(self.macros)), dtype=np.bool_)
        review(*self._tables, *self._numbers, _plain(symbols), notes.seeds, rows, self._desk(), due, legal)
        return Choices(due, legal), notes._replace(rows=rows)

    def step(self, symbols: np.ndarray, notes: Notes, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, Notes]:
        """Actions int64 [episodes], whether each ends its macro bool [episodes], and the next memory.

        `chosen` int64 [episodes] are macro numbers, -1 to go on. Raises Refused where one is illegal or missing.
        """
        from crossplay.populations.llm.kernel import GOAL, VERB, proceed

        rows, actions = notes.rows.copy(), np.empty(len(notes.rows), dtype=np.int64)
        chosen = np.ascontiguousarray(chosen, dtype=np.int64)
        self._check(chosen, rows[:, VERB])
        proceed(
            *self._tables, *self._numbers, _plain(symbols), notes.seeds, notes.step, rows, self._desk(), chosen, actions
        )
        for row in np.flatnonzero(rows[:, GOAL] < 0):
            raise Refused(f"macro {self.macros[chosen[row]].name!r} is illegal in episode {row}, step {notes.step}")
        return actions, rows[:, VERB] < 0, Notes(notes.seeds, notes.step + 1, rows)

    def follow(self, rules: "Rules", symbols: np.ndarray, notes: Notes) -> tuple[np.ndarray, Notes]:
        """Actions int64 [episodes] of a program, and the next memory: `look`, choice and `step` in one compiled go."""
        from crossplay.populations.llm.kernel import run

        rows, actions = notes.rows.copy(), np.empty(len(notes.rows), dtype=np.int64)
        run(*self._tables, rules, _plain(symbols), notes.seeds, notes.step, rows, self._desk(), actions)
        return actions, Notes(notes.seeds, notes.step + 1, rows)

    def _check(self, chosen: np.ndarray, under_way: np.ndarray) -> None:
        for row in np.flatnonzero((chosen < -1) | (chosen >= len(self.macros)) | ((chosen < 0) & (under_way < 0))):
            raise Refused(f"macro {chosen[row]} given in episode {row}; wanted 0 to {len(self.macros) - 1}, a new one")

    def describe(self, symbols: np.ndarray, legal: np.ndarray) -> list[str]:
        """What one seat sees and may do, a text an episode, for symbols [episodes, features], legal [episodes, macros].

        Made of numbers and fixed words only, distances and times in buckets, so that equal situations read alike.
        """
        from crossplay.populations.llm.tell import tell

        return [tell(self, row, np.flatnonzero(mask)) for row, mask in zip(symbols, legal, strict=True)]

    @property
    def pots(self) -> list[int]:
        """The cells of the pots, as numbered."""
        return [int(cell) for cell in self._tables[0].pots]

    def dispenses(self, name: str) -> bool:
        """Whether the kitchen has a dispenser of a thing."""
        return THINGS.index(name) in self._tables[0].gives

    def cooking(self, code: int) -> int:
        """Ticks that a recipe cooks."""
        return int(self._tables[0].time[code])

    def counters(self, x: np.ndarray) -> list[int]:
        """The cells of the counters that a cook with these symbols [features] can get to."""
        k = self._tables[0]
        return [int(f) for f in k.fixtures if k.kind[f] == COUNTER and k.touch[k.side[x[OWN_CELL]], f]]

    def distances(self, x: np.ndarray) -> np.ndarray:
        """Actions to the nearest onion, tomato and dish dispenser, pot and window, own and the partner's, int64 [2, 5].

        99 where there is no way now; for the symbols [features] of one episode.
        """
        from crossplay.populations.llm.kernel import measure

        found = np.empty((2, 5), dtype=np.int64)
        measure(self._tables[0], _plain(x), self._desk(), found)
        return found

    def names(self, numbers: Sequence[int] | np.ndarray) -> tuple[str, ...]:
        """The names of some macros."""
        return tuple(self.macros[int(number)].name for number in numbers)

    def _desk(self) -> tuple:
        from crossplay.populations.llm.ways import desk
        from crossplay.populations.llm.words import PREDICATES

        return desk(len(self._tables[0].kind), len(PREDICATES))


def adapter(who: str, game: Game) -> "MacroAdapter | GridAdapter":
    """The adapter of a game, on behalf of a partner. Raises Refused where there is none for it."""
    from crossplay.populations.llm.grid import GridAdapter

    if isinstance(game, CollabGrid):
        return GridAdapter(game=game)
    if isinstance(game, Overcooked):
        return MacroAdapter(game=game)
    raise Refused(f"{who}: macro-actions are known for overcooked and collab-grid only; given {game.spec.name}")


def _plain(symbols: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(symbols, dtype=np.int64)
