from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from striate import Model, Sequential
from striate.data import normalisation
from striate.data.dataset import Dataset
from striate.data.normalisation import Normalisation
from striate.errors import DataError, ModelFileError, ShapeError, UsageError
from striate.layers import Flatten


def unlabelled(inputs: np.ndarray) -> Dataset:
    return Dataset(inputs, np.zeros(len(inputs), np.int64), ("thing",), "things")


SHAPES = hnp.array_shapes(min_dims=3, max_dims=5, max_side=6)


@given(
    st.one_of(
        hnp.arrays(np.uint8, SHAPES),
        hnp.arrays(np.float32, SHAPES, elements=st.floats(-1000, 1000, width=32)),
    ),
    st.sampled_from([1, 7, 1 << 20]),
)
def test_the_moments_are_those_of_the_whole_in_float64(inputs, chunk):
    fitted = fit_in_chunks(inputs, chunk)
    axes = (0, *range(2, inputs.ndim))
    exact = inputs.astype(np.float64)
    deviation = exact.std(axis=axes)
    rounding = 0.0 if inputs.dtype == np.uint8 else 2.0**-24  # means of numbers are float32
    assert np.allclose(fitted.mean, exact.mean(axis=axes), rtol=1e-12 + rounding, atol=1e-9)
    assert np.allclose(fitted.scale, np.where(deviation < 1e-9, fitted.scale, deviation), rtol=1e-9)


def fit_in_chunks(inputs: np.ndarray, chunk: int) -> Normalisation:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normalisation, "CHUNK_ELEMENTS", chunk)
        return Normalisation.fit(unlabelled(inputs))


def test_a_deviation_below_the_normal_numbers_of_float32_has_the_scale_1():
    """Its reciprocal is infinite in float32, which made every loss NaN."""
    tiny = Dataset(np.random.default_rng(0).normal(0, 1e-40, (50, 1, 4)).astype(np.float32), np.arange(50) % 2)
    assert Normalisation.fit(tiny).scale == (1.0,)
    small = Dataset(np.random.default_rng(0).normal(0, 1e-36, (50, 1, 4)).astype(np.float32), np.arange(50) % 2)
    assert Normalisation.fit(small).scale[0] == pytest.approx(1e-36, rel=0.2)


def test_a_constant_channel_has_the_scale_1():
    inputs = np.zeros((4, 2, 3, 3), np.uint8)
    inputs[:, 0] = 7
    inputs[::2, 1] = 2
    assert Normalisation.fit(unlabelled(inputs)) == Normalisation((7.0, 1.0), (1.0, 1.0))


def test_mnist_has_the_numbers_everybody_knows(shared_data):
    from striate.data.mnist import mnist

    fitted = Normalisation.fit(mnist(shared_data / "mnist", validation_fraction=0).train)
    assert np.allclose([fitted.mean[0] / 255, fitted.scale[0] / 255], [0.1307, 0.3081], atol=5e-5)


def test_apply_gives_mean_0_and_deviation_1_per_channel():
    inputs = np.random.default_rng(0).integers(0, 256, (50, 3, 4, 4), np.uint8)
    normalised = Normalisation.fit(unlabelled(inputs)).apply(inputs, np.float64)
    assert np.allclose(normalised.mean(axis=(0, 2, 3)), 0, atol=1e-12)
    assert np.allclose(normalised.std(axis=(0, 2, 3)), 1)


def test_apply_is_the_formula_and_leaves_its_input_alone():
    x = np.full((1, 2, 3), 5, np.float32)
    got = Normalisation((1, 2), (2, 4)).apply(x)
    assert got.dtype == np.float32
    assert got[0].tolist() == [[2.0] * 3, [0.75] * 3]
    assert (x == 5).all()


@pytest.mark.parametrize("shape", [(4,), (2, 3, 5, 5)])
def test_apply_needs_its_channels(shape):
    with pytest.raises(ShapeError, match="needs inputs of 1 channels"):
        Normalisation((0,), (1,)).apply(np.zeros(shape))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_an_error(value):
    inputs = np.zeros((3, 2, 4), np.float32)
    inputs[1, 1, 2] = value
    with pytest.raises(DataError, match="things: inputs must be finite; got NaN or infinity in channel 1"):
        Normalisation.fit(unlabelled(inputs))


@given(st.lists(st.tuples(st.floats(-3e38, 3e38), st.floats(2e-38, 8e37)), min_size=1))
def test_json_loses_nothing(numbers):
    mean, scale = zip(*numbers, strict=True)
    original = Normalisation(mean, scale)
    assert Normalisation.from_dict(json.loads(json.dumps(original.to_dict()))) == original


@pytest.mark.parametrize(
    ("mean", "scale", "message"),
    [
        ((1,), (1, 2), "one number per channel; got 1 and 2"),
        ((), (), "one number per channel; got 0 and 0"),
        ((float("nan"),), (1,), "means must be finite"),
        ((-1e39,), (1,), "means must be finite, and below 3.4e38; got "),
        ((0,), (0,), "scales must be from 1.2e-38 to 8.5e37; got "),
        ((0,), (1e-39,), "scales must be from"),
        ((0,), (1e38,), "scales must be from"),
        ((0,), (float("nan"),), "scales must be from"),
    ],
)
def test_numbers_that_cannot_mean_anything(mean, scale, message):
    with pytest.raises(UsageError, match=message):
        Normalisation(mean, scale)


@pytest.mark.parametrize(
    "description", [{}, {"mean": [1]}, {"mean": 1, "scale": 2}, {"mean": ["x"], "scale": [1]}, [1]]
)
def test_a_description_that_is_none(description):
    with pytest.raises(ModelFileError, match="needs lists of numbers 'mean' and 'scale'"):
        Normalisation.from_dict(description)


@pytest.mark.parametrize(("mean", "deviation"), [(1e6, 3.0), (1e4, 0.01), (-5e5, 2.0)])
def test_nothing_is_lost_far_from_0(mean, deviation):
    """The difference to a float32 mean is exact; then one division rounds, with half a unit in the last place."""
    inputs = (mean + deviation * np.random.default_rng(0).normal(size=(500, 1, 4))).astype(np.float32)
    fitted = Normalisation.fit(Dataset(inputs, np.zeros(500, np.int64)))
    exact = (inputs.astype(np.float64) - fitted.mean[0]) / fitted.scale[0]
    assert np.all(np.abs(fitted.apply(inputs) - exact) <= 2.0**-22 * np.abs(exact))
    network = Sequential([Flatten()], (1, 4))
    scores = Model(network, np.zeros(0, np.float32), normalisation=fitted).scores(inputs)
    assert np.all(np.abs(scores - exact[:, 0]) <= 2.0**-22 * np.abs(exact[:, 0]))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_weight_counts_as_so_many_samples(dtype):
    rng = np.random.default_rng(0)
    inputs, weights = rng.integers(0, 256, (40, 3, 5)).astype(dtype), rng.integers(0, 4, 40)
    found = Normalisation.fit(unlabelled(inputs), weights)
    expected = Normalisation.fit(unlabelled(inputs.repeat(weights, axis=0)))
    np.testing.assert_allclose(found.mean, expected.mean, rtol=2.0**-23)
    np.testing.assert_allclose(found.scale, expected.scale, rtol=1e-12)
