"""One operation inside a network in which every number that it makes can be read from outside.

The input of the network is one-hot, sample n has a 1 at place n, and a dense layer without bias turns it into
the input of the operation: that input is then the column of the dense layer's weight, exactly, and the
gradient of that column is the gradient of the input of sample n, exactly, because all other terms of the sum
are 0. So outputs, gradients of all inputs and gradients of all parameters are seen through the front door,
for any number of samples, shards and threads.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate import reference
from striate.engine.inference_session import InferenceSession
from striate.engine.team import Team
from striate.engine.training_session import TrainingSession
from striate.layers import Flatten, Input, Linear, Node, Reshape
from striate.layers.base import Parameter, Shape
from striate.network import Network
from striate.reference import Context
from striate.testing.bounds import UNIT, Result, Values, exact, forward, gamma
from striate.testing.draws import Case
from striate.testing.operations import Operation

READOUT = 8  # outputs of the dense layer behind the operation: a power of two keeps the loss exact
TINY = 1e-30  # what denormal numbers, which the kernels take for 0, may add up to


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
            total = max(total, 64 * float((_rows(self.size.output) @ np.abs(self.readout).T).max()))
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


def _rows(array: np.ndarray) -> np.ndarray:
    return array.reshape(len(array), -1)


def _loss(rng: np.random.Generator, output: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return targets of a squared error, and its gradient with respect to the output: the errors.

    They are much larger than the outputs, so that the rounding of the output hardly blurs them.
    """
    largest = float(np.abs(output).max(initial=0.0)) or 1.0
    wanted = largest * rng.uniform(16.0, 32.0, output.shape) * rng.choice([-1.0, 1.0], output.shape)
    targets = (output - wanted).astype(np.float32)
    return _rows(targets), output - targets.astype(np.float64)


