"""`seeding.uniforms` for one episode inside compiled code: the same number, bit for bit."""

import numba
import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_STREAM = np.uint64(0xD1B54A32D192ED03)


@numba.njit(inline="always", cache=True)
def _mix(x: np.uint64) -> np.uint64:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@numba.njit(inline="always", cache=True)
def uniform(seed: np.uint64, step: int, stream: int) -> float:
    """A float64 in [0, 1) that depends on the episode's seed, the step and the stream alone."""
    x = seed + np.uint64(step + 1) * _GOLDEN + np.uint64(stream) * _STREAM
    return float(_mix(_mix(x)) >> np.uint64(11)) * 2.0**-53
