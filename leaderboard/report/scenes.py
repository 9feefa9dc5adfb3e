"""What a replay draws: a game's fixed parts, and each state's moving parts as a few whole numbers."""

from collections.abc import Callable
from typing import Any, NamedTuple

from crossplay.benchmark.game import Game
from crossplay.benchmark.games import carry_kernel, collab_grid_kernel
from crossplay.benchmark.games.carry import Carry
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.games.overcooked.layouts import load_layout
from crossplay.benchmark.games.overcooked.tables import tables

NOWHERE = -1


class Scene(NamedTuple):
    """`fixed` is a JSON object with a `kind` that replay.js draws; `moving` gives an episode's numbers in a state."""

    fixed: dict[str, Any]
    moving: Callable[[Any, int], list[int]]


def scene(game: Game) -> Scene:
    """The scene of a game; of one that nobody can draw, a scene of kind `words`: its actions are listed."""
    if isinstance(game, Overcooked):
        return _overcooked(game)
    if isinstance(game, CollabGrid):
        goal, size = collab_grid_kernel.POT, collab_grid_kernel.SIZE
        return Scene({"kind": "grid", "size": size, "goal": goal[0] * size + goal[1]}, _collab_grid)
    if isinstance(game, Carry):
        goal, size = carry_kernel.GOAL, carry_kernel.SIZE
        return Scene({"kind": "grid", "size": size, "goal": goal[0] * size + goal[1]}, _carry)
    return Scene({"kind": "words"}, lambda state, episode: [])


def _overcooked(game: Overcooked) -> Scene:
    """Two cooks' cells, facings and hands; what lies in every slot, pots first; ticks every pot has cooked, or -1."""
    layout, found = load_layout(game.layout), tables(game.layout, game.dynamics)
    fixed = {
        "kind": "overcooked",
        "width": layout.width,
        "height": layout.height,
        "kinds": found.kind.tolist(),
        "slots": found.cell.tolist(),
        "pots": found.pots,
        "time": found.time.tolist(),
    }

    def moving(state: Any, episode: int) -> list[int]:
        parts = (state.cooks[episode].ravel(), state.items[episode], state.cook[episode])
        return [int(number) for part in parts for number in part]

    return Scene(fixed, moving)


def _collab_grid(state: Any, episode: int) -> list[int]:
    """Two agents' cells and hands, two items' cells or -1, and for how long the goal stays closed."""
    r0, c0, carry0, r1, c1, carry1, *onions = state.cells[episode].tolist()
    size = collab_grid_kernel.SIZE
    lying = [
        place[0] * size + place[1] if there else NOWHERE
        for place, there in zip(collab_grid_kernel.ONIONS, onions, strict=True)
    ]
    return [r0 * size + c0, carry0, r1 * size + c1, carry1, *lying, 0]


def _carry(state: Any, episode: int) -> list[int]:
    place0, carry0, place1, carry1, *items, closed = state.cells[episode].tolist()
    return [place0, carry0, place1, carry1, *(NOWHERE if i == carry_kernel.TAKEN else i for i in items), closed]
