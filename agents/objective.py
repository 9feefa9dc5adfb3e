"""What one minibatch of PPO minimises [Schulman2017], and its slopes where the networks end: logits and values.

`losses` says it in torch; `slopes` is its derivative, by a compiled loop on the CPU and by autograd elsewhere. At these
sizes autograd through two dozen little operations costs as much as the networks' own matrix products.
"""

from typing import NamedTuple

import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor

from crossplay.agents import objective_kernel as kernel
from crossplay.agents.gru import Thread
from crossplay.benchmark.config import config


@config
class PPO:
    """Settings of one learner's PPO."""

    rollout: PositiveInt = 128  # steps between updates
    epochs: PositiveInt = 4
    minibatches: PositiveInt = 4
    learning_rate: PositiveFloat = 1e-3
    anneal: bool = True  # learning rate falls linearly to 0
    gamma: PositiveFloat = 0.99
    lam: NonNegativeFloat = 0.95
    clip: PositiveFloat = 0.2
    clip_value: bool = False  # the critic's move is clipped too
    entropy: NonNegativeFloat = 0.01
    value: NonNegativeFloat = 0.5  # weight of the critic's loss
    max_norm: PositiveFloat = 0.5  # of the gradient
    normalise: bool = True  # advantages, by minibatch
    rescale: bool = False  # then divide entropy and leash by the same deviation, so that they keep their units


class Samples(NamedTuple):
    """Flat training data of one update; n = steps × places, a seed."""

    features: Tensor  # [K, n, *view], or lists of it as in `sparse`
    legal: Tensor  # [K, n, actions]
    actions: Tensor  # [K, n]
    log_probs: Tensor  # [K, n], when they were chosen
    values: Tensor  # [K, n], predicted then
    advantages: Tensor  # [K, n]
    targets: Tensor  # [K, n], for the critic
    others: Tensor | None = None  # [K, n, seats − 1], what a predictor should have foreseen
    thread: Thread | None = None  # of recurrent networks, whose samples are in order: step by step, places side by side


class Leash(NamedTuple):
    """What holds a policy near a reference: its price times their divergence is added to the loss."""

    reference: Tensor  # [K, n, actions] log-probabilities; −∞ where illegal
    price: Tensor  # [K], in reward per nat
    residual: bool = False  # the net's output is added to the reference's instead of standing alone
    reverse: bool = False  # KL(reference ‖ policy) instead of KL(policy ‖ reference)

    def divergence(self, log_policy: Tensor, legal: Tensor) -> Tensor:
        """The exact divergence at every sample, in nats, [K, n]."""
        p, q = (self.reference, log_policy) if self.reverse else (log_policy, self.reference)
        return (p.exp() * (p - q).masked_fill(~legal, 0.0)).sum(dim=-1)


class Losses(NamedTuple):
    """One minibatch, each [K]: what is minimised, and what is watched."""

    total: Tensor
    policy: Tensor
    value: Tensor
    entropy: Tensor
    kl: Tensor  # of the new policy from the old, the low-variance estimate
    clipped: Tensor  # share of samples beyond the clip range


class Slopes(NamedTuple):
    """Of the sum of all total losses."""

    logits: Tensor  # [K, n, actions]
    values: Tensor  # [K, n]


def log_policy(logits: Tensor, legal: Tensor, leash: Leash | None) -> Tensor:
    """Log-probabilities [K, n, actions] of a network's output, leashed or free."""
    if leash and leash.residual:
        return torch.log_softmax(leash.reference + logits.masked_fill(~legal, 0.0), dim=-1)
    return torch.log_softmax(logits.masked_fill(~legal, -torch.inf), dim=-1)


def weighed(batch: Samples, ppo: PPO) -> tuple[Tensor, Tensor]:
    """Advantages as they count [K, n], and the unit [K, 1] that entropy and leash are divided by."""
    gains, one = batch.advantages, torch.ones_like(batch.advantages[:, :1])
    if not ppo.normalise:
        return gains, one
    gains = gains - gains.mean(dim=1, keepdim=True)
    deviation = (gains**2).mean(dim=1, keepdim=True).sqrt() + 1e-8
    return gains / deviation, deviation if ppo.rescale else one


def losses(logits: Tensor, values: Tensor, batch: Samples, ppo: PPO, leash: Leash | None = None) -> Losses:
    """The clipped surrogate, the critic's squared error, the entropy bonus and the leash of a minibatch."""
    policy_now = log_policy(logits, batch.legal, leash)
    log_ratio = policy_now.gather(2, batch.actions[..., None]).squeeze(2) - batch.log_probs
    ratio = log_ratio.exp()
    gains, unit = weighed(batch, ppo)
    policy = -torch.minimum(gains * ratio, gains * ratio.clamp(1 - ppo.clip, 1 + ppo.clip)).mean(dim=1)
    error = (values - batch.targets) ** 2
    if ppo.clip_value:
        near = batch.values + (values - batch.values).clamp(-ppo.clip, ppo.clip)
        error = torch.maximum(error, (near - batch.targets) ** 2)
    value = 0.5 * error.mean(dim=1)
    entropy = -(policy_now.exp() * policy_now.masked_fill(~batch.legal, 0.0)).sum(dim=2).mean(dim=1)
    kl = (ratio - 1 - log_ratio).mean(dim=1)
    clipped = ((ratio - 1).abs() > ppo.clip).float().mean(dim=1)
    total = policy + ppo.value * value - ppo.entropy / unit[:, 0] * entropy
    if leash:
        total = total + leash.price / unit[:, 0] * leash.divergence(policy_now, batch.legal).mean(dim=1)
    return Losses(total, policy, value, entropy, kl, clipped)


def slopes(
    logits: Tensor, values: Tensor, batch: Samples, ppo: PPO, leash: Leash | None = None
) -> tuple[Slopes, Losses]:
    """How the losses rise with the networks' outputs, and the losses."""
    logits, values = logits.detach(), values.detach()
    if logits.device.type == "cpu":
        return _compiled(logits, values, batch, ppo, leash)
    with torch.enable_grad():
        found = losses(logits.requires_grad_(), values.requires_grad_(), batch, ppo, leash)
        rise = torch.autograd.grad(found.total.sum(), (logits, values))
    return Slopes(*rise), Losses._make(t.detach() for t in found)


def _compiled(logits: Tensor, values: Tensor, batch: Samples, ppo: PPO, leash: Leash | None) -> tuple[Slopes, Losses]:
    gains, unit = weighed(batch, ppo)
    entropy = (ppo.entropy / unit).flatten()
    price = leash.price / unit[:, 0] if leash else torch.zeros_like(entropy)
    held = leash.reference if leash else logits[:, :0]
    kept = (logits, batch.legal, batch.actions, batch.log_probs, gains, held, values, batch.values, batch.targets)
    rise, watched = Slopes(torch.empty_like(logits), torch.empty_like(values)), torch.empty(6, len(logits))
    kernel.slopes(
        *(t.contiguous().numpy() for t in kept),
        entropy.numpy(),
        price.numpy(),
        (ppo.clip, ppo.value, ppo.clip_value),
        (bool(leash and leash.residual), bool(leash and leash.reverse)),
        *(t.numpy() for t in (*rise, watched)),
    )
    return rise, Losses._make(watched)
