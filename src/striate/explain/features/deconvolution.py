"""A feature map projected back to the pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from striate.explain.positions import axis_names, resolve
from striate.explain.tracing import Trace
from striate.layers.activation import ReLU
from striate.layers.shape import InputLayer
from striate.network import Step
from striate.reference.executor import parameters_of
from striate.reference.registry import operation


def deconvolution(
    trace: Trace, layer: str, channel: int, position: Sequence[int] | None = None, *, guided: bool = False
) -> np.ndarray:
    """Return the pattern in the input that a feature map responds to, float64[*input_shape].

    The map (its largest value alone, or the one at ``position``) goes back through the network: a max
    pooling puts values where its maxima were, a ReLU passes what is above 0, a convolution is transposed.

    Parameters
    ----------
    trace : Trace
    layer : str
    channel : int
    position : sequence of int, optional
        One number for each axis of the map; where the map is largest by default.
    guided : bool
        A ReLU also stops what it stopped on the way forward (guided back-propagation).

    Raises
    ------
    UsageError
        If there is no such layer, channel or position.

    References
    ----------
    Zeiler and Fergus (2014), "Visualizing and understanding convolutional networks", section 2.1.
    Springenberg, Dosovitskiy, Brox and Riedmiller (2015), "Striving for simplicity: the all convolutional
    net", section 3.4 (guided).
    """
    values, shape = trace[layer], trace.network.step(layer).shape
    names = axis_names(shape)
    chosen = [0] * (len(shape) - 1) if position is None else list(position)
    index = resolve(layer, shape, dict(zip(names, [channel, *chosen], strict=False)))
    if position is None and len(shape) > 1:
        index = (index[0], *(int(i) for i in np.unravel_index(np.argmax(values[index[0]]), shape[1:])))
    start = np.zeros(shape)
    start[index] = values[index]
    return _back(trace, layer, start, guided)


def _back(trace: Trace, layer: str, start: np.ndarray, guided: bool) -> np.ndarray:
    run, network = trace.run, trace.network
    parameters = parameters_of(network, run.theta)
    signals = {layer: start[None]}
    for step in reversed(network.steps):
        if step.name not in signals or isinstance(step.layer, InputLayer):
            continue
        inputs = tuple(run.values[source] for source in step.inputs)
        back = _through(step, signals[step.name], inputs, guided)
        if back is None:
            found, _ = operation(step.layer).backward(
                step.layer,
                parameters[step.name],
                inputs,
                run.values[step.name],
                signals[step.name],
                run.contexts[step.name],
            )
        else:
            found = (back,)
        for source, signal in zip(step.inputs, found, strict=True):
            signals[source] = signals[source] + signal if source in signals else signal
    first = network.steps[0].name
    return np.asarray(signals.get(first, np.zeros((1, *network.input_shape)))[0])


def _through(step: Step, signal: np.ndarray, inputs: tuple[np.ndarray, ...], guided: bool) -> np.ndarray | None:
    """Return what a rectifier passes backward; None for other layers, which use the adjoint."""
    if not isinstance(step.layer, ReLU):
        return None
    passed = np.maximum(signal, 0.0)
    return np.where(inputs[0] > 0, passed, 0.0) if guided else passed
