"""Run any network in float64: slow, obvious, and the meaning of everything faster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from striate.layers.shape import InputLayer
from striate.network import Network, Step
from striate.reference.registry import Arrays, Context, operation

Change = Callable[[Step, np.ndarray], np.ndarray]
"""What replaces an array that a step computed, for instance by the same array with rounding errors."""


@dataclass(frozen=True)
class Run:
    """The values of every step of a network for one batch, float64[N, ...] by name of the step."""

    network: Network
    values: Arrays
    contexts: dict[str, Context]
    theta: np.ndarray

    @property
    def output(self) -> np.ndarray:
        """The value of the last step."""
        return self.values[self.network.steps[-1].name]


def parameters_of(network: Network, theta: np.ndarray) -> dict[str, Arrays]:
    """Return, for every step, its parameters by short name as float64 views into ``theta``."""
    theta = np.asarray(theta, np.float64)
    return {step.name: {slot.spec.name: slot.view(theta) for slot in step.parameters} for step in network.steps}


def forward(
    network: Network,
    theta: np.ndarray,
    x: np.ndarray,
    *,
    states: np.ndarray | None = None,
    training: bool = False,
    seed: int = 0,
    step: int = 0,
    samples: np.ndarray | None = None,
    change: Change | None = None,
) -> Run:
    """Compute every step of ``network`` for a batch.

    Parameters
    ----------
    theta : float[parameter_count]
    x : float[N, *input_shape]
    states : float64[state_count], optional
        Running statistics; in training they are updated in place. Those of a new network by default.
    training, seed, step, samples
        See ``Context``.
    change : callable, optional
        Replaces the value of every step.
    """
    states = network.initial_states() if states is None else states
    arrays = parameters_of(network, theta)
    values: Arrays = {}
    contexts: dict[str, Context] = {}
    for part in network.steps:
        carried = {slot.spec.name: slot.view(states) for slot in part.states}
        contexts[part.name] = context = Context(training, seed, step, part.name, carried, samples)
        if isinstance(part.layer, InputLayer):
            values[part.name] = np.asarray(x, np.float64)
            continue
        sources = [values[source] for source in part.inputs]
        value = operation(part.layer).forward(part.layer, arrays[part.name], *sources, context=context)
        values[part.name] = value if change is None else change(part, value)
    return Run(network, values, contexts, np.asarray(theta, np.float64))


def backward(
    run: Run,
    grad_output: np.ndarray,
    at: str | None = None,
    until: str | None = None,
    change: Change | None = None,
) -> tuple[np.ndarray, Arrays]:
    """Differentiate in reverse topological order (Linnainmaa 1970); where a value fans out, gradients add up.

    Parameters
    ----------
    run : Run
    grad_output : float64, the shape of the step's value
    at : str, optional
        The step whose gradient is given; the last one by default.
    until : str, optional
        The step to stop at, once its gradient is complete; the input by default.
    change : callable, optional
        Replaces the gradients with respect to the inputs of every step.

    Returns
    -------
    grad_theta : float64[parameter_count]
    grad_values : dict of float64 arrays
        The gradient with respect to the value of every step, the input included.
    """
    network = run.network
    arrays = parameters_of(network, run.theta)
    grad_theta = np.zeros(network.parameter_count)
    gradients: Arrays = {at or network.steps[-1].name: np.asarray(grad_output, np.float64)}
    for part in reversed(network.steps):
        if part.name == until:
            break
        if part.name not in gradients or isinstance(part.layer, InputLayer):
            continue
        grad_inputs, grad_parameters = operation(part.layer).backward(
            part.layer,
            arrays[part.name],
            tuple(run.values[source] for source in part.inputs),
            run.values[part.name],
            gradients[part.name],
            run.contexts[part.name],
        )
        if change is not None:
            grad_inputs = tuple(change(part, gradient) for gradient in grad_inputs)
        for source, gradient in zip(part.inputs, grad_inputs, strict=True):
            gradients[source] = gradients[source] + gradient if source in gradients else gradient
        for slot in part.parameters:
            slot.view(grad_theta)[...] += grad_parameters[slot.spec.name]
    return grad_theta, gradients
