"""Checks of a layer's meaning: its shapes, its gradients, and what it says of itself."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from striate.layers.unpooling import AtMaxima
from striate.reference import operation
from striate.testing.bounds import Values, exact, forward
from striate.testing.draws import Case
from striate.testing.numbers import values_for
from striate.testing.operations import Operation

STEP = 1e-5  # of finite differences


def check_shapes(entry: Operation, case: Case, batch: int, seed: int) -> None:
    """The reference gives the shapes that the description promises, in float64."""
    values = values_for(entry, case, batch, seed)
    output = forward(case, values)
    _same_shape("output", output, (batch, *case.output_shape))
    result = exact(case, values, np.ones_like(output), output)
    for number, (grad, x) in enumerate(zip(result.inputs, values.inputs, strict=True)):
        _same_shape(f"gradient of input {number}", grad, x.shape)
    if set(result.parameters) != set(values.parameters):
        raise AssertionError(
            f"gradients are of {sorted(result.parameters)}; must be of {sorted(values.parameters)}"
        )
    for name, parameter in values.parameters.items():
        _same_shape(f"gradient of {name}", result.parameters[name], parameter.shape)


def _same_shape(what: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.shape != shape or array.dtype != np.float64:
        raise AssertionError(f"{what}: is {array.dtype}{list(array.shape)}; must be float64{list(shape)}")


def check_slope(entry: Operation, case: Case, batch: int, seed: int) -> None:
    """The gradient along a random direction of all inputs and parameters is that of finite differences."""
    if entry.surrogate(case):
        return
    for training in (False, True):
        values = values_for(entry, case, max(2, batch), seed, training=training)
        _along_a_direction(entry, case, values, np.random.default_rng(seed))


def _along_a_direction(entry: Operation, case: Case, values: Values, rng: np.random.Generator) -> None:
    to_inputs = [rng.normal(size=x.shape) for x in values.inputs]
    for still in to_inputs if entry.indices else to_inputs[1:] if isinstance(case.layer, AtMaxima) else []:
        still[...] = 0.0  # numbers of entries, and the input that only tells where maxima are
    to_parameters = {key: rng.normal(size=value.shape) for key, value in values.parameters.items()}

    def at(h: float) -> np.ndarray:
        return forward(case, Values(
            tuple(x + h * d for x, d in zip(values.inputs, to_inputs, strict=True)),
            {key: value + h * to_parameters[key] for key, value in values.parameters.items()},
            values.context,
        ))  # fmt: skip

    output = forward(case, values)
    cotangent = rng.normal(size=output.shape)
    result = exact(case, values, cotangent, output)
    slope = sum(float((g * d).sum()) for g, d in zip(result.inputs, to_inputs, strict=True))
    slope += sum(float((result.parameters[key] * d).sum()) for key, d in to_parameters.items())
    differences = float((cotangent * (at(STEP) - at(-STEP))).sum()) / (2 * STEP)
    scale = float(np.abs(cotangent * output).sum()) + abs(slope) + 1.0
    if not abs(slope - differences) <= 1e-6 * abs(differences) + 1e-7 * scale:
        raise AssertionError(f"along a direction the gradient is {slope:.9g}, finite differences {differences:.9g}")


def check_facts(entry: Operation, case: Case, batch: int, seed: int) -> None:
    """What the layer says of itself is true: ``linear``, ``pointwise`` and ``channel_affine``."""
    values = values_for(entry, case, batch, seed, training=False)
    if case.layer.linear and not entry.indices:
        _linear(case, values, np.random.default_rng(seed))
    if case.layer.pointwise and len(values.inputs) == 1:
        _pointwise(case, values)
    if case.layer.channel_affine:
        _channel_affine(case, values)


def _linear(case: Case, values: Values, rng: np.random.Generator) -> None:
    """<A x, y> = <x, A' y> for the layer without its constants."""
    zeros = Values(tuple(np.zeros_like(x) for x in values.inputs), values.parameters, values.context)
    output, constants = forward(case, values), forward(case, zeros)
    cotangent = rng.normal(size=output.shape)
    back = operation(case.layer).backward(
        case.layer, values.parameters, values.inputs, output, cotangent, values.context
    )[0]
    left = float(((output - constants) * cotangent).sum())
    right = sum(float((g * x).sum()) for g, x in zip(back, values.inputs, strict=True))
    scale = float(np.abs((output - constants) * cotangent).sum()) + float(np.abs(constants * cotangent).sum()) + 1.0
    if not abs(left - right) <= 1e-11 * scale:
        raise AssertionError(f"linear: <A x, y> is {left!r}, <x, A' y> is {right!r}")


def _pointwise(case: Case, values: Values) -> None:
    """Changing one number of the input changes no other number of the output."""
    (x,) = values.inputs
    changed = x.copy()
    changed.flat[x.size // 2] += 0.5
    before, after = forward(case, values), forward(case, Values((changed,), values.parameters, values.context))
    others = np.arange(x.size) != x.size // 2
    if before.size != x.size:
        raise AssertionError(f"pointwise: the output has {before.size} values, the input {x.size}")
    assert_allclose(before.ravel()[others], after.ravel()[others], rtol=1e-12, err_msg="pointwise: others changed")


def _channel_affine(case: Case, values: Values) -> None:
    """The output follows from weight, bias and running statistics of each channel."""
    (x,) = values.inputs
    arrays = {**values.parameters, **values.context.states}
    each = {name: array.reshape(-1, *(1,) * (x.ndim - 2)) for name, array in arrays.items()}
    expected = x - each.get("running_mean", 0.0)
    if "running_variance" in each:
        expected = expected / np.sqrt(each["running_variance"] + getattr(case.layer, "epsilon", 0.0))
    expected = expected * each.get("weight", 1.0) + each.get("bias", 0.0)
    assert_allclose(forward(case, values), expected, rtol=1e-12, atol=1e-12, err_msg="channel_affine: other values")