def _whole_loss(rng: np.random.Generator, output: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the weight of a dense layer of -1, 0 and 1, the targets behind it, and the gradient before it."""
    rows = _rows(output)
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
        Input(shape) if operation.indices else _source(start, i, shape) for i, shape in enumerate(case.shapes)
    )
    node: Node = layer(*sources)
    return node


def _source(start: Node, number: int, shape: Shape) -> Node:
    node = Linear(math.prod(shape), bias=False, name=f"source{number}")(start)
    return node if len(shape) == 1 else Reshape(shape)(node)


class Fast:
    """The engine's run of an experiment."""

    def __init__(self, experiment: Experiment, threads: int = 1) -> None:
        self.experiment = experiment
        self.network = network_of(experiment)
        self.session = TrainingSession(
            self.network,
            batch_size=experiment.setting.batch,
            loss="mean_squared_error",
            optimizer="gradient_descent",
            dtype=np.dtype(np.float32),
            threads=threads,
            lanes=experiment.setting.lanes,
            winograd=experiment.setting.winograd,
        )
        views = self.network.views(self.session.vectors.theta)
        for i, x in enumerate(experiment.values.inputs):
            if f"source{i}.weight" in views:
                views[f"source{i}.weight"][:] = _rows(x).T
        for name, parameter in experiment.values.parameters.items():
            views[f"probe.{name}"][:] = parameter
        if experiment.readout is not None:
            views["readout.weight"][:] = experiment.readout

    def samples(self) -> np.ndarray:
        """Return what the network reads: one-hot rows, or the numbers of entries."""
        experiment = self.experiment
        indices = experiment.operation.indices
        samples = experiment.values.inputs[0] if indices else np.eye(experiment.setting.batch)
        return LAYOUTS[experiment.setting.layout](samples.astype(np.float32))

    def run(self, count: int | None = None, threads: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the losses of (the first ``count``) samples, and the gradient of all parameters."""
        experiment, session = self.experiment, self.session
        n = experiment.setting.batch if count is None else count
        if threads:
            session.team = Team(session.bound, threads)
        states = [s.ravel() for s in experiment.values.context.states.values()]
        session.vectors.states[: sum(map(len, states))] = np.concatenate([np.zeros(0), *states])
        weight = READOUT / 2 if experiment.readout is not None else experiment.targets.shape[1] / 2
        losses, _ = session.step(
            self.samples(),
            np.arange(n),
            experiment.targets[:n],
            (0.0,),
            np.full(n, weight, np.float32),
            seed=experiment.setting.seed,
            number=7,
        )
        session.team.rest()
        return losses.copy(), session.vectors.gradient[: self.network.parameter_count].copy()

    def result(self, gradient: np.ndarray) -> Result:
        """Return the gradients of inputs and parameters in the shapes of the operation (no output)."""
        views = self.network.views(gradient)
        values = self.experiment.values
        inputs = tuple(
            views[f"source{i}.weight"].T.reshape(x.shape) if f"source{i}.weight" in views else np.zeros_like(x)
            for i, x in enumerate(values.inputs)
        )
        return Result(np.zeros(0), inputs, {name: views[f"probe.{name}"] for name in values.parameters})


def infer(
    experiment: Experiment, threads: int = 1, direct: bool = False, kind: Any = InferenceSession
) -> np.ndarray:
    """Return the outputs of the forward pass; ``direct`` puts the operation at the network's input."""
    case, setting = experiment.case, experiment.setting
    if direct or experiment.operation.indices:
        (shape,) = case.shapes
        network = Network(dataclasses.replace(case.layer, name="probe")(Input(shape)))
        samples = experiment.values.inputs[0].astype(np.float32)
    else:
        network = network_of(dataclasses.replace(experiment, readout=None))
        samples = np.eye(setting.batch, dtype=np.float32)
    session = kind(
        network,
        batch_size=setting.batch,
        dtype=np.dtype(np.float32),
        threads=threads,
        lanes=setting.lanes,
        winograd=setting.winograd,
    )
    views = network.views(session.vectors.theta)
    for i, x in enumerate(experiment.values.inputs):
        if f"source{i}.weight" in views:
            views[f"source{i}.weight"][:] = _rows(x).T
    for name, parameter in experiment.values.parameters.items():
        views[f"probe.{name}"][:] = parameter
    states = [s.ravel() for s in experiment.values.context.states.values()]
    session.vectors.states[: sum(map(len, states))] = np.concatenate([np.zeros(0), *states])
    session.pack()
    return np.asarray(session.run(LAYOUTS[setting.layout](samples), np.arange(setting.batch)))


def check_gradients(experiment: Experiment, fast: Result) -> None:
    """Compare all gradients with the truth; raise AssertionError where they differ too much."""
    roundings = experiment.operation.roundings(experiment.case, experiment.setting.batch)
    blur = _blur(experiment)
    for i, array in enumerate(fast.inputs):
        if not experiment.operation.indices:
            bound = (gamma(roundings.inputs) + blur) * experiment.size.inputs[i]
            check(array, experiment.truth.inputs[i], bound, experiment.exact, f"gradient of input {i}")
    for name, array in fast.parameters.items():
        bound = (gamma(roundings.parameters) + blur) * experiment.size.parameters[name]
        check(array, experiment.truth.parameters[name], bound, experiment.exact, f"gradient of {name}")


def _blur(experiment: Experiment) -> float:
    """Return the largest relative error of the gradient of the output: that of the output, and of the loss."""
    roundings = experiment.operation.roundings(experiment.case, experiment.setting.batch)
    size = experiment.size.output
    if experiment.readout is None:
        share = float((size / np.abs(experiment.grad)).max(initial=0.0))
        return gamma(roundings.output) * share + 6 * UNIT
    return 0.0 if experiment.exact else 1.0  # whole numbers that are too large for float32 prove nothing


def check_losses(experiment: Experiment, losses: np.ndarray) -> None:
    """Compare the loss of every sample, in which its whole output counts, with the truth."""
    roundings = experiment.operation.roundings(experiment.case, experiment.setting.batch)
    outputs, targets = _rows(experiment.truth.output), experiment.targets.astype(np.float64)
    if experiment.readout is not None:
        outputs = outputs @ experiment.readout.T
    errors = outputs - targets
    truth = (errors**2).mean(axis=1)
    if experiment.exact or experiment.readout is None:
        off = gamma(roundings.output) * _rows(experiment.size.output) if experiment.readout is None else 0.0
        bound = (2 * np.abs(errors) * off + off**2).mean(axis=1) + gamma(errors.shape[1] + 6) * truth
        check(losses, truth, bound, experiment.exact, "loss")


def check_output(experiment: Experiment, fast: np.ndarray) -> None:
    """Compare the output of the forward pass with the truth at evaluation."""
    case, values = experiment.case, experiment.values
    truth, size = experiment.truth.output, experiment.size.output
    if experiment.operation.trains:
        values = dataclasses.replace(values, context=dataclasses.replace(values.context, training=False))
        truth = forward(case, values)
        size = experiment.operation.magnitudes(case, values, np.zeros_like(experiment.grad)).output
    roundings = experiment.operation.roundings(case, experiment.setting.batch)
    check(fast, truth, gamma(roundings.output) * size, experiment.exact, "output")


def check_states(experiment: Experiment, fast: Fast) -> None:
    """Compare what the layer carries along after a step of training: running means and variances."""
    values = experiment.values
    if not values.context.states:
        return
    after = dataclasses.replace(values.context, states={k: s.copy() for k, s in values.context.states.items()})
    layer, (x,) = experiment.case.layer, values.inputs
    reference.operation(layer).forward(layer, values.parameters, x, context=after)
    axes, count = (0, *range(2, x.ndim)), x.size // x.shape[1]
    sizes = {"running_mean": np.abs(x).mean(axis=axes), "running_variance": 4 * (x**2).mean(axis=axes)}
    states = fast.session.vectors.states
    for slot in fast.network.states:
        name = slot.spec.name
        bound = gamma(3 * count + 20) * (sizes[name] * count / max(1, count - 1) + values.context.states[name])
        check(slot.view(states), after.states[name], bound, False, name)


def check(fast: np.ndarray, truth: np.ndarray, bound: np.ndarray, exactly: bool, what: str) -> None:
    """Raise AssertionError unless ``fast`` equals ``truth``, or is within ``bound`` where more cannot be asked."""
    if fast.shape != truth.shape:
        raise AssertionError(f"{what}: has shape {fast.shape}; must be {truth.shape}")
    if exactly:
        np.testing.assert_array_equal(fast, truth, err_msg=f"{what}, whole numbers")
        return
    errors = np.abs(fast - truth)
    good = errors <= bound * (1 + 1e-9) + TINY  # NaN is not good
    if not good.all():
        at = np.unravel_index(int(np.argmin(good)), good.shape)
        share = float(np.mean(~good))
        raise AssertionError(
            f"{what}: {fast[at]!r} at {tuple(map(int, at))} is {errors[at]:.3g} from {truth[at]!r}; "
            f"the bound is {bound[at]:.3g}; {share:.1%} of all are too far"
        )
