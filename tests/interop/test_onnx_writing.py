"""What ONNX Runtime makes of exported models is what striate computes: every layer, every named network."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.data.normalisation import Normalisation
from striate.errors import ModelFileError
from striate.interop.onnx import writing
from striate.interop.onnx.writing.save import to_message
from striate.interop.protobuf import encode
from striate.layers import Conv2d, Flatten, Input, Layer, Linear, Reshape, Slice
from striate.layers.base import Shape
from striate.layers.embedding import Embedding
from striate.layers.quantised import WHOLE
from striate.layers.registry import LAYERS
from striate.layers.shape import InputLayer
from striate.model import Model
from striate.models import MODELS
from striate.network import Network, Sequential
from striate.reference import operation
from striate.testing import OPERATIONS, Case
from striate.testing.numbers import values_for
from support.choices import examples, small_case
from support.onnx_runtime import agree, run_onnx

onnx = pytest.importorskip("onnx")
TOLERANCE = 1e-5  # of the largest output


def apart(shapes: tuple[Shape, ...]) -> list[Any]:
    """Return nodes of ``shapes`` that share one input, which holds all values in a row."""
    sizes = [math.prod(shape) for shape in shapes]
    if len(shapes) == 1:
        return [Input(shapes[0])]
    row, begins = Input((sum(sizes),)), np.cumsum([0, *sizes])
    pieces = [Slice((int(b),), (n,))(row) for b, n in zip(begins[:-1], sizes, strict=True)]
    return [Reshape(shape)(piece) for shape, piece in zip(shapes, pieces, strict=True)]


def model_of(family: str, drawn: Case, seed: int) -> tuple[Model, np.ndarray, np.ndarray]:
    """Return a network of the layer alone, samples for it, and what its reference makes of them."""
    values = values_for(OPERATIONS[family], drawn, 3, seed, training=False)
    network = Network(drawn.layer(*apart(drawn.shapes)))
    theta, states = np.zeros(network.parameter_count), np.zeros(network.state_count)
    for slots, vector, arrays in (
        (network.parameters, theta, values.parameters),
        (network.states, states, values.context.states),
    ):
        for slot in slots:
            slot.view(vector)[...] = arrays[slot.spec.name]
    flat = [x.reshape(3, -1) for x in values.inputs]
    x = values.inputs[0] if len(flat) == 1 else np.concatenate(flat, axis=1)
    meant = operation(drawn.layer).forward(drawn.layer, values.parameters, *values.inputs, context=values.context)
    return Model(network, theta.astype(np.float32), states.astype(np.float32)), x.astype(np.float32), meant


@pytest.mark.parametrize("family", OPERATIONS)
def test_layers_mean_the_same_in_onnx(family: str) -> None:
    @examples(12)
    @given(st.data(), st.integers(0, 2**32))
    def check(data: st.DataObject, seed: int) -> None:
        drawn = small_case(data, family)
        model, x, meant = model_of(family, drawn, seed)
        message = encode(to_message(model))
        onnx.checker.check_model(message, full_check=True)
        agree(run_onnx(message, x), meant, TOLERANCE)

    check()


def test_every_layer_has_a_translation() -> None:
    for name, layer in LAYERS.items():
        own = layer.__module__.startswith("striate.") and not issubclass(layer, WHOLE)
        if layer is not InputLayer and own:
            assert any(cls in writing.graph.TRANSLATIONS for cls in layer.__mro__), name


SHAPES: dict[str, Shape] = {
    "alexnet": (3, 96, 96),
    "lenet5": (1, 32, 32),
    "lenet5_1998": (1, 32, 32),
    "digit_recogniser": (1, 28, 28),
    "signal_cnn": (2, 128),
    "voxnet": (1, 32, 32, 32),
    "volume_cnn": (1, 9, 20, 20),
    "unet": (1, 20, 34),
    "series_cnn": (1, 64),
    "text_cnn": (1, 40),
    "mlp": (20,),
    "logistic_regression": (20,),
    "perceptron": (4,),
    "xor": (2,),
    "photo_cnn": (3, 64, 64),
}


LARGE = ("alexnet", "resnet101", "resnet152", "vgg13", "vgg16", "vgg19")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in LARGE else ()) for name in MODELS]
)
def test_named_networks_mean_the_same_in_onnx(name: str, tmp_path: Path) -> None:
    classes = 2 if name in ("perceptron", "xor") else 10
    network = MODELS[name](classes, SHAPES.get(name, (3, 64, 64)))
    rng = np.random.default_rng(1)
    theta = np.zeros(network.parameter_count, np.float32)
    for slot in network.parameters:
        fan = max(1, slot.spec.fan_in)
        slot.view(theta)[...] = rng.normal(slot.spec.name != "bias", 0.1) if fan == 1 else 0
        if fan > 1:
            slot.view(theta)[...] = rng.normal(0, math.sqrt(1.5 / fan), slot.spec.shape)
    states = network.initial_states() + rng.uniform(0, 0.1, network.state_count)
    model = Model(network, theta, states.astype(np.float32))
    path = writing.save(model, tmp_path / "model.onnx")
    onnx.checker.check_model(str(path), full_check=True)
    x = rng.normal(size=(2, *network.input_shape)).astype(np.float32)
    x = rng.integers(0, 99, x.shape).astype(np.float32) if name == "text_cnn" else x
    agree(run_onnx(path.read_bytes(), x), model.outputs(x), TOLERANCE)


def small(**more: Any) -> Model:
    network = Sequential([Conv2d(4, 3), Flatten(), Linear(3)], (2, 6, 6))
    theta = np.random.default_rng(0).normal(size=network.parameter_count).astype(np.float32)
    return Model(network, theta, classes=("a", "b", "c"), **more)


def test_preprocessing_is_part_of_the_graph_or_left_out() -> None:
    model = small(normalisation=Normalisation((10.0, 100.0), (2.0, 50.0)))
    x = np.random.default_rng(1).uniform(0, 255, (5, 2, 6, 6)).astype(np.float32)
    agree(run_onnx(encode(to_message(model)), x), model.outputs(x), TOLERANCE)
    message = to_message(model, preprocessing=False)
    normalised = model.normalisation.apply(x)  # type: ignore[union-attr]
    agree(run_onnx(encode(message), normalised), model.outputs(x), TOLERANCE)
    metadata = {item.key: item.value for item in message.metadata_props}
    assert json.loads(metadata["striate.normalisation"]) == {"mean": [10.0, 100.0], "scale": [2.0, 50.0]}
    assert json.loads(metadata["striate.classes"]) == ["a", "b", "c"]


def test_regressions_give_the_unit_of_their_targets() -> None:
    network = Sequential([Linear(2)], 3)
    model = Model(network, np.arange(8), target_normalisation=Normalisation((5.0, -5.0), (10.0, 0.5)))
    x = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
    agree(run_onnx(encode(to_message(model)), x), model.predict(x), TOLERANCE)


def test_learnt_variances_are_in_the_square_of_that_unit() -> None:
    loss = {"targets": "numbers", "loss_function": {"name": "gaussian_negative_log_likelihood"}}
    units = Normalisation((5.0, -5.0), (10.0, 0.5))
    model = Model(Sequential([Linear(4)], 3), np.arange(16) / 9, target_normalisation=units, metadata=loss)
    x = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
    meaning = model.interpret(model.outputs(x))
    assert meaning.variances is not None
    agree(run_onnx(encode(to_message(model)), x), np.hstack([meaning.values, np.log(meaning.variances)]), TOLERANCE)


def test_maps_of_numbers_have_a_unit_for_each_channel() -> None:
    units, numbers = Normalisation((5.0, -5.0), (10.0, 0.5)), {"targets": "numbers"}
    model = Model(Sequential([Conv2d(2, 3)], (1, 4, 4)), np.arange(20), (), (), None, numbers)
    model.target_normalisation = units
    x = np.random.default_rng(1).normal(size=(3, 1, 4, 4)).astype(np.float32)
    agree(run_onnx(encode(to_message(model)), x), model.predict(x), TOLERANCE)


def test_symbols_are_looked_up_whatever_the_type_of_the_input() -> None:
    model = Model(Sequential([Embedding(9, 4)], 6), np.arange(36))
    x = np.array([[0, 8, 3, 3, 1, 2]], np.float32)
    agree(run_onnx(encode(to_message(model)), x), model.outputs(x), 0.0)


class Unknown(Layer):
    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]


def test_a_layer_of_ones_own_needs_a_translation() -> None:
    with pytest.raises(ModelFileError, match="layer1: every layer needs a translation to ONNX; got Unknown"):
        to_message(Model(Sequential([Unknown()], 3), np.zeros(0)))
