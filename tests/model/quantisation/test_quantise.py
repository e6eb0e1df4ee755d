"""Quantised models: as good as the floats they came from, in files of a quarter of the size."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import striate
from striate import Model, Sequential, layers, models, reference
from striate.errors import ModelFileError, ShapeError, UsageError
from striate.explain import trace
from striate.layers.quantised_sums import QuantisedSums
from striate.model.quantisation.choice import sums_of
from striate.model.quantisation.ranges import choose
from striate.training import Trainer
from striate.training.initialisation import initialise


def model_of(stages: list, shape: tuple[int, ...], seed: int = 0) -> Model:
    network = Sequential(stages, shape)
    theta, states = initialise(network, "he", seed)
    rng = np.random.default_rng(seed)
    states = states + rng.uniform(0.0, 0.5, states.shape)
    return Model(network, theta + 0.02 * rng.normal(size=theta.shape), states)


@pytest.fixture(scope="module")
def convolutions() -> Model:
    stages = [
        layers.Conv2d(32, 3, padding=1),
        layers.BatchNorm(),
        layers.ReLU(),
        layers.MaxPool2d(2),
        layers.Dropout(0.5),
        layers.Conv2d(48, 3, bias=False),
        layers.ReLU(),
        layers.Flatten(),
        layers.Linear(64),
        layers.ReLU(),
        layers.Linear(10),
        layers.Softmax(),
    ]
    return model_of(stages, (3, 12, 12))


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(40, 3, 12, 12)).astype(np.float32)


@pytest.fixture(scope="module")
def small(convolutions: Model, samples: np.ndarray) -> Model:
    return convolutions.quantise(samples)


def test_probabilities_stay_near_those_of_the_floats(
    convolutions: Model, small: Model, samples: np.ndarray
) -> None:
    before, after = convolutions.outputs(samples), small.outputs(samples)
    assert np.abs(before - after).max() < 0.1 * before.max()
    assert (before.argmax(axis=1) == after.argmax(axis=1)).mean() > 0.9


def test_everything_that_has_a_form_in_whole_numbers_takes_it(small: Model) -> None:
    kinds = [type(step.layer).__name__ for step in small.network.steps]
    assert kinds == [
        "InputLayer",
        "Quantise",
        "QuantisedConv2d",
        "MaxPool2d",
        "QuantisedConv2d",
        "Flatten",
        "QuantisedLinear",
        "QuantisedLinear",
        "Softmax",
    ]
    assert small.metadata["quantisation"]["samples"] == 40
    assert small.network.step("conv1").layer.relu


def test_a_file_holds_bytes_and_gives_the_same_integers(
    convolutions: Model, small: Model, samples: np.ndarray, tmp_path: Path
) -> None:
    whole, quarter = convolutions.save(tmp_path / "a.safetensors"), small.save(tmp_path / "b.safetensors")
    floats = 4 * convolutions.network.parameter_count
    data = quarter.read_bytes()
    tensors = len(data) - 8 - int.from_bytes(data[:8], "little")
    assert tensors < 0.3 * floats < whole.stat().st_size
    again = striate.load(quarter)
    assert again.theta.tobytes() == small.theta.tobytes()
    assert again.outputs(samples).tobytes() == small.outputs(samples).tobytes()


def test_weights_of_another_type_are_refused(small: Model, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    path = small.save(tmp_path / "model.safetensors")
    tensors = load_file(path)
    head = json.loads(path.read_bytes()[8:].split(b"\x00")[0][: int.from_bytes(path.read_bytes()[:8], "little")])
    tensors["conv1.weight"] = tensors["conv1.weight"].astype(np.float32)
    save_file(tensors, path, head["__metadata__"])
    with pytest.raises(ModelFileError, match=r"conv1\.weight must be I8"):
        striate.load(path)


def test_predictions_do_not_depend_on_the_batch_or_on_threads(small: Model, samples: np.ndarray) -> None:
    whole = small.outputs(samples)
    predictor = small.predictor()
    for number in (0, 7):
        assert predictor(samples[number : number + 1]).tobytes() == whole[number : number + 1].tobytes()
    alone = Model(small.network, small.theta, threads=1)
    assert alone.outputs(samples, batch_size=5).tobytes() == whole.tobytes()


@pytest.mark.parametrize("name", ["conv1", "linear1", "linear2"])
def test_why_adds_up_whole_numbers_to_the_value(small: Model, samples: np.ndarray, name: str) -> None:
    seen = trace(small, samples[0])
    shape = small.network.step(name).shape
    for place in range(0, int(np.prod(shape)), 1 + int(np.prod(shape)) // 7):
        why = seen.why_at(name, tuple(map(int, np.unravel_index(place, shape))))
        assert why.decomposition.total == round(why.decomposition.total)
        assert why.decomposition.result == why.value
    assert "multiplier" in str(why)


def test_gradients_pass_through_the_rounding(convolutions: Model, small: Model, samples: np.ndarray) -> None:
    slopes = []
    for model in (convolutions, small):
        run = reference.forward(model.network, model.theta, samples[:4], states=model.states.astype(np.float64))
        grad = np.zeros_like(run.output)
        grad[:, 3] = 1.0
        slopes.append(reference.backward(run, grad)[1]["input"].ravel())
    assert np.corrcoef(*slopes)[0, 1] > 0.9


def test_zero_and_the_edges_of_a_range_have_whole_numbers() -> None:
    values = np.random.default_rng(0).normal(size=10_000).astype(np.float32)
    for found in (choose(values), choose(np.abs(values)), choose(-np.abs(values)), choose(np.zeros(3, np.float32))):
        assert 0 <= found.zero_point <= 255
    assert choose(np.abs(values)).zero_point == 0


def test_layers_that_would_not_be_faster_keep_their_floats() -> None:
    network = models.lenet5(10, (1, 28, 28))
    refused = {found.step.name: found.refused for found in sums_of(network) if found.refused}
    assert refused == {"conv1": "float32 is as fast"}
    stages = [layers.Conv2d(32, 3, groups=32), layers.Conv2d(32, 3, padding=1, padding_mode="reflect")]
    stages += [layers.Flatten(), layers.Linear(10)]
    found = sums_of(Sequential(stages, (32, 40, 40)))
    assert [sums.refused for sums in found] == ["grouped convolution", "reflect padding", "sums of 46,208 products"]


def test_branches_meet_in_floats() -> None:
    x = layers.Input((16, 8, 8))
    first = layers.ReLU()(layers.Conv2d(32, 3, padding=1)(x))
    second = layers.Conv2d(32, 3, padding=1)(first)
    out = layers.Linear(64)(layers.Flatten()(layers.ReLU()(layers.Add()(first, second))))
    network = striate.Network(out)
    theta, _ = initialise(network, "he", 0)
    model, data = Model(network, theta), np.random.default_rng(0).normal(size=(9, 16, 8, 8)).astype(np.float32)
    small = model.quantise(data)
    assert sum(isinstance(step.layer, QuantisedSums) for step in small.network.steps) == 3
    before, after = model.outputs(data), small.outputs(data)
    assert np.abs(before - after).max() < 0.05 * np.abs(before).max()


def test_what_cannot_be_quantised_is_said_in_one_line(small: Model, samples: np.ndarray) -> None:
    with pytest.raises(UsageError, match=r"is already quantised\. Quantise the float32 model"):
        small.quantise(samples)
    with pytest.raises(UsageError, match="a quantised network cannot be trained"):
        Trainer(small)
    tiny = model_of([layers.Conv2d(1, 1)], (1, 4, 4))
    with pytest.raises(UsageError, match="no layer would be faster in integers"):
        tiny.quantise(np.zeros((1, 1, 4, 4), np.float32))
    with pytest.raises(UsageError, match="calibration needs at least one sample"):
        model_of([layers.Conv2d(32, 3)], (32, 9, 9)).quantise(np.zeros((0, 32, 9, 9), np.float32))
    with pytest.raises(ShapeError, match="takes samples N x"):
        model_of([layers.Conv2d(32, 3)], (32, 9, 9)).quantise(np.zeros((1, 3, 9, 9), np.float32))


def test_onnx_refuses_a_quantised_model(small: Model, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="takes float32 models; got a quantised one"):
        small.to_onnx(tmp_path / "model.onnx")
