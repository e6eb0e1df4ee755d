"""Numbers at the edges: long sums, tails of functions, NaN, windows larger than their input, tiny inputs."""

from __future__ import annotations

import numpy as np
import pytest

from striate import Model, reference
from striate.kernels.sums import BLOCK
from striate.layers import (
    ELU,
    SELU,
    AvgPool2d,
    GlobalAvgPool,
    GlobalMaxPool,
    Layer,
    LayerNorm,
    Linear,
    MaxPool1d,
    MaxPool2d,
    ReLU,
    Softplus,
)
from striate.network import Sequential
from striate.testing.bounds import gamma


def outputs(layers: list[Layer], samples: np.ndarray, theta: np.ndarray | None = None) -> np.ndarray:
    network = Sequential(layers, samples.shape[1:])
    theta = np.zeros(network.parameter_count) if theta is None else theta
    return Model(network, theta.astype(np.float32)).outputs(samples.astype(np.float32)).astype(np.float64)


DEPTH = BLOCK // 4 + 6
"""Roundings on the way of one term through a sum in blocks, with those of the blocks' compensated sum."""


def test_a_mean_of_many_equal_values_is_that_value() -> None:
    value = np.float32(0.1)
    mean = outputs([GlobalAvgPool()], np.full((1, 1, 1024, 1024), value))
    assert abs(mean[0, 0] - float(value)) <= gamma(DEPTH + 1) * float(value)
    assert abs(mean[0, 0] - float(value)) < 1e-7  # one sum after the other: 1e-2


def test_a_mean_of_many_numbers_of_both_signs() -> None:
    x = np.random.default_rng(0).normal(1.0, 3.0, (2, 1, 600, 700)).astype(np.float32)
    exact = x.astype(np.float64).mean(axis=(2, 3))
    bound = gamma(DEPTH + 1) * np.abs(x.astype(np.float64)).mean(axis=(2, 3))
    assert np.all(np.abs(outputs([GlobalAvgPool()], x) - exact) <= bound)


def test_a_linear_layer_of_many_features_sums_in_blocks() -> None:
    features = 65_536
    x = np.concatenate([np.full((1, features), 0.1), np.random.default_rng(0).uniform(0.5, 1.5, (3, features))])
    x, weight = x.astype(np.float32), np.ones((2, features))
    theta = np.concatenate([weight.ravel(), [0.25, -1e6]]).astype(np.float32)
    exact = x.astype(np.float64) @ theta[:-2].astype(np.float64).reshape(2, -1).T + theta[-2:].astype(np.float64)
    assert np.all(np.abs(outputs([Linear(2)], x, theta) - exact)[:, 0] <= gamma(4096 + 17) * exact[:, 0])
    rectified = outputs([Linear(2), ReLU()], x, theta)
    assert np.abs(rectified[:, 0] - exact[:, 0]).max() < 6e-4 * 65_536 / 16
    assert np.all(rectified[:, 1] == 0.0)


@pytest.mark.parametrize("shape", [(1, 1000, 1000), (1000, 1000)])
def test_layer_norm_over_a_million_values(shape: tuple[int, ...]) -> None:
    x = (100.1 + np.where(np.arange(10**6) % 2, 1.0, -1.0)).astype(np.float32).reshape(1, *shape)
    layer = LayerNorm(affine=False)
    exact = reference.forward(Sequential([layer], shape), np.zeros(0), x.astype(np.float64)).output
    mean = gamma(4) * 101.1  # of the mean, in deviations of 1
    assert np.abs(outputs([layer], x) - exact).max() <= mean + gamma(DEPTH + BLOCK + 8) * np.abs(exact).max()


@pytest.mark.parametrize("layer", [Softplus(), Softplus(2.0), ELU(), ELU(0.5), SELU()])
def test_tails_keep_their_digits(layer: Layer) -> None:
    x = np.concatenate([-np.geomspace(1e-30, 40.0, 200), np.geomspace(1e-30, 40.0, 200)]).astype(np.float32)[None]
    exact = reference.forward(Sequential([layer], x.shape[1:]), np.zeros(0), x.astype(np.float64)).output
    assert np.abs(outputs([layer], x) / exact - 1.0).max() <= gamma(10) + 2.0 * 2.0**-24 * 80  # e**-80's argument
    assert outputs([Softplus()], np.array([[-17.0]]))[0, 0] == pytest.approx(np.exp(-17.0), rel=1e-6)


POOLS: list[Layer] = [MaxPool2d(2), MaxPool2d(3, stride=2), MaxPool2d((1, 2)), MaxPool2d(4), GlobalMaxPool()]


@pytest.mark.parametrize("layer", [*POOLS, MaxPool2d(3, stride=1, padding=1)])
def test_max_pooling_passes_nan_on(layer: Layer) -> None:
    """The reference does, so a divergence cannot hide behind a pooling."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        x = rng.normal(size=(2, 3, 8, 8)).astype(np.float32)
        x[tuple(rng.integers(0, n) for n in x.shape)] = np.nan
        exact = reference.forward(Sequential([layer], (3, 8, 8)), np.zeros(0), x.astype(np.float64)).output
        np.testing.assert_array_equal(outputs([layer], x), exact)


def test_ceil_mode_takes_a_window_larger_than_its_input() -> None:
    x = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    assert outputs([MaxPool2d(3, stride=2, ceil_mode=True)], x).tolist() == [[[[4.0]]]]
    assert outputs([AvgPool2d(3, stride=2, ceil_mode=True)], x).tolist() == [[[[2.5]]]]
    assert outputs([MaxPool1d(4, stride=3, ceil_mode=True)], x[0]).tolist() == [[[2.0], [4.0]]]
