"""Receptive fields against what the reference really depends on."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate import reference
from striate.errors import ShapeError
from striate.layers import (
    Add,
    AvgPool1d,
    AvgPool2d,
    Conv1d,
    Conv2d,
    ConvTranspose1d,
    Crop,
    Flatten,
    Input,
    Layer,
    LayerNorm,
    Linear,
    LocalResponseNorm,
    MaxPool1d,
    Multiply,
    Pad,
    ReLU,
    Softmax,
    Upsample,
)
from striate.network import Network, Sequential
from striate.receptive_field import receptive_fields, seen_text, spans_of

SIDE = 23


def seen(network: Network) -> list[tuple[int, int]]:
    """First and last input position that changes each output position, found by changing the input.

    Parameters and inputs are positive and every layer is monotone, so nothing cancels.
    """
    rng = np.random.default_rng(0)
    theta = rng.uniform(0.5, 1.0, network.parameter_count)
    n = network.input_shape[1]
    plain = rng.uniform(1.0, 2.0, network.input_shape)
    changed = np.stack([plain, *([plain] * n)])
    at = np.arange(n)
    changed[(at + 1, slice(None), at)] += 1e6
    output = reference.forward(network, theta, changed).output
    change = np.abs(output[1:] - output[:1]) > 1e-9 * np.abs(output[:1])  # more than rounding
    moved = change.any(axis=(1, *range(3, output.ndim)))
    return [(int(p.min()), int(p.max())) if len(p) else (0, -1) for p in map(np.flatnonzero, moved.T)]


CHAINS: list[list[Layer]] = [
    [Conv2d(2, 3)],
    [Conv2d(2, 3, padding="same"), AvgPool2d(2), Conv2d(1, 3)],
    [Conv2d(2, 4, stride=2, padding=1), Conv2d(2, 2, dilation=3), ReLU()],
    [AvgPool2d(3, stride=2), Conv2d(2, (3, 1), padding=((0, 2), 0)), AvgPool2d(2, stride=1)],
]


@pytest.mark.parametrize("layers", CHAINS)
def test_spans_of_images_are_the_true_dependence(layers: list[Layer]) -> None:
    network = Sequential(layers, (1, SIDE, SIDE))
    axis = receptive_fields(network)[network.steps[-1].name][0]
    assert [axis.span(position) for position in range(network.output_shape[1])] == seen(network)


@st.composite
def chains(draw: st.DrawFn) -> Network:
    """Chains of 1 to 6 layers over a row of up to 24 positions."""
    network = Sequential([Crop(0)], (1, draw(st.integers(1, 24))))
    layers: list[Layer] = []
    for _ in range(draw(st.integers(1, 6))):
        layer = draw(one_layer())
        try:
            longer = Sequential([*layers, layer], network.input_shape)
        except ShapeError:
            continue
        if longer.output_shape[1] <= 200:
            layers, network = [*layers, layer], longer
    return network


@st.composite
def one_layer(draw: st.DrawFn) -> Layer:
    k, s, d = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    pad = (draw(st.integers(0, 2)), draw(st.integers(0, 2)))
    mode = draw(st.sampled_from(["zeros", "replicate", "reflect", "circular"]))
    least = max(0, (k * d - d + 1) // 2)
    inner = (min(pad[0], least), min(pad[1], least))
    return draw(
        st.sampled_from(
            [
                Conv1d(2, k, stride=s, dilation=d, padding=(pad,), padding_mode=mode),
                ConvTranspose1d(2, k, stride=s, dilation=d, padding=(pad,)),
                Upsample(draw(st.integers(1, 5)), draw(st.sampled_from(["nearest", "bilinear"]))),
                MaxPool1d(k, stride=s, dilation=d, padding=(inner,), ceil_mode=draw(st.booleans())),
                AvgPool1d(k, stride=s, dilation=d, padding=(inner,), count_padding=draw(st.booleans())),
                Pad((pad,), mode),
                Crop((pad,)),
                ReLU(),
            ]
        )
    )


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(chains())
def test_spans_of_random_chains_are_the_true_dependence(network: Network) -> None:
    axis = receptive_fields(network)[network.steps[-1].name][0]
    spans = [axis.span(position) for position in range(network.output_shape[1])]
    assert spans == seen(network)
    if all(
        getattr(step.layer, name, "") != "circular" for step in network.steps for name in ("mode", "padding_mode")
    ):
        assert max(last - first + 1 for first, last in spans) <= axis.size  # circular ends are far from each other


def test_fields_of_upsampled_rows() -> None:
    axis = receptive_fields(Sequential([Upsample(3)], (1, 12)))["upsample1"][0]
    assert [axis.span(position) for position in (0, 2, 3, 35)] == [(0, 0), (0, 0), (1, 1), (11, 11)]
    assert (axis.size, axis.jump, axis.start) == (1, Fraction(1, 3), Fraction(-1, 3))


def test_each_feature_of_a_flattened_map_sees_what_its_position_saw() -> None:
    fields = receptive_fields(Sequential([Conv2d(2, 3), Flatten()], (1, 6, 7)))
    assert (
        spans_of(fields["flatten1"], (20 + 5 * 1 + 3,)) == spans_of(fields["conv1"], (1, 1, 3)) == ((1, 3), (3, 5))
    )


@pytest.mark.parametrize("layer", [Softmax(), LayerNorm(), LayerNorm("channels"), LocalResponseNorm()])
def test_layers_across_channels_see_a_whole_row_of_features(layer: Layer) -> None:
    network = Sequential([layer], (9,))
    assert receptive_fields(network)[network.steps[-1].name][0].span(4) == (0, 8)


def test_branches_see_what_any_of_them_sees() -> None:
    x = Input((1, 12))
    narrow, wide = Conv1d(1, 3, padding="same")(x), Conv1d(1, 7, padding="same")(x)
    gate = Linear(1)(Flatten()(x))
    fields = receptive_fields(Network(Multiply()(Add()(narrow, wide), gate)))
    assert fields["add1"][0].span(6) == (3, 9)
    assert (fields["multiply1"][0].span(6), fields["multiply1"][0].size) == ((0, 11), 12)


def test_dense_layers_see_everything_that_enters() -> None:
    network = Sequential([Conv2d(2, 3), AvgPool2d(2), Flatten(), Linear(2)], (1, 12, 12))
    fields = receptive_fields(network)
    assert fields["flatten1"][0].size == 4
    assert (fields["linear1"][0].size, fields["linear1"][0].positions) == (12, 1)


def test_fields_name_every_step() -> None:
    network = Network(Linear(2)(Flatten()(Input((1, 4, 5)))))
    assert list(receptive_fields(network)) == ["input", "flatten1", "linear1"]


def test_what_is_said_of_a_field_stays_inside_the_input():
    signal = Sequential([Conv1d(4, 9, padding=4), Conv1d(4, 9, padding=4)], (1, 15))
    said = [seen_text(field, (1, 15)) for field in receptive_fields(signal).values()]
    assert said == ["1", "9", "15"]
    picture = Sequential([Conv2d(2, 3), AvgPool2d(2)], (1, 8, 20))
    assert seen_text(list(receptive_fields(picture).values())[-1], (1, 8, 20), " × ") == "4 × 4"
    for shape in ((5, 1), (5, 1, 1), (5,)):
        rows = Sequential([Flatten(), Linear(2)], shape)
        assert {seen_text(field, shape) for field in receptive_fields(rows).values()} == {""}
