"""From a network's outputs to answers: probabilities, or numbers in the units of the targets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from striate.layers import ChannelScale, Exp, HardTanh, Layer, Linear, Sigmoid, Softmax
from striate.layers.registry import to_dict
from striate.losses import CLASSES, NUMBERS
from striate.model import Model
from striate.network import Network
from striate.network_description import from_description


def _softmax(y: np.ndarray) -> np.ndarray:
    powers = np.exp(y - y.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


READINGS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "probabilities": lambda y: y,
    "softmax": _softmax,
    "sigmoid": lambda y: 1.0 / (1.0 + np.exp(-y)),
    "exponentials": np.exp,
    "clipped": lambda y: np.clip(y, 0.0, 1.0),
}
"""Functions from outputs to probabilities; ``readings`` in ``web/reading.js`` are the same functions."""


def reading_of(model: Model) -> str:
    """Return which of ``READINGS`` turns outputs into probabilities or counts, or "numbers" for other numbers."""
    shape = model.network.output_shape
    probe = np.random.default_rng(0).normal(size=(16, *shape)).astype(np.float32)
    if model.kind == NUMBERS:
        return "exponentials" if model.interpret(probe).logarithms else "numbers"
    expected = np.asarray(model.interpret(probe).probabilities)
    for name, function in READINGS.items():
        found = function(probe)
        if is_two_classes(model):
            found = np.concatenate([1.0 - found, found], axis=1)
        if found.shape == expected.shape and np.allclose(found, expected, atol=1e-5):
            return name
    raise AssertionError(f"{model.network.name}: its probabilities are none of {', '.join(READINGS)}")


def is_two_classes(model: Model) -> bool:
    """Return whether the only output is the probability of the second of two classes."""
    return model.kind == CLASSES and model.network.output_shape == (1,)


def answering(model: Model) -> Model:
    """Return a model whose network computes what ``predict_proba``, or ``predict`` for a regression, returns.

    Where a network learnt variances too, it also gives their logarithms.
    """
    tails: dict[str, list[Layer]] = {
        "probabilities": [],
        "numbers": [],
        "softmax": [Softmax()],
        "exponentials": [Exp() if model.kind == NUMBERS else Softmax()],  # of logarithms
        "sigmoid": [Sigmoid()],
        "clipped": [HardTanh(0.0, 1.0)],
    }
    tail = tails[reading_of(model)]
    units = model.output_units
    if units is not None:
        model = _extended(model, [ChannelScale()], {"weight": units[0], "bias": units[1]})
    if is_two_classes(model):
        return _extended(_extended(model, tail, {}), [Linear(2)], {"weight": [[-1.0], [1.0]], "bias": [1.0, 0.0]})
    return _extended(model, tail, {})


def _extended(model: Model, tail: list[Layer], values: dict[str, object]) -> Model:
    """Return the model with more layers at its end, the last of which has parameters of such values."""
    if not tail:
        return model
    network = _appended(model.network, tail)
    theta = np.zeros(network.parameter_count, np.float32)
    for name, view in network.views(theta).items():
        known = model.parameters.get(name)
        view[...] = values[name.rpartition(".")[2]] if known is None else known
    metadata = {**model.metadata, "targets": model.kind}
    made = Model(network, theta, model.states, model.classes, model.normalisation, metadata)
    made.winograd = model.winograd
    return made


def _appended(network: Network, tail: list[Layer]) -> Network:
    description = network.describe()
    items = list(description["layers"])
    for layer in tail:
        name = f"answer_{layer.kind}"
        items.append({"name": name, **to_dict(layer), "inputs": [items[-1]["name"]]})
    return from_description({**description, "layers": items})
