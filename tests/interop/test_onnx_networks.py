"""The graphs that the ONNX project ships: those PyTorch made of its own tests, and nine published networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .onnx_cases import Case, passes

onnx: Any = pytest.importorskip("onnx")
runtime: Any = pytest.importorskip("onnxruntime")
DATA = Path(onnx.__file__).parent / "backend" / "test" / "data"
CONVERTED = sorted((DATA / "pytorch-converted").iterdir()) + sorted((DATA / "pytorch-operator").iterdir())
NETWORKS = sorted((DATA / "light").glob("*.onnx"))


BEYOND_FLOAT32 = {
    "test_operator_add_broadcast",
    "test_operator_add_size1_right_broadcast",
    "test_operator_add_size1_singleton_broadcast",
    "test_operator_addconstant",
}
"""Their inputs are 64-bit numbers up to 1e228; values of a network are float32."""


def tensors(folder: Path, kind: str) -> list[np.ndarray]:
    found = []
    for path in sorted(folder.glob(f"{kind}_*.pb"), key=lambda path: int(path.stem.rpartition("_")[2])):
        tensor = onnx.TensorProto.FromString(path.read_bytes())
        found.append(onnx.numpy_helper.to_array(tensor))
    return found


def as_case(folder: Path) -> Case:
    graph = onnx.load(folder / "model.onnx").graph
    constants = {item.name for item in graph.initializer}
    names = [item.name for item in graph.input if item.name not in constants]
    data = folder / "test_data_set_0"
    inputs = dict(zip(names, tensors(data, "input"), strict=True))
    outputs = dict(zip([item.name for item in graph.output], tensors(data, "output"), strict=True))
    return Case(folder / "model.onnx", inputs, outputs)


def test_graphs_that_pytorch_made() -> None:
    assert len(CONVERTED) == 117
    failed = {folder.name for folder in CONVERTED if not passes(as_case(folder))}
    assert failed == BEYOND_FLOAT32


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=pytest.mark.slow if "vgg" in path.stem else ()) for path in NETWORKS],
    ids=lambda path: path.stem.removeprefix("light_"),
)
def test_published_networks(path: Path) -> None:
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (entry,) = session.get_inputs()
    x = np.random.default_rng(0).random(entry.shape, np.float32)
    outputs = dict(
        zip([item.name for item in session.get_outputs()], session.run(None, {entry.name: x}), strict=True)
    )
    assert passes(Case(path, {entry.name: x}, outputs), meaning=False)


def test_all_networks_are_here() -> None:
    assert len(NETWORKS) == 9
