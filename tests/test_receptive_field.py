"""Receptive fields against what the reference really depends on."""

from __future__ import annotations

import numpy as np
import pytest

from striate import reference
from striate.layers import AvgPool2d, Conv2d, Flatten, Input, Layer, Linear, Tanh
from striate.network import Network, Sequential
from striate.receptive_field import receptive_fields

SIDE = 23


def seen_rows(network: Network, position: int) -> tuple[int, int]:
    """First and last input row with a gradient from the output row ``position`` (middle column)."""
    rng = np.random.default_rng(0)
    theta = rng.uniform(0.5, 1.0, network.parameter_count)
    run = reference.forward(network, theta, rng.normal(size=(1, *network.input_shape)))
    grad = np.zeros_like(run.output)
    grad[0, 0, position, run.output.shape[3] // 2] = 1.0
    rows = np.flatnonzero(np.abs(reference.backward(run, grad)[1]["input"]).sum(axis=(0, 1, 3)))
    return int(rows[0]), int(rows[-1])


CHAINS: list[list[Layer]] = [
    [Conv2d(2, 3)],
    [Conv2d(2, 3, padding="same"), AvgPool2d(2), Conv2d(1, 3)],
    [Conv2d(2, 4, stride=2, padding=1), Conv2d(2, 2, dilation=3), Tanh()],
    [AvgPool2d(3, stride=2), Conv2d(2, (3, 1), padding=((0, 2), 0)), AvgPool2d(2, stride=1)],
]


@pytest.mark.parametrize("layers", CHAINS)
def test_fields_are_where_the_gradients_are(layers: list[Layer]) -> None:
    network = Sequential(layers, (1, SIDE, SIDE))
    axis = receptive_fields(network)[network.steps[-1].name][0]
    assert axis.positions == network.output_shape[1]
    for position in range(axis.positions):
        first, last = axis.span(position)
        assert seen_rows(network, position) == (max(first, 0), min(last, SIDE - 1))


def test_dense_layers_see_everything_that_enters() -> None:
    network = Sequential([Conv2d(2, 3), AvgPool2d(2), Flatten(), Linear(2)], (1, 12, 12))
    fields = receptive_fields(network)
    assert fields["flatten1"][0].size == 4
    assert (fields["linear1"][0].size, fields["linear1"][0].positions) == (12, 1)


def test_fields_name_every_step() -> None:
    network = Network(Linear(2)(Flatten()(Input((1, 4, 5)))))
    assert list(receptive_fields(network)) == ["input", "flatten1", "linear1"]
