"""Lists of what is not zero: against the dense layer, forwards and backwards, and in a training."""

import numpy as np
import pytest
import torch

from crossplay.agents import sparse
from crossplay.agents.dense import dense
from crossplay.agents.networks import ActorCritic, Architecture
from crossplay.agents.stack import Stack
from crossplay.benchmark.games.overcooked.game import Overcooked


def inputs(seeds=2, rows=7, width=41, share=0.2):
    rng = np.random.default_rng(0)
    found = rng.integers(1, 256, (seeds, rows, width)) * (rng.random((seeds, rows, width)) < share)
    found[0, 0] = 0  # a row of nothing
    found[1, 1] = 255  # a row without a zero
    return torch.from_numpy(found.astype(np.uint8))


def test_a_list_says_which_inputs_there_are_and_how_large():
    x = torch.tensor([[[0, 3, 0, 255], [0, 0, 0, 0]]], dtype=torch.uint8)
    assert sparse.lists(x).tolist() == [[[3 << 16 | 1, 255 << 16 | 3], [0, 0]]]
    assert sparse.lists(torch.zeros(1, 2, 3, dtype=torch.uint8)).tolist() == [[[0], [0]]]


@pytest.mark.parametrize("hidden", [1, 5, 64])
def test_layers_over_lists_are_layers_over_the_inputs(hidden):
    x = inputs()
    torch.manual_seed(0)
    parts = [(torch.randn(2, hidden, 41) / 99, torch.randn(2, hidden)), (torch.randn(2, 3, hidden), torch.randn(2, 3))]
    leaves = [[t.clone().requires_grad_() for pair in parts for t in pair] for _ in range(2)]
    slopes = torch.randn(2, 7, 3)
    for given, own in zip((x.float(), sparse.lists(x)), leaves, strict=True):
        dense(given, ["tanh", ""], [(own[0], own[1]), (own[2], own[3])]).backward(slopes)
    for plain, quick in zip(*leaves, strict=True):
        torch.testing.assert_close(quick.grad, plain.grad, rtol=1e-4, atol=1e-4)


def stack(view, **kwargs):
    architecture = Architecture(view=view, hidden=(8,), **kwargs)
    generator = torch.Generator().manual_seed(0)
    return Stack([ActorCritic(architecture, Overcooked().spec, generator) for _ in range(2)])


def test_networks_say_the_same_of_lists():
    net, x = stack("varying"), inputs(width=109)
    torch.testing.assert_close(net.logits(net.listed(x)), net.logits(x), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(net.value(net.listed(x)), net.value(x), rtol=1e-4, atol=1e-4)


def test_only_small_whole_numbers_for_plain_networks_are_listed():
    assert sparse.listed(stack("varying").listed(inputs(width=109)))
    floats = torch.rand(2, 7, 68)
    assert stack("compact").listed(floats) is floats
    planes = torch.zeros(2, 7, 5, 4, 26, dtype=torch.uint8)
    assert sparse.listed(stack("lossless").listed(planes))
    assert stack("lossless", body="cnn", channels=(4,)).listed(planes) is planes
    past = torch.zeros(2, 7, 3, 109, dtype=torch.uint8)
    assert stack("varying", context=3).listed(past) is past
