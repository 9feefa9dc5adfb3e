"""Stored episodes played again from their seeds, as numbers that a browser draws."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from crossplay.benchmark.crossplay import Fixture, MatchResult, play_watched
from crossplay.benchmark.match import Returns
from crossplay.leaderboard.report.scenes import Scene, scene


def typical(result: MatchResult) -> int:
    """The episode to show: the one whose return, mean over seats, is the (lower) median; of equals the first."""
    returns = result.returns.returns.mean(axis=1)
    wanted = np.sort(returns)[(len(returns) - 1) // 2]
    return int(np.flatnonzero(returns == wanted)[0])


class Film:
    """What happens in one row of a batch: the moving numbers of the first state, then what changes in every step."""

    def __init__(self, stage: Scene, row: int) -> None:
        self._stage, self._row = stage, row
        self._now: list[int] = []
        self.first: list[int] = []
        self.steps: list[list[Any]] = []  # [changes as index, number, …], actions, rewards, events as [seat, event]

    def see(self, state: Any, actions: np.ndarray | None, paid: Any) -> None:
        """As `match.Watch`."""
        before, self._now = self._now, self._stage.moving(state, self._row)
        if actions is None:
            self.first = self._now
            return
        changes = [n for i, (a, b) in enumerate(zip(before, self._now, strict=True)) if a != b for n in (i, b)]
        rewards = [round(float(reward), 4) for reward in paid.rewards[self._row]]
        events = [[int(seat), int(event)] for seat, event in np.argwhere(paid.events[self._row])]
        self.steps.append([changes, actions[self._row].tolist(), rewards, events])


def replays(matches: Sequence[tuple[Fixture, MatchResult]]) -> Iterator[dict[str, Any] | str]:
    """The typical episodes of stored matches of one game, played in one batch.

    A match that does not pay again what it paid gives a text that says so.
    """
    stage = scene(matches[0][0].game)
    starts = np.cumsum([0, *(match.pairing.episodes for match, _ in matches)])
    films = [Film(stage, int(start) + typical(result)) for start, (_, result) in zip(starts, matches, strict=False)]

    def watch(state: Any, actions: np.ndarray | None, paid: Any) -> None:
        for film in films:
            film.see(state, actions, paid)

    again = play_watched([match for match, _ in matches], watch)
    for (match, result), film, returns in zip(matches, films, again, strict=True):
        yield _told(match, result, film, returns, stage)


def _told(match: Fixture, result: MatchResult, film: Film, again: Returns, stage: Scene) -> dict[str, Any] | str:
    p, spec, episode = match.pairing, match.game.spec, typical(result)
    if not np.array_equal(again.returns, result.returns.returns):
        other = int((again.returns != result.returns.returns).any(axis=1).sum())
        return (
            f"{p.ego} in seat {p.seat} with {p.partner}: {other} of {p.episodes} episodes pay something else than what "
            "is stored; they were played with other code or on another machine"
        )
    return {
        "game": p.game,
        "ego": p.ego,
        "partner": p.partner,
        "seat": p.seat,
        "episode": episode,
        "episodes": p.episodes,
        "returns": again.returns[episode].tolist(),
        "actions": list(spec.actions),
        "events": list(spec.events),
        "scene": stage.fixed,
        "first": film.first,
        "steps": film.steps,
    }
