"""Regularisation: penalties, clipping and noise around the optimizer's step."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from striate.engine.memory import sums_of_squares
from striate.layers.base import Layer
from striate.layers.transposed import TransposedConvolution
from striate.network import Network, Slot
from striate.training.settings.regularisation import Regularisation
from striate.training.stepper import Flat, Squares


class Regulariser:
    """Applies a `Regularisation` to the flat vectors of one network (an `Adjustment`)."""

    def __init__(
        self, what: Regularisation, network: Network, seed: int, factors: Mapping[str, float] | None = None
    ) -> None:
        self.what, self.seed = what, seed
        frozen = {name for name, factor in (factors or {}).items() if factor == 0}
        self.slots = [slot for slot in weights_of(network) if slot.name not in frozen]
        self.parts = [slice(slot.offset, slot.offset + slot.spec.size) for slot in self.slots]
        self.layers = {slot.name: step.layer for step in network.steps for slot in step.parameters}
        self._clean: list[np.ndarray] = []

    def before_gradient(self, flat: Flat, step: int) -> None:
        """Add noise to the weights."""
        if self.what.weight_noise:
            theta = flat.theta
            self._clean = [theta[part].copy() for part in self.parts]
            random = np.random.Generator(np.random.Philox(key=[self.seed, _STREAM], counter=[0, 0, 0, step]))
            for part in self.parts:
                noise = random.standard_normal(part.stop - part.start, np.float32)
                theta[part] += noise * np.float32(self.what.weight_noise)

    def before_update(self, flat: Flat, learning_rate: float) -> None:
        """Take the noise away, add the penalties' gradients, clip, decay."""
        w, theta, gradient = self.what, flat.theta, flat.gradient
        for part, clean in zip(self.parts, self._clean, strict=bool(self._clean)):
            theta[part] = clean
        for part in self.parts:
            if w.l1:
                gradient[part] += np.sign(theta[part]) * np.float32(w.l1)
            if w.l2:
                gradient[part] += theta[part] * np.float32(w.l2)
        if w.clip_value is not None:
            np.clip(gradient, -w.clip_value, w.clip_value, out=gradient)
        if w.clip_norm is not None:
            clip_norm(gradient, w.clip_norm, flat.squares)
        if w.weight_decay:
            for part in self.parts:
                theta[part] *= np.float32(1.0 - learning_rate * w.weight_decay)

    def after_update(self, flat: Flat) -> None:
        """Limit the norm of every unit's weights."""
        if self.what.max_norm is not None:
            for slot in self.slots:
                for weights in units(self.layers[slot.name], slot.view(flat.theta)):
                    bound_units(weights, self.what.max_norm)


_STREAM = 0x6E6F697365


def weights_of(network: Network) -> list[Slot]:
    """Return the parameters that penalties apply to: those that an initialiser draws, not biases and scales."""
    return [slot for slot in network.parameters if slot.spec.initial == "weight"]


def clip_norm(gradient: np.ndarray, bound: float, squares: Squares = sums_of_squares) -> float:
    """Scale ``gradient`` (float32[P]) down to the length ``bound`` if it is longer; return its former length."""
    length = math.sqrt(math.fsum(squares(gradient)))
    if length > bound:
        gradient *= np.float32(bound / length)
    return length


def units(layer: Layer, weight: np.ndarray) -> list[np.ndarray]:
    """Return views of a layer's weight, float32[K, ...], in which every entry is all that comes into one unit.

    That is a filter of a convolution, with ``connections`` of any size, and a row of a fully connected layer. The
    weight of a transposed convolution, [C, M/groups, *kernel], has its units along the second axis.
    """
    if isinstance(layer, TransposedConvolution):
        grouped = weight.reshape(layer.groups, -1, *weight.shape[1:])
        return [part.swapaxes(0, 1) for part in grouped]
    connections = getattr(layer, "connections", None)
    if connections:
        ends = np.cumsum([len(row) for row in connections])
        return [part[np.newaxis] for part in np.split(weight, ends[:-1])]
    return [weight]


def bound_units(weights: np.ndarray, bound: float) -> None:
    """Scale the entries of ``weights`` (float32[K, ...]) down to the length ``bound`` where they are longer."""
    axes = tuple(range(1, weights.ndim))
    lengths = np.sqrt(np.sum(np.square(weights, dtype=np.float64), axis=axes, keepdims=True))
    if (lengths > bound).any():
        weights *= (bound / np.maximum(lengths, bound)).astype(np.float32)
