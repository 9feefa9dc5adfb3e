"""Two cooks, one kitchen, soups to deliver: the field's standard task, batched [Carroll2019]."""

from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field, field_validator

from crossplay.benchmark.config import config
from crossplay.benchmark.game import GameSpec, Observation, Step
from crossplay.benchmark.games.overcooked.events import EVENTS
from crossplay.benchmark.games.overcooked.layouts import load_layout
from crossplay.benchmark.games.overcooked.tables import tables
from crossplay.benchmark.registry import GAMES
from crossplay.benchmark.seeding import Seeds

if TYPE_CHECKING:
    from crossplay.benchmark.games.overcooked.state import State

ACTIONS = ("north", "south", "east", "west", "stay", "interact")


@GAMES.register("overcooked")
@config
class Overcooked:
    """Both seats are paid for every soup either delivers: 20 each in the classic kitchens, at the reference's values.

    `classic` dynamics: the third ingredient starts the pot (the 2019 study, most published numbers, the human data).
    `interact`: an empty-handed interact starts any pot that holds something (overcooked-ai 1.1).
    `random_starts` is the probability with which cooks, each hand and each pot start at random instead of as drawn.
    """

    layout: str = "cramped_room"
    horizon: int = Field(default=400, ge=1)
    dynamics: Literal["classic", "interact"] = "classic"
    random_starts: float = Field(default=0.0, ge=0.0, le=1.0)

    @field_validator("layout")
    @classmethod
    def _covered(cls, layout: str) -> str:
        load_layout(layout)
        return layout

    @property
    def spec(self) -> GameSpec:
        return _spec(self)

    def reset(self, seeds: Seeds) -> "State":
        from crossplay.benchmark.games.overcooked.starts import scatter
        from crossplay.benchmark.games.overcooked.state import fresh

        layout = load_layout(self.layout)
        state = fresh(layout, tables(self.layout, self.dynamics), self.horizon, len(seeds))
        if self.random_starts:
            scatter(state, seeds, self.random_starts)
        return state

    def observe(self, state: "State", view: str) -> Observation:
        return state.observe(view)

    def step(self, state: "State", actions: np.ndarray) -> tuple["State", Step]:
        return state, state.step(actions)

    def describe(self, state: "State", seat: int) -> list[str]:
        from crossplay.benchmark.games.overcooked.words import describe

        return describe(state, seat)


@cache
def _spec(game: Overcooked) -> GameSpec:
    from crossplay.benchmark.games.overcooked.views import VIEWS

    layout, found = load_layout(game.layout), tables(game.layout, game.dynamics)
    return GameSpec(
        name=f"overcooked/{'.'.join(_parts(game))}-v1",
        seats=2,
        actions=ACTIONS,
        views={view: module.shape(layout, found) for view, module in VIEWS.items()},
        horizon=game.horizon,
        events=EVENTS,
    )


def _parts(game: Overcooked) -> list[str]:
    """The layout, and every field that is not at its default: two configurations never share a name."""
    percent = round(100 * game.random_starts)
    share = str(percent) if percent / 100 == game.random_starts else repr(game.random_starts)
    return [
        game.layout,
        *([game.dynamics] if game.dynamics != "classic" else []),
        *([f"h{game.horizon}"] if game.horizon != 400 else []),
        *([f"r{share}"] if game.random_starts else []),
    ]
