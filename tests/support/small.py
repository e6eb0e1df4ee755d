"""A small network, a model of it and samples for it."""

from __future__ import annotations

import numpy as np

from striate.layers import Conv2d, Flatten, Linear, ReLU
from striate.model import Model
from striate.network import Network, Sequential
from striate.training.initialisation import initialise

FLOAT = np.dtype(np.float32)


def network() -> Network:
    return Sequential([Conv2d(4, 3), ReLU(), Flatten(), Linear(5)], (1, 6, 6), "shared")


def model(threads: int | None = None) -> Model:
    theta, states = initialise(network(), "he", 0)
    return Model(network(), theta, states, threads=threads)


def samples(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 1, 6, 6)).astype(np.float32)
