"""Strategic risk: an adversary picks partner actions at a price, inf_p v·p + D(p, y)/τ, as U^τ is defined in [Qu2026].

The general D is that of [Mazumdar2024]. Barriers, derivatives and series are ours.
"""

from typing import NamedTuple, Protocol

import numpy as np
from scipy.optimize import brentq
from scipy.special import logsumexp

from crossplay.benchmark.config import config
from crossplay.benchmark.registry import Registry

ADVERSARIES = Registry("adversary")
LOG_TINY = -700.0  # a partner's action is never taken to be rarer than e^−700: float64 holds nothing much smaller


class Reply(NamedTuple):
    """The adversary's answer to one v, and how it bends: dp = −(diag a − a aᵀ/Σa) dv (ours)."""

    p: np.ndarray  # [other]
    a: np.ndarray  # [other]
    value: float


class Adversary(Protocol):
    """A divergence D(p, y). `v` [..., other] is each partner action's worth, log y [..., other] in nats, τ finite."""

    def reply(self, v: np.ndarray, log_y: np.ndarray, tau: float) -> np.ndarray:
        """A worst p [..., other]."""

    def value(self, v: np.ndarray, log_y: np.ndarray, tau: float) -> np.ndarray:
        """inf_p v·p + D(p, y)/τ [...], exactly."""

    def bent(self, v: np.ndarray, log_y: np.ndarray, tau: float, mu: float) -> Reply:
        """The reply to one v [other]; an adversary with kinks is smoothed by a barrier of weight `mu`."""


@ADVERSARIES.register("kl")
@config
class Kl:
    """D = KL(p‖y), the entropic risk U^τ of [Qu2026] in its dual form.

    p = softmax(log y − τ v), value −(1/τ) log Σ y exp(−τ v).
    """

    def reply(self, v: np.ndarray, log_y: np.ndarray, tau: float) -> np.ndarray:
        return np.exp(log_normal(log_y - tau * v))

    def value(self, v: np.ndarray, log_y: np.ndarray, tau: float) -> np.ndarray:
        y = np.exp(log_y)
        mean = (y * v).sum(axis=-1)
        z = -tau * (v - mean[..., None])
        near = np.log1p((y * np.expm1(np.clip(z, -1, 1))).sum(axis=-1))  # exact as τ → 0; used within |z| ≤ 1 only
        return mean - np.where(np.abs(z).max(axis=-1) < 1, near, logsumexp(z + log_y, axis=-1)) / tau

    def bent(self, v: np.ndarray, log_y: np.ndarray, tau: float, mu: float) -> Reply:
        p = self.reply(v, log_y, tau)
        return Reply(p, tau * p, float(self.value(v, log_y, tau)))


@ADVERSARIES.register("reverse_kl")
@config
class ReverseKl:
    """D = KL(y‖p), the reverse KL of [Mazumdar2024]: p = (y/τ)/(v + λ), λ such that p sums to one (formula ours)."""

    def reply(self, v: np.ndarray, log_y: np.ndarray, tau: float) -> np.ndarray:
        return tilted(v, np.exp(np.maximum(log_y, LOG_TINY)) / tau)

    def value(self, v: np.ndarray, log_y: np.ndarray, tau: float) -> np.ndarray:
        p, y = self.reply(v, log_y, tau), np.exp(log_y)
        return (p * v).sum(axis=-1) + (y * (log_y - np.log(p))).sum(axis=-1) / tau

    def bent(self, v: np.ndarray, log_y: np.ndarray, tau: float, mu: float) -> Reply:
        p = self.reply(v, log_y, tau)
        return Reply(p, p**2 * tau / np.exp(np.maximum(log_y, LOG_TINY)), float(self.value(v, log_y, tau)))


@ADVERSARIES.register("total_variation")
@config
class TotalVariation:
    """D = ½‖p − y‖₁ (ours): actions worth more than min v + 1/τ lose their mass to the worst.

    The value is Σ y min(v, min v + 1/τ).
    """

    def reply(self, v: np.ndarray, log_y: np.ndarray, tau: float) -> np.ndarray:
        moved = np.exp(log_y) * (v > v.min(axis=-1, keepdims=True) + 1 / tau)
        return np.exp(log_y) - moved + worst(v) * moved.sum(axis=-1, keepdims=True)

    def value(self, v: np.ndarray, log_y: np.ndarray, tau: float) -> np.ndarray:
        return (np.exp(log_y) * np.minimum(v, v.min(axis=-1, keepdims=True) + 1 / tau)).sum(axis=-1)

    def bent(self, v: np.ndarray, log_y: np.ndarray, tau: float, mu: float) -> Reply:
        y, d = np.exp(np.maximum(log_y, LOG_TINY)), v - v.min()

        def taken(m: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            k = 1 / tau - d - m  # barrier optimum of mass t taken from an action that held y: μ/t − μ/(y − t) = k
            return mu / (d + m), *_halves(k, y, mu)

        def excess(log_m: float) -> float:
            given, gone, _ = taken(np.exp(log_m))
            return float(given.sum() - gone.sum())

        low, high = np.log(mu) - 1e-9, np.log(1 / tau + 2 * len(v) * mu)
        given, gone, kept = taken(np.exp(brentq(excess, low, high, xtol=1e-15, rtol=1e-15)))
        a = given**2 / mu + 1 / (mu / gone**2 + mu / kept**2)
        p = kept + given
        value = v @ p + gone.sum() / tau - mu * (np.log(given) + np.log(gone) + np.log(kept)).sum()
        return Reply(p / p.sum(), a, float(value))


def _halves(k: np.ndarray, y: np.ndarray, mu: float) -> tuple[np.ndarray, np.ndarray]:
    """t and y − t with μ/t − μ/(y − t) = k, both without cancellation (ours)."""
    root = np.hypot(k * y, 2 * mu)
    small = 2 * mu * y / (np.abs(k) * y + 2 * mu + root)
    large = y - small
    return np.where(k >= 0, small, large), np.where(k >= 0, large, small)


def log_normal(weights: np.ndarray) -> np.ndarray:
    """Log weights [..., n] less their log sum: a softmax, left in logs."""
    return weights - np.logaddexp.reduce(weights, axis=-1, keepdims=True)


def worst(v: np.ndarray) -> np.ndarray:
    """τ = ∞: all mass on the lowest v [..., other], the first of equals."""
    return np.eye(v.shape[-1])[v.argmin(axis=-1)]


def worst_bent(v: np.ndarray, mu: float) -> Reply:
    """τ = ∞ with a barrier: min_p v·p − μ Σ log p, within (number of actions)·μ of min v (ours)."""
    p = tilted(v, np.full(len(v), mu))
    return Reply(p, p**2 / mu, float(v @ p - mu * np.log(p).sum()))


def tilted(v: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """p = weights/(v + λ) with Σp = 1, v + λ > 0, [..., n]: Newton from the left on a convex function (ours)."""
    d = v - v.min(axis=-1, keepdims=True)
    m = np.where(d == 0, weights, 0).max(axis=-1, keepdims=True)
    for _ in range(1100):  # each step at least doubles m or is quadratic; e^−700 is 2^−1010
        p = weights / (d + m)
        excess = p.sum(axis=-1, keepdims=True) - 1
        step = excess / (p / (d + m)).sum(axis=-1, keepdims=True)
        if (np.abs(step) <= 4e-16 * m).all():
            break
        m = m + step
    p = weights / (d + m)
    return p / p.sum(axis=-1, keepdims=True)
