"""Proximal policy optimisation [Schulman2017], in paper order: advantages, then epochs of minibatches.

Every tensor has a leading axis [K]: K seeds are taught at once, and no seed's numbers enter another's.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from crossplay.agents.objective import PPO, Leash, Samples, log_policy, slopes
from crossplay.agents.rollout import Experience
from crossplay.agents.stack import Stack


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


def prepare(net: Stack, seen: Experience, ppo: PPO, terminal: bool, leash: Leash | None = None) -> Samples:
    """Experience as flat samples under the policy and critic that collected it."""
    shape = seen.actions.shape  # [K, T, n]
    flat = [t.flatten(1, 2) for t in (seen.features, seen.legal, seen.actions)]
    flat[0] = net.listed(flat[0])
    with torch.inference_mode():
        odds = log_policy(net.logits(flat[0]), flat[1], leash)
        log_probs = odds.gather(2, flat[2][..., None]).squeeze(2)
        values = net.value(flat[0])
        after = net.value(seen.after.flatten(1, 2)).view(shape[0], -1, shape[2])
        gains = advantages(seen.rewards, values.view(shape), after, seen.cut, ppo.gamma, ppo.lam, terminal).flatten(1)
        targets = gains + values
    others = seen.others.flatten(1, 2) if net.nets[0].context else None
    return Samples._make([*flat, *(t.clone() for t in (log_probs, values, gains, targets)), others])


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
        ends = [net.logits(part.features), net.value(part.features)]
        rise, loss = slopes(ends[0], ends[1], part, ppo, held)
        pull: list[Tensor] = list(rise)
        if part.others is not None:
            ends.append(surprise(net, part.features, part.others))
            pull.append(torch.ones_like(ends[2]))
        net.descend(ends, pull, optimiser, ppo.max_norm)
        watched.append(torch.stack(loss[1:]))
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
    seeds, count = samples.actions.shape
    size = -(-count // ppo.minibatches)
    first = count * torch.arange(seeds, device=samples.actions.device)[:, None]  # of each seed, when all lie in a row

    def some(tensor: Tensor, rows: Tensor) -> Tensor:
        return tensor.flatten(0, 1).index_select(0, rows.flatten()).unflatten(0, rows.shape)

    for _ in range(ppo.epochs):
        if ppo.minibatches == 1:
            yield samples, leash
            continue
        order = first + torch.stack([torch.randperm(count, generator=mine) for mine in luck]).to(first.device)
        for start in range(0, count, size):
            rows = order[:, start : start + size]
            held = leash and leash._replace(reference=some(leash.reference, rows))
            yield Samples._make(None if t is None else some(t, rows) for t in samples), held
