"""Losses written as expressions: compiled, trained, saved, refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate import Dataset, Trainer, load
from striate.engine.training_session import TrainingSession
from striate.errors import UsageError
from striate.kernels.expression_loss import compiled
from striate.layers import Conv2d, Linear
from striate.losses import ExpressionLoss, Loss, MeanSquaredError
from striate.network import Sequential
from striate.testing.bounds import gamma

FUNCTIONS = (
    "output + 2", "0.5 - output", "output*output", "1/(0.25 + abs(output))", "-output", "output**3",
    "(output + 4)**(-2)", "(abs(output) + 0.25)**0.7", "(0.5 + abs(output))**(output/3)", "exp(output)",
    "log(abs(output) + 0.25)", "sqrt(abs(output) + 0.25)", "sin(3*output)", "cos(3*output)", "tan(output/3)",
    "tanh(output)", "sigmoid(output)", "relu(output)", "softplus(output)", "floor(output)*output",
    "ceil(output)*output", "maximum(output, 0.5)", "minimum(output, 0.5)", "2**output",
)  # fmt: skip
PSEUDO_HUBER = "e = output - target; sqrt(1 + e**2) - 1"


def step(loss: Loss, outputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return losses and gradient of the outputs, which are the weights of a dense layer."""
    n, count = outputs.shape
    session = TrainingSession(
        Sequential([Linear(count, bias=False)], n), batch_size=n, loss=loss, optimizer="gradient_descent",
        dtype=np.dtype(np.float32), threads=1,
    )  # fmt: skip
    session.vectors.theta[: n * count] = outputs.T.ravel()
    losses, _ = session.step(np.eye(n, dtype=np.float32), np.arange(n), targets, (0.0,), np.ones(n, np.float32))
    session.team.rest()
    return losses.copy(), session.vectors.gradient[: n * count].reshape(count, n).T.copy()


def test_every_operation_is_compiled_as_it_is_defined() -> None:
    """The target chooses the function, so that one kernel tries all of them."""
    parts = [f"relu(1 - abs(target - {number}))*({text})" for number, text in enumerate(FUNCTIONS)]
    loss = ExpressionLoss(" + ".join(parts))
    rng = np.random.default_rng(0)
    count = len(FUNCTIONS)
    outputs = rng.uniform(-3.0, 3.0, (40, count)).astype(np.float32)
    targets = np.tile(np.arange(count, dtype=np.float32), (40, 1))
    truth, gradient = loss.reference(outputs.astype(np.float64), targets.astype(np.float64))
    losses, found = step(loss, outputs, targets)
    size = 30.0  # of the largest value or slope in between, exp(3)
    np.testing.assert_allclose(losses, truth, rtol=0, atol=float(gamma(64)) * size)
    np.testing.assert_allclose(found * count, gradient * count, rtol=0, atol=float(gamma(64)) * size)


@pytest.mark.parametrize("text", [
    "value = output",
    "value = output; slope = open('x')",
    "value = output; slope = output.real",
    "value = output; slope = __import__('os')",
    "value = output; slope = unknown",
    "import os; value = output; slope = output",
    "value = output; slope = fill(output, key=1)",
    "abs = output; value = output; slope = output",
])  # fmt: skip
def test_only_arithmetic_becomes_code(text: str) -> None:
    with pytest.raises(ValueError, match=r"must assign value and slope|not an assignment|not an operation"):
        compiled(text)


def data(count: int = 200) -> Dataset:
    x = np.random.default_rng(0).normal(size=(count, 4)).astype(np.float32)
    return Dataset(x, x @ np.array([[1, 2], [0, 1], [1, -1], [3, 0]], np.float32))


def test_squared_errors_written_out_are_those_of_the_loss() -> None:
    trained = []
    for loss in (MeanSquaredError(), ExpressionLoss("(output - target)**2")):
        trainer = Trainer(Sequential([Linear(2)], 4), loss=loss, batch_size=32, standardise_targets=False)
        trainer.fit(data(), epochs=3)
        trained.append(trainer.model.theta)
    np.testing.assert_allclose(trained[0], trained[1], rtol=1e-5, atol=1e-6)


def test_it_learns_is_saved_and_continues(tmp_path: Any) -> None:
    trainer = Trainer(Sequential([Linear(2)], 4), loss=ExpressionLoss(PSEUDO_HUBER), learning_rate=0.05)
    history = trainer.fit(data(), epochs=40)
    assert history["loss"][-1] < 0.01 * history["loss"][0]
    model = load(trainer.model.save(tmp_path / "model.safetensors"))
    assert model.loss == ExpressionLoss(PSEUDO_HUBER)
    assert model.evaluate(data()).loss == pytest.approx(trainer.model.evaluate(data()).loss)


def test_it_takes_maps() -> None:
    x = np.random.default_rng(0).normal(size=(40, 1, 6, 6)).astype(np.float32)
    trainer = Trainer(
        Sequential([Conv2d(1, 3, padding=1)], (1, 6, 6)), loss=ExpressionLoss(PSEUDO_HUBER), learning_rate=0.05
    )
    history = trainer.fit(Dataset(x, x * 0.5), epochs=30)
    assert history["loss"][-1] < 0.1 * history["loss"][0]


@pytest.mark.parametrize(("text", "rule"), [
    ("y - target", r"can only use the names output and target; got y \(column 1\)"),
    ("sum(output)", r"must be elementwise; got sum \(column 1\)"),
    ("target**2", r"must contain output, or there is nothing to learn"),
    ("log(output", r"cannot be read"),
    (3, r"an expression is a text; got 3"),
])  # fmt: skip
def test_what_is_no_loss_is_refused(text: Any, rule: str) -> None:
    with pytest.raises(UsageError, match=rule):
        ExpressionLoss(text)


def test_the_name_alone_is_refused() -> None:
    with pytest.raises(UsageError, match="expression: the loss needs the option expression; got none"):
        Loss("expression")
