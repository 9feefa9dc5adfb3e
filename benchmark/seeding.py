"""Randomness that derives from names. One episode, one seed; a draw is a pure function of (seed, step, stream).

So an episode's luck does not depend on the batch it is played in, on who else plays, or on any global generator.
"""

import hashlib

import numpy as np

Seeds = np.ndarray  # uint64 [episodes]
_GOLDEN = 0x9E3779B97F4A7C15
_STREAM = 0xD1B54A32D192ED03


def derive(seed: int, *names: str | int) -> int:
    """A 63-bit seed for the thing that `names` spell, under a parent seed."""
    text = "\x1f".join([str(int(seed)), *(str(name) for name in names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def spread(seed: int, count: int) -> Seeds:
    """Seeds for `count` episodes, uint64 [count]; the first n of a longer spread are the spread of n."""
    return mix(np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_GOLDEN) + np.uint64(seed))


def mix(x: np.ndarray) -> np.ndarray:
    """The SplitMix64 finaliser on uint64 [...] [Steele2014]."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def uniforms(seeds: Seeds, step: int, stream: int = 0) -> np.ndarray:
    """One float64 in [0, 1) per episode for this step and stream, [episodes]."""
    offset = ((step + 1) * _GOLDEN + stream * _STREAM) & (2**64 - 1)
    return (mix(mix(seeds + np.uint64(offset))) >> np.uint64(11)) * 2.0**-53


def sample(probabilities: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Inverse-CDF sampling: probabilities [episodes, actions], draws [episodes] in [0, 1) → int64 [episodes].

    An action of probability zero is never chosen, whatever rounding does to the cumulative sum.
    """
    cumulative = np.cumsum(probabilities, axis=1, dtype=np.float64)
    total = cumulative[:, -1]
    threshold = np.minimum(draws * total, np.nextafter(total, 0.0))
    return (cumulative <= threshold[:, None]).sum(axis=1)
