"""Proximal policy optimisation [Schulman2017], in paper order: advantages, then epochs of minibatches.

Every tensor has a leading axis [K]: K seeds are taught at once, and no seed's numbers enter another's.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from crossplay.agents.gru import Thread
from crossplay.agents.objective import PPO, Leash, Samples, log_policy, slopes
from crossplay.agents.rollout import Experience
from crossplay.agents.scale import Scale
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


def prepare(
    net: Stack, seen: Experience, ppo: PPO, terminal: bool, leash: Leash | None = None, scale: Scale | None = None
) -> Samples:
    """Experience as flat samples under the policy and critic that collected it.

    With a scale the critic speaks in its units, which move on to these targets.
    """
    shape = seen.actions.shape  # [K, T, n]
    flat = [t.flatten(1, 2) for t in (seen.features, seen.legal, seen.actions)]
    flat[0] = net.listed(flat[0])
    thread = followed(seen)
    with torch.inference_mode():
        odds = log_policy(net.logits(flat[0], thread), flat[1], leash)
        log_probs = odds.gather(2, flat[2][..., None]).squeeze(2)
        said, after = judged(net, seen, flat[0], thread)
        values, after = (scale.returns(v) for v in (said, after)) if scale else (said, after)
        ahead = after.view(shape[0], -1, shape[2])
        gains = advantages(seen.rewards, values.view(shape), ahead, seen.cut, ppo.gamma, ppo.lam, terminal).flatten(1)
        targets = gains + values
        if scale:
            scale.move(targets)
            values, targets = said, scale.units(targets)
    others = seen.others.flatten(1, 2) if net.nets[0].context else None
    return Samples._make([*flat, *(t.clone() for t in (log_probs, values, gains, targets)), others, thread])


def followed(seen: Experience) -> Thread | None:
    """What ties the steps of recurrent networks' experience together."""
    if seen.memory is None:
        return None
    return Thread(seen.memory, torch.cat([torch.zeros(1, dtype=torch.bool), seen.cut[:-1].cpu()]))


def judged(net: Stack, seen: Experience, features: Tensor, thread: Thread | None) -> tuple[Tensor, Tensor]:
    """Values of what was seen, [K, T·n], and of what was seen after each cut and after the last step, [K, ends·n]."""
    if thread is None:
        return net.value(features), net.value(seen.after.flatten(1, 2))
    steps, places = seen.actions.shape[1:]
    ends = torch.tensor([t for t in range(steps) if seen.cut[t] or t == steps - 1])
    order = torch.cat([torch.arange(steps), ends + 0.5]).argsort()  # what was seen after a step comes right behind it
    starts = torch.cat([thread.starts, torch.zeros(len(ends), dtype=torch.bool)])[order]
    every = torch.cat([seen.features, seen.after], dim=1)[:, order.to(features.device)]
    told = net.value(every.flatten(1, 2), thread._replace(starts=starts)).unflatten(1, (-1, places))
    found = torch.empty_like(told)
    found[:, order] = told
    return found[:, :steps].flatten(1), found[:, steps:].flatten(1)


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
        ends = [net.logits(part.features, part.thread), net.value(part.features, part.thread)]
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
    steps = len(samples.thread.starts) if samples.thread else 1
    places, device = count // steps, samples.actions.device  # a place is drawn with all its steps
    size = -(-places // ppo.minibatches)
    seed = torch.arange(seeds, device=device)[:, None]
    ahead = places * torch.arange(steps, device=device)[:, None]

    def some(tensor: Tensor, rows: Tensor) -> Tensor:
        return tensor.flatten(0, 1).index_select(0, rows.flatten()).unflatten(0, rows.shape)

    for _ in range(ppo.epochs):
        if ppo.minibatches == 1:
            yield samples, leash
            continue
        order = torch.stack([torch.randperm(places, generator=mine) for mine in luck]).to(device)
        for start in range(0, places, size):
            drawn = order[:, start : start + size]
            rows = count * seed + (ahead + drawn[:, None]).flatten(1)  # of all seeds' samples in a row
            held = leash and leash._replace(reference=some(leash.reference, rows))
            thread = samples.thread and Thread(
                some(samples.thread.memory, places * seed + drawn), samples.thread.starts
            )
            yield Samples._make([None if t is None else some(t, rows) for t in samples[:-1]] + [thread]), held
