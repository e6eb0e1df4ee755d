"""Networks that ONNX Runtime quantised, in every form it writes, against what it computes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate import Model, Sequential, Trainer, reference
from striate.explain import attribute
from striate.interop import onnx
from striate.layers import Conv2d, Flatten, Linear, MaxPool2d, ReLU
from support.onnx_graphs import kinds

runtime: Any = pytest.importorskip("onnxruntime")
quantization: Any = pytest.importorskip("onnxruntime.quantization")

SHAPE = (3, 12, 12)
TYPES = [("QUInt8", "QInt8"), ("QInt8", "QInt8"), ("QUInt8", "QUInt8")]


def pictures(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, *SHAPE)).astype(np.float32)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """ONNX Runtime advises to prepare every model before."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def floats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    body = [Conv2d(8, 3, padding=1), ReLU(), MaxPool2d(2), Conv2d(6, 3), ReLU(), Flatten(), Linear(5)]
    network = Sequential(body, SHAPE)
    theta = np.random.default_rng(4).normal(0, 0.2, network.parameter_count).astype(np.float32)
    model = Model(network, theta)
    path = tmp_path_factory.mktemp("quantised") / "floats.onnx"
    model.to_onnx(path)
    return path


class Samples(quantization.CalibrationDataReader):
    """What ONNX Runtime measures ranges with."""

    def __init__(self, name: str) -> None:
        self.batches: Iterator[dict[str, np.ndarray]] = iter([{name: pictures(4, seed)} for seed in range(3)])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.batches, None)


def run(path: Path, x: np.ndarray) -> np.ndarray:
    """Return the outputs of ONNX Runtime, every operator as it stands in the file."""
    options = runtime.SessionOptions()
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    found: np.ndarray = session.run(None, {session.get_inputs()[0].name: x})[0]
    return found


def same(model: Model, x: np.ndarray, wanted: np.ndarray, step: float) -> None:
    """Engine and reference agree with ``wanted``, where sums next to a half may be rounded the other way."""
    states = model.states.astype(np.float64)
    meaning = reference.forward(model.network, model.theta, x, states=states).output
    for found in (model.outputs(x), meaning):
        distance = np.abs(found - wanted)
        assert distance.max() <= 1.01 * step + 1e-5 * np.abs(wanted).max()
        assert np.mean(distance > 1e-5 * np.abs(wanted).max()) <= 0.1


@pytest.mark.parametrize("form", ["QDQ", "QOperator"])
@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize(("activations", "weights"), TYPES)
def test_static(floats: Path, tmp_path: Path, form: str, per_channel: bool, activations: str, weights: str) -> None:
    path, types = tmp_path / "m.onnx", quantization.QuantType
    quantization.quantize_static(
        floats,
        path,
        Samples(runtime.InferenceSession(floats).get_inputs()[0].name),
        quant_format=quantization.QuantFormat[form],
        per_channel=per_channel,
        activation_type=types[activations],
        weight_type=types[weights],
    )
    model, x = onnx.load(path), pictures(6, 9)
    assert kinds(model)["Round"] >= 3
    wanted = run(path, x)
    levels = np.unique(wanted)
    same(model, x, wanted, float(np.diff(levels).min()))


def quantised(floats: Path, path: Path, form: str) -> Path:
    """Write the network in one of the forms."""
    if form == "dynamic":
        quantization.quantize_dynamic(floats, path)
    else:
        name = runtime.InferenceSession(floats).get_inputs()[0].name
        quantization.quantize_static(floats, path, Samples(name), quant_format=quantization.QuantFormat[form])
    return path


@pytest.mark.parametrize("form", ["QDQ", "QOperator", "dynamic"])
def test_quantised_networks_are_fine_tuned_and_explained(floats: Path, tmp_path: Path, form: str) -> None:
    network = onnx.load(quantised(floats, tmp_path / "m.onnx", form)).network
    model = onnx.load(tmp_path / "m.onnx")
    x, before = pictures(40, 3), model.theta.copy()
    targets = model.outputs(x).argmax(axis=1)[::-1].copy()  # of other samples
    trainer = Trainer(model, optimizer="adam", learning_rate=3e-3, batch_size=20, seed=0)
    first = model.evaluate(x, targets).loss
    trainer.fit(x, targets, epochs=8)
    assert model.evaluate(x, targets).loss < 0.8 * first
    for name, part in model.parameters.items():
        assert np.any(part != Model(network, before).parameters[name])
    found = attribute(model, x[0], "integrated-gradients", 2)
    assert found.values.shape == SHAPE
    assert np.all(np.isfinite(found.values))
    assert np.any(found.values)


@pytest.mark.parametrize("weights", ["QInt8", "QUInt8"])
def test_dynamic(floats: Path, tmp_path: Path, weights: str) -> None:
    path = tmp_path / "m.onnx"
    quantization.quantize_dynamic(floats, path, weight_type=quantization.QuantType[weights])
    model, x = onnx.load(path), pictures(6, 9)
    wanted = np.concatenate([run(path, sample[None]) for sample in x])  # a range of its own for each
    same(model, x, wanted, 0.02 * float(np.abs(wanted).max()))
