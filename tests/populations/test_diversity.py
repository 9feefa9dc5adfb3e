"""Diversity's numbers against what can be found by hand."""

import numpy as np
import pytest

from crossplay.populations.diversity import effective_rank, event_means, event_volume


@pytest.mark.parametrize(
    ("matrix", "rank"),
    [
        (np.eye(4), 4),
        (np.ones((4, 4)), 1),
        (np.diag([2.0, 2.0, 0.0]), 2),
        (np.diag([3.0, 1.0]), np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))),
        (-5 * np.eye(3), 3),
        (np.zeros((3, 3)), None),
    ],
)
def test_the_effective_rank_by_hand(matrix, rank):
    assert effective_rank(matrix) == (None if rank is None else pytest.approx(rank))


def test_the_event_volume_by_hand():
    """Two partners that differ in one of two events: kernel [[1, k], [k, 1]], k = exp(−2²/2), once deviations are 1."""
    volume, rank = event_volume(np.array([[4.0, 7.0], [8.0, 7.0]]))
    assert volume == pytest.approx((1 - np.exp(-2) ** 2) ** 0.5)
    assert rank == 2
    assert event_volume(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])) == (None, 2)
    assert event_volume(np.ones((3, 2))) == (None, 1)


def test_events_are_a_partners_own_in_both_seats():
    def match(i, j):  # two episodes; seat 0 counts 10 i + j, seat 1 counts 100 j + i
        return np.tile(np.array([[[10 * i + j], [100 * j + i]]]), (2, 1, 1))

    means = event_means([[match(i, j) for j in (1, 2)] for i in (1, 2)])
    assert means.tolist() == [[(11.5 + 101.5) / 2], [(21.5 + 201.5) / 2]]
