"""Every fixed point of a scalar map: a grid in odds and in probability, tangencies refined, Brent's method (ours)."""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

Map = Callable[[np.ndarray], np.ndarray]

POINTS, ZOOM, DEPTH = 501, 33, 4
FLAT = 0.05  # below this slope a crossing may be three crossings close together
TOUCH = 1e-11  # a tangency counts as a root where the map misses the diagonal by less


def fixed_points(response: Map, reach: float) -> list[float]:
    """All z in [−reach, reach] with response(z) = z that the grid can tell apart, rising; `response` is vectorised.

    A pair of roots closer than the grid is found by refining where |response(z) − z| has a dip or a flat crossing.
    """

    def miss(z: np.ndarray) -> np.ndarray:
        return response(z) - z

    edge = reach + 1e-9 * (1 + reach)
    even = np.linspace(-edge, edge, POINTS)
    inside = logit(np.linspace(expit(-edge), expit(edge), POINTS)[1:-1])
    grid = np.unique(np.concatenate([even, inside[np.abs(inside) < edge]]))
    found: list[float] = []
    for root in sorted(_roots(miss, grid, miss(grid), DEPTH)):
        if not found or root - found[-1] > 1e-7 * (1 + abs(root)):
            found.append(root)
    return found


def _roots(miss: Map, grid: np.ndarray, values: np.ndarray, depth: int) -> Iterator[float]:
    yield from grid[values == 0].tolist()
    sign = np.sign(values)
    for k in np.flatnonzero(sign[:-1] * sign[1:] < 0):
        steep = abs(values[k + 1] - values[k]) >= FLAT * (grid[k + 1] - grid[k])
        if steep or depth == 0 or grid[k + 1] - grid[k] < 1e-8:
            yield _root(miss, float(grid[k]), float(grid[k + 1]))
        else:
            yield from _roots(miss, *_zoom(miss, grid[k], grid[k + 1]), depth - 1)
    size = np.abs(values)
    dips = (size[1:-1] <= size[:-2]) & (size[1:-1] <= size[2:]) & (sign[:-2] == sign[2:]) & (sign[1:-1] == sign[2:])
    for k in np.flatnonzero(dips) + 1:
        if depth and size[k] < 3 * FLAT * (grid[k + 1] - grid[k - 1]) + _swing(values, int(k)):
            yield from _roots(miss, *_zoom(miss, grid[k - 1], grid[k + 1]), depth - 1)
        elif size[k] <= TOUCH:
            yield float(grid[k])


def _root(miss: Map, low: float, high: float) -> float:
    def at(z: float) -> float:
        return float(miss(np.array([z]))[0])

    if np.sign(at(low)) * np.sign(at(high)) >= 0:  # the map rounds differently alone and in a batch: already there
        return min((low, high), key=lambda z: abs(at(z)))
    return float(brentq(at, low, high, xtol=1e-15, rtol=1e-15))


def _swing(values: np.ndarray, k: int) -> float:
    """How far a parabola-like dip may still fall between its neighbours."""
    return float(max(abs(values[k - 1] - values[k]), abs(values[k + 1] - values[k])))


def _zoom(miss: Map, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    grid = np.linspace(low, high, ZOOM)
    return grid, miss(grid)
