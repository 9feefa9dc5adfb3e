"""Trained networks at the table: from a card's weights to a policy."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import numpy as np
import safetensors
import safetensors.torch
import torch
from pydantic import PositiveInt
from torch import Tensor

from crossplay.agents.chooser import alone, chooser, odds
from crossplay.agents.networks import WEIGHTS, ActorCritic, Architecture, PolicyNet, of_critic
from crossplay.agents.stack import recall
from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Fault, Refused
from crossplay.benchmark.game import Game, Observation
from crossplay.benchmark.policy import Clock
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import Seeds, sample


@POLICIES.register("network")
@config
class Network:
    """A trained network: samples from its policy, or takes the likeliest action."""

    architecture: Architecture = Architecture()
    shared: bool = True  # one network for all seats
    choose: Literal["sample", "argmax"] = "sample"

    def make(self, game: Game, files: Path | None) -> "NetworkPolicy":
        """Raises Refused where the weights are broken, of another shape, or not finite; critics may be left out."""
        net = PolicyNet(self.architecture, game.spec, shared=self.shared, seed=0)
        path = (files or Path()) / WEIGHTS
        try:
            weights = safetensors.torch.load_file(path)
        except (OSError, safetensors.SafetensorError) as error:
            raise Refused(f"{path}: not a readable safetensors file: {error}") from None
        wanted = net.state_dict()
        unheard = {} if any(map(of_critic, weights)) else {k: v for k, v in wanted.items() if of_critic(k)}
        _check_weights(path, weights, {k: v for k, v in wanted.items() if k not in unheard})
        # a critic that is not on file is NaN, so that nobody learns from its first guess unnoticed
        net.load_state_dict(weights | {k: torch.full_like(v, torch.nan) for k, v in unheard.items()})
        return NetworkPolicy(net.eval().requires_grad_(False), self.choose)


def _check_weights(path: Path, given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    for name in sorted(set(given) ^ set(wanted)):
        raise Refused(f"{path}: {'unexpected' if name in given else 'missing'} tensor {name}")
    for name, tensor in given.items():
        if tensor.shape != wanted[name].shape:
            raise Refused(f"{path}: {name} has shape {list(tensor.shape)}, wanted {list(wanted[name].shape)}")
        if not torch.isfinite(tensor).all():
            raise Refused(f"{path}: {name} holds values that are not finite")


class Remembering(Protocol):
    """Odds [episodes, actions] for what a seat sees now, given what is remembered; and what is remembered then."""

    def __call__(self, seen: Observation, past: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]: ...


def _remembering(net: ActorCritic) -> Remembering:
    if net.recurrent:
        return _recurrent(net)
    plain = chooser(net)

    def say(seen: Observation, past: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
        if past is None:
            return plain(seen.features, seen.legal), None
        features = np.concatenate([past, seen.features[:, None].astype(np.float32)], axis=1)
        return plain(features, seen.legal), features[:, 1:]

    return say


def _recurrent(net: ActorCritic) -> Remembering:
    body = alone(net)

    def say(seen: Observation, past: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
        now = torch.from_numpy(np.ascontiguousarray(seen.features))
        logits, after = recall(body, now[None], torch.from_numpy(past)[None])
        return odds(logits[0].numpy(), seen.legal), after[0].numpy()

    return say


class NetworkPolicy:
    """A network at the table; a value, though its choosers read the net's memory."""

    def __init__(self, net: PolicyNet, choose: Literal["sample", "argmax"] = "sample") -> None:
        self.net, self.choose = net, choose
        self._choosers = [_remembering(net.of(seat)) for seat in range(len(net.nets))]

    @property
    def view(self) -> str:
        """The view its network reads."""
        return self.net.view

    def begin(self, seeds: Seeds, seat: int) -> "Thoughts":
        """The seat's network, the luck of its episodes, and nothing seen yet."""
        context, one = self.net.architecture.context, self.net.of(0)
        shape = self.net.spec.views[self.view]
        past = np.zeros((len(seeds), context - 1, *shape), dtype=np.float32) if context else None
        if one.recurrent:
            past = np.zeros((len(seeds), one.width), dtype=np.float32)
        return Thoughts(self._choosers[0 if self.net.shared else seat], Clock(seeds), past)

    def act(self, observation: Observation, memory: "Thoughts") -> tuple[np.ndarray, "Thoughts"]:
        """Raises Fault where the network's output is not finite."""
        found, past = memory.odds_of(observation, memory.past)
        if np.isnan(found).any():
            raise Fault(f"network for {self.net.spec.name}: its logits are not finite")
        actions = found.argmax(axis=1) if self.choose == "argmax" else sample(found, memory.clock.draw())
        return actions, Thoughts(memory.odds_of, memory.clock.tick(), past)


class Thoughts(NamedTuple):
    """What a network at the table remembers; `past` is zero before the start.

    With a context it is float32 [episodes, context − 1, *view], of a recurrent network [episodes, width].
    """

    odds_of: Remembering
    clock: Clock
    past: np.ndarray | None


@POLICIES.register("team")
@config
class Team:
    """Networks trained together and kept in one file; each of them plays by a card of its own."""

    members: PositiveInt

    def make(self, game: Game, files: Path | None) -> "NetworkPolicy":
        """Raises Refused, always."""
        raise Refused(f"a team of {self.members} plays nobody's seat: each member has a card of its own")
