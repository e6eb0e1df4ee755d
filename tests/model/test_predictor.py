"""Predictors: the outputs of the model as it was, call after call."""

from __future__ import annotations

import copy
import threading

import numpy as np
import pytest

from striate import Model, models
from striate.errors import ShapeError, UsageError
from striate.training.initialisation import initialise


@pytest.fixture(scope="module")
def model() -> Model:
    network = models.lenet5(10, (1, 28, 28))
    return Model(network, initialise(network, "he", 0)[0].astype(np.float32))


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(8, 1, 28, 28)).astype(np.float32)


@pytest.mark.parametrize("batch_size", [1, 3, 40])
def test_gives_the_outputs_of_the_model(model: Model, samples: np.ndarray, batch_size: int) -> None:
    predictor = model.predictor(batch_size)
    for count in (1, min(2, batch_size), min(8, batch_size), 1):
        assert predictor(samples[:count]).tobytes() == model.outputs(samples[:count]).tobytes()


def test_writes_into_an_array_of_the_caller(model: Model, samples: np.ndarray) -> None:
    out = np.empty((1, 10), np.float32)
    assert model.predictor()(samples[:1], out) is out
    assert out.tobytes() == model.outputs(samples[:1]).tobytes()


def test_reads_bytes(model: Model) -> None:
    x = np.random.default_rng(1).integers(0, 256, (1, 1, 28, 28)).astype(np.uint8)
    assert model.predictor(dtype=np.uint8)(x).tobytes() == model.outputs(x).tobytes()


def test_keeps_the_parameters_of_the_moment_it_was_made(model: Model, samples: np.ndarray) -> None:
    changed = copy.deepcopy(model)
    predictor = changed.predictor()
    changed.theta[:] = 0.0
    assert predictor(samples[:1]).tobytes() == model.outputs(samples[:1]).tobytes()


def test_serves_several_python_threads(model: Model, samples: np.ndarray) -> None:
    predictor, expected = model.predictor(), model.outputs(samples)
    wrong: list[int] = []
    begin = threading.Barrier(4)

    def ask(first: int) -> None:
        begin.wait()
        for i in range(200):
            number = (first + i) % len(samples)
            if predictor(samples[number : number + 1]).tobytes() != expected[number : number + 1].tobytes():
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize(
    "x",
    [
        np.zeros((1, 1, 28, 28)),
        np.zeros((1, 28, 28), np.float32),
        np.zeros((1, 1, 28, 29), np.float32)[..., :28],
    ],
)
def test_refuses_other_samples(model: Model, x: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="contiguous float32 samples, N x 1 x 28 x 28"):
        model.predictor()(x)


def test_names_a_predictor_for_samples_of_another_dtype(model: Model) -> None:
    with pytest.raises(ShapeError, match=r"Convert them, make one with dtype=np\.uint8, or use"):
        model.predictor()(np.zeros((1, 1, 28, 28), np.uint8))
    with pytest.raises(ShapeError, match=r"takes arrays; got str"):
        model.predictor()("photo.jpg")


@pytest.mark.parametrize("count", [0, 3])
def test_refuses_batches_of_another_size(model: Model, samples: np.ndarray, count: int) -> None:
    with pytest.raises(
        ShapeError, match=f"takes 1 to 2 samples at once; got {count}. Make one with a larger batch_size"
    ):
        model.predictor(2)(samples[:count])


def test_refuses_other_results(model: Model, samples: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="out: must be float32, 1 x 10; got float64"):
        model.predictor()(samples[:1], np.zeros((1, 10)))


def test_cannot_be_copied(model: Model) -> None:
    with pytest.raises(UsageError, match="cannot be pickled or copied"):
        copy.copy(model.predictor())
