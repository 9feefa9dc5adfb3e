"""Rule partners for Overcooked: one compiled script, thirteen families by its knobs [Carroll2019] [Yu2023].

Those that work at all know which stations their side of the kitchen reaches, lay things out for the other side where
the kitchen is cut in two, and make the dearest order that the ingredients at hand allow, under both dynamics.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from pydantic import Field

from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game, Observation
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import Seeds

if TYPE_CHECKING:
    from crossplay.populations.scripted.overcooked_kernel import Rules
    from crossplay.populations.scripted.overcooked_tables import Kitchen


class Notes(NamedTuple):
    """What a script remembers: its episodes' luck, the step, and one row of counters an episode."""

    seeds: Seeds
    step: int
    rows: np.ndarray  # int64 [episodes, overcooked_kernel.MEMORY]


class _Script(NamedTuple):
    kitchen: "Kitchen"
    rules: "Rules"
    view: str = "symbols"

    def begin(self, seeds: Seeds, seat: int) -> Notes:
        from crossplay.populations.scripted.overcooked_kernel import blank

        return Notes(np.ascontiguousarray(seeds, dtype=np.uint64), 0, blank(len(seeds)))

    def act(self, observation: Observation, memory: Notes) -> tuple[np.ndarray, Notes]:
        from crossplay.populations.scripted.overcooked_kernel import act

        rows = memory.rows.copy()
        actions = act(self.kitchen, self.rules, observation.features, memory.seeds, memory.step, rows)
        return actions, Notes(memory.seeds, memory.step + 1, rows)


def _script(family: str, game: Game, **knobs: Any) -> Policy:
    """The compiled script with these knobs. Raises Refused on any other game, or for a pot the layout lacks."""
    if not isinstance(game, Overcooked):
        raise Refused(f"{family}: plays overcooked only; given {game.spec.name}")
    from crossplay.populations.scripted.overcooked_kernel import Rules
    from crossplay.populations.scripted.overcooked_tables import kitchen

    found = kitchen(game.layout, game.dynamics)
    if knobs.get("pot", -1) >= len(found.pots):
        raise Refused(f"{family}: pot {knobs['pot']} given, layout {game.layout} has pots 0 to {len(found.pots) - 1}")
    return _Script(found, Rules(**knobs))


@POLICIES.register("overcooked-stay")
@config
class Stay:
    """Never does anything."""

    def make(self, game: Game, files: Path | None) -> Policy:
        return _script("overcooked-stay", game, act=0.0)


@POLICIES.register("overcooked-random")
@config
class Random:
    """Any of the six actions with probability `p`, else stays."""

    p: float = Field(default=1.0, ge=0.0, le=1.0)

    def make(self, game: Game, files: Path | None) -> Policy:
        return _script("overcooked-random", game, act=0.0, noise=self.p)


@POLICIES.register("overcooked-greedy")
@config
class Greedy:
    """The next useful thing of the whole task; relies on the partner, if that stirs every `patience` steps."""

    patience: int = Field(default=8, ge=1, le=1000)

    def make(self, game: Game, files: Path | None) -> Policy:
        return _script("overcooked-greedy", game, patience=self.patience)


@POLICIES.register("overcooked-onion-only")
@config
class OnionOnly:
    """Fetches and pots ingredients (starts full pots where that needs a hand); never plates or delivers."""

    def make(self, game: Game, files: Path | None) -> Policy:
        return _script("overcooked-onion-only", game, dishes=False)


@POLICIES.register("overcooked-dish-only")
@config
class DishOnly:
    """Fetches a dish as soon as a pot holds something, plates and delivers; never touches an ingredient."""

    def make(self, game: Game, files: Path | None) -> Policy:
        return _script("overcooked-dish-only", game, onions=False)


@POLICIES.register("overcooked-finisher")
@config
class Finisher:
    """Stirs only when a soup has at most `ticks` to go; then plates and delivers it."""

    ticks: int = Field(default=20, ge=0, le=500)

    def make(self, game: Game, files: Path | None) -> Policy:
        return _script("overcooked-finisher", game, onions=False, late=self.ticks)


@POLICIES.register("overcooked-sporadic")
@config
class Sporadic:
    """Greedy, but acts in each step with probability `q` only."""

    q: float = Field(default=0.5, ge=0.0, le=1.0)

    def make(self, game: Game, files: Path | None) -> Policy:
        return _script("overcooked-sporadic", game, act=self.q)


@POLICIES.register("overcooked-lazy")
@config
class Lazy:
    """Greedy for the first `steps` steps, then stays."""

    steps: int = Field(default=200, ge=0)

    def make(self, game: Game, files: Path | None) -> Policy:
        return _script("overcooked-lazy", game, stop=self.steps)


@POLICIES.register("overcooked-late-starter")
@config
class LateStarter:
    """Stays for the first `steps` steps, then is greedy."""

    steps: int = Field(default=100, ge=0)

    def make(self, game: Game, files: Path | None) -> Policy:
        return _script("overcooked-late-starter", game, start=self.steps)


@POLICIES.register("overcooked-sticky")
@config
class Sticky:
    """Greedy, but repeats its last action with probability `q`."""

    q: float = Field(default=0.3, ge=0.0, lt=1.0)

    def make(self, game: Game, files: Path | None) -> Policy:
        return _script("overcooked-sticky", game, sticky=self.q)


@POLICIES.register("overcooked-one-pot")
@config
class OnePot:
    """Greedy with eyes for one pot only, numbered row by row."""

    pot: int = Field(default=0, ge=0)

    def make(self, game: Game, files: Path | None) -> Policy:
        return _script("overcooked-one-pot", game, pot=self.pot)


@POLICIES.register("overcooked-hoarder")
@config
class Hoarder:
    """Greedy, but keeps `cap` ingredients on counters before it puts any into a pot."""

    cap: int = Field(default=2, ge=0)

    def make(self, game: Game, files: Path | None) -> Policy:
        return _script("overcooked-hoarder", game, hoard=self.cap)


@POLICIES.register("overcooked-handed")
@config
class Handed:
    """Greedy, but keeps left (clockwise round the kitchen) or right; a step the other way costs 1 + `strength`."""

    side: Literal["left", "right"] = "left"
    strength: float = Field(default=1.0, ge=0.0, le=10.0)

    def make(self, game: Game, files: Path | None) -> Policy:
        hand = 1 if self.side == "left" else -1
        return _script("overcooked-handed", game, hand=hand, bias=round(4 * self.strength))
