"""collab-grid's macro-actions: fetch an onion, deliver it, wait, step aside; the seam is the kitchens' (`macros.py`).

A way goes round the partner, who is an obstacle. A new macro is due when the last is done or pointless, was blocked for
three steps, or has taken twenty. Of two shortest ways the episode's seed takes one.
"""

from collections.abc import Sequence
from functools import cache, cached_property
from typing import ClassVar

import numpy as np

from crossplay.benchmark.config import canonical, config, sha256
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.benchmark.games.collab_grid_kernel import ONIONS, POT, SIZE
from crossplay.benchmark.seeding import Seeds, sample, uniforms
from crossplay.populations.llm.macros import Choices, Notes
from crossplay.populations.llm.tell import bucket
from crossplay.populations.llm.words import ASIDE, DELIVER, GET, UNREACHABLE, WAIT, WAITS, Macro

TARGETS = (POT, *ONIONS)
PLACES = ("pot", "right onion", "lower onion")  # of the targets
MACROS = (
    *(Macro(f"get {PLACES[k]}", GET, k) for k in (1, 2)),
    Macro("deliver", DELIVER, 0),
    *(Macro(f"wait {steps}", WAIT, steps) for steps in WAITS),
    Macro("step aside", ASIDE),
)
VERBS, ARGS = np.array([(macro.verb, macro.arg) for macro in MACROS]).T
WALKS = (VERBS == GET) | (VERBS == DELIVER)
LONGEST, PATIENCE = 20, 3
STAY = 4
MOVES = np.array([(-1, 0), (1, 0), (0, -1), (0, 1)])
OWN, CARRIES, OTHER, OTHER_CARRIES, LIES = 0, 2, 3, 5, 5  # columns of the view "ego"; onion k lies in column LIES + k
NOW, TICKS, BLOCKED, ACTION, CELL = range(5)  # columns of the memory; NOW is −1 where no macro is under way
_HAND, _YIELD, _WHERE = 1, 2, 3  # streams of luck

RULES = """You and a partner carry onions to a pot, on a board of five by five. A delivered onion pays both of you 10, a
taken one pays both 1. Every step you walk costs .2, bumping into your partner 2 more; standing still is free. A taken
onion comes back after a while. A shift is {steps} steps."""


