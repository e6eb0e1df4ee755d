"""What keeps weights small, gradients bounded, and a network from learning its samples by heart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from striate.layers.arguments import real
from striate.network import Network, Slot
from striate.training.stepper import Flat


@dataclass(frozen=True)
class Regularisation:
    """Penalties and bounds on top of an optimizer; those on weights leave biases and scales alone.

    Parameters
    ----------
    l1, l2 : float
        Add ``l1 * sum |w| + l2/2 * sum w^2`` to the loss; both together are the elastic net. The losses
        that are reported leave them out.
    weight_decay : float
        Before every update ``w <- w (1 - alpha * weight_decay)``, whatever the optimizer.
    max_norm : float, optional
        After every update each unit's incoming weights are scaled down to this length if they are longer.
    clip_value : float, optional
        Every element of the gradient is brought between -clip_value and clip_value.
    clip_norm : float, optional
        A gradient longer than this is scaled down to this length, over all parameters together.
    weight_noise : float
        Standard deviation of normal noise that is added to the weights while the gradient is computed.
    label_smoothing : float
        The target becomes ``(1 - s) onehot + s / K``; from 0 to below 1.

    References
    ----------
    Goodfellow, Bengio and Courville (2016), "Deep Learning", sections 7.1 and 7.5; Zou and Hastie (2005),
    "Regularization and variable selection via the elastic net"; Loshchilov and Hutter (2019), "Decoupled
    weight decay regularization"; Srivastava et al. (2014), "Dropout", section 5.1 (max-norm); Pascanu,
    Mikolov and Bengio (2013), "On the difficulty of training recurrent neural networks", section 3.2
    (clipping); Szegedy et al. (2016), "Rethinking the Inception architecture", section 7 (label smoothing).
    """

    l1: float = 0.0
    l2: float = 0.0
    weight_decay: float = 0.0
    max_norm: float | None = None
    clip_value: float | None = None
    clip_norm: float | None = None
    weight_noise: float = 0.0
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        for key in ("l1", "l2", "weight_decay", "weight_noise"):
            object.__setattr__(self, key, real(getattr(self, key), key, above=0, closed=True))
        for key in ("max_norm", "clip_value", "clip_norm"):
            if getattr(self, key) is not None:
                object.__setattr__(self, key, real(getattr(self, key), key, above=0))
        smoothing = real(self.label_smoothing, "label_smoothing", above=0, below=1, closed=True)
        object.__setattr__(self, "label_smoothing", smoothing)

    def adjusts(self) -> bool:
        """Return whether anything happens around the update."""
        sums = self.l1 + self.l2 + self.weight_decay + self.weight_noise
        return sums > 0 or any(bound is not None for bound in (self.max_norm, self.clip_value, self.clip_norm))


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
