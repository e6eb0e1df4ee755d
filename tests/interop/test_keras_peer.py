"""Files that Keras itself writes, in both formats, against what Keras computes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.errors import ModelFileError
from striate.interop import keras as ours

os.environ.setdefault("KERAS_BACKEND", "torch")
pytest.importorskip("torch")
pytest.importorskip("h5py")
keras: Any = pytest.importorskip("keras")
L: Any = keras.layers
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*:UserWarning:keras"),
]
TOLERANCE = 1e-5  # of the largest value


@pytest.fixture(autouse=True)
def names_from_zero() -> None:
    keras.backend.clear_session()


def chain(*layers: Any) -> Any:
    return keras.Sequential(list(layers))


def function(shape: tuple[int, ...], body: Callable[[Any], Any]) -> Any:
    x = L.Input(shape)
    return keras.Model(x, body(x))


def backbone() -> Any:
    """A Sequential around a functional model, as for fine-tuning, with the layers within frozen."""
    inner = function((16, 16, 3), lambda x: L.BatchNormalization()(L.Conv2D(6, 3, strides=2)(x)))
    inner.trainable = False
    rescaled = (L.Input((16, 16, 3)), L.RandomFlip(), L.Rescaling(1 / 127.5, -1))
    return chain(*rescaled, inner, L.GlobalAveragePooling2D(), L.Dropout(0.2), L.Dense(5, "softmax"))


def nested() -> Any:
    """A Sequential with trained statistics inside a functional model, and one more model inside it."""
    core = chain(L.Input((12, 12, 4)), L.Conv2D(4, 3), L.BatchNormalization(), L.ReLU(6.0))
    outer = chain(L.Input((12, 12, 4)), core, L.SeparableConv2D(5, 3), L.BatchNormalization())
    return function(
        (12, 12, 4), lambda x: L.Dense(3)(L.Flatten()(outer(L.Normalization(mean=0.1, variance=2.0)(x))))
    )


def siamese() -> Any:
    encoder = chain(L.Input((8, 8, 1)), L.Conv2D(4, 3), L.Flatten(), L.Dense(6))
    a, b = L.Input((8, 8, 1)), L.Input((8, 8, 1))
    return keras.Model([a, b], L.Dense(1, "sigmoid")(L.Subtract()([encoder(a), encoder(b)])))


def unet() -> Any:
    def body(x: Any) -> Any:
        a = L.Conv2D(8, 3, padding="same", activation="relu")(x)
        b = L.Conv2D(8, 3, padding="same", activation="relu")(L.MaxPooling2D(2)(a))
        up = L.Conv2DTranspose(8, 3, strides=2, padding="same")(b)
        return L.Conv2D(2, 1, activation="softmax")(L.Concatenate()([a, up]))

    return function((16, 16, 3), body)


def squeezed() -> Any:
    def body(x: Any) -> Any:
        y = L.Reshape((1, 1, 8))(L.GlobalAveragePooling2D()(x))
        gate = L.Conv2D(8, 1, activation="hard_sigmoid")(y)
        return L.Dense(4)(L.GlobalAveragePooling2D()(keras.ops.relu(L.Multiply()([x, gate]) * 2.0 - 0.1)))

    return function((10, 10, 8), body)


def attention() -> Any:
    def body(x: Any) -> Any:
        y = L.LayerNormalization()(L.Add()([x, L.MultiHeadAttention(2, 4)(x, x)]))
        return L.Dense(2)(L.GlobalAveragePooling1D()(y))

    return function((10, 8), body)


def channels_first() -> Any:
    first = {"data_format": "channels_first"}
    return chain(
        L.Input((3, 12, 10)), L.Conv2D(4, 3, padding="same", strides=2, activation="relu", **first),
        L.BatchNormalization(axis=1), L.MaxPooling2D(2, **first), L.ZeroPadding2D(1, **first),
        L.DepthwiseConv2D(3, padding="same", **first), L.Flatten(**first), L.Dense(3),
    )  # fmt: skip


def signals() -> Any:
    return chain(
        L.Input((50, 3)), L.Conv1D(8, 5, padding="causal", dilation_rate=2, activation="relu"),
        L.MaxPooling1D(2), L.SeparableConv1D(6, 3, padding="same"), L.BatchNormalization(),
        L.Activation("gelu"), L.GlobalAveragePooling1D(), L.Dense(2, "sigmoid"),
    )  # fmt: skip


def norms() -> Any:
    return chain(
        L.Input((9, 9, 8)), L.Conv2D(8, 3, groups=2), L.GroupNormalization(4), L.PReLU(shared_axes=[1, 2]),
        L.UnitNormalization(), L.Permute((3, 1, 2)), L.Flatten(), L.RepeatVector(2), L.Flatten(), L.Dense(3),
        L.Softmax(),
    )  # fmt: skip


def moved() -> Any:
    return chain(
        L.Input((12, 12, 4)), L.Cropping2D(((1, 2), (0, 1))), L.ZeroPadding2D(((1, 0), (2, 1))),
        L.UpSampling2D(2, interpolation="bilinear"), L.LeakyReLU(0.1), L.ELU(0.5), L.Resizing(9, 17),
        L.Resizing(5, 11, interpolation="nearest"), L.BatchNormalization(axis=1), L.AveragePooling2D(3, 2),
        L.GlobalMaxPooling2D(), L.Dense(2, "log_softmax"),
    )  # fmt: skip


def volumes() -> Any:
    return chain(
        L.Input((8, 9, 10, 2)), L.Conv3D(4, 3, padding="same", activation="elu"), L.MaxPooling3D(2),
        L.Flatten(), L.Dense(3),
    )  # fmt: skip


def reordered() -> Any:
    """Layers whose names count in another order than that in which Keras keeps them."""

    def body(x: Any) -> Any:
        near = L.Conv2D(4, 1)(x)
        return L.Concatenate()([near, L.Conv2D(4, 1)(L.Conv2D(4, 1)(x))])

    return function((6, 6, 4), body)


def forecast() -> Any:
    """Convolutions before two recurrent layers."""
    return chain(
        L.Input((20, 3)), L.Conv1D(6, 3, activation="relu"), L.LSTM(5, return_sequences=True),
        L.TimeDistributed(L.Dense(4, "relu")), L.GRU(3), L.Dense(2),
    )  # fmt: skip


def directions() -> Any:
    def body(x: Any) -> Any:
        a = L.Bidirectional(L.LSTM(4, return_sequences=True))(x)
        b = L.Bidirectional(L.SimpleRNN(8, return_sequences=True), merge_mode="sum")(a)
        given = {"return_sequences": True, "go_backwards": True}
        c = L.Bidirectional(L.GRU(4, return_sequences=True), backward_layer=L.LSTM(4, **given), merge_mode="ave")(b)
        return L.Bidirectional(L.GRU(2), merge_mode="mul")(L.Concatenate()([b, c]))

    return function((9, 4), body)


def backwards() -> Any:
    return chain(
        L.Input((7, 2)), L.SimpleRNN(4, activation="relu", go_backwards=True, return_sequences=True),
        L.LSTM(3, go_backwards=True, use_bias=False, return_sequences=True), L.GRU(2, go_backwards=True),
    )  # fmt: skip


def gated() -> Any:
    """The two forms of GRU, and a series of one position."""

    def body(x: Any) -> Any:
        y = L.GRU(4, reset_after=False, return_sequences=True)(x)
        return L.LSTM(3)(L.Reshape((1, 4))(L.GRU(4, reset_after=True, use_bias=False)(y)))

    return function((8, 3), body)


NETWORKS = (
    backbone, nested, siamese, unet, squeezed, attention, channels_first, signals, norms, moved, volumes,
    reordered,
    forecast,
    directions,
    backwards,
    gated,
)  # fmt: skip


def with_random_weights(model: Any, rng: np.random.Generator) -> Any:
    for weight in model.weights:
        shape = tuple(weight.shape)
        if weight.name in ("moving_variance", "variance", "gamma"):
            weight.assign(rng.uniform(0.5, 1.5, shape))
        elif shape and weight.name != "seed_generator_state":
            weight.assign(rng.normal(0, 0.3, shape))
    return model


@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.__name__)
def test_models_give_what_keras_gives(network: Callable[[], Any], ending: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    theirs = with_random_weights(network(), rng)
    theirs.save(tmp_path / f"m.{ending}")
    model = ours.load(tmp_path / f"m.{ending}")
    inputs = [rng.random((2, *item.shape[1:]), np.float32) for item in theirs.inputs]
    wanted = np.asarray(theirs.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0))
    described = model.metadata["origin"]["inputs"]
    moved = [np.moveaxis(x, -1, 1) if item["layout"] == "channels last" else x
             for x, item in zip(inputs, described, strict=True)]  # fmt: skip
    x = moved[0] if len(moved) == 1 else np.concatenate([item.reshape(2, -1) for item in moved], axis=1)
    found = model.outputs(x)
    found = np.moveaxis(found, 1, -1) if found.ndim > 2 else found
    assert np.abs(found - wanted).max() <= TOLERANCE * np.abs(wanted).max()


def test_layers_without_a_counterpart_are_named(tmp_path: Path) -> None:
    model = function((6, 8, 2), lambda x: L.ConvLSTM1D(3, 2)(L.SpectralNormalization(L.Dense(4))(x)))
    model.save(tmp_path / "m.keras")
    with pytest.raises(ModelFileError, match="the layers ConvLSTM1D, SpectralNormalization are not supported"):
        ours.load(tmp_path / "m.keras")
    both = chain(L.Input((6, 6, 6)), L.Conv2D(5, 3), L.Conv2D(2, 3, data_format="channels_first"))
    both.save(tmp_path / "m.keras")
    with pytest.raises(ModelFileError, match="it mixes channels_first and channels_last"):
        ours.load(tmp_path / "m.keras")


def test_words_go_through_an_embedding_and_a_recurrent_layer(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    layers = (L.Input((12,)), L.Embedding(50, 8), L.Bidirectional(L.LSTM(4)), L.Dense(1, "sigmoid"))
    theirs = with_random_weights(chain(*layers), rng)
    theirs.save(tmp_path / "m.keras")
    words = rng.integers(0, 50, (5, 12))
    found = ours.load(tmp_path / "m.keras").outputs(words.astype(np.float32))
    np.testing.assert_allclose(found, theirs.predict(words, verbose=0), rtol=TOLERANCE)


@pytest.mark.parametrize(
    ("layer", "problem"),
    [
        (lambda: L.LSTM(3, activation="sigmoid"), "LSTM is only supported with its usual activations"),
        (lambda: L.GRU(3, recurrent_activation="relu"), "GRU is only supported with its usual activations"),
        (lambda: L.LSTM(3, stateful=True), "LSTM with stateful=True is not supported"),
        (lambda: L.TimeDistributed(L.Flatten()), "TimeDistributed is only supported around Dense, "),
        (
            lambda: L.Bidirectional(L.LSTM(3), merge_mode=None),
            "Bidirectional with merge_mode=None is not supported",
        ),
    ],
)
def test_recurrent_layers_of_another_form(layer: Callable[[], Any], problem: str, tmp_path: Path) -> None:
    x = L.Input((6, 8), batch_size=2)
    keras.Model(x, layer()(x)).save(tmp_path / "m.keras")
    with pytest.raises(ModelFileError, match=problem):
        ours.load(tmp_path / "m.keras")
