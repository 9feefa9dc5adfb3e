"""Which equilibrium is meant: adversary, regulariser, and whether one's own draw lies inside or outside the risk."""

from functools import cached_property

import numpy as np
from pydantic import field_validator

from crossplay.benchmark.config import config
from crossplay.benchmark.errors import unknown
from crossplay.benchmark.registry import Registry
from crossplay.benchmark.theory.adversary import ADVERSARIES, Adversary, Reply, worst, worst_bent
from crossplay.benchmark.theory.regulariser import REGULARISERS, Regulariser


@config
class Variant:
    """A form of risk-averse quantal response equilibrium; the default is the one of [Qu2026].

    `action_dependent` values each own action by its own risk, the other order of the two expectations:
    x = choose(ρ(M[a, :])), where by default x is the fixed point of choose(M p(Mᵀx)) (both derived by us).
    """

    adversary: str = "kl"
    regulariser: str = "entropy"
    action_dependent: bool = False

    @field_validator("adversary")
    @classmethod
    def _adversary(cls, name: str) -> str:
        return _known(ADVERSARIES, name)

    @field_validator("regulariser")
    @classmethod
    def _regulariser(cls, name: str) -> str:
        return _known(REGULARISERS, name)

    @cached_property
    def risk(self) -> Adversary:
        """The adversary itself."""
        return ADVERSARIES[self.adversary]()

    @cached_property
    def bonus(self) -> Regulariser:
        """The regulariser itself."""
        return REGULARISERS[self.regulariser]()

    def smooth(self, tau: float) -> bool:
        """Whether the adversary's reply is a smooth function of what the partner's actions are worth."""
        return self.action_dependent or tau == 0 or (self.adversary != "total_variation" and tau < np.inf)

    def reply(self, v: np.ndarray, log_y: np.ndarray, tau: float) -> np.ndarray:
        """The adversary's p for v and log y [..., other]; τ = 0 leaves y alone, τ = ∞ takes the worst."""
        if tau == 0:
            return np.broadcast_to(np.exp(log_y), v.shape)
        return worst(v) if tau == np.inf else self.risk.reply(v, log_y, tau)

    def value(self, v: np.ndarray, log_y: np.ndarray, tau: float) -> np.ndarray:
        """The risk value [...] of v and log y [..., other], in payoff units."""
        if tau == 0:
            return (np.exp(log_y) * v).sum(axis=-1)
        if tau == np.inf:
            return np.broadcast_to(v, np.broadcast_shapes(v.shape, log_y.shape)).min(axis=-1)
        return self.risk.value(v, log_y, tau)

    def bent(self, v: np.ndarray, log_y: np.ndarray, tau: float, mu: float) -> Reply:
        """Reply, curvature and value for one v [other]; kinks are smoothed by a barrier of weight `mu`."""
        if tau == 0:
            return Reply(np.exp(log_y), np.zeros_like(v), float(np.exp(log_y) @ v))
        return worst_bent(v, mu) if tau == np.inf else self.risk.bent(v, log_y, tau, mu)


def _known(registry: Registry, name: str) -> str:
    if name not in registry:
        raise ValueError(str(unknown(registry.noun, name, registry)))
    return name
