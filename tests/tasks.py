"""Small tasks that a network learns in a moment."""

from __future__ import annotations

import numpy as np

from striate.data.dataset import Dataset
from striate.layers import BatchNorm, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Softmax
from striate.network import Network, Sequential


def stripes(count: int, seed: int = 0, classes: int = 3, side: int = 8) -> Dataset:
    """Noisy pictures of rows, columns and diagonals."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    patterns = np.stack([y % 2, x % 2, (x + y) % 3 == 0, (x - y) % 4 == 0])[:classes]
    targets = rng.integers(0, classes, count)
    noise = rng.integers(0, 120, (count, 1, side, side))
    inputs = np.clip(100 * patterns[targets][:, np.newaxis] + noise, 0, 255).astype(np.uint8)
    return Dataset(inputs, targets, tuple("abcd"[:classes]), "stripes")


def small_network(classes: int = 3, side: int = 8) -> Network:
    layers = [Conv2d(4, 3), ReLU(), MaxPool2d(2), Flatten(), Linear(16), ReLU(), Linear(classes), Softmax()]
    return Sequential(layers, (1, side, side), "small")


def rich_network() -> Network:
    """Layers that carry states and draw random numbers."""
    layers = [Conv2d(4, 3), BatchNorm(), ReLU(), MaxPool2d(2), Flatten(), Dropout(0.3), Linear(3), Softmax()]
    return Sequential(layers, (1, 8, 8), "rich")


def line(count: int = 200) -> Dataset:
    """A regression: two linear functions of five numbers, as a 5-channel picture of one pixel."""
    rng = np.random.default_rng(3)
    inputs = rng.normal(size=(count, 5, 1, 1)).astype(np.float32)
    matrix = rng.normal(size=(5, 2))
    targets = (inputs[:, :, 0, 0] @ matrix + 0.5).astype(np.float32)
    return Dataset(inputs, targets, (), "line")
