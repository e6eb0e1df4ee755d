"""Losses made of functions: trained, saved, and refused where the gradient is not that of the losses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from striate import Dataset, Trainer, load
from striate.errors import UsageError
from striate.layers import Linear
from striate.losses import LOSSES, register
from striate.network import Sequential


def quartic(outputs: Any, targets: Any) -> Any:
    errors = outputs - targets
    return (errors**4).mean(axis=1), 4 * errors**3 / errors.shape[1]


def without_count(outputs: Any, targets: Any) -> Any:
    errors = outputs - targets
    return (errors**4).mean(axis=1), 4 * errors**3


def losses_alone(outputs: Any, targets: Any) -> Any:
    return ((outputs - targets) ** 2).mean(axis=1)


def mean_of_all(outputs: Any, targets: Any) -> Any:
    return ((outputs - targets) ** 2).mean(), outputs - targets


@pytest.fixture(autouse=True)
def _own_names() -> Iterator[None]:
    before = dict(LOSSES)
    yield
    LOSSES.clear()
    LOSSES.update(before)


def data() -> Dataset:
    x = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    return Dataset(x, x @ np.array([[1, 2], [0, 1], [1, -1], [3, 0]], np.float32))


def trainer(loss: Any) -> Trainer:
    return Trainer(Sequential([Linear(2)], 4), loss=loss, learning_rate=0.02, batch_size=32)


def test_a_function_is_learnt_and_saved(tmp_path: Any) -> None:
    loss = register(quartic)
    run = trainer(loss)
    history = run.fit(data(), epochs=20)
    assert history["loss"][-1] < 0.1 * history["loss"][0]
    model = load(run.model.save(tmp_path / "model.safetensors"))
    assert model.loss == loss()
    assert trainer("quartic").fit(data(), epochs=20)["loss"] == history["loss"]


def test_class_numbers_become_ones_and_zeros() -> None:
    x = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    classes = Dataset(x, x[:, :3].argmax(axis=1))
    run = Trainer(Sequential([Linear(3)], 4), loss=register(quartic), learning_rate=0.02)
    run.fit(classes, epochs=30)
    assert run.model.evaluate(classes).accuracy > 0.6


@pytest.mark.parametrize(("function", "rule"), [
    (without_count, "without_count: the gradient must be that of the losses; got the slope"),
    (losses_alone, "losses_alone: must return losses and gradient; got ndarray"),
    (mean_of_all, r"mean_of_all: losses of outputs of shape \(2, 2\) must have the shape \(2,\); got \(\)"),
])  # fmt: skip
def test_a_function_that_is_no_loss_is_refused(function: Callable, rule: str) -> None:
    loss = register(function)
    with pytest.raises(UsageError, match=rule):
        trainer(loss).fit(data(), epochs=1)


def test_a_function_must_be_registered() -> None:
    with pytest.raises(UsageError, match="a function becomes a loss when it is registered; got quartic"):
        trainer(quartic)


def test_a_function_needs_a_name() -> None:
    with pytest.raises(UsageError, match="a function needs a name for use in files; got '<lambda>'"):
        register(lambda outputs, targets: (outputs, targets))
