"""Proximal policy optimisation [Schulman2017], in paper order: advantages, clipped loss, epochs of minibatches.

Every tensor has a leading axis [K]: K seeds are taught at once, and no seed's numbers enter another's.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor

from crossplay.agents.rollout import Experience
from crossplay.agents.stack import Stack
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

    features: Tensor  # [K, n, *view]
    legal: Tensor  # [K, n, actions]
    actions: Tensor  # [K, n]
    log_probs: Tensor  # [K, n], when they were chosen
    values: Tensor  # [K, n], predicted then
    advantages: Tensor  # [K, n]
    targets: Tensor  # [K, n], for the critic
    others: Tensor | None = None  # [K, n, seats − 1], what a predictor should have foreseen


class Leash(NamedTuple):
    """What holds a policy near a reference: its price times their divergence is added to the loss."""

    reference: Tensor  # [K, n, actions] log-probabilities; −∞ where illegal
    price: Tensor  # [K], in reward per nat
    residual: bool = False  # the net's output is added to the reference's instead of standing alone
    reverse: bool = False  # KL(reference ‖ policy) instead of KL(policy ‖ reference)

    def log_policy(self, net: Stack, features: Tensor, legal: Tensor) -> Tensor:
        """The leashed policy's log-probabilities [K, n, actions]."""
        if not self.residual:
            return net.log_policy(features, legal)
        return torch.log_softmax(self.reference + net.logits(features).masked_fill(~legal, 0.0), dim=-1)

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


def advantages(
    rewards: Tensor, values: Tensor, after: Tensor, cut: Tensor, gamma: float, lam: float, terminal: bool
) -> Tensor:
    """Generalised advantage estimates [..., T, n] [Schulman2016].

    rewards, values [..., T, n]; cut [T] marks episode ends; after [..., ends, n] are values seen after each cut and
    after the last step. A cut stops the sum; beyond it stands the value seen there, or nothing if the game is
    `terminal`.
    """
    following = torch.cat([values[..., 1:, :], values[..., :1, :]], dim=-2)
    ends = cut.clone()
    ends[-1] = True
    following[..., ends, :] = after
    if terminal:
        following[..., cut, :] = 0.0
    deltas = rewards + gamma * following - values
    result = torch.empty_like(deltas)
    ahead = torch.zeros_like(deltas[..., 0, :])
    cuts = cut.tolist()
    for t in range(len(cuts) - 1, -1, -1):
        ahead = deltas[..., t, :] if cuts[t] else deltas[..., t, :] + gamma * lam * ahead
        result[..., t, :] = ahead
    return result


def policy_of(net: Stack, features: Tensor, legal: Tensor, leash: Leash | None) -> Tensor:
    """Log-probabilities [K, n, actions] of a stack, leashed or free."""
    return leash.log_policy(net, features, legal) if leash else net.log_policy(features, legal)


def prepare(net: Stack, seen: Experience, ppo: PPO, terminal: bool, leash: Leash | None = None) -> Samples:
    """Experience as flat samples under the policy and critic that collected it."""
    shape = seen.actions.shape  # [K, T, n]
    flat = [t.flatten(1, 2) for t in (seen.features, seen.legal, seen.actions)]
    with torch.inference_mode():
        log_probs = policy_of(net, flat[0], flat[1], leash).gather(2, flat[2][..., None]).squeeze(2)
        values = net.value(flat[0])
        after = net.value(seen.after.flatten(1, 2)).view(shape[0], -1, shape[2])
        gains = advantages(seen.rewards, values.view(shape), after, seen.cut, ppo.gamma, ppo.lam, terminal).flatten(1)
        targets = gains + values
    others = seen.others.flatten(1, 2) if net.nets[0].context else None
    return Samples._make([*flat, *(t.clone() for t in (log_probs, values, gains, targets)), others])


