"""Networks of one architecture trained side by side: every tensor has a leading axis [K], one slice a network.

At the sizes trained here dispatch costs as much as arithmetic, so K seeds in one batched operation take half the time
of K trainings. A slice never looks at another: a stack of K ends, bit for bit, as K stacks of one.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from crossplay.agents import sparse
from crossplay.agents.dense import Bend, dense
from crossplay.agents.gru import Gru, Parts, Thread, step, unroll
from crossplay.agents.networks import ActorCritic, informed
from crossplay.benchmark.errors import Refused

Layers = list[tuple[nn.Module, tuple[Tensor, ...]]]  # what a layer is, and its stacked weight and bias, if any
BODIES = ("actor", "critic", "predictor")
ALIGNED = 16  # floats: a slice starts where vector instructions like it, so that rounding does not depend on K


class Stack:
    """Actors and critics of K networks, whose memory it takes over: they always are what the stack has learned."""

    def __init__(self, nets: Sequence[ActorCritic]) -> None:
        self.nets = list(nets)
        device = next(self.nets[0].parameters()).device
        width = -(-sum(p.numel() for p in self.nets[0].parameters()) // ALIGNED) * ALIGNED
        self.flat = nn.Parameter(torch.zeros(len(self.nets), width, device=device))
        self.flat.grad = torch.zeros_like(self.flat)
        self._parts = dict(self._adopted())
        self._bodies = {body: split(self.layers(body)) for body in BODIES if hasattr(self.nets[0], body)}
        self.actor_width = sum(p.numel() for p in self.nets[0].actor.parameters())

    def _adopted(self) -> Iterator[tuple[str, Tensor]]:
        """Every parameter as one leaf [K, *shape] in `flat`; the networks' own become views of it."""
        start = 0
        for name, example in self.nets[0].named_parameters():
            part = slice(start, start + example.numel())
            start = part.stop
            leaf = self.flat.detach()[:, part].unflatten(1, example.shape)
            for mine, net in zip(leaf, self.nets, strict=True):
                own = net.get_parameter(name)
                mine.copy_(own.data)
                own.data = mine
            yield name, leaf.requires_grad_()

    def layers(self, body: str) -> Layers:
        """Of `actor`, `critic` or `predictor`: what each layer is, and its stacked weight and bias, if it has them."""
        return [
            (layer, tuple(self._parts[f"{body}.{i}.{name}"] for name, _ in layer.named_parameters()))
            for i, layer in enumerate(getattr(self.nets[0], body))
        ]

    def _run(self, body: str, x: Tensor, thread: Thread | None = None) -> Tensor:
        before, enter, memory, leave = self._bodies[body]
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.nets[0].precision == "bfloat16"):
            for layer, own in before:
                x = _through(layer, own, x)
        x = enter(x.flatten(2).float() if before else x.flatten(2))
        if leave is None:
            return x
        if thread is None:
            raise Refused("a gru's samples are whole sequences, which this trainer does not keep; use an mlp or a cnn")
        steps = x.unflatten(1, (len(thread.starts), -1))
        return leave(unroll(steps, thread.of(body), thread.starts, memory).flatten(1, 2))

    def recall(self, body: str, features: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """A recurrent body's output [K, n, …] for features [K, n, *view] and memory [K, n, width]; and that then."""
        return recall(self._bodies[body], features, memory)

    def listed(self, features: Tensor) -> Tensor:
        """Features [K, n, *view] as these networks read them fastest, for `logits` and `value`."""
        one = self.nets[0]
        small = features.dtype == torch.uint8 and features[0, 0].numel() < sparse.MOST
        if small and features.device.type == "cpu" and not (one.planes_first or one.context or one.central):
            return sparse.lists(features)
        return features

    def _ready(self, features: Tensor) -> Tensor:
        if sparse.listed(features):
            return features
        features = features.float()
        return features.movedim(-1, 2) if self.nets[0].planes_first else features

    def foresee(self, features: Tensor) -> Tensor:
        """The predictors' raw output [K, n, others, actions] for features [K, n, context, *view]."""
        return self._run("predictor", self._ready(features)).unflatten(-1, (self.nets[0].others, -1))

    def logits(self, features: Tensor, thread: Thread | None = None) -> Tensor:
        """The actors' raw output [K, n, actions] for features [K, n, *view], listed or not.

        With a context features are [K, n, context, *view], with a central critic [K, n, seats, *view]; never listed.
        Recurrent networks want a thread, and n to be steps × places.
        """
        if self.nets[0].context:
            features = informed(features, self.foresee(features).flatten(2), self.nets[0].others, axes=2)
        return self._run("actor", self._ready(features[:, :, 0] if self.nets[0].central else features), thread)

    def log_policy(self, features: Tensor, legal: Tensor) -> Tensor:
        """Log-probabilities [K, n, actions] for features [K, n, *view], legal [K, n, actions]; illegal ones get −∞."""
        return torch.log_softmax(self.logits(features).masked_fill(~legal, -torch.inf), dim=-1)

    def value(self, features: Tensor, thread: Thread | None = None) -> Tensor:
        """Predicted returns [K, n]."""
        now = features[:, :, -1] if self.nets[0].context else features
        return self._run("critic", self._ready(now), thread).squeeze(-1)

    def become(self, other: "Stack") -> None:
        """Takes over the other's actors."""
        with torch.no_grad():
            self.flat[:, : self.actor_width] = other.flat[:, : other.actor_width]

    def say_nothing(self) -> None:
        """Makes all logits zero."""
        with torch.no_grad():
            for part in self.layers("actor")[-1][1]:
                part.zero_()

    def descend(
        self, ends: Sequence[Tensor], slopes: Sequence[Tensor], optimiser: torch.optim.Optimizer, max_norm: float
    ) -> None:
        """One step down a loss that has these slopes in these outputs; a slice's gradient is cut to `max_norm`."""
        grad = self.flat.grad
        assert grad is not None
        start = 0
        for found in torch.autograd.grad(ends, list(self._parts.values()), slopes):
            stop = start + found[0].numel()
            grad[:, start:stop] = found.flatten(1)
            start = stop
        grad *= (max_norm / (grad.norm(dim=1, keepdim=True) + 1e-6)).clamp(max=1.0)
        optimiser.step()


def _through(layer: nn.Module, parts: tuple[Tensor, ...], x: Tensor) -> Tensor:
    """x [K, n, …] after one stacked layer of a convolutional body."""
    if not isinstance(layer, nn.Conv2d):
        changed: Tensor = layer(x)
        return changed
    return torch.stack(
        [functional.conv2d(mine, weight, bias, padding=1) for mine, weight, bias in zip(x, *parts, strict=True)]
    )


class Dense(NamedTuple):
    """Linear layers and what follows each."""

    bends: list[Bend]
    parts: list[tuple[Tensor, Tensor]]  # weight and bias

    def __call__(self, x: Tensor) -> Tensor:
        """[K, n, out] for x [K, n, in], or lists of it."""
        return dense(x, self.bends, self.parts)


class Body(NamedTuple):
    """A body's layers by what is done with them."""

    before: Layers  # of flattening: convolutions
    enter: Dense
    memory: Parts = ()  # of a recurrent body
    leave: Dense | None = None  # what follows its memory


def split(layers: Layers) -> Body:
    """Sorts stacked layers into a body."""
    flat = next(i for i, (layer, _) in enumerate(layers) if isinstance(layer, nn.Flatten))
    tail = layers[flat + 1 :]
    at = next((i for i, (layer, _) in enumerate(tail) if isinstance(layer, Gru)), None)
    if at is None:
        return Body(layers[:flat], _dense(tail))
    return Body(layers[:flat], _dense(tail[:at]), tail[at][1], _dense(tail[at + 1 :]))


def _dense(layers: Layers) -> Dense:
    named: dict[type[nn.Module], Bend] = {nn.Tanh: "tanh", nn.ReLU: "relu", nn.Linear: ""}
    kinds = [type(layer) for layer, _ in layers] + [nn.Linear]
    bends = [named[after] for kind, after in pairwise(kinds) if kind is nn.Linear]
    return Dense(bends, [(parts[0], parts[1]) for _, parts in layers if parts])


def recall(body: Body, features: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    """A recurrent body's output [K, n, …] for features [K, n, *view] and memory [K, n, width]; and that then."""
    assert body.leave is not None
    with torch.no_grad():
        after = step(body.enter(features.flatten(2).float()), memory, body.memory)
        return body.leave(after), after
