"""Inputs that are mostly zero, as planes of flags are: lists of what is there, multiplied without the zeros."""

import numpy as np
import torch
from torch import Tensor

from crossplay.agents import sparse_kernel as kernel

MOST = 1 << 15  # inputs that a list can number, with room for the sign


def lists(features: Tensor) -> Tensor:
    """uint8 [K, n, *view] on the CPU as int32 [K, n, m], m the most that any row has: value << 16 | number, then 0s."""
    flat = features.flatten(2).flatten(0, 1).contiguous()
    found = np.empty(flat.shape, dtype=np.int32)
    longest = max(kernel.pack(flat.numpy(), found), 1)
    return torch.from_numpy(found[:, :longest].copy()).unflatten(0, features.shape[:2])


def listed(x: Tensor) -> bool:
    """Whether these are lists: no features come as int32."""
    return x.dtype == torch.int32


def linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Lists x [K, n, m] through weights [K, out, in] and biases [K, out]; [K, n, out]."""
    out = torch.empty(*x.shape[:2], weight.shape[1])
    across = weight.detach().transpose(1, 2).contiguous()
    kernel.forward(x.numpy(), across.numpy(), bias.detach().numpy(), out.numpy())
    return out


def outer(grad: Tensor, x: Tensor, inputs: int) -> Tensor:
    """The weights' slopes [K, out, in] from the outputs' [K, n, out]."""
    found = torch.zeros(len(x), inputs, grad.shape[2])
    kernel.backward(x.numpy(), grad.contiguous().numpy(), found.numpy())
    return found.transpose(1, 2)
