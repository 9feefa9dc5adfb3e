"""ONNX graphs: the same play as the network they are of; only plain graphs that fit are let in."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from crossplay.agents.graph import Onnx
from crossplay.agents.graph_export import to_onnx
from crossplay.agents.inference import NetworkPolicy
from crossplay.agents.networks import Architecture, PolicyNet
from crossplay.benchmark.check import check_policy
from crossplay.benchmark.errors import Fault, Refused
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.match import play

onnx = pytest.importorskip("onnx")
EXAMPLES = Path(__file__).parents[2] / "examples"
KITCHEN = Overcooked(layout="cramped_room", horizon=40)
GRID = CollabGrid(horizon=20)


def net(game=KITCHEN, scale=3.0, **architecture):
    made = PolicyNet(Architecture(**architecture), game.spec, shared=True, seed=1).eval().requires_grad_(False)
    for weight in made.of(0).actor.parameters():
        weight.mul_(scale)
    return made


def written(folder, data, **fields):
    (folder / "p.onnx").write_bytes(data)
    return Onnx(file="p.onnx", **fields)


@pytest.mark.parametrize(
    "architecture",
    [{}, {"activation": "relu"}, {"body": "cnn", "view": "lossless"}, {"body": "gru"}, {"hidden": (32,)}],
    ids=str,
)
@pytest.mark.parametrize("choose", ["sample", "argmax"])
def test_the_same_play(tmp_path, architecture, choose):
    own = net(**architecture)
    fields = {"view": architecture.get("view", ""), "sample": choose == "sample"}
    graph = written(tmp_path, to_onnx(own), **fields).make(KITCHEN, tmp_path)
    paid = [
        play(KITCHEN, [policy] * 2, episodes=16, game_seed=1, policy_seeds=[1, 2])
        for policy in (NetworkPolicy(own, choose), graph)
    ]
    assert np.array_equal(paid[0].events, paid[1].events)
    assert not check_policy(graph, KITCHEN, alone=False)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda: PolicyNet(Architecture(), KITCHEN.spec, shared=False, seed=0), "a network per seat"),
        (lambda: net(context=3), "a context of past views"),
    ],
)
def test_what_no_graph_holds(made, told):
    with pytest.raises(Refused, match=told):
        to_onnx(made())


def changed(change):
    model = onnx.load_model_from_string(to_onnx(net(GRID)))
    change(model)
    return model.SerializeToString()


def external(model):
    tensor = model.graph.initializer[0]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.ClearField("raw_data")
    for key, value in (("location", "../../etc/passwd"), ("offset", "0"), ("length", "64")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value


def looped(model):
    inner = onnx.helper.make_graph([], "inner", [], [])
    model.graph.node.append(onnx.helper.make_node("Loop", [], ["x"], body=inner))


def unplain(model):
    model.graph.node[0].op_type = "Flaten"


def foreign(model):
    model.graph.node[0].domain = "com.example"


def renamed(model):
    model.graph.input[0].name = "obs"
    model.graph.node[0].input[0] = "obs"


def fixed_batch(model):
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


REFUSED = {
    "external": (external, "its weights lie in another file"),
    "loop": (looped, "unknown operator 'Loop'"),
    "unplain": (unplain, "unknown operator 'Flaten'; did you mean 'Flatten'"),
    "foreign": (foreign, "unknown operator 'com.example"),
    "renamed": (renamed, "unknown input 'obs'"),
    "fixed_batch": (fixed_batch, "wanted tensor"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_let_in(tmp_path, name):
    change, told = REFUSED[name]
    with pytest.raises(Refused, match=told):
        written(tmp_path, changed(change)).make(GRID, tmp_path)


@pytest.mark.parametrize("data", [b"", b"nonsense", b"\x08" * 50])
def test_no_graph_at_all(tmp_path, data):
    with pytest.raises(Refused, match=r"p\.onnx: (not an ONNX graph|no input)"):
        written(tmp_path, data).make(GRID, tmp_path)


def test_missing_and_outside(tmp_path):
    with pytest.raises(Refused, match="no such file"):
        Onnx(file="p.onnx").make(GRID, tmp_path)
    with pytest.raises(Refused, match="no such file"):
        Onnx(file="../p.onnx").make(GRID, tmp_path)


def test_logits_that_are_not_finite_break_the_match(tmp_path):
    own = net(GRID)
    own.of(0).actor[-1].bias.fill_(torch.nan)
    policy = written(tmp_path, to_onnx(own)).make(GRID, tmp_path)
    with pytest.raises(Fault, match="its logits are not finite"):
        play(GRID, [policy] * 2, episodes=2, game_seed=0, policy_seeds=[0, 1])


@pytest.mark.parametrize("example", ["onnx_from_torch.py", "onnx_from_numpy.py"])
def test_examples_of_other_frameworks_play(tmp_path, example):
    inputs, actions = int(np.prod(GRID.spec.views[GRID.spec.view])), len(GRID.spec.actions)
    command = [sys.executable, "-W", "ignore", EXAMPLES / example, tmp_path / "p.onnx", str(inputs), str(actions)]
    subprocess.run(command, check=True, capture_output=True)
    policy = Onnx(file="p.onnx", sample=True).make(GRID, tmp_path)
    assert not check_policy(policy, GRID, alone=False)
