"""Small networks in whole numbers, in which float32 makes no error at all: every bit can be compared.

Weights are -1, 0 and 1, samples are small whole numbers, and every layer is a sum, a choice or a scaling by
a power of two. Each step is also computed without signs, which bounds all partial sums in whatever order they
are taken: as long as they stay below 2^24, the engine must give what the reference gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate import layers, reference
from striate.layers.pooling import MaxPooling
from striate.layers.shape import InputLayer
from striate.network import Network
from striate.reference.executor import Run, parameters_of
from support.graphs import Choices, Menu

OUTPUTS = 8  # a power of two, by which the squared error divides
FRACTION = 2**10  # values may be multiples of this part of one, after means and halves


def size(rng: np.random.Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


SPATIAL: Choices = [
    lambda r: layers.Conv2d(size(r, 1, 9), size(r, 1, 3), stride=size(r, 1, 2), padding=size(r, 0, 2)),
    lambda r: layers.Conv2d(size(r, 1, 9), (3, 2), padding="same", bias=bool(size(r, 0, 1))),
    lambda r: layers.Conv2d(4, 3, padding=2, dilation=2, padding_mode=str(r.choice(["zeros", "replicate"]))),
    lambda r: layers.ConvTranspose2d(size(r, 1, 4), size(r, 2, 3), stride=2, padding="same"),
    lambda r: layers.MaxPool2d(size(r, 2, 3), stride=size(r, 1, 3), padding=size(r, 0, 1)),
    lambda r: layers.MaxPool2d(2, ceil_mode=True),
    lambda r: layers.AvgPool2d(2, stride=size(r, 1, 2)),
    lambda r: layers.AvgPool2d((2, 4), stride=2, padding=1),
    lambda r: layers.Subsample2d(2),
    lambda r: layers.Pad(((1, 0), (0, 2)), str(r.choice(["zeros", "reflect"]))),
    lambda r: layers.Crop(((0, 1), (1, 0))),
    lambda r: layers.Upsample(2),
    lambda r: layers.SpatialDropout(0.5),
    lambda r: layers.Flatten(),
]
ANY: Choices = [
    lambda r: layers.ReLU(),
    lambda r: layers.ReLU(),
    lambda r: layers.LeakyReLU(0.5),
    lambda r: layers.PReLU(shared=bool(size(r, 0, 1))),
    lambda r: layers.HardTanh(-3.0, 4.0),
    lambda r: layers.Identity(),
    lambda r: layers.Scale(0.5, 1.0),
    lambda r: layers.ChannelScale(bias=bool(size(r, 0, 1))),
    lambda r: layers.Dropout(0.5),
]
FLAT: Choices = [lambda r: layers.Linear(size(r, 1, 20), bool(size(r, 0, 1)))]


WHOLE = Menu(
    SPATIAL,
    ANY,
    FLAT,
    joins=("Add", "Concatenate"),
    channels=(1, 4),
    sides=(3, 12),
    outputs=OUTPUTS,
    averages=0.0,
    most_values=1500,
    least_side=1,
)
"""Layers that keep whole numbers."""


@dataclass(frozen=True)
class Task:
    """Parameters, samples and targets of a network, all whole numbers; and what the reference makes of them."""

    network: Network
    theta: np.ndarray
    samples: np.ndarray
    targets: np.ndarray
    losses: np.ndarray
    gradient: np.ndarray
    largest: float

    @property
    def exact(self) -> bool:
        """Whether no partial sum can leave the whole numbers (and their fractions) of float32."""
        return self.largest * FRACTION < 2**24


def task(network: Network, batch: int, seed: int, density: float = 0.3) -> Task:
    """Draw whole numbers for ``network``, whose outputs must be a power of two in number."""
    rng = np.random.default_rng(seed)
    theta = rng.choice([-1.0, 0.0, 1.0], network.parameter_count, p=[density / 2, 1 - density, density / 2])
    samples = rng.integers(-2, 3, (batch, *network.input_shape)).astype(float)
    run = reference.forward(network, theta, samples, training=True, seed=seed, step=1)
    errors = rng.integers(-2, 3, (batch, *network.output_shape)).astype(float)
    count = errors[0].size
    gradient, grads = reference.backward(run, errors / (count / 2))
    largest = max(largest_sums(run, grads), float((errors**2).max() * count))
    losses = (errors**2).reshape(batch, -1).mean(axis=1)
    return Task(network, theta, samples, run.output - errors, losses, gradient, largest)


def largest_sums(run: Run, grads: dict[str, np.ndarray]) -> float:
    """Return a bound of every partial sum of the forward and backward pass: each step without signs."""
    arrays = parameters_of(run.network, run.theta)
    largest = 0.0
    for step in run.network.steps:
        if isinstance(step.layer, InputLayer) or step.name not in grads:
            continue
        operation, context = reference.operation(step.layer), run.contexts[step.name]
        sources = [run.values[name] for name in step.inputs]
        parameters = {name: np.abs(p) for name, p in arrays[step.name].items()}
        output = operation.forward(step.layer, parameters, *map(np.abs, sources), context=context)
        kept = sources if isinstance(step.layer, MaxPooling) else list(map(np.abs, sources))
        inputs, own = operation.backward(
            step.layer, parameters, tuple(kept), output, np.abs(grads[step.name]), context
        )
        sums = [output, *inputs, *own.values(), *(np.abs(grads[name]) for name in step.inputs)]
        largest = max(largest, *(float(s.max(initial=0.0)) for s in sums))
    return largest
