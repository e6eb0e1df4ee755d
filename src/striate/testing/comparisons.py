"""Compare what the engine computed in an experiment with the reference, within bounds."""

from __future__ import annotations

import dataclasses

import numpy as np

from striate import reference
from striate.testing.bounds import UNIT, Result, forward, gamma
from striate.testing.experiments import Experiment, rows_of
from striate.testing.probe import Fast

TINY = 1e-30  # what denormal numbers, which the kernels take for 0, may add up to


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
    outputs, targets = rows_of(experiment.truth.output), experiment.targets.astype(np.float64)
    if experiment.readout is not None:
        outputs = outputs @ experiment.readout.T
    errors = outputs - targets
    truth = (errors**2).mean(axis=1)
    if experiment.exact or experiment.readout is None:
        off = gamma(roundings.output) * rows_of(experiment.size.output) if experiment.readout is None else 0.0
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
