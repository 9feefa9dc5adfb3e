"""Luck: a pure function of names, seed, step and stream; even, and the same in compiled code."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import chi2, kstest

from crossplay.benchmark.luck import uniform
from crossplay.benchmark.seeding import derive, mix, sample, spread, uniforms

seeds = st.integers(0, 2**64 - 1)
P_VALUE = 1e-4  # fixed seeds: a test passes always or never


def test_mix_is_splitmix64():
    """The first outputs of SplitMix64 from state 1234567, as its authors publish them."""
    golden = 0x9E3779B97F4A7C15
    states = np.array([(1234567 + k * golden) % 2**64 for k in (1, 2, 3)], dtype=np.uint64)
    assert mix(states).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert spread(1234567, 3).tolist() == mix(states).tolist()


def test_derive_is_sha256_of_the_spelled_names():
    text = "7\x1fpolicy\x1fego\x1f3"
    wanted = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1
    assert derive(7, "policy", "ego", 3) == wanted
    assert len({derive(7), derive(8), derive(7, "a"), derive(7, "a", "b"), derive(7, "ab"), derive(7, "b", "a")}) == 6
    assert 0 <= wanted < 2**63


@settings(deadline=None)
@given(seeds, st.integers(0, 60), st.integers(0, 60))
def test_a_shorter_spread_is_the_beginning_of_a_longer(seed, few, more):
    assert spread(seed, few + more)[:few].tolist() == spread(seed, few).tolist()
    assert len(set(spread(seed, few + more).tolist())) == few + more


@settings(deadline=None)
@given(st.lists(seeds, min_size=1, max_size=5), st.integers(0, 10_000), st.integers(0, 5_000))
def test_compiled_luck_equals_numpy_bit_for_bit(many, step, stream):
    batch = uniforms(np.array(many, dtype=np.uint64), step, stream)
    alone = [uniform(np.uint64(seed), step, stream) for seed in many]
    assert batch.tolist() == alone
    assert ((batch >= 0) & (batch < 1)).all()


@pytest.mark.parametrize("vary", ["episodes", "steps", "streams"])
def test_draws_are_uniform_along_every_axis(vary):
    n = 20_000
    if vary == "episodes":
        draws = uniforms(spread(3, n), 5, 1)
    elif vary == "steps":
        draws = np.concatenate([uniforms(spread(3, 1), step, 1) for step in range(n)])
    else:
        draws = np.concatenate([uniforms(spread(3, 1), 5, stream) for stream in range(n)])
    assert kstest(draws, "uniform").pvalue > P_VALUE


@pytest.mark.parametrize(("step", "stream"), [(0, 1), (1, 0), (1, 1), (7, 3)])
def test_draws_at_different_places_do_not_depend_on_each_other(step, stream):
    n = 50_000
    here, there = uniforms(spread(9, n), 0, 0), uniforms(spread(9, n), step, stream)
    table = np.histogram2d(here, there, bins=8, range=((0, 1), (0, 1)))[0]
    statistic = ((table - n / 64) ** 2 / (n / 64)).sum()
    assert chi2.sf(statistic, 63) > P_VALUE


def test_sample_has_the_given_frequencies():
    n, probabilities = 40_000, np.array([0.05, 0.0, 0.6, 0.35])
    chosen = sample(np.tile(probabilities, (n, 1)), uniforms(spread(1, n), 0))
    counts = np.bincount(chosen, minlength=4)
    assert counts[1] == 0
    expected = n * probabilities[[0, 2, 3]]
    assert chi2.sf((((counts[[0, 2, 3]] - expected) ** 2) / expected).sum(), 2) > P_VALUE


def test_sample_by_hand():
    probabilities = np.array([[0.25, 0.0, 0.75]] * 5)
    draws = np.array([0.0, 0.2499, 0.25, 0.9, np.nextafter(1.0, 0.0)])
    assert sample(probabilities, draws).tolist() == [0, 0, 2, 2, 2]


weights = arrays(np.float32, 6, elements=st.sampled_from([0.0, 1e-30, 1e-7, 0.1, 1 / 3, 1.0, 1e7])).filter(np.any)
edges = st.floats(0, 1, exclude_max=True) | st.sampled_from([0.0, np.nextafter(1.0, 0.0), 0.1, 1 / 3, 2 / 3, 0.5])


@settings(deadline=None)
@given(weights, edges)
def test_sample_never_picks_what_has_probability_zero(probabilities, draw):
    chosen = int(sample(probabilities[None], np.array([draw]))[0])
    assert 0 <= chosen < 6
    assert probabilities[chosen] > 0


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=8).filter(any), edges)
def test_sample_of_a_mask_picks_a_legal_action(legal, draw):
    assert legal[int(sample(np.array([legal]), np.array([draw]))[0])]
