"""Gradients of 200 random networks along random directions against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from striate import reference
from striate.network import Network
from striate.network_description import from_description
from striate.reference.registry import Array
from support.graphs import random_network

COUNT = 200
STEP = 1e-6


def value(network: Network, theta: Array, x: Array, cotangent: Array, seed: int) -> float:
    run = reference.forward(network, theta, x, training=True, seed=seed)
    return float((run.output * cotangent).sum())


def draw(seed: int) -> tuple[Network, Array, Array, Array, np.random.Generator]:
    network, rng = random_network(seed), np.random.default_rng(seed + 1)
    theta = rng.normal(0.0, 0.4, network.parameter_count)
    x, cotangent = rng.normal(size=(3, *network.input_shape)), rng.normal(size=(3, *network.output_shape))
    return network, theta, x, cotangent, rng


@pytest.mark.parametrize("part", range(10))
def test_gradient_along_random_directions(part: int) -> None:
    for seed in range(part * COUNT // 10, (part + 1) * COUNT // 10):
        network, theta, x, cotangent, rng = draw(seed)
        run = reference.forward(network, theta, x, training=True, seed=seed)
        grad_theta, gradients = reference.backward(run, cotangent)
        to_theta, to_x = rng.normal(size=theta.shape), rng.normal(size=x.shape)
        slope = float(grad_theta @ to_theta) + float((gradients["input"] * to_x).sum())
        ahead = value(network, theta + STEP * to_theta, x + STEP * to_x, cotangent, seed)
        behind = value(network, theta - STEP * to_theta, x - STEP * to_x, cotangent, seed)
        scale = float(np.abs(grad_theta * to_theta).sum() + np.abs(gradients["input"] * to_x).sum())
        difference = (ahead - behind) / (2 * STEP)
        assert abs(slope - difference) <= 1e-6 * abs(slope) + 1e-7 * scale, (seed, network)


def test_graphs_branch_and_join() -> None:
    networks = [random_network(seed) for seed in range(COUNT)]
    kinds = {type(step.layer).__name__ for network in networks for step in network.steps}
    assert {"Add", "Multiply", "Concatenate", "Conv2d", "ConvTranspose2d", "BatchNorm", "MaxPool2d"} <= kinds
    fans = 0
    for network in networks:
        sources = [source for step in network.steps for source in step.inputs]
        fans += any(sources.count(name) > 1 for name in set(sources))
    assert fans > COUNT // 2


def test_graphs_survive_their_description() -> None:
    for seed in range(0, COUNT, 10):
        network = random_network(seed)
        again = from_description(network.describe())
        assert again.describe() == network.describe()
        assert again.parameters == network.parameters
