"""What every layer description can do: repr, JSON, messages."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import striate.layers as all_layers
from striate.errors import ModelFileError, ShapeError, UsageError
from striate.layers import Conv2d, Flatten, Input, Layer, Linear, MaxPool2d, ReLU
from striate.layers.registry import from_dict, to_dict

LAYERS: list[tuple[Layer, str]] = [
    (Conv2d(6, 5), "Conv2d(6, 5)"),
    (Conv2d(6, (5, 5), stride=(1, 1), padding=((0, 0), (0, 0))), "Conv2d(6, 5)"),
    (Conv2d(6, 5, padding=2, name="first"), "Conv2d(6, 5, padding=2, name='first')"),
    (Conv2d(6, (5, 3), padding=((0, 1), (2, 2))), "Conv2d(6, (5, 3), padding=((0, 1), (2, 2)))"),
    (Conv2d(6, 5, padding=((0, 1), (0, 1))), "Conv2d(6, 5, padding=((0, 1), (0, 1)))"),
    (Conv2d(6, 5, padding="same", bias=False), "Conv2d(6, 5, padding='same', bias=False)"),
    (MaxPool2d(3, stride=3), "MaxPool2d(3)"),
    (MaxPool2d(3, 2), "MaxPool2d(3, stride=2)"),
    (Linear(10), "Linear(10)"),
    (ReLU(), "ReLU()"),
]


@pytest.mark.parametrize(("layer", "text"), LAYERS)
def test_repr_shows_what_is_not_the_default_and_can_be_typed_back(layer: Layer, text: str) -> None:
    assert repr(layer) == text
    assert eval(text, vars(all_layers)) == layer


@given(
    kernel=st.one_of(st.integers(1, 5), st.tuples(st.integers(1, 5), st.integers(1, 5))),
    stride=st.one_of(st.integers(1, 3), st.tuples(st.integers(1, 3), st.integers(1, 3))),
    padding=st.one_of(
        st.sampled_from(["same", "valid"]),
        st.integers(0, 3),
        st.tuples(st.integers(0, 3), st.tuples(st.integers(0, 3), st.integers(0, 3))),
    ),
    bias=st.booleans(),
)
def test_description_survives_json(kernel: object, stride: object, padding: object, bias: bool) -> None:
    layer = Conv2d(4, kernel, stride, padding, bias=bias)  # type: ignore[arg-type]
    assert from_dict(json.loads(json.dumps(to_dict(layer)))) == layer
    assert eval(repr(layer), vars(all_layers)) == layer


def test_description_holds_only_what_is_not_the_default() -> None:
    assert to_dict(Conv2d(6, 5, stride=(1, 1))) == {"type": "Conv2d", "out_channels": 6, "kernel_size": [5, 5]}


def test_layers_are_values() -> None:
    assert Conv2d(6, 5) == Conv2d(6, (5, 5))
    assert len({Conv2d(6, 5), Conv2d(6, [5, 5]), Conv2d(6, 3)}) == 2
    with pytest.raises(AttributeError):
        Linear(3).bias = False  # type: ignore[misc]


def test_a_layer_that_does_not_fit_names_itself_and_its_input() -> None:
    node = MaxPool2d(2)(Conv2d(16, 5)(Input((6, 12, 12))))
    expected = (
        "conv2: a 5x5 kernel needs an input of at least 5x5; got 16 x 4 x 4 from pool1. "
        'Use padding="same", or drop a pooling layer.'
    )
    with pytest.raises(ShapeError) as caught:
        Conv2d(16, 5)(node)
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            Conv2d(4, 3, dilation=2),
            (1, 4, 9),
            "conv1: a 3x3 kernel, dilated to 5x5, needs .* at least 5x5; got 1 x 4 x 9",
        ),
        (
            Conv2d(4, 3, groups=2),
            (3, 9, 9),
            r"conv1: 2 groups must divide the channels in and out \(3 and 4\); got 3 x",
        ),
        (Conv2d(4, 3), (9,), "conv1: needs an input of channels x rows x columns; got 9 from input. Use a layer"),
        (
            MaxPool2d(2, name="p"),
            (1, 1, 9),
            "p: a 2x2 kernel needs an input of at least 2x2; got 1 x 1 x 9 from input",
        ),
        (
            MaxPool2d(2, padding="same", dilation=4),
            (1, 3, 9),
            "pool1: a dilation of 4 must not exceed .* 1 x 3 x 9",
        ),
        (Linear(3), (1, 2, 2), "linear1: needs one row of features for each sample; got 1 x 2 x 2 from input"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(layer: Layer, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        layer(Input(shape))


def test_number_of_inputs_is_checked() -> None:
    x = Input((1, 4, 4))
    with pytest.raises(ShapeError, match=r"relu1: takes 1 input; got 2 \(input, input\)"):
        ReLU()(x, x)
    with pytest.raises(ShapeError, match="flatten1: takes 1 input; got 0"):
        Flatten()()
    with pytest.raises(UsageError, match=r"conv: a layer is applied to nodes; got list. Start with Input"):
        Conv2d(2, 3)([1, 2])  # type: ignore[arg-type]


def test_files_name_known_layers_only() -> None:
    with pytest.raises(ModelFileError, match="a: layers of this file must be known to striate; got type 'Popen'"):
        from_dict({"type": "Popen", "args": ["true"]}, "a")
    with pytest.raises(ModelFileError, match=r"a: the arguments do not describe a Conv2d; .*unexpected keyword"):
        from_dict({"type": "Conv2d", "width": 3}, "a")
    with pytest.raises(
        ModelFileError, match="a: the arguments do not describe a Conv2d; stride: must be at least 1"
    ):
        from_dict({"type": "Conv2d", "out_channels": 1, "kernel_size": 3, "stride": 0}, "a")
    with pytest.raises(ModelFileError, match="a: layers of this file must be known to striate; got type None"):
        from_dict({}, "a")
    with pytest.raises(ModelFileError, match=r"a: layers of this file must be known to striate; got type \['x'\]"):
        from_dict({"type": ["x"]}, "a")
