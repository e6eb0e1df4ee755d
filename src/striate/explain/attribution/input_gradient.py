"""Sums of gradients of a score by the input, computed by the engine in float32."""

from __future__ import annotations

import math
from weakref import WeakKeyDictionary

import numpy as np

from striate.errors import UsageError
from striate.explain.decompositions import Cell
from striate.explain.decompositions.linear import constants, slopes
from striate.layers import ChannelScale, Flatten, Identity, Input, Linear, Reshape
from striate.layers.base import Layer, Node
from striate.layers.regularisation import Regulariser
from striate.model import Model
from striate.model.part import named
from striate.network import Network, Step

PIXELS, CHOSEN = "explained_input", "explained_output"
BATCH = 32
FAR_BELOW = -1e30  # a target whose absolute error has the derivative 1


class InputGradient:
    """The gradient of one output of a network by its input, summed over samples.

    The engine computes gradients of parameters. So the input goes through a layer that multiplies each of its
    values by 1 and adds 0: the gradient of what it adds is that of the input.

    Parameters
    ----------
    network : Network
    output : str
        The layer whose values are the scores.
    """

    def __init__(self, network: Network, output: str) -> None:
        from striate.engine.training_session import TrainingSession

        self.output = output
        self.network = probe(network, output)
        self.session = TrainingSession(
            self.network,
            batch_size=BATCH,
            loss="mean_absolute_error",
            optimizer="gradient_descent",
            dtype=np.dtype("float32"),
            frozen={step.name for step in self.network.steps if step.parameters and step.name != PIXELS},
        )

    def sum(self, model: Model, raw: np.ndarray, weights: np.ndarray, target: int) -> np.ndarray:
        """Return ``sum over n of weights[n] * d score[target] / d input`` at the normalised ``raw[n]``.

        Parameters
        ----------
        model : Model
            Whose parameters are used.
        raw : float[N, *input_shape]
        weights : float[N]
        target : int

        Returns
        -------
        float64[*input_shape]
        """
        self.session.vectors.theta[: self.network.parameter_count] = self._parameters(model, target)
        if model.normalisation is not None:
            self.session.normalise(np.asarray(model.normalisation.mean), np.asarray(model.normalisation.scale))
        found = np.zeros(math.prod(model.input_shape))
        place = self.network.step(PIXELS).parameters[1].offset
        for first in range(0, len(raw), BATCH):
            part = np.ascontiguousarray(raw[first : first + BATCH], np.float32)
            targets = np.full((len(part), 1), FAR_BELOW, np.float32)
            shares = np.asarray(weights[first : first + BATCH], np.float32)
            self.session.step(part, np.arange(len(part)), targets, (0.0,), shares, update=False)
            found += self.session.vectors.gradient[place : place + len(found)]
        return found.reshape(model.input_shape)

    def _parameters(self, model: Model, target: int) -> np.ndarray:
        theta = np.zeros(self.network.parameter_count, np.float32)
        for step in self.network.steps:
            if not step.parameters:
                continue
            values = _values(step, model, target)
            for slot in step.parameters:
                slot.view(theta)[...] = values[slot.spec.name].reshape(slot.spec.shape)
        return theta


def _values(step: Step, model: Model, target: int) -> dict[str, np.ndarray]:
    """Return the parameters of a layer of the probe, taken from the model."""
    if step.name == PIXELS:
        return {"weight": np.ones(1), "bias": np.zeros(1)} | {
            slot.spec.name: np.full(slot.spec.shape, float(slot.spec.name == "weight")) for slot in step.parameters
        }
    if step.name == CHOSEN:
        return {"weight": np.eye(step.input_shapes[0][0])[target]}
    own = model.network.step(step.name)
    if is_affine(own):
        return _affine(own, model)
    return {slot.spec.name: slot.view(model.theta) for slot in own.parameters}


def is_affine(step: Step) -> bool:
    """Return whether a layer scales and shifts channels by its states, as batch normalisation does."""
    return bool(step.states) and step.layer.linear and step.layer.pointwise


def _affine(step: Step, model: Model) -> dict[str, np.ndarray]:
    shape = (step.shape[0], *(1,) * (len(step.shape) - 1))
    parameters = {slot.spec.name: slot.view(model.theta).astype(np.float64) for slot in step.parameters}
    states = {slot.spec.name: slot.view(model.states).astype(np.float64) for slot in step.states}
    cell = Cell(step.layer, parameters, (np.zeros(shape),), (0,) * len(shape), states, np.zeros(shape))
    return {"weight": slopes(cell, np.ones((1, *shape)))[0].ravel(), "bias": constants(cell).ravel()}


def probe(network: Network, output: str) -> Network:
    """Return the network up to ``output`` as it is at evaluation, with the two layers that a gradient needs."""
    shape = network.input_shape
    flat = Reshape((math.prod(shape),))(Input(shape, name=network.steps[0].name))
    nodes: dict[str, Node] = {network.steps[0].name: Reshape(shape)(ChannelScale(name=PIXELS)(flat))}
    for step in network.steps[1:]:
        nodes[step.name] = _at_evaluation(step)(*(nodes[source] for source in step.inputs))
        if step.name == output:
            break
    return Network(Linear(1, bias=False, name=CHOSEN)(Flatten()(nodes[output])), network.name)


def _at_evaluation(step: Step) -> Layer:
    if is_affine(step):
        return ChannelScale(name=step.name)
    if isinstance(step.layer, Regulariser):
        return Identity(name=step.name)
    if step.states:
        raise UsageError(f"{step.name}: the engine cannot compute gradients through its states. Use the reference.")
    return named(step)


_KNOWN: WeakKeyDictionary[Network, InputGradient] = WeakKeyDictionary()


def input_gradient(network: Network, output: str) -> InputGradient:
    """Return the compiled gradient of a network; the one of before if there is one."""
    found = _KNOWN.get(network)
    if found is None or found.output != output:
        found = _KNOWN[network] = InputGradient(network, output)
    return found
