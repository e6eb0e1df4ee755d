"""The networks that are measured, each with the samples it gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from striate import layers
from striate.models.registry import MODELS, build
from striate.network import Network, Sequential


def strided(classes: int, input_shape: tuple[int, ...]) -> Network:
    """Return three convolutions with stride 2, each with batch normalisation: little arithmetic for each value."""
    parts: list[layers.Layer] = []
    for channels in (32, 64, 128):
        parts += [layers.Conv2d(channels, 3, 2, 1, bias=False), layers.BatchNorm(), layers.ReLU()]
    return Sequential([*parts, layers.GlobalAvgPool(), layers.Linear(classes), layers.Softmax()], input_shape)


@dataclass(frozen=True)
class Case:
    """A network, by its name in ``striate.models`` or as a function, the shape of its samples, and its batches."""

    model: str | Callable[..., Network]
    classes: int = 10
    input_shape: tuple[int, ...] = (1, 28, 28)
    batches: tuple[int, ...] = (64, 128)
    options: dict[str, Any] = field(default_factory=dict)

    def network(self) -> Network:
        """Return the network."""
        if callable(self.model):
            return self.model(self.classes, self.input_shape, **self.options)
        return build(self.model, self.classes, self.input_shape, **self.options)


CASES = {
    "lenet5": Case("lenet5"),
    "digit_recogniser": Case("digit_recogniser"),
    "logistic_regression": Case("logistic_regression"),
    "mlp": Case("mlp", options={"hidden": (512, 256)}),
    "strided": Case(strided, input_shape=(3, 32, 32)),
    "lenet5_1998": Case("lenet5_1998", input_shape=(1, 32, 32), options={"output": "softmax"}),
    "small_vgg": Case("small_vgg", input_shape=(3, 32, 32)),
    "signal_cnn": Case("signal_cnn", input_shape=(1, 1024)),
    "resnet18": Case("resnet18", input_shape=(3, 64, 64), batches=(32,)),
    "resnet18_imagenet": Case("resnet18", classes=1000, input_shape=(3, 224, 224), batches=(16,)),
    "alexnet": Case("alexnet", classes=1000, input_shape=(3, 224, 224), batches=(32,)),
    "vgg16": Case("vgg16", classes=1000, input_shape=(3, 224, 224), batches=(16,)),
}
"""The networks by the name on the command line; those of models that do not exist are left out."""
CASES = {name: case for name, case in CASES.items() if callable(case.model) or case.model in MODELS}


BATCHES_OF_DATA = 8  # that a contestant takes one after the other


def samples(case: Case, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return random samples (uint8[count, *input_shape]) and labels (int64[count])."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256, (count, *case.input_shape), np.uint8)
    return x, rng.integers(0, case.classes, count)


def initial_parameters(network: Network, seed: int = 0) -> np.ndarray:
    """Return parameters of the usual size, float32[parameter_count] (He et al. 2015)."""
    rng = np.random.default_rng(seed)
    theta = np.zeros(network.parameter_count, np.float32)
    for slot in network.parameters:
        view, start = slot.view(theta), slot.spec.initial
        if start == "weight":
            view[...] = rng.standard_normal(view.shape) * np.sqrt(2 / slot.spec.fan_in)
        else:
            view[...] = {"zeros": 0.0, "ones": 1.0}.get(start, start) if isinstance(start, str) else start
    return theta
