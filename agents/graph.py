"""Policies as ONNX graphs: data, not code, whatever framework they come from.

A graph reads `observation` float32 [batch, *view], and, where it has them, `legal` bool [batch, actions] and `memory`
float32 [batch, width] (zero before the first step). It gives `logits` float32 [batch, actions] and, where it reads one,
`memory_out`. Only operators of plain networks are let in, none that loops, and no data outside the file.
"""

from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import Field

from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Fault, Refused, unknown
from crossplay.benchmark.game import Game, Observation
from crossplay.benchmark.policy import Clock
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import Seeds, sample

BYTES = 64 * 2**20
DOMAINS = ("", "ai.onnx")
_PLAIN = """
Abs Add And ArgMax AveragePool BatchNormalization Cast Ceil Clip Concat Constant Conv Div Dropout Einsum Elu Equal
Erf Exp Flatten Floor GRU Gather Gelu Gemm GlobalAveragePool Greater HardSigmoid HardSwish Identity LSTM
LayerNormalization LeakyRelu Less Log LogSoftmax MatMul Max MaxPool Mean Min Mod Mul Neg Not Or PRelu Pow RNN
Reciprocal ReduceMax ReduceMean ReduceSum Relu Reshape Selu Shape Sigmoid Sign Slice Softmax Softplus Split Sqrt
Squeeze Sub Sum Swish Tanh Transpose Unsqueeze Where
"""
OPERATORS = frozenset(_PLAIN.split())
INPUTS, OUTPUTS = ("observation", "legal", "memory"), ("logits", "memory_out")


class _Thoughts(NamedTuple):
    clock: Clock
    past: np.ndarray | None


class GraphPolicy:
    """A graph at the table; a value, since a session keeps nothing between calls."""

    def __init__(self, session: Any, view: str, actions: int, draw: bool) -> None:
        self.view, self._session, self._actions, self._draw = view, session, actions, draw
        self._inputs = [one.name for one in session.get_inputs()]
        self._outputs = [one.name for one in session.get_outputs()]
        self._width = next((int(one.shape[1]) for one in session.get_inputs() if one.name == "memory"), None)

    def begin(self, seeds: Seeds, seat: int) -> _Thoughts:
        """The luck of its episodes, and nothing remembered."""
        past = None if self._width is None else np.zeros((len(seeds), self._width), dtype=np.float32)
        return _Thoughts(Clock(seeds), past)

    def act(self, observation: Observation, memory: _Thoughts) -> tuple[np.ndarray, _Thoughts]:
        """Raises Fault where the graph fails, or its logits are misshapen or not finite."""
        features, legal = observation
        given = {"observation": np.ascontiguousarray(features, dtype=np.float32), "legal": legal, "memory": memory.past}
        try:
            found = self._session.run(self._outputs, {name: given[name] for name in self._inputs})
        except Exception as error:  # the runtime's errors share no class of their own
            raise Fault(f"the graph failed: {error}") from None
        told = dict(zip(self._outputs, found, strict=True))
        logits = np.asarray(told["logits"])
        if logits.shape != legal.shape:
            raise Fault(f"logits have shape {list(logits.shape)}, wanted {list(legal.shape)}")
        if not np.isfinite(logits).all():
            raise Fault("its logits are not finite")
        clock, past = memory.clock, told.get("memory_out", memory.past)
        if past is not None and past.shape != memory.past.shape:  # type: ignore[union-attr]
            raise Fault(f"memory_out has shape {list(past.shape)}, wanted {list(memory.past.shape)}")  # type: ignore[union-attr]
        masked = np.where(legal, logits.astype(np.float64), -np.inf)
        if not self._draw:
            return masked.argmax(axis=1), _Thoughts(clock.tick(), past)
        odds = np.exp(masked - masked.max(axis=1, keepdims=True))
        return sample(odds, clock.draw()), _Thoughts(clock.tick(), past)


@POLICIES.register("onnx")
@config
class Onnx:
    """An ONNX graph in the card's folder: `file = "policy.onnx"`, its likeliest action, or with `sample` a draw."""

    file: str = Field(pattern=r"^[\w./-]+\.onnx$")
    view: str = ""  # empty: the game's default view
    sample: bool = False

    def make(self, game: Game, files: Path | None) -> GraphPolicy:
        """Raises Refused where the file is missing, too large, no graph, or one that is not let in."""
        view = self.view or game.spec.view
        if view not in game.spec.views:
            raise unknown(f"view of {game.spec.name}", view, game.spec.views)
        path = (files or Path()) / self.file
        session = opened(path)
        check(path, session, game.spec.views[view], len(game.spec.actions))
        return GraphPolicy(session, view, len(game.spec.actions), self.sample)