def losses(net: Stack, batch: Samples, ppo: PPO, leash: Leash | None = None) -> Losses:
    """The clipped surrogate, the critic's squared error, the entropy bonus and the leash of a minibatch."""
    log_policy = policy_of(net, batch.features, batch.legal, leash)
    log_ratio = log_policy.gather(2, batch.actions[..., None]).squeeze(2) - batch.log_probs
    ratio = log_ratio.exp()
    gains, unit = batch.advantages, torch.ones(())
    if ppo.normalise:
        gains = gains - gains.mean(dim=1, keepdim=True)
        deviation = (gains**2).mean(dim=1, keepdim=True).sqrt() + 1e-8
        gains = gains / deviation
        unit = deviation.squeeze(1) if ppo.rescale else unit
    policy = -torch.minimum(gains * ratio, gains * ratio.clamp(1 - ppo.clip, 1 + ppo.clip)).mean(dim=1)
    values = net.value(batch.features)
    error = (values - batch.targets) ** 2
    if ppo.clip_value:
        near = batch.values + (values - batch.values).clamp(-ppo.clip, ppo.clip)
        error = torch.maximum(error, (near - batch.targets) ** 2)
    value = 0.5 * error.mean(dim=1)
    entropy = -(log_policy.exp() * log_policy.masked_fill(~batch.legal, 0.0)).sum(dim=2).mean(dim=1)
    with torch.no_grad():
        kl = (ratio - 1 - log_ratio).mean(dim=1)
        clipped = ((ratio - 1).abs() > ppo.clip).float().mean(dim=1)
    total = policy + ppo.value * value - ppo.entropy / unit * entropy
    if leash:
        total = total + leash.price / unit * leash.divergence(log_policy, batch.legal).mean(dim=1)
    if batch.others is not None:
        total = total + surprise(net, batch.features, batch.others)
    return Losses(total, policy, value, entropy, kl, clipped)


def surprise(net: Stack, features: Tensor, others: Tensor) -> Tensor:
    """Cross-entropy of a predictor with what the other seats did, nats a seat, [K]."""
    odds = torch.log_softmax(net.foresee(features), dim=-1)
    return -odds.gather(3, others[..., None]).mean(dim=(1, 2, 3))


def update(
    net: Stack,
    optimiser: torch.optim.Optimizer,
    samples: Samples,
    ppo: PPO,
    luck: Sequence[torch.Generator],
    leash: Leash | None = None,
) -> dict[str, Tensor]:
    """Epochs of shuffled minibatches; returns the means of what is watched, each [K]."""
    watched = []
    for part, held in minibatches(samples, ppo, luck, leash):
        loss = losses(net, part, ppo, held)
        net.descend(loss.total, optimiser, ppo.max_norm)
        watched.append(torch.stack([loss.policy, loss.value, loss.entropy, loss.kl, loss.clipped]).detach())
    means = torch.stack(watched).mean(dim=0)
    spread = samples.targets.var(dim=1, correction=0)
    left = (samples.targets - samples.values).var(dim=1, correction=0)
    explained = torch.where(spread > 0, 1 - left / spread, 0.0)
    return dict(zip(("policy_loss", "value_loss", "entropy", "kl", "clipped"), means, strict=True)) | {
        "explained": explained
    }


def minibatches(
    samples: Samples, ppo: PPO, luck: Sequence[torch.Generator], leash: Leash | None
) -> Iterator[tuple[Samples, Leash | None]]:
    """Every epoch's minibatches and the leash on each; every seed shuffles by its own luck."""
    count = samples.actions.shape[1]
    size = -(-count // ppo.minibatches)
    each = torch.arange(len(luck), device=samples.actions.device)[:, None]
    for _ in range(ppo.epochs):
        if ppo.minibatches == 1:
            yield samples, leash
            continue
        order = torch.stack([torch.randperm(count, generator=mine) for mine in luck]).to(each.device)
        for start in range(0, count, size):
            part = order[:, start : start + size]
            held = leash and leash._replace(reference=leash.reference[each, part])
            yield Samples._make(None if t is None else t[each, part] for t in samples), held
