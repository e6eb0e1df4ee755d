"""The taught models: their published parameter counts, the sizes they take and the ones they refuse."""

from __future__ import annotations

import pytest

from striate import models
from striate.errors import ShapeError, UsageError
from striate.layers import Softmax
from striate.layers.convolution import Convolution
from striate.models import MODELS, build, digit_recogniser, lenet5, logistic_regression, mlp
from striate.network import Network
from striate.network_description import from_description


def counts(network: Network) -> list[int]:
    """Parameters of every step that has any."""
    return [sum(slot.spec.size for slot in step.parameters) for step in network.steps if step.parameters]


def test_lenet5_without_convolution_biases_has_the_textbook_counts() -> None:
    assert counts(lenet5(bias=False)) == [150, 2400, 48120, 10164, 850]


@pytest.mark.parametrize("input_shape", [(1, 28, 28), (1, 32, 32)])
def test_lenet5_maps_have_the_textbook_sides(input_shape: tuple[int, ...]) -> None:
    network = lenet5(input_shape=input_shape)
    assert [network.step(name).shape[1] for name in ("conv1", "pool1", "conv2", "pool2")] == [28, 14, 10, 5]
    assert network.parameter_count == 61706


@pytest.mark.parametrize(
    ("input_shape", "last_map"),
    [
        ((1, 8, 8), 3),
        ((1, 12, 12), 3),
        ((1, 15, 15), 5),
        ((3, 64, 64), 13),
        ((1, 4, 4), 1),
        ((1, 16, 16), 4),
        ((1, 20, 20), 3),
        ((3, 31, 31), 5),
    ],
)
def test_lenet5_takes_other_sizes(input_shape: tuple[int, ...], last_map: int) -> None:
    assert lenet5(3, input_shape).step("pool2").shape == (16, last_map, last_map)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_lenet5_variants_share_their_parameters(activation: str, pooling: str) -> None:
    network = lenet5(activation=activation, pooling=pooling)
    assert network.parameter_count == 61706
    kinds = {type(step.layer).__name__ for step in network.steps}
    assert {"relu": "ReLU", "tanh": "Tanh", "sigmoid": "Sigmoid"}[activation] in kinds
    assert {"max": "MaxPool2d", "average": "AvgPool2d"}[pooling] in kinds


def test_digit_recogniser_has_the_textbook_counts() -> None:
    assert counts(digit_recogniser(hidden=(256, 100)))[:4] == [208, 1168, 200960, 25700]
    assert counts(digit_recogniser()) == [208, 1168, 200960, 2570]


def test_dense_models_have_the_textbook_counts() -> None:
    assert logistic_regression().parameter_count == 7850
    assert mlp().parameter_count == 89610
    assert mlp(6, 2, hidden=(4, 4)).parameter_count == 62


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_default_model_survives_its_description(name: str) -> None:
    network = MODELS[name]()
    again = from_description(network.describe())
    assert again.describe() == network.describe()
    assert again.parameter_count == network.parameter_count


SHAPES = {
    "series_cnn": (2, 24),
    "text_cnn": (1, 9),
    "signal_cnn": (2, 100),
    "voxnet": (1, 12, 11, 13),
    "volume_cnn": (1, 9, 11, 13),
    "lenet5_1998": (3, 28, 28),
}


@pytest.mark.parametrize("name", sorted(set(MODELS) - {"perceptron", "xor"}))
def test_classifiers_take_any_number_of_classes_and_end_in_softmax(name: str) -> None:
    network = build(name, 7, SHAPES.get(name, (2, 64, 70)))
    assert isinstance(network.steps[-1].layer, Softmax)
    assert network.output_shape == ((7, 64, 70) if name == "unet" else (7,))


def test_unknown_names_come_with_the_nearest_ones() -> None:
    with pytest.raises(UsageError, match="model: unknown name 'lenet'; did you mean 'lenet5'"):
        build("lenet", 10, (1, 28, 28))
    with pytest.raises(UsageError, match="lenet5: option: unknown name 'activations'; did you mean 'activation'"):
        build("lenet5", 10, (1, 28, 28), activations="relu")
    with pytest.raises(UsageError, match="logistic_regression: the model has no options; got 'hidden'"):
        build("logistic_regression", 10, (1, 28, 28), hidden=3)
    with pytest.raises(UsageError, match="lenet5: activation: unknown name 'rellu'; did you mean 'relu'"):
        lenet5(activation="rellu")
    with pytest.raises(UsageError, match="lenet5: pooling: unknown name 'maxi'; did you mean 'max'"):
        lenet5(pooling="maxi")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((10, 784), "lenet5: takes samples of channels x rows x columns; got 784. Reshape"),
        ((10, (1, 28, 3)), "lenet5: every side must be at least 4; got 1 x 28 x 3. Enlarge"),
        ((1, (1, 28, 28)), "lenet5: classes: must be at least 2; got 1"),
        ((2.5, (1, 28, 28)), "lenet5: classes: must be a whole number; got 2.5"),
        ((10, (1, -28, 28)), "lenet5: input_shape: must be at least 1; got -28"),
    ],
)
def test_wrong_sizes_are_explained(arguments: tuple[object, object], message: str) -> None:
    with pytest.raises((ShapeError, UsageError), match=message):
        lenet5(*arguments)  # type: ignore[arg-type]


def test_hidden_widths_are_numbers() -> None:
    with pytest.raises(UsageError, match="mlp: hidden takes numbers, one for each layer; got '100'"):
        mlp(hidden="100")  # type: ignore[arg-type]
    assert mlp(hidden=7).parameter_count == 7850 - 7850 + 784 * 7 + 7 + 80


@pytest.mark.parametrize(
    ("sides", "channels", "last_side"),
    [
        ((4, 4), [128], 4),
        ((9, 40), [128], 9),
        ((15, 40), [64, 128], 7),
        ((16, 16), [64, 128], 8),
        ((32, 32), [32, 64, 128], 8),
        ((64, 64), [16, 32, 64, 128], 8),
        ((95, 300), [16, 32, 64, 128], 11),
        ((96, 96), [16, 16, 32, 64, 128], 6),
        ((224, 224), [16, 16, 16, 32, 64, 128], 7),
    ],
)
def test_photo_cnn_suits_the_size_of_the_image(sides: tuple[int, int], channels: list[int], last_side: int) -> None:
    network = build("photo_cnn", 3, (3, *sides))
    convolutions = [step for step in network.steps if isinstance(step.layer, Convolution)]
    halving = [step.shape[0] for step in convolutions if step.layer.stride == (2, 2)]
    blocks = [step.shape[0] for step in convolutions if step.layer.stride == (1, 1)]
    assert halving + blocks[::2] == channels
    assert blocks[::2] == blocks[1::2]
    assert network.step("global_pool1").input_shapes[0][1] == last_side


def test_every_network_by_name_is_a_function_of_the_package() -> None:
    assert [name for name, function in MODELS.items() if getattr(models, name, None) is not function] == []
