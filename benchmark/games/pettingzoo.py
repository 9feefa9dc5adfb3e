"""Any PettingZoo ParallelEnv of fixed agents with discrete actions, as a game: slow, one environment per episode.

`benchmark/pettingzoo.py` is the other way round [Terry2021].
"""

from functools import cached_property
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv
from pydantic import Field

from crossplay.benchmark.config import config, digest
from crossplay.benchmark.errors import Refused, unknown
from crossplay.benchmark.game import GameSpec, Observation, Step
from crossplay.benchmark.registry import GAMES
from crossplay.benchmark.seeding import Seeds


class Agents(NamedTuple):
    """What an environment's agents are, in its own order: the seats."""

    names: tuple[str, ...]
    seen: tuple[spaces.Space, ...]  # observation spaces without the action mask
    widths: tuple[int, ...]  # length of a flattened observation
    acts: tuple[spaces.Discrete, ...]


class Envs(NamedTuple):
    """One environment per episode and what its agents were told last."""

    envs: list[ParallelEnv]
    seen: list[dict[str, Any]]  # observations by agent
    infos: list[dict[str, Any]]
    time: int


@GAMES.register("pettingzoo")
@config
class PettingZooGame:
    """Any ParallelEnv of fixed agents with discrete actions, made by calling the entry point "module:function".

    Observations are flattened to float32 and filled up with zeros to the longest. An agent with fewer actions than
    another, and an action mask (in the observation or in infos), become illegal actions. An episode that ends before
    the horizon is filled up with rewards of 0, its last observation, and action 0 as the only legal one; one that would
    go on longer is cut. No private costs, shaping or events. Raises Refused for continuous actions, for agents that
    leave before the others, and for an entry point that gives no ParallelEnv. It runs the code that it names.
    """

    env: str = Field(pattern=r"^[\w.]+:\w+$")
    horizon: int = Field(ge=1)
    arguments: dict[str, Any] = Field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(digest(self))

    @cached_property
    def agents(self) -> Agents:
        """Read once from an environment made for that and closed again."""
        env = self._make()
        try:
            return _agents(self.env, env)
        finally:
            env.close()

    @cached_property
    def spec(self) -> GameSpec:
        """Named by the entry point and a digest of the whole configuration."""
        place = "".join(c if c.isalnum() or c in "_." else "." for c in self.env.lower())
        return GameSpec(
            name=f"pettingzoo/{place}.{digest(self)[:8]}-v1",
            seats=len(self.agents.names),
            actions=tuple(str(action) for action in range(max(int(space.n) for space in self.agents.acts))),
            views={"flat": (max(self.agents.widths),)},
            horizon=self.horizon,
        )

    def reset(self, seeds: Seeds) -> Envs:
        """One environment per seed [episodes], reset with the seed's upper 31 bits."""
        envs = [self._make() for _ in seeds]
        told = [env.reset(seed=int(seed >> np.uint64(33))) for env, seed in zip(envs, seeds, strict=True)]
        return Envs(envs, [seen for seen, _ in told], [infos for _, infos in told], 0)

    def observe(self, state: Envs, view: str) -> Observation:
        """Features float32 [episodes, seats, width], freshly made."""
        if view not in self.spec.views:
            raise unknown("view", view, self.spec.views)
        shape = (len(state.envs), self.spec.seats)
        features = np.zeros((*shape, *self.spec.views[view]), dtype=np.float32)
        legal = np.zeros((*shape, len(self.spec.actions)), dtype=bool)
        for e, env in enumerate(state.envs):
            for s, name in enumerate(self.agents.names):
                seen, mask = _unmask(state.seen[e][name], state.infos[e].get(name, {}))
                flat = spaces.flatten(self.agents.seen[s], seen)
                features[e, s, : self.agents.widths[s]] = np.asarray(flat, dtype=np.float32)
                if env.agents:
                    legal[e, s, : self.agents.acts[s].n] = True if mask is None else np.asarray(mask, dtype=bool)
                else:
                    legal[e, s, 0] = True
        return Observation(features, legal)

    def step(self, state: Envs, actions: np.ndarray) -> tuple[Envs, Step]:
        """Steps every environment that has not ended."""
        shape = (len(state.envs), self.spec.seats)
        rewards = np.zeros(shape)
        for e, env in enumerate(state.envs):
            if not env.agents:
                continue
            own = zip(self.agents.names, self.agents.acts, actions[e], strict=True)
            seen, paid, _, _, infos = env.step({name: int(space.start + a) for name, space, a in own})
            if env.agents and set(env.agents) != set(self.agents.names):
                left = sorted(set(self.agents.names) - set(env.agents))
                raise Refused(
                    f"{self.env}: {', '.join(left)} left at step {state.time}; only fixed agents can be played"
                )
            rewards[e] = [paid[name] for name in self.agents.names]
            state.seen[e], state.infos[e] = seen, infos
        nothing = np.zeros((*shape, 0), dtype=np.int64)
        return state._replace(time=state.time + 1), Step(rewards, np.zeros(shape), np.zeros(shape), nothing)

    def describe(self, state: Envs, seat: int) -> list[str]:
        """The numbers a network would see."""
        features, legal = self.observe(state, "flat")
        return [
            f"You observe {np.round(row, 3).tolist()}. Legal actions: {np.flatnonzero(may).tolist()}."
            for row, may in zip(features[:, seat], legal[:, seat], strict=True)
        ]

    def _make(self) -> ParallelEnv:
        place, _, name = self.env.partition(":")
        try:
            make = getattr(import_module(place), name)
        except (ImportError, AttributeError) as error:
            raise Refused(f"env = {self.env!r}: {error}; wanted an importable module:function") from None
        env = make(**self.arguments)
        if not isinstance(env, ParallelEnv) or not hasattr(env, "possible_agents"):
            raise Refused(f"env = {self.env!r} gives {type(env).__name__}, wanted a ParallelEnv with possible_agents")
        return env


def _agents(entry: str, env: ParallelEnv) -> Agents:
    names = tuple(env.possible_agents)
    acts = tuple(env.action_space(name) for name in names)
    for name, space in zip(names, acts, strict=True):
        if not isinstance(space, spaces.Discrete):
            raise Refused(f"{entry}: {name} has actions {space}; only Discrete actions can be played")
    seen = tuple(_without_mask(env.observation_space(name)) for name in names)
    try:
        widths = tuple(int(spaces.flatdim(space)) for space in seen)
    except (NotImplementedError, ValueError) as error:
        raise Refused(f"{entry}: an observation cannot be flattened: {error}") from None
    return Agents(names, seen, widths, acts)


def _without_mask(space: spaces.Space) -> spaces.Space:
    if not isinstance(space, spaces.Dict) or "action_mask" not in space.spaces:
        return space
    rest = {key: value for key, value in space.spaces.items() if key != "action_mask"}
    return rest["observation"] if set(rest) == {"observation"} else spaces.Dict(rest)


def _unmask(seen: Any, info: dict[str, Any]) -> tuple[Any, Any]:
    """An observation without its action mask, and the mask from it or from infos, None where there is none."""
    if not isinstance(seen, dict) or "action_mask" not in seen:
        return seen, info.get("action_mask")
    rest = {key: value for key, value in seen.items() if key != "action_mask"}
    return (rest["observation"] if set(rest) == {"observation"} else rest), seen["action_mask"]
