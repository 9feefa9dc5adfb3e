"""The slopes of PPO's losses by hand, one pass over the samples; `objective.losses` says what is differentiated."""

from pathlib import Path

import numba
import numpy as np

from crossplay.benchmark.compiled import kernels

helper = numba.njit(forceinline=True, _nrt=False)  # type: ignore[call-overload]
kernel = kernels(Path(__file__), parallel=False)


@kernel
def slopes(
    logits, legal, actions, log_probs, gains, reference, values, before, targets, entropy, price,
    critic, leash, to_logits, to_values, watched
):  # fmt: skip
    """Fills slopes [K, n, actions] and [K, n], and total, policy, value, entropy, kl, clipped [6, K].

    critic: clip range, weight of the critic's loss, whether its move is clipped; leash: residual, reverse; reference
    is [K, 0, actions] where there is none. Sums run in double precision, so that long batches lose nothing.
    """
    clip, weight, clip_value = critic
    seeds, count, width = logits.shape
    log_policy = np.empty(width, dtype=np.float32)
    low, high = np.float32(1 - clip), np.float32(1 + clip)
    share = np.float32(1 / count)
    for k in range(seeds):
        policy = value = spread = kl = clipped = held = 0.0
        for i in range(count):
            told(logits, legal, reference, leash[0], log_policy, k, i)
            gain, a = gains[k, i], actions[k, i]
            log_ratio = log_policy[a] - log_probs[k, i]
            ratio = np.exp(log_ratio)
            near = min(max(ratio, low), high)
            policy -= min(gain * ratio, gain * near)
            kl += ratio - np.float32(1) - log_ratio
            clipped += ratio < low or ratio > high
            pull = -share * gain * ratio if gain * ratio <= gain * near else np.float32(0)
            spread += steer(log_policy, legal, to_logits, k, i, a, pull, share * entropy[k])
            if reference.shape[1]:
                held += hold(log_policy, legal, reference, leash[1], to_logits, k, i, share * price[k])
            error, slope = miss(values[k, i], before[k, i], targets[k, i], np.float32(clip), clip_value)
            value += error
            to_values[k, i] = np.float32(weight) * share * slope
        watched[1, k], watched[2, k] = policy / count, 0.5 * value / count
        watched[3, k], watched[4, k], watched[5, k] = spread / count, kl / count, clipped / count
        watched[0, k] = (policy + 0.5 * weight * value - entropy[k] * spread + price[k] * held) / count


@helper
def told(logits, legal, reference, residual, log_policy, k, i):
    """One sample's log-probabilities; −∞ where illegal."""
    top = np.float32(-np.inf)
    for j in range(len(log_policy)):
        x = np.float32(-np.inf)
        if legal[k, i, j]:
            x = logits[k, i, j]
            if residual:
                x += reference[k, i, j]
        log_policy[j] = x
        top = max(top, x)
    total = np.float32(0)
    for j in range(len(log_policy)):
        total += np.exp(log_policy[j] - top)
    total = top + np.log(total)
    for j in range(len(log_policy)):
        log_policy[j] -= total


@helper
def steer(log_policy, legal, out, k, i, a, pull, push):
    """Slopes of the surrogate and of the entropy bonus; the entropy."""
    entropy = np.float32(0)
    for j in range(len(log_policy)):
        if legal[k, i, j]:
            out[k, i, j] = np.exp(log_policy[j])
            entropy -= out[k, i, j] * log_policy[j]
        else:
            out[k, i, j] = 0
    for j in range(len(log_policy)):
        if legal[k, i, j]:
            out[k, i, j] *= push * (log_policy[j] + entropy) - pull
    out[k, i, a] += pull
    return entropy


@helper
def hold(log_policy, legal, reference, reverse, out, k, i, price):
    """Adds the leash's slope; the divergence."""
    divergence = total = np.float32(0)
    for j in range(len(log_policy)):
        if legal[k, i, j]:
            odds = np.exp(reference[k, i, j]) if reverse else np.exp(log_policy[j])
            gap = log_policy[j] - reference[k, i, j]
            divergence += odds * (-gap if reverse else gap)
            total += odds
    for j in range(len(log_policy)):
        if legal[k, i, j]:
            odds, gap = np.exp(log_policy[j]), log_policy[j] - reference[k, i, j]
            slope = odds * total - np.exp(reference[k, i, j]) if reverse else odds * (gap - divergence)
            out[k, i, j] += price * slope
    return divergence


@helper
def miss(value, before, target, clip, clip_value):
    """The critic's squared error and its slope; with clipping the worse of two predictions counts."""
    error = (value - target) ** 2
    if clip_value:
        near = before + min(max(value - before, -clip), clip)
        if (near - target) ** 2 > error:
            return (near - target) ** 2, np.float32(0)
    return error, value - target
