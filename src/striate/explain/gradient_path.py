"""The gradient of one parameter of a real model: which values and error signals multiply to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from striate import reference
from striate.data.dataset import Dataset
from striate.drawing.notebook import Readable
from striate.errors import UsageError, unknown_name
from striate.explain.positions import place_text
from striate.explain.samples import class_number
from striate.explain.tracing import Trace
from striate.layers.base import format_shape
from striate.layers.dense import RadialBasis
from striate.losses import CLASSES, NUMBERS
from striate.losses.choice import assumed_loss
from striate.network import Slot, Step
from striate.numbers import format_number
from striate.reference.registry import operation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_TERMS = 12


@dataclass(frozen=True, eq=False, repr=False)
class GradientPath(Readable):
    """``gradient = sum of value * error signal`` over the outputs of the layer that the parameter enters.

    Parameters
    ----------
    parameter : str
        Such as ``conv1.weight``.
    index : tuple of int
        Which number of it.
    step : Step
        The layer it belongs to.
    loss : float
    rule : str
        The loss in words.
    values : float64[*shape of the layer's output]
        The derivative of each output with respect to the parameter: for a weight the input that it meets.
    errors : float64[*shape of the layer's output]
        The error signals: the derivative of the loss with respect to each output of the layer.
    gradient : float64
        What back-propagation gives.
    signals : dict of float64 arrays
        The error signal of every layer from the loss to this one, in the order in which it travels.
    """

    parameter: str
    index: tuple[int, ...]
    step: Step
    loss: float
    rule: str
    values: np.ndarray
    errors: np.ndarray
    gradient: float
    signals: dict[str, np.ndarray]

    @property
    def products(self) -> np.ndarray:
        """What each output of the layer adds to the gradient."""
        return np.asarray(self.values * self.errors)

    @property
    def sum(self) -> float:
        """The exactly rounded sum of the products."""
        return math.fsum(self.products.ravel().tolist())

    def __str__(self) -> str:
        where = f"{self.parameter}[{', '.join(map(str, self.index))}]"
        lines = [f"d loss / d {where} = {format_number(self.gradient)}", f"  loss: {self.rule} = {self.loss:.6g}"]
        lines.append("  the error signal on its way:")
        for name, signal in self.signals.items():
            lines.append(
                f"    {name} ({format_shape(signal.shape)}): norm {format_number(float(np.linalg.norm(signal)))}"
            )
        order = np.argsort(-np.abs(self.products).ravel(), kind="stable")
        order = order[self.products.ravel()[order] != 0]
        lines.append("  value * error signal at the outputs of the layer, largest first:")
        for place in order[:MOST_TERMS]:
            at = tuple(int(i) for i in np.unravel_index(place, self.values.shape))
            numbers = [format_number(float(array[at])) for array in (self.values, self.errors, self.products)]
            lines.append(
                f"    {place_text(self.step.name, self.step.shape, at)}: {numbers[0]} * {numbers[1]} = {numbers[2]}"
            )
        if len(order) > MOST_TERMS:
            rest = float(self.products.ravel()[order[MOST_TERMS:]].sum())
            lines.append(f"    {len(order) - MOST_TERMS} smaller terms add {format_number(rest)}")
        return "\n".join([*lines, f"  sum: {format_number(self.sum)}"])

    def _drawn(self) -> Axes:
        from striate.explain.draw_terms import draw_gradient_path

        return draw_gradient_path(self)


def gradient_path(trace: Trace, parameter: str, index: Sequence[int] | int, target: Any) -> GradientPath:
    """Return the products that make up the gradient of the loss with respect to one number of a parameter.

    Parameters
    ----------
    trace : Trace
    parameter : str
        Such as ``conv1.weight``.
    index : int or sequence of int
        Which number of it.
    target : int, str or array
        The true class, or the true numbers in the user's units. The loss is the one of the model's training.

    Raises
    ------
    UsageError
        If the parameter, its index or the class does not exist.

    References
    ----------
    Rumelhart, Hinton and Williams (1986), "Learning representations by back-propagating errors".
    """
    slot = _slot(trace, parameter)
    where = _index(slot, index)
    step = next(step for step in trace.network.steps if slot in step.parameters)
    loss, rule, start, grad = _loss(trace, target)
    grad_theta, gradients = reference.backward(trace.run, grad[None], at=start)
    names = [item.name for item in trace.network.steps]
    path = [name for name in reversed(names) if name in gradients and names.index(name) >= names.index(step.name)]
    return GradientPath(
        parameter,
        where,
        step,
        loss,
        rule,
        _sensitivity(trace, step, slot, where),
        gradients[step.name][0] if step.name in gradients else np.zeros(step.shape),
        float(slot.view(grad_theta)[where]),
        {name: gradients[name][0] for name in path},
    )


def _slot(trace: Trace, parameter: str) -> Slot:
    slots = {slot.name: slot for slot in trace.network.parameters}
    if parameter not in slots:
        raise unknown_name(f"{trace.network.name}: parameter", parameter, slots)
    return slots[parameter]


def _index(slot: Slot, index: Sequence[int] | int) -> tuple[int, ...]:
    given = tuple(index) if isinstance(index, Sequence) else (index,)
    whole = all(isinstance(i, int | np.integer) for i in given)
    if (
        len(given) != len(slot.spec.shape)
        or not whole
        or not all(0 <= i < n for i, n in zip(given, slot.spec.shape, strict=True))
    ):
        raise UsageError(
            f"{slot.name}: the index must lie in {format_shape(slot.spec.shape)}, counted from 0; "
            f"got {list(given)}."
        )
    return tuple(int(i) for i in given)


def _loss(trace: Trace, target: Any) -> tuple[float, str, str, np.ndarray]:
    """Return the loss, its name, the layer at which its gradient starts, and this gradient."""
    model, network = trace.model, trace.network
    if isinstance(target, int | np.integer | str) and (model.loss is None or model.kind != NUMBERS):
        number = _class(trace, target)
        targets, goal = np.array([number]), f" with class {model.classes[number] if model.classes else number}"
        loss = (model.loss or assumed_loss(network, CLASSES)).for_targets(targets)
    else:
        targets, goal = _numbers(trace, target), ""
        loss = model.loss_for(targets)
    loss.check(network, Dataset(np.zeros((1, *model.input_shape), np.float32), targets, name="target"))
    start = loss.reads(network, network.steps[-1].name)
    shape = trace[start].shape
    losses, gradient = loss.reference(trace[start][np.newaxis], loss.prepare(targets, shape))
    return float(losses[0]), f"{loss.title}{goal}", start, gradient[0].reshape(shape)


def _class(trace: Trace, target: Any) -> int:
    """Return the number of a class; one output tells two apart."""
    shares = trace.model.interpret(trace.output[np.newaxis]).values[0].ravel()
    return class_number(trace.model, target if isinstance(target, str) else int(target), shares)


def _numbers(trace: Trace, target: Any) -> np.ndarray:
    """Return true outputs as the model learns them, float64[1, T]."""
    try:
        values = np.asarray(target, np.float64).reshape(1, -1)
    except (TypeError, ValueError):
        values = np.zeros((1, 0))
    count = trace.model.interpret(trace.output[np.newaxis]).values.size
    if values.size != count:
        raise UsageError(
            f"target: must be a class or {count} numbers, one for each output; got {target!r}. Change the target."
        )
    units = trace.model.target_normalisation
    return values if units is None else units.apply(values, np.float64)


def _sensitivity(trace: Trace, step: Step, slot: Slot, index: tuple[int, ...]) -> np.ndarray:
    """Return the derivative of every output of ``step`` with respect to one number of a parameter.

    Layers are linear in their parameters, so it is the output with this number 1 and all others 0, less
    that with all 0. Radial basis functions are the exception: ``d (x - w)^2 / dw = -2 (x - w)``.
    """
    inputs = [trace.run.values[source] for source in step.inputs]
    if isinstance(step.layer, RadialBasis):
        found = np.zeros(step.shape)
        weight = slot.view(trace.run.theta)[index]
        found[index[0]] = -2.0 * (inputs[0][0, index[1]] - weight)
        return found
    parameters = {item.spec.name: np.zeros(item.spec.shape) for item in step.parameters}
    forward, context = operation(step.layer).forward, trace.run.contexts[step.name]
    nothing = forward(step.layer, parameters, *inputs, context=context)
    parameters[slot.spec.name][index] = 1.0
    return np.asarray((forward(step.layer, parameters, *inputs, context=context) - nothing)[0])
