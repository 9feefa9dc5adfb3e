"""Four ways of learning to debate, as trainers: ippo, srpo, srpo without its price, and everybody alone [Qu2026].

Adapters agent0 and agent1 hold seats 0 and 1 and are what is deployed. Adapter adv0 is the adversary of agent0: it sits
in seat 1, where agent1 is its reference; adv1 likewise in seat 0. Under srpo no agent ever trains with the other one.
"""

from typing import ClassVar, Literal, NamedTuple, Protocol

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from crossplay.agents.llm import placement
from crossplay.agents.llm.base import Lora
from crossplay.agents.llm.training import DebateTraining
from crossplay.agents.llm.warm import Warm
from crossplay.agents.trainer import TRAINERS
from crossplay.benchmark.config import config

AGENTS = ("agent0", "agent1")
ADVERSARIES = ("adv0", "adv1")


@config
class Gate:
    """How good the untuned base has to be: where it knows nothing or all, training shows nothing."""

    low: float = Field(default=0.2, ge=0, le=1)
    high: float = Field(default=0.7, ge=0, le=1)
    questions: PositiveInt = 128  # of the training part

    @model_validator(mode="after")
    def _ordered(self) -> "Gate":
        if self.low > self.high:
            raise ValueError(f"low = {self.low} given, above high = {self.high}")
        return self


@config
class Learn:
    """PPO on whole answers: one reward an answer, and the same advantage for all of its tokens."""

    steps: PositiveInt = 12  # updates
    batch: PositiveInt = 64  # questions an update, shared out among the pairs that play
    epochs: PositiveInt = 2
    lr: PositiveFloat = 3e-3
    critic_lr: PositiveFloat = 1e-2
    clip: float = Field(default=0.2, gt=0, lt=1)
    entropy: float = Field(default=0.001, ge=0)
    gamma: float = Field(default=1.0, ge=0, le=1)
    tokens: PositiveInt = 6  # an answer, at most
    micro: PositiveInt = 128  # answers a forward pass
    alarm: PositiveFloat = 2.0  # nats a token from the base: past that a training is noted as having run away
    watch: PositiveInt = 5  # updates from one look at that to the next


@config
class On:
    """What adapters are laid over: a named model below CROSSPLAY_MODELS, or one warmed up here."""

    model: str = Field(default="", pattern=r"^[\w./-]*$")  # empty: the tiny one of `warm`
    dtype: Literal["float32", "bfloat16"] = "float32"
    warm: Warm = Warm()
    lora: Lora = Lora()
    gate: Gate = Gate()


class Cast(NamedTuple):
    """Adapters by seat, and the seat of the hero where the other one is an adversary."""

    seats: tuple[str, str]
    hero: int | None = None


class Arm(Protocol):
    """A registered `config` class in TRAINERS that teaches debaters."""

    on: On
    learn: Learn
    casts: ClassVar[tuple[Cast, ...]]
    rounds: ClassVar[int | None]  # None: the game's own

    @property
    def price(self) -> float:
        """1/τ: what an adversary pays for a nat."""
        ...

    def placed(self, paid: np.ndarray, cast: Cast) -> np.ndarray:
        """Own rewards [rounds, episodes, seats] as what answers are taught with; NaN: not taught."""
        ...


PAIR = (Cast(AGENTS),)
DUELS = (Cast((AGENTS[0], ADVERSARIES[0]), 0), Cast((ADVERSARIES[1], AGENTS[1]), 1))


@TRAINERS.register("debate_ippo")
@config
class DebateIPPO:
    """Debaters that learn together, each by its own reward and, in middle rounds, the team's return."""

    schooling: ClassVar[type] = DebateTraining
    casts: ClassVar[tuple[Cast, ...]] = PAIR
    rounds: ClassVar[int | None] = None
    price: ClassVar[float] = 0.0
    on: On = On()
    learn: Learn = Learn()

    def placed(self, paid: np.ndarray, cast: Cast) -> np.ndarray:
        """See `placement.independent`."""
        return placement.independent(paid, self.learn.gamma)


@TRAINERS.register("debate_solo")
@config
class DebateSolo:
    """Debaters that each learn to answer alone, in one round, and meet others only afterwards. A control."""

    schooling: ClassVar[type] = DebateTraining
    casts: ClassVar[tuple[Cast, ...]] = PAIR
    rounds: ClassVar[int | None] = 1
    price: ClassVar[float] = 0.0
    on: On = On()
    learn: Learn = Learn()

    def placed(self, paid: np.ndarray, cast: Cast) -> np.ndarray:
        """Own rewards."""
        return placement.alone(paid)


@TRAINERS.register("debate_srpo")
@config
class DebateSRPO:
    """Debaters that learn against adversaries, who pay 1/τ a nat for speaking unlike the partner they stand in for."""

    schooling: ClassVar[type] = DebateTraining
    casts: ClassVar[tuple[Cast, ...]] = DUELS
    rounds: ClassVar[int | None] = None
    tau: PositiveFloat = 10.0
    on: On = On()
    learn: Learn = Learn()

    @property
    def price(self) -> float:
        """1/τ."""
        return 1 / self.tau

    def placed(self, paid: np.ndarray, cast: Cast) -> np.ndarray:
        """See `placement.duel`."""
        return placement.duel(paid, cast.hero or 0, self.learn.gamma)


@TRAINERS.register("debate_srpo_no_kl")
@config
class DebateNoKL:
    """As debate_srpo with adversaries that pay nothing, τ = ∞. A control."""

    schooling: ClassVar[type] = DebateTraining
    casts: ClassVar[tuple[Cast, ...]] = DUELS
    rounds: ClassVar[int | None] = None
    price: ClassVar[float] = 0.0
    on: On = On()
    learn: Learn = Learn()

    def placed(self, paid: np.ndarray, cast: Cast) -> np.ndarray:
        """See `placement.duel`."""
        return placement.duel(paid, cast.hero or 0, self.learn.gamma)


@TRAINERS.register("debate_warm")
@config
class DebateWarm:
    """The tiny base of the other debate trainers, by supervised learning: a fixture, not a language model."""

    schooling: ClassVar[type] = DebateTraining
    on: On = On()