def opened(path: Path) -> Any:
    """A session on one thread. Raises Refused for a file that is missing, too large, or not a graph that is let in."""
    try:
        import onnx
        import onnxruntime as runtime
    except ImportError:
        raise Refused(f"{path}: graphs need `pip install 'crossplay[onnx]'`") from None
    if not path.is_file() or ".." in path.parts:
        raise Refused(f"{path}: no such file")
    if path.stat().st_size > BYTES:
        raise Refused(f"{path}: {path.stat().st_size} bytes; a graph has at most {BYTES}")
    data = path.read_bytes()
    try:
        model = onnx.load_model_from_string(data)
        _let_in(path, model)
        settings = runtime.SessionOptions()
        settings.intra_op_num_threads = settings.inter_op_num_threads = 1
        settings.log_severity_level = 4
        return runtime.InferenceSession(data, settings, providers=["CPUExecutionProvider"])
    except Refused:
        raise
    except Exception as error:  # protobuf's and the runtime's errors share no class
        raise Refused(f"{path}: not an ONNX graph: {str(error).splitlines()[0][:300]}") from None


def _let_in(path: Path, model: Any) -> None:
    """Raises Refused for functions, subgraphs, operators and data that plain networks have no use for."""
    external = 1  # TensorProto.EXTERNAL
    tensors = [*model.graph.initializer, *(a.t for n in model.graph.node for a in n.attribute if a.HasField("t"))]
    tensors += [t for n in model.graph.node for a in n.attribute for t in a.tensors]
    if any(tensor.data_location == external or tensor.external_data for tensor in tensors):
        raise Refused(f"{path}: its weights lie in another file; a graph has to hold them itself")
    if len(model.functions) or len(model.graph.sparse_initializer):
        raise Refused(f"{path}: it defines functions or sparse tensors, which are not let in")
    for node in model.graph.node:
        if node.domain not in DOMAINS or node.op_type not in OPERATORS:
            raise Refused(f"{path}: {unknown('operator', f'{node.domain}{node.op_type}', OPERATORS)}")
        if any(a.HasField("g") or len(a.graphs) for a in node.attribute):
            raise Refused(f"{path}: operator {node.op_type} holds a graph of its own, which is not let in")


def check(path: Path, session: Any, shape: tuple[int, ...], actions: int) -> None:
    """Raises Refused where a graph's inputs and outputs do not fit the view and the actions of a game."""
    inputs = {one.name: (one.type, list(one.shape)) for one in session.get_inputs()}
    outputs = {one.name: (one.type, list(one.shape)) for one in session.get_outputs()}
    _named(path, "input", inputs, INPUTS, "observation")
    _named(path, "output", outputs, OUTPUTS, "logits")
    if ("memory" in inputs) != ("memory_out" in outputs):
        raise Refused(f"{path}: `memory` and `memory_out` go together; it has only one of them")
    wanted: dict[str, tuple[str, list[int]]] = {"observation": ("tensor(float)", list(shape))}
    wanted["legal"], wanted["logits"] = ("tensor(bool)", [actions]), ("tensor(float)", [actions])
    if "memory" in inputs:
        width = inputs["memory"][1][-1]
        if not isinstance(width, int):
            raise Refused(f"{path}: the width of `memory` has to be a number; it is {width!r}")
        wanted["memory"] = wanted["memory_out"] = ("tensor(float)", [width])
    for name, (kind, given) in (inputs | outputs).items():
        fits = len(given) == len(wanted[name][1]) + 1 and all(
            not isinstance(have, int) or have == want for have, want in zip(given[1:], wanted[name][1], strict=True)
        )
        if kind != wanted[name][0] or not fits or isinstance(given[0], int):
            raise Refused(f"{path}: {name} is {kind} {given}; wanted {wanted[name][0]} {['batch', *wanted[name][1]]}")


def _named(
    path: Path, noun: Literal["input", "output"], given: dict[str, Any], known: tuple[str, ...], needed: str
) -> None:
    for name in given:
        if name not in known:
            raise Refused(f"{path}: {unknown(noun, name, known)}")
    if needed not in given:
        raise Refused(f"{path}: no {noun} `{needed}`; it has {', '.join(given)}")
