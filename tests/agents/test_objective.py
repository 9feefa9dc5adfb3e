"""PPO's objective by hand, and its compiled slopes against autograd."""

import math
from itertools import product

import pytest
import torch

from crossplay.agents.dense import dense
from crossplay.agents.objective import PPO, Leash, Samples, losses, slopes


def test_the_loss_of_three_samples_by_hand():
    """Ratios 1.5, .5, 1; advantages 1, −1, 2; clip .2: surrogates min(1.5, 1.2), min(−.5, −.8), 2."""
    new = torch.tensor([[[0.6, 0.4], [0.25, 0.75], [0.5, 0.5]]]).log()
    old = torch.tensor([[0.4, 0.5, 0.5]]).log()
    batch = Samples(
        torch.zeros(1, 3, 1),
        torch.ones(1, 3, 2, dtype=torch.bool),
        torch.tensor([[0, 0, 1]]),
        old,
        torch.tensor([[0.0, 0.0, 1.0]]),
        torch.tensor([[1.0, -1.0, 2.0]]),
        torch.tensor([[1.0, 0.0, 1.0]]),
    )
    values = torch.tensor([[0.5, 0.1, 2.0]])
    found = losses(new, values, batch, PPO(normalise=False, clip_value=True, entropy=0.1, value=0.5))
    assert float(found.policy) == pytest.approx(-(1.2 - 0.8 + 2.0) / 3)
    # squared errors .25, .01, 1; clipped predictions .2, .1, 1.2 → .64, .01, .04; the larger of each pair counts
    assert float(found.value) == pytest.approx(0.5 * (0.64 + 0.01 + 1.0) / 3)
    entropy = -sum(p * math.log(p) for p in (0.6, 0.4, 0.25, 0.75, 0.5, 0.5)) / 3
    assert float(found.entropy) == pytest.approx(entropy)
    assert float(found.clipped) == pytest.approx(2 / 3)
    assert float(found.total) == pytest.approx(-0.8 + 0.5 * 0.275 - 0.1 * entropy)


def drawn(seeds=2, count=50, actions=4):
    """Logits, values and samples of which some lie beyond every clip, with some actions illegal."""
    luck = torch.Generator().manual_seed(5)

    def normal(*shape):
        return torch.randn(*shape, generator=luck)

    legal = torch.rand(seeds, count, actions, generator=luck) < 0.7
    chosen = torch.randint(actions, (seeds, count), generator=luck)
    legal.scatter_(2, chosen[..., None], True)
    logits, values = normal(seeds, count, actions), normal(seeds, count)
    old = torch.log_softmax((logits + 0.5 * normal(*logits.shape)).masked_fill(~legal, -torch.inf), dim=-1)
    log_probs = old.gather(2, chosen[..., None]).squeeze(2)
    before, targets = values + 0.5 * normal(seeds, count), normal(seeds, count)
    samples = Samples(normal(seeds, count, 1), legal, chosen, log_probs, before, normal(seeds, count), targets)
    reference = torch.log_softmax(normal(*logits.shape).masked_fill(~legal, -torch.inf), dim=-1)
    return logits, values, samples, reference


@pytest.mark.parametrize("leash", [None, *product([False, True], repeat=2)])
@pytest.mark.parametrize(("normalise", "rescale"), [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("clip_value", [False, True])
def test_slopes_are_the_losses_derivatives(leash, normalise, rescale, clip_value):
    logits, values, samples, reference = drawn()
    ppo = PPO(entropy=0.1, value=0.7, clip_value=clip_value, normalise=normalise, rescale=rescale)
    held = leash and Leash(reference, torch.tensor([0.5, 2.0]), *leash)
    found, watched = slopes(logits, values, samples, ppo, held)
    ends = logits.requires_grad_(), values.requires_grad_()
    want = losses(*ends, samples, ppo, held)
    for mine, theirs in zip(found, torch.autograd.grad(want.total.sum(), ends), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-6)
    for name, mine, theirs in zip(want._fields, watched, want, strict=True):
        assert torch.allclose(mine, theirs, atol=1e-5), name


def test_a_lost_network_shows_in_its_slopes():
    logits, values, samples, _ = drawn()
    logits[0, 3, 0] = torch.nan
    samples.legal[0, 3] = True
    found, watched = slopes(logits, values, samples, PPO())
    assert found.logits[0, 3].isnan().all()
    assert watched.total.isnan().tolist() == [True, False]


@pytest.mark.parametrize("bend", ["tanh", "relu"])
@pytest.mark.parametrize("out", [1, 3])
def test_dense_layers_and_their_slopes_equal_autograd(bend, out):
    luck = torch.Generator().manual_seed(7)
    shapes = [(5, 6, 4), (5, 6), (5, out, 6), (5, out), (5, 9, 4)]
    *parts, x = [torch.randn(*shape, generator=luck, dtype=torch.float64).requires_grad_() for shape in shapes]

    def slow():
        for k in range(5):
            inner = getattr(torch, bend)(x[k] @ parts[0][k].T + parts[1][k])
            yield inner @ parts[2][k].T + parts[3][k]

    want = torch.stack(list(slow()))
    found = dense(x, (bend, ""), [(parts[0], parts[1]), (parts[2], parts[3])])
    assert torch.allclose(found, want)
    pull = torch.randn(*want.shape, generator=luck, dtype=torch.float64)
    for mine, theirs in zip(
        torch.autograd.grad(found, [*parts, x], pull), torch.autograd.grad(want, [*parts, x], pull), strict=True
    ):
        assert torch.allclose(mine, theirs)
