"""Risk-averse quantal response equilibria of two-player games, each with a certificate.

The definition of RQE, nobody gains in U^{τ,ε} alone, is that of [Mazumdar2024], in the form of [Qu2026]. The search
and the certificates are ours.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import root
from scipy.special import log_expit

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.theory.adversary import log_normal
from crossplay.benchmark.theory.bimatrix import Bimatrix
from crossplay.benchmark.theory.response import best_response, log_odds, row_values, spread, utility
from crossplay.benchmark.theory.scan import fixed_points
from crossplay.benchmark.theory.variant import Variant

Pair = tuple[float, float]
Logs = tuple[np.ndarray, np.ndarray]

ACCEPT = 1e-9  # residual in probability, above which a candidate is no equilibrium
STARTS = 24


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """A profile and the proof that it is an equilibrium. There may be others; nothing here claims that there are none.

    profile, logs   x and log x of each seat, float64 [own]
    residual        max |x_i − BR_i(x_−i)|, in probability
    exploitability  max_i U_i(BR_i) − U_i(x_i) with exact best responses, in payoff units
    utilities       U_i: risk value plus regulariser;   payoffs   E u_i, nothing added, both per seat
    free_riding     |E c_0 − E c_1|, the distance between the seats' expected private costs
    """

    profile: Logs
    logs: Logs
    residual: float
    exploitability: float
    utilities: Pair
    payoffs: Pair
    free_riding: float

    @property
    def welfare(self) -> float:
        """The seats' expected payoffs, added up."""
        return sum(self.payoffs)


def solve(
    game: Bimatrix,
    tau: float | Pair,
    eps: float | Pair,
    variant: Variant | None = None,
    *,
    starts: int = STARTS,
    seed: int = 0,
) -> list[Equilibrium]:
    """The equilibria found, by falling x_0(action 0): an exact scan in 2 × 2, many starts otherwise.

    τ in 1/payoff (0: quantal response, inf: maximin), ε > 0 in payoff per nat, one number or one per seat.
    Raises Refused for other τ or ε, and where nothing passes its certificate.
    """
    variant = variant or Variant()
    taus, epss = pair(tau, "tau"), pair(eps, "eps")
    if game.first.shape == (2, 2):
        found = _certified(_scan(game, taus, epss, variant), game, taus, epss, variant)
    else:
        # near maximin four softmaxes are too stiff to iterate; whole best responses are slower, and smooth
        for nested in (False, True):
            found = _certified(_many(game, taus, epss, variant, starts, seed, nested), game, taus, epss, variant)
            if found:
                break
    if not found:
        raise Refused(f"no equilibrium found from {starts} starts at tau = {tau}, eps = {eps}; try more starts")
    return sorted(found, key=lambda e: (-e.profile[0][0], e.profile[1][0]))


def _certified(candidates: Iterator[Logs], game: Bimatrix, tau: Pair, eps: Pair, variant: Variant) -> list[Equilibrium]:
    """Those that are equilibria, each once."""
    found: list[Equilibrium] = []
    for logs in candidates:
        if any(_apart(logs, old.profile) <= 1e-6 for old in found):
            continue
        new = certify(game, logs, tau, eps, variant)
        if new.residual <= ACCEPT:
            found.append(new)
    return found


def certify(
    game: Bimatrix, logs: Logs, tau: float | Pair, eps: float | Pair, variant: Variant | None = None
) -> Equilibrium:
    """Measures a profile, given as log probabilities per seat, against exact best responses."""
    variant = variant or Variant()
    taus, epss = pair(tau, "tau"), pair(eps, "eps")
    residual, gap, utilities, payoffs = 0.0, -np.inf, [], []
    for seat, payoff in enumerate(game.payoffs):
        own, other = logs[seat], logs[1 - seat]
        best = best_response(payoff, other, taus[seat], epss[seat], variant)
        utilities.append(utility(payoff, own, other, taus[seat], epss[seat], variant))
        gap = max(gap, utility(payoff, best, other, taus[seat], epss[seat], variant) - utilities[seat])
        residual = max(residual, float(np.abs(np.exp(best) - np.exp(own)).max()))
        payoffs.append(float(np.exp(own) @ payoff @ np.exp(other)))
    x, y = np.exp(logs[0]), np.exp(logs[1])
    return Equilibrium(
        profile=(x, y),
        logs=logs,
        residual=residual,
        exploitability=gap,
        utilities=(utilities[0], utilities[1]),
        payoffs=(payoffs[0], payoffs[1]),
        free_riding=float(abs(x @ game.costs[0] - y @ game.costs[1])),
    )


def pair(value: float | Pair, name: str) -> Pair:
    """One number per seat. Raises Refused for a negative τ, an ε ≤ 0, or nan."""
    both = tuple(float(v) for v in value) if isinstance(value, tuple) else (float(value), float(value))
    good = [v >= 0 if name == "tau" else 0 < v < np.inf for v in both]
    if len(both) != 2 or not all(good):
        raise Refused(f"{name} = {value}; want {'tau ≥ 0, inf allowed' if name == 'tau' else 'a finite eps > 0'}")
    return both[0], both[1]