@config
class GridAdapter:
    """The macro-actions of collab-grid. An onion may be fetched where none lies: whoever stands there gets the next."""

    game: CollabGrid

    view: ClassVar[str] = "ego"
    macros: ClassVar[tuple[Macro, ...]] = MACROS

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the macro set and the game: answers to other ones are not answers to these."""
        return sha256(canonical([self.game.spec.name, [list(macro) for macro in MACROS]]))

    @property
    def rules(self) -> str:
        """The game, for whoever has to play it."""
        return RULES.format(steps=self.game.horizon)

    def fresh(self, seeds: Seeds, seat: int) -> Notes:
        """The memory at the start of episodes."""
        return Notes(np.ascontiguousarray(seeds, dtype=np.uint64), 0, np.tile([-1, 0, 0, STAY, -1], (len(seeds), 1)))

    def look(self, seen: np.ndarray, notes: Notes) -> tuple[Choices, Notes]:
        """What is to be chosen, given the view "ego" [episodes, 8]; call it once a step."""
        seen, rows = seen.astype(np.int64), notes.rows.copy()
        still = rows[:, CELL] == _cell(seen, OWN)
        rows[:, BLOCKED] = np.where(still, rows[:, BLOCKED] + (rows[:, ACTION] < STAY), 0)
        tired = (rows[:, TICKS] >= LONGEST) | (rows[:, BLOCKED] >= PATIENCE)
        due = (rows[:, NOW] < 0) | tired | ~_sensible(seen, rows[:, NOW])
        return Choices(due, _legal(seen)), notes._replace(rows=rows)

    def step(self, seen: np.ndarray, notes: Notes, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, Notes]:
        """Actions int64 [episodes], whether a macro surely ends with them bool [episodes], and the next memory.

        `chosen` int64 [episodes] are macro numbers, -1 to go on. Raises Refused where one is illegal or missing.
        """
        seen, rows = seen.astype(np.int64), notes.rows.copy()
        new = self._checked(np.asarray(chosen, dtype=np.int64), seen, notes)
        rows[new, NOW], rows[new, TICKS], rows[new, BLOCKED] = chosen[new], 0, 0
        rows[:, TICKS] += 1
        verb, arg = VERBS[rows[:, NOW]], ARGS[rows[:, NOW]]
        walks = WALKS[rows[:, NOW]]
        ways = _ways()[1][np.where(walks, arg, 0), _cell(seen, OTHER), _cell(seen, OWN)]  # [episodes, hands]
        hand = (uniforms(notes.seeds, 0, _HAND) < 0.5).astype(np.int64)
        action = ways[np.arange(len(rows)), hand]
        lost = walks & (action < 0)
        yields = (rows[:, BLOCKED] > 0) & (uniforms(notes.seeds, notes.step, _YIELD) < 0.5)
        action = np.where(walks & ~lost & ~yields, action, STAY)
        action = np.where(verb == ASIDE, _aside(seen, notes), action)
        rows[:, BLOCKED] += lost
        rows[:, ACTION], rows[:, CELL] = action, _cell(seen, OWN)
        ends = (verb == ASIDE) | ((verb == WAIT) & (rows[:, TICKS] >= arg))
        rows[ends, NOW] = -1
        return action, ends, Notes(notes.seeds, notes.step + 1, rows)

    def _checked(self, chosen: np.ndarray, seen: np.ndarray, notes: Notes) -> np.ndarray:
        """Where a new macro is chosen, bool [episodes]."""
        missing = (chosen < 0) & (notes.rows[:, NOW] < 0)
        for row in np.flatnonzero((chosen < -1) | (chosen >= len(MACROS)) | missing):
            raise Refused(f"macro {chosen[row]} given in episode {row}; wanted 0 to {len(MACROS) - 1}, a new one")
        new = chosen >= 0
        for row in np.flatnonzero(new & ~_legal(seen)[np.arange(len(chosen)), chosen]):
            raise Refused(f"macro {MACROS[chosen[row]].name!r} is illegal in episode {row}, step {notes.step}")
        return new

    def describe(self, seen: np.ndarray, legal: np.ndarray) -> list[str]:
        """What one seat sees and may do, a text an episode, for the view [episodes, 8] and legal [episodes, macros]."""
        return [_told(row, np.flatnonzero(mask)) for row, mask in zip(seen.astype(np.int64), legal, strict=True)]

    def names(self, numbers: Sequence[int] | np.ndarray) -> tuple[str, ...]:
        """The names of some macros."""
        return tuple(MACROS[int(number)].name for number in numbers)


def _cell(seen: np.ndarray, who: int) -> np.ndarray:
    return seen[..., who] * SIZE + seen[..., who + 1]


def _sensible(seen: np.ndarray, macro: np.ndarray) -> np.ndarray:
    """Whether hands are as a macro wants them, bool [episodes]; macro int64 [episodes]."""
    verb = VERBS[macro]
    return ~((verb == GET) & (seen[:, CARRIES] == 1)) & ~((verb == DELIVER) & (seen[:, CARRIES] == 0))


def _legal(seen: np.ndarray) -> np.ndarray:
    """Bool [episodes, macros]: hands are right, and there is a way now."""
    every = np.arange(len(MACROS))
    handy = np.stack([_sensible(seen, np.full(len(seen), macro)) for macro in every], axis=1)
    way = _ways()[0][np.where(WALKS, ARGS, 0)[None], _cell(seen, OTHER)[:, None], _cell(seen, OWN)[:, None]]
    room = np.asarray(_room(seen).any(axis=1, keepdims=True))
    return handy & (~WALKS | (way < UNREACHABLE)) & ((VERBS != ASIDE) | room)


def _room(seen: np.ndarray) -> np.ndarray:
    """Which moves lead to a free cell, bool [episodes, 4]."""
    cells = seen[:, None, OWN : OWN + 2] + MOVES
    inside = ((cells >= 0) & (cells < SIZE)).all(axis=2)
    return inside & (cells != POT).any(axis=2) & (cells != seen[:, None, OTHER : OTHER + 2]).any(axis=2)


def _aside(seen: np.ndarray, notes: Notes) -> np.ndarray:
    room = _room(seen)
    room = np.where(room.any(axis=1, keepdims=True), room, True)  # of whom no step aside was asked
    return sample(room, uniforms(notes.seeds, notes.step, _WHERE))


@cache
def _ways() -> tuple[np.ndarray, np.ndarray]:
    """Steps [targets, partner's cell, own cell], UNREACHABLE without a way; and first moves [..., hands].

    A move is −1 without a way and STAY at the target; hands prefer rows or columns.
    """
    cells = SIZE * SIZE
    steps = np.full((len(TARGETS), cells, cells), UNREACHABLE)
    moves = np.full((*steps.shape, 2), -1)
    for t, target in enumerate(TARGETS):
        for other in range(cells):
            _spread(steps[t, other], target, divmod(other, SIZE))
            for own in range(cells):
                moves[t, other, own] = _first(steps[t, other], own)
    return steps, moves


def _spread(steps: np.ndarray, target: tuple[int, int], other: tuple[int, int]) -> None:
    """Writes the steps from every cell [cells] to the target, through neither pot nor partner."""
    reached = [] if target == other else [target]
    for row, column in reached:
        here = 0 if (row, column) == target else steps[row * SIZE + column]
        steps[row * SIZE + column] = here
        for r, c in ((row + y, column + x) for y, x in MOVES.tolist()):
            free = 0 <= r < SIZE and 0 <= c < SIZE and (r, c) not in (POT, other)
            if free and steps[r * SIZE + c] == UNREACHABLE:
                steps[r * SIZE + c] = here + 1
                reached.append((r, c))


def _first(steps: np.ndarray, own: int) -> tuple[int, int]:
    """The first move of a shortest way, for either hand."""
    if steps[own] in (0, UNREACHABLE):
        return (STAY, STAY) if steps[own] == 0 else (-1, -1)
    row, column = divmod(own, SIZE)
    near = [(row + y, column + x) for y, x in MOVES.tolist()]
    closer = [0 <= r < SIZE and 0 <= c < SIZE and steps[r * SIZE + c] == steps[own] - 1 for r, c in near]
    return next(k for k in (0, 1, 2, 3) if closer[k]), next(k for k in (2, 3, 0, 1) if closer[k])


def _told(x: np.ndarray, options: np.ndarray) -> str:
    own, other, steps = _cell(x, OWN), _cell(x, OTHER), _ways()[0]
    lines = [f"You carry {_onion(x[CARRIES])}.", f"Your partner carries {_onion(x[OTHER_CARRIES])}."]
    for k, place in enumerate(PLACES):
        mine, theirs = bucket(int(steps[k, other, own])), bucket(int(steps[k, own, other]))
        lies = "" if k == 0 else " It lies there." if x[LIES + k] else " It is gone."
        lines.append(f"Steps to the {place}: you {mine}, your partner {theirs}.{lies}")
    names = (MACROS[number].name for number in options)
    return "\n".join([*lines, "Options:", *(f"{place}. {name}" for place, name in enumerate(names, 1))])


def _onion(carries: int) -> str:
    return "an onion" if carries else "nothing"
