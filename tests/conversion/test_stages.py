"""Stages of a conversion: checks that name the stage and the layer, and dumps."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from torch import nn

from hwgen.artefact import atomic
from hwgen.conversion import Finetuning, pipeline
from hwgen.conversion.converted import Converted
from hwgen.conversion.float_graph import FloatGraph
from hwgen.conversion.op_graph import ClampOp, OpGraph
from hwgen.conversion.stage_checks import first_difference
from hwgen.conversion.stages import STAGES, Stage
from hwgen.errors import StorageError
from hwgen.network import Layer
from tests.support.conversion import convert
from tests.support.float_models import Forward, pixels, tiny_cnn

IMAGES = pixels((2, 8, 8), samples=30)


def spoil(monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[[Any], Any]) -> None:
    """Let the stage ``name`` change what it makes."""

    def spoilt(stage: Stage) -> Stage:
        if stage.name != name:
            return stage
        return replace(stage, run=lambda task, graph: change(stage.run(task, graph)))

    monkeypatch.setattr(pipeline, "STAGES", tuple(spoilt(stage) for stage in STAGES))


def with_weights(node: Any, change: Callable[[np.ndarray], np.ndarray]) -> Any:
    first, *others = node.projections
    return replace(node, projections=(replace(first, weights=change(first.weights)), *others))


def heavier(layer: str) -> Callable[[Any], Any]:
    """Weights of ``layer`` 2 % larger, integers by one at most; in any graph."""

    def one(weights: np.ndarray) -> np.ndarray:
        grown = weights * 1.02
        return np.ceil(grown).astype(weights.dtype) if weights.dtype.kind == "i" else grown

    def change(graph: OpGraph | FloatGraph | Converted) -> Any:
        if isinstance(graph, OpGraph):
            ops = [
                replace(op, weights=one(op.weights)) if op.name == layer else op  # type: ignore
                for op in graph.ops
            ]
            return replace(graph, ops=tuple(ops))
        nodes = [with_weights(node, one) if node.name == layer else node for node in graph.nodes]
        return replace(graph, nodes=tuple(nodes))

    return change


@pytest.mark.parametrize("stage", ["trace", "merge-clamps", "fuse", "quantise"])
@pytest.mark.parametrize("layer", ["0", "3", "6"])
def test_a_wrong_weight_names_the_stage_and_the_layer(
    monkeypatch: pytest.MonkeyPatch, stage: str, layer: str
) -> None:
    spoil(monkeypatch, stage, heavier(layer))
    with pytest.raises(RuntimeError, match=f"stage '{stage}': layer '{layer}' differs.*a bug"):
        convert(tiny_cnn(), IMAGES, weight_bits=6)


def test_the_first_of_two_wrong_layers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(monkeypatch, "fuse", lambda graph: heavier("3")(heavier("6")(graph)))
    with pytest.raises(RuntimeError, match="stage 'fuse': layer '3' differs"):
        convert(tiny_cnn(), IMAGES)


@pytest.mark.parametrize("options", [{"leak": 1.6}, {"neuron": "if2"}, {"method": "ttfs"}], ids=str)
def test_codes_of_all_two_phase_neurons_are_checked(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    def silent(converted: Converted) -> Converted:
        nodes = [
            replace(node, bias=node.bias - 10 * node.neuron.threshold) if node.name == "3" else node
            for node in converted.nodes
        ]
        return replace(converted, nodes=tuple(nodes))

    spoil(monkeypatch, "quantise", silent)
    with pytest.raises(RuntimeError, match="stage 'quantise': layer '3' differs"):
        convert(tiny_cnn(), IMAGES, **options)


def test_a_merged_clamp_is_compared_where_the_last_one_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """ReLU, pool, clamp(0, c): one clamp before the pool; the first that differs is the pool."""
    model = nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Hardtanh(0, 0.2), nn.Flatten(),
        nn.Linear(27, 4),
    ).eval()  # fmt: skip
    convert(model, IMAGES)

    def higher(graph: OpGraph) -> OpGraph:
        ops = [replace(op, high=0.3) if isinstance(op, ClampOp) else op for op in graph.ops]
        return replace(graph, ops=tuple(ops))

    spoil(monkeypatch, "merge-clamps", higher)
    with pytest.raises(RuntimeError, match="stage 'merge-clamps': layer '2' differs"):
        convert(model, IMAGES)


def test_branches_are_compared_too(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    model = Forward(
        lambda self, x: self.out((self.b(self.a(x).relu()) + self.c(x)).relu().flatten(1)),
        a=nn.Conv2d(2, 3, 3, padding=1), b=nn.Conv2d(3, 3, 3, padding=1), c=nn.Conv2d(2, 3, 1),
        out=nn.Linear(192, 4),
    ).eval()  # fmt: skip
    spoil(monkeypatch, "trace", heavier("c"))
    with pytest.raises(RuntimeError, match="stage 'trace': layer 'c' differs"):
        convert(model, IMAGES)


def test_a_graph_that_breaks_a_rule_names_the_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(graph: FloatGraph) -> FloatGraph:
        return replace(graph, nodes=graph.nodes[:-1])

    spoil(monkeypatch, "fuse", cut)
    with pytest.raises(RuntimeError, match="stage 'fuse': the last node, and no other, must be"):
        convert(tiny_cnn(), IMAGES)


def test_fine_tuning_keeps_the_structure(monkeypatch: pytest.MonkeyPatch) -> None:
    def renamed(graph: FloatGraph) -> FloatGraph:
        *nodes, last = graph.nodes
        return replace(graph, nodes=(*nodes, replace(last, name="x")))

    spoil(monkeypatch, "fine-tune", renamed)
    with pytest.raises(RuntimeError, match="stage 'fine-tune': layer 'x' differs"):
        convert(tiny_cnn(), IMAGES, timesteps=2, finetuning=Finetuning(epochs=1))


def test_tuning_moves_no_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(128, 6, bias=False), nn.ReLU(),
                          nn.Linear(6, 4, bias=False)).eval()  # fmt: skip
    options = {"method": "feedback", "labels": np.arange(30) % 4, "search_rounds": 1}
    convert(model, IMAGES, timesteps=4, **options)
    spoil(monkeypatch, "tune", heavier("1"))
    with pytest.raises(RuntimeError, match="stage 'tune': layer '1' differs"):
        convert(model, IMAGES, timesteps=4, **options)


def test_rounding_is_no_difference() -> None:
    before = {"a": np.array([[1.0, 0.0]]), "b": np.array([[1000.0, 1e-4]])}
    origins = {"x": "a", "y": "b"}
    close = {"x": np.array([[1.0004, 2e-4]]), "y": np.array([[1000.3, 0.5]])}
    assert first_difference(before, close, origins) is None
    for name, values in (("x", [[1.0, 0.02]]), ("y", [[1000.0, 3.0]])):
        assert first_difference(before, close | {name: np.array(values)}, origins) == name
    assert first_difference(before, {"z": np.array([[7.0, 7.0]])}, origins) is None
    before["mask"] = np.array([np.inf, np.nan])
    assert first_difference(before, close | {"x": np.array([[1.0, 0.02]])}, origins) == "x"
    origins["z"] = "mask"
    assert first_difference(before, {"z": np.array([[np.inf], [np.nan]])}, origins) is None
    assert first_difference(before, {"z": np.array([[np.inf], [0.0]])}, origins) == "z"


def test_the_graph_of_a_stage_that_fails_is_dumped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spoil(monkeypatch, "fuse", heavier("3"))
    with pytest.raises(RuntimeError, match="stage 'fuse'"):
        convert(tiny_cnn(), IMAGES, dump=tmp_path)
    with np.load(tmp_path / "03-fuse.npz", allow_pickle=False) as arrays:
        wanted = 1.02 * tiny_cnn()[3].weight.detach().double().numpy()
        np.testing.assert_allclose(arrays["nodes.3.projections.0.weights"], wanted, rtol=1e-6)
    assert not (tmp_path / "04-quantise.yaml").exists()


@pytest.fixture
def dumped(tmp_path: Path) -> Path:
    convert(tiny_cnn(), IMAGES, weight_bits=5, dump=tmp_path / "stages")
    return tmp_path / "stages"


def test_the_graph_of_each_stage_is_dumped(dumped: Path) -> None:
    stages = ["01-trace", "02-merge-clamps", "03-fuse", "04-quantise"]
    names = sorted(path.name for path in dumped.iterdir())
    assert names == sorted(f"{stage}.{end}" for stage in stages for end in ("yaml", "npz"))
    weight = tiny_cnn()[0].weight.detach().numpy()
    trace = yaml.safe_load((dumped / "01-trace.yaml").read_text())
    first = trace["ops"][0]
    assert (first["kind"], first["name"], first["shape"]) == ("ConvOp", "0", [4, 8, 8])
    assert first["weights"]["shape"] == [4, 2, 3, 3]
    assert first["weights"]["range"] == pytest.approx([weight.min(), weight.max()])
    assert first["weights"]["mean"] == pytest.approx(weight.mean())
    with np.load(dumped / "01-trace.npz", allow_pickle=False) as arrays:
        np.testing.assert_allclose(arrays["ops.0.weights"], weight)
    quantised = yaml.safe_load((dumped / "04-quantise.yaml").read_text())
    layer = quantised["nodes"][0]
    assert layer["neuron"]["kind"] == "InverseLeakyNeuron"
    with np.load(dumped / "04-quantise.npz", allow_pickle=False) as arrays:
        weights = arrays["nodes.0.projections.0.weights"]
    assert np.abs(weights).max() == 15
    network = convert(tiny_cnn(), IMAGES, weight_bits=5)
    assert isinstance(network.nodes[0], Layer)
    np.testing.assert_array_equal(weights, network.nodes[0].projections[0].weights)


def test_a_dump_is_written_whole_or_not_at_all(
    dumped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in dumped.iterdir()}

    class Full(io.FileIO):
        def write(self, data: Any) -> int:
            super().write(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic, "open", Full, raising=False)
    with pytest.raises(StorageError, match="01-trace.npz: cannot be written: .*No space left"):
        convert(tiny_cnn(), IMAGES, dump=dumped)
    assert {path.name: path.read_bytes() for path in dumped.iterdir()} == before
