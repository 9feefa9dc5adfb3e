"""Which reward each answer is taught with [Qu2026]; `paid` is own rewards, float64 [rounds, episodes, seats].

    ippo       last round: own reward. Middle rounds: own reward + γ × the team's return from the next round on.
               Round 0: own reward alone
    hero       hero[r] = own[r] + γ hero[r + 1] for r ≥ 1; hero[0] = own[0]
    adversary  −hero[r + 1] for all but the last round, in which it says nothing that anybody hears: not taught (NaN)

The team's reward is the mean over seats, and its return is summed from rewards as they were paid: summing what has
already been placed would pay an answer twice for the same round.
"""

import numpy as np


def team_returns(paid: np.ndarray, gamma: float) -> np.ndarray:
    """Discounted returns of the team from each round on, [rounds, episodes]."""
    found = paid.mean(axis=2)
    for r in range(len(found) - 2, -1, -1):
        found[r] += gamma * found[r + 1]
    return found


def independent(paid: np.ndarray, gamma: float) -> np.ndarray:
    """Both seats as ippo is taught, [rounds, episodes, seats]."""
    team, found = team_returns(paid, gamma), paid.astype(np.float64)
    for r in range(1, len(found) - 1):
        found[r] += gamma * team[r + 1][:, None]
    return found


def duel(paid: np.ndarray, hero: int, gamma: float) -> np.ndarray:
    """The hero in seat `hero` against an adversary in the other, [rounds, episodes, 2]; NaN: not taught."""
    own = paid[:, :, hero].astype(np.float64)
    for r in range(len(own) - 2, 0, -1):
        own[r] += gamma * own[r + 1]
    found = np.full(paid.shape, np.nan)
    found[:, :, hero] = own
    found[:-1, :, 1 - hero] = -own[1:]
    return found


def alone(paid: np.ndarray) -> np.ndarray:
    """Both seats by their own rewards: nobody is heard."""
    return paid.astype(np.float64)
