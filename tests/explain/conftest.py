"""A model that has learnt something, and one of its pictures."""

from __future__ import annotations

import numpy as np
import pytest

from striate import Model, Trainer
from striate.data import registry
from striate.data.dataset import Dataset
from striate.models import lenet5


@pytest.fixture(scope="session")
def digits() -> Dataset:
    """8x8 digits that no model here was trained on."""
    test = registry.load("digits").test
    assert test is not None
    return test


@pytest.fixture(scope="session")
def trained_lenet() -> Model:
    """LeNet-5 after a few epochs on 8x8 digits, more than 9 of 10 right."""
    splits = registry.load("digits")
    trainer = Trainer(lenet5(10, (1, 8, 8)), seed=3)
    trainer.fit(splits.train, epochs=6)
    return trainer.model


@pytest.fixture(scope="session")
def random_lenet() -> Model:
    """LeNet-5 for 28x28 pictures with random parameters, fixed."""
    network = lenet5()
    return Model(network, np.random.default_rng(5).normal(0, 0.1, network.parameter_count))


@pytest.fixture(scope="session")
def picture() -> np.ndarray:
    """A grey picture of smooth noise, float64[1, 28, 28] from 0 to 1."""
    rng = np.random.default_rng(6)
    waves = (
        np.sin(np.arange(28)[:, None] * rng.normal(0, 0.4, 3)) @ np.cos(np.arange(28)[:, None] * 0.3).repeat(3, 1).T
    )
    return np.asarray((waves - waves.min()) / (waves.max() - waves.min()))[None]