def _scan(game: Bimatrix, tau: Pair, eps: Pair, variant: Variant) -> Iterator[Logs]:
    """2 × 2: the roots of BR(BR(z)) − z (ours), looked for from either seat's side."""

    def respond(seat: int, z: np.ndarray) -> np.ndarray:
        log_y = np.stack([log_expit(z), log_expit(-z)], axis=-1)
        return log_odds(game.payoffs[seat], log_y, tau[seat], eps[seat], variant)

    alike = game.symmetric and tau[0] == tau[1] and eps[0] == eps[1]
    for seat in (0,) if alike else (0, 1):
        edge = np.abs(game.payoffs[seat][0] - game.payoffs[seat][1]).max()
        reach = float(variant.bonus.log_odds(edge / eps[seat]))
        for z in fixed_points(lambda z, seat=seat: respond(seat, respond(1 - seat, z)), reach):  # type: ignore[misc]
            own, other = np.array(z), respond(1 - seat, np.array([z]))[0]
            logs = [np.array([log_expit(o), log_expit(-o)]) for o in ((own, other) if seat == 0 else (other, own))]
            yield logs[0], logs[1]


def _many(
    game: Bimatrix, tau: Pair, eps: Pair, variant: Variant, starts: int, seed: int, nested: bool
) -> Iterator[Logs]:
    """Any size: from each start the damped fixed point and then Newton's method, and Newton's method alone.

    nested: over whole best responses, by Newton's method alone.
    """
    shape = game.first.shape
    if tau == (np.inf, np.inf):  # maximin, whoever the partner is
        yield _logs(_step(game, np.zeros(sum(shape) - 2), tau, eps, variant), shape)
        return
    rng = np.random.default_rng(seed)
    corners = [(i % shape[0], i % shape[1]) for i in range(min(starts // 2, max(shape)))]
    draws = [[4.0 * np.eye(n)[c] for n, c in zip(shape, corner, strict=True)] for corner in corners]
    draws = [[np.zeros(n) for n in shape], *draws]
    draws += [[rng.normal(size=n) * 3 for n in shape] for _ in range(max(0, starts - len(draws)))]
    for draw in draws:
        theta = np.concatenate([d[1:] - d[0] for d in draw])

        def miss(t: np.ndarray) -> np.ndarray:
            return _step(game, t, tau, eps, variant, nested) - t

        for begin in (theta,) if nested else (damped(miss, theta), theta):
            end = root(miss, begin, method="hybr", options={"xtol": 1e-14}).x if len(theta) else theta
            yield _logs(end, shape)


def damped(miss: object, theta: np.ndarray, sweeps: int = 300) -> np.ndarray:
    """θ + rate·miss(θ), the rate .5 at first, halved whenever the residual does not fall, .005 at least."""
    rate, last = 0.5, np.inf
    for _ in range(sweeps):
        step = miss(theta)  # type: ignore[operator]
        size = float(np.abs(step).max(initial=0.0))
        if size < 1e-9:
            break
        rate = rate if size < last else max(rate / 2, 0.005)
        theta, last = theta + rate * step, size
    return theta


def _step(
    game: Bimatrix, theta: np.ndarray, tau: Pair, eps: Pair, variant: Variant, nested: bool = False
) -> np.ndarray:
    """Four softmaxes (ours): both adversaries, then both heroes; whole best responses where an adversary has kinks."""
    logs, parts = _logs(theta, game.first.shape), []
    for seat, payoff in enumerate(game.payoffs):
        s, other = spread(payoff), logs[1 - seat]
        t, e = tau[seat] * s if tau[seat] else 0.0, eps[seat] / s
        if nested or not variant.smooth(t):
            new = best_response(payoff, other, tau[seat], eps[seat], variant)
        elif variant.action_dependent:
            new = variant.bonus.choose(row_values(payoff / s, other, t, variant), e)
        else:
            p = variant.reply(payoff.T @ np.exp(logs[seat]) / s, other, t)
            new = variant.bonus.choose(payoff @ p / s, e)
        parts.append(new[1:] - new[0])
    return np.concatenate(parts)


def _logs(theta: np.ndarray, shape: tuple[int, ...]) -> Logs:
    first, second = np.split(theta, [shape[0] - 1])
    return log_normal(np.append(0.0, first)), log_normal(np.append(0.0, second))


def _apart(logs: Logs, profile: Logs) -> float:
    return max(float(np.abs(np.exp(log) - x).max()) for log, x in zip(logs, profile, strict=True))


def slope(game: Bimatrix, logs: Logs, tau: float | Pair, eps: float | Pair, variant: Variant | None = None) -> float:
    """Spectral radius of d BR_0 · d BR_1 at an equilibrium: best-response dynamics return to it iff < 1 (ours).

    Central differences in log-odds against the first action, good to about 1e-6 where the adversary is smooth.
    """
    taus, epss, variant = pair(tau, "tau"), pair(eps, "eps"), variant or Variant()
    if min(game.first.shape) == 1:
        return 0.0

    def respond(theta: np.ndarray) -> np.ndarray:
        return _step(game, theta, taus, epss, variant, nested=True)

    theta = np.concatenate([log[1:] - log[0] for log in logs])
    rows = [(respond(theta + h) - respond(theta - h)) / 2e-5 for h in 1e-5 * np.eye(len(theta))]
    cut, jacobian = game.first.shape[0] - 1, np.array(rows).T
    return float(np.abs(np.linalg.eigvals(jacobian[:cut, cut:] @ jacobian[cut:, :cut])).max())
