"""Dense layers of K networks at once, forwards and backwards: what most of a training's time goes into.

Written out by hand, since autograd would keep three more arrays a layer and walk memory twice as often.
"""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from crossplay.agents import sparse

Bend = Literal["tanh", "relu", ""]  # what follows a layer


def dense(x: Tensor, bends: Sequence[Bend], parts: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """x [K, n, in], or lists of it, through layers of weights [K, out, in] and biases [K, out]; [K, n, last out]."""
    found: Tensor = _Dense.apply(x, tuple(bends), *(part for pair in parts for part in pair))
    return found


class _Dense(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, bends: tuple[Bend, ...], *parts: Tensor) -> Tensor:
        seen = [x]
        for bend, weight, bias in zip(bends, parts[::2], parts[1::2], strict=True):
            seen.append(_bent(bend, _linear(seen[-1], weight, bias)))
        ctx.save_for_backward(*seen, *parts[::2])
        ctx.bends = bends
        return seen[-1]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        count = len(ctx.bends)
        seen, weights = ctx.saved_tensors[: count + 1], ctx.saved_tensors[count + 1 :]
        found: list[Tensor] = []
        for i in range(count - 1, -1, -1):
            grad = _unbent(ctx.bends[i], grad, seen[i + 1])
            found = [_outer(grad, seen[i], weights[i].shape[2]), grad.sum(dim=1), *found]
            if i or ctx.needs_input_grad[0]:
                grad = torch.bmm(grad, weights[i])
        return (grad if ctx.needs_input_grad[0] else None, None, *found)


def _linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    if sparse.listed(x):
        return sparse.linear(x, weight, bias)
    if weight.shape[1] == 1:  # a matrix of one column takes another kernel when it is alone
        return (x * weight).sum(dim=-1, keepdim=True) + bias[:, None]
    return torch.baddbmm(bias[:, None], x, weight.transpose(1, 2))


def _outer(grad: Tensor, x: Tensor, inputs: int) -> Tensor:
    """The weights' slopes [K, out, in]."""
    if sparse.listed(x):
        return sparse.outer(grad, x, inputs)
    if grad.shape[2] == 1:
        return (grad * x).sum(dim=1, keepdim=True)
    return torch.bmm(grad.transpose(1, 2), x)


def _bent(bend: Bend, x: Tensor) -> Tensor:
    """The activation, in place; tanh x = 2σ(2x) − 1 to 1e-7, where torch's own is slow on some machines."""
    if bend == "tanh":
        x.mul_(2).sigmoid_()
        return torch.add(x.new_full((), -1.0), x, alpha=2, out=x)
    return x.relu_() if bend == "relu" else x


def _unbent(bend: Bend, grad: Tensor, y: Tensor) -> Tensor:
    """The slope before an activation from the one after it."""
    if bend == "tanh":
        found: Tensor = torch.ops.aten.tanh_backward(grad, y)
        return found
    return grad * (y > 0) if bend == "relu" else grad
