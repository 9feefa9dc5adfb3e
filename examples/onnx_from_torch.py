"""An ONNX policy from plain torch: `python onnx_from_torch.py out.onnx 68 6` (inputs of the view, actions)."""

import sys

import torch
from torch import nn


class Memory(nn.Module):
    """A small recurrent policy: what it remembers goes in and comes out."""

    def __init__(self, inputs: int, actions: int, width: int = 32) -> None:
        super().__init__()
        self.cell, self.head = nn.GRUCell(inputs, width), nn.Linear(width, actions)

    def forward(self, observation: torch.Tensor, memory: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        after = self.cell(observation.flatten(1), memory)
        return self.head(after), after


if __name__ == "__main__":
    torch.manual_seed(0)
    out, inputs, actions = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.onnx.export(
        Memory(inputs, actions).eval(),
        (torch.zeros(2, inputs), torch.zeros(2, 32)),
        out,
        input_names=["observation", "memory"],
        output_names=["logits", "memory_out"],
        dynamic_axes={name: {0: "batch"} for name in ("observation", "memory", "logits", "memory_out")},
        opset_version=17,
        dynamo=False,
    )
