"""An ONNX policy from bare arrays, as any framework gives them: `python onnx_from_numpy.py out.onnx 68 6`."""

import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

if __name__ == "__main__":
    out, inputs, actions = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    luck = np.random.default_rng(0)
    arrays = {
        "w1": luck.normal(size=(inputs, 32)) / inputs**0.5,
        "b1": np.zeros(32),
        "w2": luck.normal(size=(32, actions)),
        "b2": np.zeros(actions),
    }
    nodes = [
        helper.make_node("Gemm", ["observation", "w1", "b1"], ["before"]),
        helper.make_node("Tanh", ["before"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "w2", "b2"], ["logits"]),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", size])
        for name, size in (("observation", inputs), ("logits", actions))
    ]
    held = [numpy_helper.from_array(values.astype(np.float32), name) for name, values in arrays.items()]
    graph = helper.make_graph(nodes, "policy", ends[:1], ends[1:], held)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), out)
