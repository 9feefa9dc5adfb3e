"""Best responses: the one maximiser of U(x) = inf_p {x·Mp + D(p, y)/τ} + ε ν(x), strictly concave in x.

U is the definition of U^{τ,ε} in [Qu2026], with the general D and ν of [Mazumdar2024]; how it is maximised is ours.
"""

import numpy as np
from scipy.special import expit, log_expit, logsumexp

from crossplay.benchmark.theory.variant import Variant

LADDER = tuple(
    100.0**-k for k in range(1, 7)
)  # barrier weights, in units of the payoffs' range, for adversaries with kinks


def utility(
    payoff: np.ndarray, log_x: np.ndarray, log_y: np.ndarray, tau: float, eps: float, variant: Variant
) -> float:
    """U in payoff units, for payoff [own, other], log x [own], log y [other]."""
    x = np.exp(log_x)
    if variant.action_dependent:
        risk = x @ row_values(payoff, log_y, tau, variant)
    else:
        risk = variant.value(payoff.T @ x, log_y, tau)
    return float(risk + eps * variant.bonus.bonus(log_x))


def row_values(payoff: np.ndarray, log_y: np.ndarray, tau: float, variant: Variant) -> np.ndarray:
    """The risk value of each own action alone, [..., own] for log y [..., other]."""
    return variant.value(payoff, np.broadcast_to(log_y[..., None, :], (*log_y.shape[:-1], *payoff.shape)), tau)


def spread(payoff: np.ndarray) -> float:
    """The payoffs' range, 1 where it is nought: dividing by it, with (τ, ε) → (sτ, ε/s), moves no x."""
    return float(payoff.max() - payoff.min()) or 1.0


def best_response(payoff: np.ndarray, log_y: np.ndarray, tau: float, eps: float, variant: Variant) -> np.ndarray:
    """log x [own], the exact best response to log y [other]; bisection for two actions, Newton's method for more."""
    if len(payoff) == 2:
        z = log_odds(payoff, log_y, tau, eps, variant)
        return np.array([log_expit(z), log_expit(-z)])
    if variant.action_dependent or tau == 0:
        return variant.bonus.choose(row_values(payoff, log_y, tau, variant), eps)
    s = spread(payoff)
    log_x = np.full(len(payoff), -np.log(len(payoff)))
    for mu in (0.0,) if variant.smooth(tau) else LADDER:
        log_x = _ascend(payoff / s, log_x, log_y, tau * s, eps / s, mu, variant)
    return log_x


def log_odds(payoff: np.ndarray, log_y: np.ndarray, tau: float, eps: float, variant: Variant) -> np.ndarray:
    """Best responses with two actions as log-odds of the first, [...] for payoff [2, other] and log y [..., other].

    Bisection on a rising function; where the adversary jumps, at a kink of the risk, it ends on the jump.
    """
    edge = payoff[0] - payoff[1]
    if variant.action_dependent or tau == 0:
        values = row_values(payoff, log_y, tau, variant)
        return variant.bonus.log_odds((values[..., 0] - values[..., 1]) / eps)
    high = np.full(log_y.shape[:-1], float(variant.bonus.log_odds(np.abs(edge).max() / eps)))
    low = -high
    for _ in range(64):
        z = (low + high) / 2
        v = payoff[0] * expit(z)[..., None] + payoff[1] * expit(-z)[..., None]
        above = variant.bonus.odds(z) > variant.reply(v, log_y, tau) @ edge / eps
        low, high = np.where(above, low, z), np.where(above, z, high)
        if (high - low <= 1e-15 * (1 + np.abs(z))).all():
            break
    return (low + high) / 2


def _ascend(
    payoff: np.ndarray, log_x: np.ndarray, log_y: np.ndarray, tau: float, eps: float, mu: float, variant: Variant
) -> np.ndarray:
    """Damped Newton in log x until the predicted gain is rounding, then two undamped steps."""

    def value(candidate: np.ndarray) -> float:
        reply = variant.bent(payoff.T @ np.exp(candidate), log_y, tau, mu)
        return reply.value + eps * float(variant.bonus.bonus(candidate))

    polish = 0
    for _ in range(200):
        d, gain = _newton(payoff, log_x, log_y, tau, eps, mu, variant)
        rate = min(1.0, 3.0 / max(np.abs(d).max(), 1e-300))
        if gain <= 1e-13:
            polish += 1
        else:
            here = value(log_x)
            while rate > 1e-6 and value(_normal(log_x + rate * d)) < here + 1e-4 * rate * gain - 1e-15:
                rate /= 2
            polish = 2 if rate <= 1e-6 else 0  # no step gains: what is left is rounding, or the certificate will tell
        log_x = _normal(log_x + rate * d)
        if polish == 2:
            break
    return log_x


def _newton(
    payoff: np.ndarray, log_x: np.ndarray, log_y: np.ndarray, tau: float, eps: float, mu: float, variant: Variant
) -> tuple[np.ndarray, float]:
    """The Newton step of log x [own] on the simplex, and the first-order gain it promises."""
    x, n, m = np.exp(log_x), *payoff.shape
    p, a, _ = variant.bent(payoff.T @ x, log_y, tau, mu)
    slope = payoff @ p + eps * variant.bonus.slope(log_x)
    soft, hard = np.minimum(a, 1.0), 1 / np.maximum(a, 1.0)  # a row of dp = −a (dv + λ) stays tame for any a
    system = np.zeros((n + m + 2, n + m + 2))  # unknowns: d = dx/x, dp, and a multiplier for either sum
    system[:n, :n], system[:n, n : n + m], system[:n, -2] = np.diag(eps * variant.bonus.bend(x)), -payoff, 1.0
    system[n : n + m, :n], system[n : n + m, n : n + m] = (payoff.T * x) * soft[:, None], np.diag(hard)
    system[n : n + m, -1], system[-2, :n], system[-1, n : n + m] = soft, x, 1.0
    d = np.linalg.solve(system, np.concatenate([slope, np.zeros(m + 2)]))[:n]
    return d, float((slope - slope @ x) @ (x * d))


def _normal(log_x: np.ndarray) -> np.ndarray:
    return log_x - logsumexp(log_x)
