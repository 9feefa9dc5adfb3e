"""Trained networks as ONNX graphs, node by node, so that no exporter of a framework stands in between."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import nn

from crossplay.agents.gru import Gru
from crossplay.agents.networks import PolicyNet
from crossplay.benchmark.errors import Refused

OPSET = 17
ACTIVATIONS = {nn.Tanh: "Tanh", nn.ReLU: "Relu"}


class _Nodes:
    """A graph under construction: every node's output has a name of its own."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def add(self, kind: str, *inputs: str, out: str = "", count: int = 1, **attributes: Any) -> str:
        from onnx import helper

        names = (
            [out or f"{kind.lower()}_{len(self.nodes)}"]
            if count == 1
            else [f"{kind.lower()}_{len(self.nodes)}_{part}" for part in range(count)]
        )
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return " ".join(names)

    def hold(self, name: str, values: Any) -> str:
        from onnx import numpy_helper

        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name


def to_onnx(net: PolicyNet) -> bytes:
    """The actor as a graph: observation (and memory) → logits (and memory_out); `agents/graph.py` says what these are.

    Raises Refused for networks with a context and for one per seat, which are no function of what a graph is given.
    """
    try:
        from onnx import TensorProto, helper
    except ImportError:
        raise Refused("graphs need `pip install 'crossplay[onnx]'`") from None
    if net.architecture.context or not net.shared:
        what = "a context of past views" if net.architecture.context else "a network per seat"
        raise Refused(f"a graph holds one network that reads one view; this one has {what}")
    one, shape = net.of(0), net.spec.views[net.view]
    made = _Nodes()
    before = made.add("Transpose", "observation", perm=[0, 3, 1, 2]) if one.planes_first else "observation"
    for number, layer in enumerate(one.actor):
        last = number == len(one.actor) - 1
        before = _layer(made, number, layer, before, "logits" if last else "")
    inputs, outputs = [("observation", shape)], [("logits", (len(net.spec.actions),))]
    if one.recurrent:
        inputs, outputs = [*inputs, ("memory", (one.width,))], [*outputs, ("memory_out", (one.width,))]

    def named(pairs: Sequence[tuple[str, tuple[int, ...]]]) -> list[Any]:
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *dims]) for name, dims in pairs]

    graph = helper.make_graph(made.nodes, net.spec.name, named(inputs), named(outputs), made.weights)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="crossplay", ir_version=8
    )
    data: bytes = model.SerializeToString()
    return data


def _layer(made: _Nodes, number: int, layer: nn.Module, before: str, out: str) -> str:
    if isinstance(layer, nn.Linear | nn.Conv2d):
        weight = made.hold(f"weight_{number}", layer.weight.detach().numpy())
        bias = made.hold(f"bias_{number}", layer.bias.detach().numpy())  # type: ignore[union-attr]
        if isinstance(layer, nn.Linear):
            return made.add("Gemm", before, weight, bias, out=out, transB=1)
        return made.add("Conv", before, weight, bias, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    if isinstance(layer, nn.Flatten):
        return made.add("Flatten", before, axis=1)
    if isinstance(layer, Gru):
        return _gru(made, number, layer, before)
    return made.add(ACTIVATIONS[type(layer)], before)


def _gru(made: _Nodes, number: int, layer: Gru, before: str) -> str:
    """One step [Cho2014], gates in torch's order: reset, update, new."""
    held = {
        name: made.hold(f"{name}_{number}", getattr(layer, name).detach().numpy())
        for name in ("weight_in", "weight_back", "bias_in", "bias_back")
    }
    sizes = made.hold(f"sizes_{number}", np.array([layer.width] * 3, dtype=np.int64))
    told = made.add("Gemm", before, held["weight_in"], held["bias_in"], transB=1)
    back = made.add("Gemm", "memory", held["weight_back"], held["bias_back"], transB=1)
    told_reset, told_update, told_new = made.add("Split", told, sizes, count=3, axis=1).split()
    back_reset, back_update, back_new = made.add("Split", back, sizes, count=3, axis=1).split()
    reset = made.add("Sigmoid", made.add("Add", told_reset, back_reset))
    update = made.add("Sigmoid", made.add("Add", told_update, back_update))
    new = made.add("Tanh", made.add("Add", told_new, made.add("Mul", reset, back_new)))
    kept = made.add("Mul", update, made.add("Sub", "memory", new))
    return made.add("Add", new, kept, out="memory_out")
