"""LeNet-5 trained for 20 steps beside PyTorch: the same start, the same batches, the same losses.

Rounding makes two float32 runs drift apart, by how much the float64 run of PyTorch tells: striate may be as
far from it as four times PyTorch's own float32 run is (and 20 units in the last place where that is nothing).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate import models
from striate.engine.training_session import TrainingSession
from striate.network import Network
from striate.training.initialisation import initialise
from striate.training.optimizers import Adam, GradientDescent, Momentum
from support.peers import torch_or_skip

torch = torch_or_skip()
torch.set_num_threads(1)  # more of them wait for each other on a busy machine
STEPS, BATCH, COUNT = 20, 64, 200
VARIANTS: dict[str, dict[str, str]] = {
    "ReLU and maxima": {"activation": "relu", "pooling": "max"},
    "tanh and means": {"activation": "tanh", "pooling": "average"},
}
RULES = {"gradient_descent": GradientDescent(), "momentum": Momentum(), "adam": Adam()}
RATES = {"gradient_descent": 0.05, "momentum": 0.02, "adam": 0.002}


def twin(network: Network, theta: np.ndarray, dtype: Any) -> tuple[Any, list[Any]]:
    """Return a function of samples that gives logits in PyTorch, and its parameters."""
    parameters = {
        name: torch.tensor(view.copy(), dtype=dtype, requires_grad=True)
        for name, view in network.views(theta).items()
    }
    functional = torch.nn.functional

    def logits(x: Any) -> Any:
        for step in network.steps[1:-1]:
            layer: Any = step.layer
            weight, bias = (parameters.get(f"{step.name}.{key}") for key in ("weight", "bias"))
            kind = type(layer).__name__
            if kind == "Conv2d":
                (before, _), (left, _) = layer.window(*step.input_shapes).padding
                x = functional.conv2d(x, weight, bias, padding=(before, left))
            elif kind == "Linear":
                x = functional.linear(x, weight, bias)
            elif kind in ("MaxPool2d", "AvgPool2d"):
                pool = functional.max_pool2d if kind == "MaxPool2d" else functional.avg_pool2d
                x = pool(x, layer.kernel_size, layer.stride)
            else:
                x = {"ReLU": torch.relu, "Tanh": torch.tanh, "Flatten": lambda v: v.flatten(1)}[kind](x)
        return x

    return logits, list(parameters.values())


def peer(
    network: Network, theta: np.ndarray, samples: np.ndarray, labels: np.ndarray, optimizer: str, dtype: Any
) -> Any:
    """Return the mean loss of every step, and the parameters at the end."""
    logits, parameters = twin(network, theta, dtype)
    rate = RATES[optimizer]
    makes = {
        "gradient_descent": lambda: torch.optim.SGD(parameters, rate),
        "momentum": lambda: torch.optim.SGD(parameters, rate, momentum=0.9),
        "adam": lambda: torch.optim.Adam(parameters, rate),
    }
    steps, losses = makes[optimizer](), []
    x, y = torch.tensor(samples, dtype=dtype), torch.tensor(labels)
    for index in batches():
        loss = torch.nn.functional.cross_entropy(logits(x[index]), y[index])
        steps.zero_grad()
        loss.backward()
        steps.step()
        losses.append(float(loss.detach()))
    return np.array(losses), np.concatenate([p.detach().double().numpy().ravel() for p in parameters])


def batches() -> list[np.ndarray]:
    """Two and a bit epochs of 200 samples; the last batch of each has 8 only."""
    rng = np.random.default_rng(4)
    found: list[np.ndarray] = []
    while len(found) < STEPS:
        order = rng.permutation(COUNT)
        found += [order[i : i + BATCH] for i in range(0, COUNT, BATCH)]
    return found[:STEPS]


def ours(
    network: Network, theta: np.ndarray, samples: np.ndarray, labels: np.ndarray, optimizer: str
) -> tuple[np.ndarray, np.ndarray]:
    session = TrainingSession(
        network, batch_size=BATCH, loss="cross_entropy", optimizer=optimizer, dtype=np.dtype(np.float32), threads=2
    )
    session.vectors.theta[: len(theta)] = theta
    losses = []
    for number, index in enumerate(batches(), start=1):
        numbers = RULES[optimizer].numbers(number, RATES[optimizer])
        some, _ = session.step(samples, index, labels[index], numbers)
        session.team.rest()
        losses.append(float(some.astype(np.float64).mean()))
    return np.array(losses), session.vectors.theta[: len(theta)].astype(np.float64)


@pytest.mark.parametrize("optimizer", RATES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_losses_of_20_steps_agree(variant: str, optimizer: str) -> None:
    network = models.lenet5(10, (1, 28, 28), **VARIANTS[variant])  # type: ignore[arg-type]
    theta, _ = initialise(network, "lecun", 0)
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(10, 1, 28, 28))
    labels = rng.integers(0, 10, COUNT)
    samples = (centres[labels] + rng.normal(size=(COUNT, 1, 28, 28))).astype(np.float32)
    truth, last = peer(network, theta, samples, labels, optimizer, torch.float64)
    theirs, _ = peer(network, theta, samples, labels, optimizer, torch.float32)
    losses, weights = ours(network, theta, samples, labels, optimizer)
    assert truth[-1] < 0.8 * truth[0]  # it learns
    unit = 2.0**-23 * truth[0]
    print(
        "RATIO",
        variant,
        optimizer,
        np.round(np.abs(losses - truth) / unit, 1),
        np.round(np.abs(theirs - truth) / unit, 1),
        np.linalg.norm(weights - last) / np.linalg.norm(last - theta),
    )
    drift = np.maximum.accumulate(np.abs(theirs - truth))
    assert np.all(np.abs(losses - truth) <= 4 * drift + 20 * unit), np.abs(losses - truth) / (drift + unit)
    assert np.linalg.norm(weights - last) <= 1e-4 * np.linalg.norm(last - theta)
