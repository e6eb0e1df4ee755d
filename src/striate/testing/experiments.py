"""Experiments: a case of an operation with its numbers, in a network where all that it computes can be read."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from striate.layers import Flatten, Input, Linear, Node, Reshape
from striate.layers.base import Parameter, Shape
from striate.network import Network
from striate.reference import Context
from striate.testing.bounds import Result, Values, exact, forward
from striate.testing.draws import Case
from striate.testing.operations import Operation

READOUT = 8  # outputs of the dense layer behind the operation: a power of two keeps the loss exact


@dataclass(frozen=True)
class Setting:
    """How a case is run: samples, lanes of the kernels, whole numbers or not, and a seed for all numbers."""

    batch: int
    lanes: int
    whole: bool
    seed: int
    winograd: bool = True
    layout: str = "contiguous"


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "contiguous": np.ascontiguousarray,
    "columns first": np.asfortranarray,
    "backwards": lambda x: np.ascontiguousarray(x[..., ::-1])[..., ::-1],
    "every other": lambda x: np.repeat(x, 2, axis=0)[::2],
    "part of more": lambda x: np.concatenate([x + 1, x], axis=-1)[..., x.shape[-1] :],
}
"""How samples may lie in memory."""


@dataclass(frozen=True, repr=False)
class Experiment:
    """A case with its numbers, and what float64 makes of them."""

    operation: Operation
    case: Case
    setting: Setting
    values: Values
    grad: np.ndarray
    truth: Result
    size: Result
    targets: np.ndarray
    readout: np.ndarray | None

    def __repr__(self) -> str:
        return f"{self.case!r}, {self.setting}"

    @property
    def exact(self) -> bool:
        """Whether every sum is of whole numbers (or of their halves, quarters, ...) that float32 holds."""
        sums = [self.size.output, *self.size.inputs, *self.size.parameters.values()]
        total = max(float(np.abs(s).max(initial=0.0)) for s in sums) * 64  # quarters of a mean, 64 for three axes
        if self.readout is not None:
            total = max(total, 64 * float((rows_of(self.size.output) @ np.abs(self.readout).T).max()))
        return self.setting.whole and self.operation.exact(self.case) and total < 2**24


def prepare(operation: Operation, case: Case, setting: Setting) -> Experiment:
    """Draw numbers, and compute output, gradients and the sums of |terms| in float64."""
    rng = np.random.default_rng(setting.seed)
    values = Values(
        tuple(_numbers(rng, (setting.batch, *shape), setting.whole, case, operation) for shape in case.shapes),
        {p.name: _weights(rng, p.shape, setting.whole) for p in case.layer.parameters(*case.shapes)},
        Context(True, setting.seed, 7, "probe", {s.name: _state(rng, s) for s in case.layer.states(*case.shapes)}),
    )
    output = forward(case, values)
    readout, targets, grad = _whole_loss(rng, output) if setting.whole else (None, *_loss(rng, output))
    truth, size = exact(case, values, grad, output), operation.magnitudes(case, values, grad)
    return Experiment(operation, case, setting, values, grad, truth, size, targets, readout)


def _numbers(rng: np.random.Generator, shape: Shape, whole: bool, case: Case, operation: Operation) -> np.ndarray:
    if operation.indices:
        return rng.integers(0, case.layer.entries, shape).astype(np.float64)
    if whole:
        return rng.integers(-3, 4, shape).astype(np.float64)
    scale = rng.choice([0.3, 1.0, 3.0])
    drawn = rng.normal(0.2 * scale, scale, shape).astype(np.float32).astype(np.float64)
    return (
        drawn
        if operation.above is None
        else np.maximum(np.abs(drawn), np.float32(operation.above)).astype(np.float64)
    )


def _weights(rng: np.random.Generator, shape: Shape, whole: bool) -> np.ndarray:
    if whole:
        return rng.integers(-2, 3, shape).astype(np.float64)
    return rng.normal(0.1, 0.7, shape).astype(np.float32).astype(np.float64)


def _state(rng: np.random.Generator, spec: Parameter) -> np.ndarray:
    return rng.uniform(0.5, 2.0, spec.shape).astype(np.float32).astype(np.float64)


def rows_of(array: np.ndarray) -> np.ndarray:
    """Return the values of every sample as a row."""
    return array.reshape(len(array), -1)


def _loss(rng: np.random.Generator, output: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return targets of a squared error, and its gradient with respect to the output: the errors.

    They are much larger than the outputs, so that the rounding of the output hardly blurs them.
    """
    largest = float(np.abs(output).max(initial=0.0)) or 1.0
    wanted = largest * rng.uniform(16.0, 32.0, output.shape) * rng.choice([-1.0, 1.0], output.shape)
    targets = (output - wanted).astype(np.float32)
    return rows_of(targets), output - targets.astype(np.float64)


def _whole_loss(rng: np.random.Generator, output: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the weight of a dense layer of -1, 0 and 1, the targets behind it, and the gradient before it."""
    rows = rows_of(output)
    readout = np.zeros((READOUT, rows.shape[1]))
    readout[rng.integers(0, READOUT, rows.shape[1]), np.arange(rows.shape[1])] = rng.choice([-1, 1], rows.shape[1])
    errors = rng.integers(-3, 4, (len(rows), READOUT)).astype(np.float64)
    grad = (errors @ readout).reshape(output.shape)
    return readout, (rows @ readout.T - errors).astype(np.float32), grad


def network_of(experiment: Experiment) -> Network:
    """Return one-hot input -> dense layers -> operation (-> dense layer of the exact loss)."""
    node = behind_one_hot(experiment.operation, experiment.case, experiment.setting.batch)
    if experiment.readout is not None:
        node = node if len(node.shape) == 1 else Flatten()(node)
        node = Linear(READOUT, bias=False, name="readout")(node)
    return Network(node)


def behind_one_hot(operation: Operation, case: Case, batch: int) -> Node:
    """Return the layer of ``case`` with a dense layer before each of its inputs, which reads one-hot samples."""
    layer = dataclasses.replace(case.layer, name="probe")
    start = Input(batch)
    sources = (
        Input(shape) if operation.indices else source_of(start, i, shape) for i, shape in enumerate(case.shapes)
    )
    node: Node = layer(*sources)
    return node


def source_of(start: Node, number: int, shape: Shape) -> Node:
    """Return a node that gives the values of an input, from the one-hot samples."""
    node = Linear(math.prod(shape), bias=False, name=f"source{number}")(start)
    return node if len(shape) == 1 else Reshape(shape)(node)
