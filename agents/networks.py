"""Networks: an actor and a critic per learner, no shared body, orthogonal start."""

from itertools import pairwise
from math import prod
from typing import Literal

import safetensors
import safetensors.torch
import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from crossplay.agents.gru import Gru
from crossplay.benchmark.config import config, to_table
from crossplay.benchmark.errors import Refused, unknown
from crossplay.benchmark.game import GameSpec
from crossplay.benchmark.workers import single_threaded

WEIGHTS = "weights.safetensors"


@config
class Architecture:
    """Which view a network reads and how it is built. An MLP flattens its view; a CNN wants [width, height, planes].

    A GRU flattens it too; the last hidden layer is what it remembers from step to step of an episode.
    """

    body: Literal["mlp", "cnn", "gru"] = "mlp"
    hidden: tuple[PositiveInt, ...] = Field((64, 64), min_length=1)
    channels: tuple[PositiveInt, ...] = (32, 32, 32)  # cnn only: 3×3 convolutions before the hidden layers
    activation: Literal["tanh", "relu"] = "tanh"
    view: str = ""  # empty: the game's default view
    context: PositiveInt | None = None  # views, present one last, to foresee the partners' actions from; mlp only
    central: bool = False  # the critic reads all seats' views, its own first; mlp only
    precision: Literal["bfloat16"] | None = None  # of convolutions, cnn only; weights and the rest stay float32

    def view_of(self, spec: GameSpec) -> str:
        """The view's name, checked against the game."""
        view = self.view or spec.view
        if view not in spec.views:
            raise unknown(f"view of {spec.name}", view, spec.views)
        if self.body == "cnn" and len(spec.views[view]) != 3:
            raise Refused(
                f"a cnn reads [width, height, planes]; view {view!r} of {spec.name} is {list(spec.views[view])}"
            )
        if self.body != "cnn" and self.precision:
            raise Refused(f"precision = {self.precision!r} given; that is for convolutions, not for a {self.body}")
        if self.body != "mlp" and self.context:
            raise Refused(f"context = {self.context} given; foresight is for an mlp, not for a {self.body}")
        if self.body == "gru" and len(self.hidden) < 2:
            raise Refused(f"hidden = {list(self.hidden)} given; a gru wants layers before its own, as in [64, 64]")
        if self.central and (self.body != "mlp" or self.context):
            raise Refused("central = true given; a central critic is for a plain mlp, without a context")
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
    plain = a.hidden[:-1] if a.body == "gru" else a.hidden
    for before, after in pairwise((width, *plain)):
        layers += [nn.Linear(before, after), activation()]
    if a.body == "gru":
        layers.append(Gru(a.hidden[-2], a.hidden[-1], seed))
    layers.append(nn.Linear(a.hidden[-1], outputs))
    weighted = [layer for layer in layers if isinstance(layer, nn.Linear | nn.Conv2d)]
    for layer in weighted:
        last = layer is weighted[-1]
        nn.init.orthogonal_(layer.weight, gain if last else 2**0.5, generator=seed)
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return nn.Sequential(*layers)


class ActorCritic(nn.Module):
    """One learner's actor and critic, each with its own body; with a context also a predictor of others' actions."""

    def __init__(self, architecture: Architecture, spec: GameSpec, seed: torch.Generator) -> None:
        super().__init__()
        shape = spec.views[architecture.view_of(spec)]
        self.planes_first, self.recurrent = architecture.body == "cnn", architecture.body == "gru"
        self.precision = architecture.precision
        self.context, self.others, self.width = architecture.context, spec.seats - 1, architecture.hidden[-1]
        actions = len(spec.actions)
        told = self.others * actions if self.context else 0  # what the predictor tells the actor
        self.actor = _stack(architecture, (prod(shape) + told,) if self.context else shape, actions, 0.01, seed)
        self.central = architecture.central
        self.critic = _stack(architecture, (spec.seats, *shape) if self.central else shape, 1, 1.0, seed)
        if self.context:
            self.predictor = _stack(architecture, (self.context, *shape), told, 0.01, seed)

    def logits(self, features: Tensor) -> Tensor:
        """The actor's raw output [n, actions]; features [n, *view], or [n, context, *view] where there is one."""
        features = features.float()
        if self.planes_first:
            features = features.movedim(-1, 1)
        if self.context:
            features = informed(features, self.predictor(features), self.others, axes=1)
        found: Tensor = self.actor(features)
        return found

    def log_policy(self, features: Tensor, legal: Tensor) -> Tensor:
        """Log-probabilities [n, actions] from features [n, *view] and legal [n, actions]; illegal ones get −∞."""
        return torch.log_softmax(self.logits(features).masked_fill(~legal, -torch.inf), dim=-1)


def informed(features: Tensor, foreseen: Tensor, others: int, axes: int) -> Tensor:
    """What an actor with a context reads: the present view, and the odds of every other seat's next action.

    features [(axes), context, *view], foreseen logits [(axes), others · actions] → [(axes), view + others · actions].
    """
    odds = torch.softmax(foreseen.detach().unflatten(-1, (others, -1)), dim=-1).flatten(axes)
    return torch.cat([features.select(axes, -1).flatten(axes), odds], dim=-1)


def of_critic(tensor: str) -> bool:
    """Whether a tensor of a card's weights, by name, is a critic's: play never asks for one."""
    return ".critic." in tensor


class PolicyNet(nn.Module):
    """What a trainer returns: one network for all seats, or one per seat; or `count` of them, which are a team."""

    def __init__(
        self, architecture: Architecture, spec: GameSpec, *, shared: bool, seed: int, count: int | None = None
    ) -> None:
        super().__init__()
        self.architecture, self.spec, self.shared = architecture, spec, shared
        self.view = architecture.view_of(spec)
        generator = torch.Generator().manual_seed(seed)
        with single_threaded():  # orthogonal starts round by the number of threads
            many = count or (1 if shared else spec.seats)
            nets = [ActorCritic(architecture, spec, generator) for _ in range(many)]
        self.nets = nn.ModuleList(nets)

    def of(self, seat: int) -> ActorCritic:
        """The network that plays a seat; of a team, the one of this number."""
        net = self.nets[0 if self.shared else seat]
        assert isinstance(net, ActorCritic)
        return net

    def alone(self, number: int) -> "PolicyNet":
        """One of several as a network for all seats, frozen, in memory of its own."""
        net = PolicyNet(self.architecture, self.spec, shared=True, seed=0)
        net.nets[0].load_state_dict(self.nets[number].state_dict())
        return net.eval().requires_grad_(False)

    def maker(self) -> dict[str, object]:
        """The card's maker table for this network."""
        if len(self.nets) != (1 if self.shared else self.spec.seats):
            return {"kind": "team", "members": len(self.nets)}
        return {
            "kind": "network",
            "architecture": to_table(self.architecture),
            "shared": self.shared,
            "choose": "sample",
        }

    def contents(self) -> dict[str, bytes]:
        """The card's files: the weights as safetensors bytes."""
        return {WEIGHTS: safetensors.torch.save({k: v.cpu().contiguous() for k, v in self.state_dict().items()})}
