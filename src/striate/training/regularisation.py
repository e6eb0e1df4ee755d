"""What keeps weights small, gradients bounded, and a network from learning its samples by heart."""

from __future__ import annotations

import math

import numpy as np

from striate.network import Network, Slot
from striate.training.settings.regularisation import Regularisation
from striate.training.stepper import Flat


class Regulariser:
    """Applies a `Regularisation` to the flat vectors of one network (an `Adjustment`)."""

    def __init__(self, what: Regularisation, network: Network, seed: int) -> None:
        self.what, self.seed = what, seed
        self.slots = weights_of(network)
        self.parts = [slice(slot.offset, slot.offset + slot.spec.size) for slot in self.slots]
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
            clip_norm(gradient, w.clip_norm)
        if w.weight_decay:
            for part in self.parts:
                theta[part] *= np.float32(1.0 - learning_rate * w.weight_decay)

    def after_update(self, flat: Flat) -> None:
        """Bound the length of every unit's weights."""
        if self.what.max_norm is not None:
            for slot in self.slots:
                bound_rows(slot.view(flat.theta), self.what.max_norm)


_STREAM = 0x6E6F697365


def weights_of(network: Network) -> list[Slot]:
    """Return the parameters that penalties apply to: those that an initialiser draws, not biases and scales."""
    return [slot for slot in network.parameters if slot.spec.initial == "weight"]


def clip_norm(gradient: np.ndarray, bound: float) -> float:
    """Scale ``gradient`` (float32[P]) down to the length ``bound`` if it is longer; return its former length."""
    length = math.sqrt(float(np.sum(np.square(gradient, dtype=np.float64))))
    if length > bound:
        gradient *= np.float32(bound / length)
    return length


def bound_rows(weight: np.ndarray, bound: float) -> None:
    """Scale the rows of ``weight`` (float32[K, ...]) down to the length ``bound`` where they are longer."""
    rows = weight.reshape(len(weight), -1)
    lengths = np.sqrt(np.sum(np.square(rows, dtype=np.float64), axis=1))
    long = lengths > bound
    rows[long] *= (bound / lengths[long]).astype(np.float32)[:, np.newaxis]
