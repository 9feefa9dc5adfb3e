"""Inputs that are mostly zero, as lists of what is there; a first layer over such lists, and its slopes.

A list int32 [m] holds value << 16 | number of the input, in ascending order, and ends early with a 0.
"""

from pathlib import Path

import numpy as np

from crossplay.benchmark.compiled import kernels

kernel = kernels(Path(__file__), parallel=False)


@kernel
def pack(x, out):
    """Fills lists out int32 [n, m] with rows x uint8 [n, in], in ≤ m; returns the length of the longest."""
    longest = 0
    for i in range(x.shape[0]):
        found = 0
        for j in range(x.shape[1]):
            out[i, found] = np.int32(x[i, j]) << 16 | j  # stays only where `found` moves on: no branch to mispredict
            found += x[i, j] != 0
        if found < x.shape[1]:
            out[i, found] = 0
        longest = max(longest, found)
    return longest


@kernel
def forward(lists, weight, bias, out):
    """out [K, n, h] = inputs · weight + bias, for lists [K, n, m], weight [K, in, h], bias [K, h]."""
    for k in range(lists.shape[0]):
        for i in range(lists.shape[1]):
            found = out[k, i]
            for h in range(len(found)):
                found[h] = bias[k, h]
            for c in range(lists.shape[2]):
                entry = lists[k, i, c]
                if entry == 0:
                    break
                value, row = np.float32(entry >> 16), weight[k, entry & 0xFFFF]
                for h in range(len(found)):
                    found[h] += value * row[h]


@kernel
def backward(lists, grad, to_weight):
    """Adds to `to_weight` [K, in, h] the slopes of a loss that has slopes grad [K, n, h] in the outputs."""
    for k in range(lists.shape[0]):
        for i in range(lists.shape[1]):
            slope = grad[k, i]
            for c in range(lists.shape[2]):
                entry = lists[k, i, c]
                if entry == 0:
                    break
                value, row = np.float32(entry >> 16), to_weight[k, entry & 0xFFFF]
                for h in range(len(slope)):
                    row[h] += value * slope[h]
