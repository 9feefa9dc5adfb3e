"""Choosing actions: a network's odds for a batch, in numpy where that is possible.

At the sizes played here torch spends five times the arithmetic on dispatch. The numpy path reads the very memory that
torch trains, so it is always up to date; convolutions and other devices take the torch path.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from crossplay.agents.networks import ActorCritic
from crossplay.agents.stack import Body, Stack, split


class Chooser(Protocol):
    """Unnormalised action probabilities [n, actions] from features [n, *view] and legal [n, actions]; in a stack all
    with a leading axis [K]."""

    def __call__(self, features: np.ndarray, legal: np.ndarray) -> np.ndarray: ...


Layers = list[tuple[nn.Module, tuple[Tensor, ...]]]


def chooser(net: ActorCritic | Stack) -> Chooser:
    """The fastest way to a network's odds: illegal actions get 0, the likeliest legal one 1, NaN where it is lost.

    A stack of recurrent networks gets a chooser that remembers.
    """
    if isinstance(net, Stack) and net.nets[0].recurrent:
        return Recurrent(net)
    axes, one = (2, net.nets[0]) if isinstance(net, Stack) else (1, net)
    bodies = [_layers(net, body) for body in _bodies(one)]
    return _plain(bodies, axes, one) if _simple(bodies) else _torch(net)


def crowd(nets: Sequence[ActorCritic]) -> Chooser | None:
    """One chooser for networks of one build that will not change, with a leading axis; None where there is no fast one.

    It says, bit for bit, what each network's own chooser says of its slice.
    """
    bodies = []
    for body in _bodies(nets[0]):
        alike = [_layers(net, body) for net in nets]
        parts = [[layers[i][1] for layers in alike] for i in range(len(alike[0]))]
        together = [tuple(torch.stack(same) for same in zip(*each, strict=True)) for each in parts]
        bodies.append([(layer, found) for (layer, _), found in zip(alike[0], together, strict=True)])
    return _plain(bodies, 2, nets[0]) if _simple(bodies) else None


def _bodies(net: ActorCritic) -> tuple[str, ...]:
    return ("actor", "predictor") if net.context else ("actor",)


def _simple(bodies: Sequence[Layers]) -> bool:
    every = [one for layers in bodies for one in layers]
    plain = all(isinstance(layer, nn.Linear | nn.Tanh | nn.ReLU) for layer, _ in every)
    return plain and all(part.device.type == "cpu" for _, parts in every for part in parts)


def _plain(bodies: Sequence[Layers], axes: int, one: ActorCritic) -> Chooser:
    actor, *predictor = [_numpy(layers, axes) for layers in bodies]

    def choose(features: np.ndarray, legal: np.ndarray) -> np.ndarray:
        x = features.reshape(*features.shape[:axes], -1).astype(np.float32, copy=False)
        if predictor:
            foreseen = odds(predictor[0](x).reshape(*x.shape[:axes], one.others, -1), np.bool_(True))
            foreseen /= foreseen.sum(axis=-1, keepdims=True)
            now = x[..., -x.shape[-1] // (one.context or 1) :]
            x = np.concatenate([now, foreseen.reshape(*x.shape[:axes], -1)], axis=-1)
        return odds(actor(x), legal)

    return choose


def _layers(net: ActorCritic | Stack, body: str) -> Layers:
    found = net.layers(body) if isinstance(net, Stack) else [(x, tuple(x.parameters())) for x in getattr(net, body)]
    return [(layer, parts) for layer, parts in found if not isinstance(layer, nn.Flatten)]


def odds(logits: np.ndarray, legal: np.ndarray | np.bool_) -> np.ndarray:
    """Unnormalised probabilities [..., actions], the likeliest legal one's 1."""
    logits = np.where(legal, logits, -np.inf)
    logits -= logits.max(axis=-1, keepdims=True)
    return np.exp(logits, out=logits)


def _numpy(layers: Layers, axes: int) -> Callable[[np.ndarray], np.ndarray]:
    steps: list[tuple[np.ndarray, np.ndarray] | nn.Module] = []
    for layer, parts in layers:
        if parts:
            weight, bias = (part.detach().numpy() for part in parts)
            steps.append((weight.swapaxes(-1, -2), bias[:, None] if axes == 2 else bias))
        else:
            steps.append(layer)

    def run(x: np.ndarray) -> np.ndarray:
        for step in steps:
            if isinstance(step, tuple):
                x = x @ step[0]
                x += step[1]
            elif isinstance(step, nn.Tanh):
                np.tanh(x, out=x)
            else:
                np.maximum(x, 0, out=x)
        return x

    return run


class Recurrent:
    """Chooses for a stack of recurrent networks, and remembers [K, n, 2 · width]: of actors, then of critics."""

    def __init__(self, stack: Stack) -> None:
        self._stack, self._memory = stack, torch.empty(0)

    def forget(self) -> None:
        """New episodes begin."""
        self._memory = torch.empty(0)

    def remembered(self, places: int) -> Tensor:
        """What is remembered at so many places, zeros where nothing is."""
        if not len(self._memory):
            nets = self._stack.nets
            self._memory = torch.zeros(len(nets), places, 2 * nets[0].width, device=self._stack.flat.device)
        return self._memory

    def __call__(self, features: np.ndarray, legal: np.ndarray) -> np.ndarray:
        """As every chooser; and remembers."""
        actors, critics = self.remembered(features.shape[1]).chunk(2, dim=-1)
        x = torch.from_numpy(np.ascontiguousarray(features)).to(actors.device)
        logits, actors = self._stack.recall("actor", x, actors)
        self._memory = torch.cat([actors, self._stack.recall("critic", x, critics)[1]], dim=-1)
        return odds(logits.cpu().numpy(), legal)


def alone(net: ActorCritic) -> Body:
    """A recurrent network's actor as a stack of one, for `recall`."""
    return split([(layer, tuple(p.detach()[None] for p in layer.parameters())) for layer in net.actor])


def _torch(net: ActorCritic | Stack) -> Chooser:
    device = (net.flat if isinstance(net, Stack) else next(net.parameters())).device
    wide = isinstance(net, Stack) and net.nets[0].central  # it is taught from all seats' views, its own first

    def choose(features: np.ndarray, legal: np.ndarray) -> np.ndarray:
        seen = torch.from_numpy(np.ascontiguousarray(features)).to(device)
        with torch.inference_mode():
            logits = net.logits(seen[:, :, None] if wide else seen)
        return odds(logits.cpu().numpy(), legal)

    return choose
