"""Gated recurrent units [Cho2014] of K networks at once, over whole rollouts: forwards and backwards by hand.

As in dense.py autograd would keep a dozen arrays a step. What does not depend on the step before is one matrix product
over all steps; gates are in torch's order: reset, update, new.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from crossplay.benchmark.errors import Refused


class Gru(nn.Module):
    """The weights of one layer, named and shaped as torch.nn.GRU's; `unroll` and `step` do the work."""

    def __init__(self, inputs: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.width = hidden
        self.weight_in = nn.Parameter(torch.empty(3 * hidden, inputs))
        self.weight_back = nn.Parameter(torch.empty(3 * hidden, hidden))
        self.bias_in = nn.Parameter(torch.zeros(3 * hidden))
        self.bias_back = nn.Parameter(torch.zeros(3 * hidden))
        for weight in (self.weight_in, self.weight_back):
            for gate in weight.data.chunk(3):
                nn.init.orthogonal_(gate, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """Raises Refused: without its memory it says nothing."""
        raise Refused("a gru wants its memory, and this way of learning keeps none; use an mlp or a cnn")


class Thread(NamedTuple):
    """What ties a rollout's steps together: a recurrent network's samples are whole sequences, step by step."""

    memory: Tensor  # [K, n, 2 · width] before the first step: the actor's, then the critic's
    starts: Tensor  # [T] bool, on the CPU: an episode begins with this step, so nothing is remembered

    def of(self, body: str) -> Tensor:
        """The actor's or the critic's part of the memory, [K, n, width]."""
        half = self.memory.shape[-1] // 2
        return self.memory[..., :half] if body == "actor" else self.memory[..., half:]


Parts = tuple[Tensor, ...]  # weight_in [K, 3h, in], weight_back [K, 3h, h], bias_in [K, 3h], bias_back [K, 3h]


def step(x: Tensor, memory: Tensor, parts: Parts) -> Tensor:
    """The memory [K, n, h] after inputs x [K, n, in]."""
    weight_in, weight_back, bias_in, bias_back = parts
    told = torch.baddbmm(bias_in[:, None], x, weight_in.transpose(1, 2))
    return _gates(told, memory, weight_back.transpose(1, 2), bias_back[:, None])[0]


def _gates(told: Tensor, before: Tensor, back: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The memory after a step; then update and reset gates side by side, the new state, and what of it is gated."""
    width = before.shape[-1]
    recalled = torch.baddbmm(bias, before, back)
    gates = (told[..., : 2 * width] + recalled[..., : 2 * width]).sigmoid_()
    gated = recalled[..., 2 * width :]
    new = torch.addcmul(told[..., 2 * width :], gates[..., :width], gated).tanh_()
    return torch.lerp(new, before, gates[..., width:]), gates, new, gated


def unroll(x: Tensor, memory: Tensor, starts: Tensor, parts: Parts) -> Tensor:
    """Memories [K, T, n, h] after each of x [K, T, n, in], from memory [K, n, h] on, which gets no slopes."""
    found: Tensor = _Unroll.apply(x, memory, starts, *parts)
    return found


class _Unroll(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, memory: Tensor, starts: Tensor, *parts: Tensor) -> Tensor:
        weight_in, weight_back, bias_in, bias_back = parts
        steps, places = x.shape[1:3]
        told = torch.baddbmm(bias_in[:, None], x.flatten(1, 2), weight_in.transpose(1, 2))
        told = told.unflatten(1, (steps, places)).movedim(1, 0).contiguous()  # [T, K, n, 3h]
        back, bias = weight_back.transpose(1, 2), bias_back[:, None]
        kept = []
        for t, begins in enumerate(starts.tolist()):
            before = torch.zeros_like(memory) if begins else memory
            memory, gates, new, gated = _gates(told[t], before, back, bias)
            kept.append((before, gates, new, gated, memory))
        before, gates, new, gated, after = (torch.stack(each) for each in zip(*kept, strict=True))
        ctx.save_for_backward(x, before, gates, new, gated, weight_in, weight_back)
        ctx.starts = starts.tolist()
        return after.movedim(0, 1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, before, gates, new, gated, weight_in, weight_back = ctx.saved_tensors
        width = before.shape[-1]
        reset, update = gates[..., :width], gates[..., width:]
        to_new = (1 - update) * (1 - new**2)  # of the memory's slope, what reaches each gate before its bend
        to_update = (before - new) * update * (1 - update)
        to_reset = to_new * gated * reset * (1 - reset)
        share = torch.cat([to_reset, to_update, to_new * reset], dim=-1)  # [T, K, n, 3h]
        total, carried = grad.movedim(1, 0).clone(), torch.zeros_like(before[0])
        for t in range(len(share) - 1, -1, -1):
            total[t] += carried
            share[t] *= total[t].repeat(1, 1, 3)
            if ctx.starts[t]:
                carried = torch.zeros_like(carried)
            else:
                carried = torch.baddbmm(total[t] * update[t], share[t], weight_back)
        told = torch.cat([share[..., : 2 * width], to_new * total], dim=-1)
        return _slopes(x, before, told, share, weight_in)


def _slopes(x: Tensor, before: Tensor, told: Tensor, recalled: Tensor, weight_in: Tensor) -> tuple[Tensor | None, ...]:
    """Slopes in x, memory, starts and the four weights, from those in what is told and recalled [T, K, n, 3h]."""
    told, recalled, before = (part.movedim(0, 1).flatten(1, 2) for part in (told, recalled, before))  # [K, T·n, …]
    to_x = torch.bmm(told, weight_in).view_as(x)
    to_in, to_back = (torch.bmm(a.transpose(1, 2), b) for a, b in ((told, x.flatten(1, 2)), (recalled, before)))
    return to_x, None, None, to_in, to_back, told.sum(dim=1), recalled.sum(dim=1)
