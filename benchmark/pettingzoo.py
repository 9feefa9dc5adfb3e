"""Every game as a PettingZoo ParallelEnv; `games/pettingzoo.py` is the other way round [Terry2021]."""

from importlib import import_module
from typing import Any

import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv

from crossplay.benchmark.config import from_table
from crossplay.benchmark.errors import Refused, unknown
from crossplay.benchmark.game import Game, GameSpec, Step
from crossplay.benchmark.match import illegal
from crossplay.benchmark.registry import GAMES
from crossplay.benchmark.seeding import Seeds, derive, spread
from crossplay.benchmark.text import TextGame


class GameEnv(ParallelEnv):
    """One game as a ParallelEnv of agents "seat_0", "seat_1", …

    Observations are {"observation": float32 [*features], "action_mask": int8 [actions]}; infos hold `costs`, `shaping`
    and `events` (name → count). All agents end together at the horizon: terminated where the horizon ends the task,
    truncated where it is a time limit. reset(seed=s) plays the first episode of `play(game_seed=s)`, every
    further reset() the next one; before any seed, seed 0. Raises Refused for a missing or illegal action.
    """

    _luck: Seeds

    def __init__(self, game: Game, view: str) -> None:
        self.game, self.view, self.render_mode = game, view, "ansi"
        spec = game.spec
        self.metadata = {"name": spec.name, "render_modes": ["ansi"], "is_parallelizable": True}
        self.possible_agents = [f"seat_{seat}" for seat in range(spec.seats)]
        self.agents: list[str] = []
        self.observation_spaces = {agent: _seen(spec, view) for agent in self.possible_agents}
        self.action_spaces = {agent: spaces.Discrete(len(spec.actions)) for agent in self.possible_agents}
        self._start(0)

    def observation_space(self, agent: str) -> spaces.Dict:
        """The same object each time."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Discrete:
        """The same object each time."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Observations and infos of a fresh episode; `options` mean nothing here."""
        if seed is not None:
            self._start(seed)
        if self._episode == len(self._luck):
            self._luck = spread(self._seed, 2 * len(self._luck))
        self._state = self.game.reset(self._luck[self._episode : self._episode + 1])
        self._episode += 1
        self._time, self.agents = 0, list(self.possible_agents)
        return self._observe(), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, int]) -> tuple[dict, dict, dict, dict, dict]:
        """Observations, rewards, terminations, truncations and infos of every agent."""
        spec, agents = self.game.spec, self.agents
        if set(actions) != set(agents) or not agents:
            raise Refused(
                f"{spec.name}: actions given for {sorted(actions)}, wanted for {agents or 'nobody: reset first'}"
            )
        chosen = np.array([actions[agent] for agent in agents])
        fault = illegal(chosen, self._legal)
        if fault:
            raise Refused(f"{spec.name}, step {self._time}: {fault.replace('in episode', 'for seat')}")
        self._state, paid = self.game.step(self._state, chosen[None])
        self._time += 1
        ended = self._time == spec.horizon
        infos = {agent: _info(spec, paid, seat) for seat, agent in enumerate(agents)}
        rewards = {agent: float(paid.rewards[0, seat]) for seat, agent in enumerate(agents)}
        seen = self._observe()
        self.agents = [] if ended else agents
        return (
            seen,
            rewards,
            dict.fromkeys(agents, ended and spec.terminal),
            dict.fromkeys(agents, ended and not spec.terminal),
            infos,
        )

    def render(self) -> str:
        """What every seat sees, in words."""
        return "\n".join(
            f"{agent}: {self.game.describe(self._state, i)[0]}" for i, agent in enumerate(self.possible_agents)
        )

    def _start(self, seed: int) -> None:
        self._seed, self._episode = derive(seed, "game"), 0
        self._luck = spread(self._seed, 1)

    def _observe(self) -> dict[str, dict[str, np.ndarray]]:
        features, legal = self.game.observe(self._state, self.view)
        self._legal = legal[0].copy()
        return {
            agent: {"observation": features[0, seat].astype(np.float32), "action_mask": legal[0, seat].astype(np.int8)}
            for seat, agent in enumerate(self.possible_agents)
        }


def to_parallel_env(game: Game, view: str | None = None) -> GameEnv:
    """A game as a PettingZoo ParallelEnv, showing one view (the game's first unless named)."""
    if isinstance(game, TextGame):
        raise Refused(f"{game.spec.name} is played with texts, which no PettingZoo space of actions holds")
    view = view or game.spec.view
    if view not in game.spec.views:
        raise unknown("view", view, game.spec.views)
    return GameEnv(game, view)


def parallel_env(view: str | None = None, **table: Any) -> GameEnv:
    """The ParallelEnv of the game that a table (kind = "collab-grid", …) describes; an entry point for TOML files."""
    import_module("crossplay.benchmark.games")
    return to_parallel_env(from_table(GAMES, table), view)


def _seen(spec: GameSpec, view: str) -> spaces.Dict:
    mask = spaces.Box(0, 1, (len(spec.actions),), np.int8)
    return spaces.Dict({"observation": spaces.Box(-np.inf, np.inf, spec.views[view], np.float32), "action_mask": mask})


def _info(spec: GameSpec, paid: Step, seat: int) -> dict[str, Any]:
    counts = (int(count) for count in paid.events[0, seat])
    return {
        "costs": float(paid.costs[0, seat]),
        "shaping": float(paid.shaping[0, seat]),
        "events": dict(zip(spec.events, counts, strict=True)),
    }
