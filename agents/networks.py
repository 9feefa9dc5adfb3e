"""Networks, and how one becomes a policy: an actor and a critic per learner, no shared body, orthogonal start."""

from collections.abc import Mapping
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import safetensors
import safetensors.torch
import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from crossplay.benchmark.config import config, to_table
from crossplay.benchmark.errors import Refused, unknown
from crossplay.benchmark.game import Game, GameSpec, Observation
from crossplay.benchmark.policy import Clock
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import Seeds, sample

WEIGHTS = "weights.safetensors"


@config
class Architecture:
    """Which view a network reads and how it is built. An MLP flattens its view; a CNN wants [width, height, planes]."""

    body: Literal["mlp", "cnn"] = "mlp"
    hidden: tuple[PositiveInt, ...] = (64, 64)
    channels: tuple[PositiveInt, ...] = (32, 32, 32)  # cnn only: 3×3 convolutions before the hidden layers
    activation: Literal["tanh", "relu"] = "tanh"
    view: str = ""  # empty: the game's default view

    def view_of(self, spec: GameSpec) -> str:
        """The view's name, checked against the game."""
        view = self.view or spec.view
        if view not in spec.views:
            raise unknown(f"view of {spec.name}", view, spec.views)
        if self.body == "cnn" and len(spec.views[view]) != 3:
            raise Refused(
                f"a cnn reads [width, height, planes]; view {view!r} of {spec.name} is {list(spec.views[view])}"
            )
        return view


def _stack(a: Architecture, shape: tuple[int, ...], outputs: int, gain: float, seed: torch.Generator) -> nn.Sequential:
    activation = {"tanh": nn.Tanh, "relu": nn.ReLU}[a.activation]
    layers: list[nn.Module] = []
    width = prod(shape)
    if a.body == "cnn":
        for before, after in pairwise((shape[2], *a.channels)):
            layers += [nn.Conv2d(before, after, 3, padding=1), activation()]
        width = a.channels[-1] * shape[0] * shape[1]
    layers.append(nn.Flatten())
    for before, after in pairwise((width, *a.hidden)):
        layers += [nn.Linear(before, after), activation()]
    layers.append(nn.Linear(a.hidden[-1], outputs))
    weighted = [layer for layer in layers if isinstance(layer, nn.Linear | nn.Conv2d)]
    for layer in weighted:
        last = layer is weighted[-1]
        nn.init.orthogonal_(layer.weight, gain if last else 2**0.5, generator=seed)
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return nn.Sequential(*layers)


class ActorCritic(nn.Module):
    """One learner's actor and critic, each with its own body."""

    def __init__(self, architecture: Architecture, spec: GameSpec, seed: torch.Generator) -> None:
        super().__init__()
        shape = spec.views[architecture.view_of(spec)]
        self._planes_first = architecture.body == "cnn"
        self.actor = _stack(architecture, shape, len(spec.actions), 0.01, seed)
        self.critic = _stack(architecture, shape, 1, 1.0, seed)

    def _ready(self, features: Tensor) -> Tensor:
        features = features.float()
        return features.movedim(-1, 1) if self._planes_first else features

    def log_policy(self, features: Tensor, legal: Tensor) -> Tensor:
        """Log-probabilities [n, actions] from features [n, *view] and legal [n, actions]; illegal ones get −∞."""
        logits = self.actor(self._ready(features))
        return torch.log_softmax(logits.masked_fill(~legal, -torch.inf), dim=-1)

    def value(self, features: Tensor) -> Tensor:
        """Predicted returns [n]."""
        values: Tensor = self.critic(self._ready(features)).squeeze(-1)
        return values


class PolicyNet(nn.Module):
    """What a trainer returns: one network for all seats, or one per seat."""

    def __init__(self, architecture: Architecture, spec: GameSpec, *, shared: bool, seed: int) -> None:
        super().__init__()
        self.architecture, self.spec, self.shared = architecture, spec, shared
        self.view = architecture.view_of(spec)
        generator = torch.Generator().manual_seed(seed)
        self.nets = nn.ModuleList(
            ActorCritic(architecture, spec, generator) for _ in range(1 if shared else spec.seats)
        )

    def of(self, seat: int) -> ActorCritic:
        """The network that plays a seat."""
        net = self.nets[0 if self.shared else seat]
        assert isinstance(net, ActorCritic)
        return net

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.of(0).actor[-1].weight.device  # type: ignore[return-value,union-attr]

    def maker(self) -> dict[str, object]:
        """The card's maker table for this network."""
        return to_table(Network(architecture=self.architecture, shared=self.shared))

    def contents(self) -> dict[str, bytes]:
        """The card's files: the weights as safetensors bytes."""
        return {WEIGHTS: safetensors.torch.save({k: v.cpu().contiguous() for k, v in self.state_dict().items()})}


@POLICIES.register("network")
@config
class Network:
    """A trained network: samples from its policy, or takes the likeliest action."""

    architecture: Architecture = Architecture()
    shared: bool = True  # one network for all seats
    choose: Literal["sample", "argmax"] = "sample"

    def make(self, game: Game, files: Path | None) -> "NetworkPolicy":
        """Raises Refused where the weights are broken, of another shape, or not finite."""
        net = PolicyNet(self.architecture, game.spec, shared=self.shared, seed=0)
        path = (files or Path()) / WEIGHTS
        try:
            weights = safetensors.torch.load_file(path)
        except (OSError, safetensors.SafetensorError) as error:
            raise Refused(f"{path}: not a readable safetensors file: {error}") from None
        _check_weights(path, weights, net.state_dict())
        net.load_state_dict(weights)
        return NetworkPolicy(net.eval().requires_grad_(False), self.choose)


def _check_weights(path: Path, given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    for name in sorted(set(given) ^ set(wanted)):
        raise Refused(f"{path}: {'unexpected' if name in given else 'missing'} tensor {name}")
    for name, tensor in given.items():
        if tensor.shape != wanted[name].shape:
            raise Refused(f"{path}: {name} has shape {list(tensor.shape)}, wanted {list(wanted[name].shape)}")
        if not torch.isfinite(tensor).all():
            raise Refused(f"{path}: {name} holds values that are not finite")


class NetworkPolicy(NamedTuple):
    """A network at the table."""

    net: PolicyNet
    choose: Literal["sample", "argmax"] = "sample"

    @property
    def view(self) -> str:
        return self.net.view

    def begin(self, seeds: Seeds, seat: int) -> tuple[int, Clock]:
        return seat, Clock(seeds)

    def act(self, observation: Observation, memory: tuple[int, Clock]) -> tuple[np.ndarray, tuple[int, Clock]]:
        """Raises Refused where the network's output is not finite."""
        seat, clock = memory
        device = self.net.device
        with torch.inference_mode():
            features = torch.from_numpy(np.ascontiguousarray(observation.features)).to(device)
            legal = torch.from_numpy(np.ascontiguousarray(observation.legal)).to(device)
            log_policy = self.net.of(seat).log_policy(features, legal).cpu().numpy()
        if np.isnan(log_policy).any():
            raise Refused(f"network for {self.net.spec.name}: its logits are not finite")
        if self.choose == "argmax":
            return log_policy.argmax(axis=1), (seat, clock.tick())
        return sample(np.exp(log_policy, dtype=np.float64), clock.draw()), (seat, clock.tick())
