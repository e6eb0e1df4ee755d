"""How far a whole network may be from its reference: as far as it moves when every step is rounded to float32.

A worst case over all roundings of many layers would bound nothing. So the network is run in float64 some more
times, with noise on every value that a float32 computation rounds, as large as its rounding (Monte Carlo
arithmetic: Parker 1997; a sum of n terms is off by about sqrt(n) units: Higham and Mary 2019, "A new approach
to probabilistic rounding error analysis"). What these runs differ by is what float32 may differ by, whatever
the condition of the network. Near a kink (of a ReLU, of a maximum) a rounding decides which way a gradient
takes: samples for which that could happen are not used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from striate import layers, reference
from striate.layers.activation import Activation
from striate.layers.normalisation import Normalisation
from striate.layers.pooling import MaxPooling
from striate.layers.regularisation import Regulariser
from striate.network import Network, Step
from striate.reference.pooling import parts
from striate.testing.bounds import UNIT

RUNS = 4
ELEMENTWISE = (Activation, Regulariser, MaxPooling, layers.Multiply, layers.Scale, layers.Flatten, layers.Identity)
FACTOR = 12.0  # between the largest of a few normal deviations and a bound that none exceeds
KINKS = {
    layers.ReLU: (0.0,), layers.LeakyReLU: (0.0,), layers.PReLU: (0.0,), layers.HardTanh: (-1.0, 1.0),
    layers.HardSigmoid: (-3.0, 3.0), layers.HardSwish: (-3.0, 3.0), layers.Step: (0.0,), layers.SELU: (0.0,),
}  # fmt: skip


@dataclass(frozen=True)
class Gradients:
    """Losses and the gradient of the parameters of one run, and the values of every step."""

    losses: np.ndarray
    theta: np.ndarray
    values: dict[str, np.ndarray]


def run(
    network: Network,
    theta: np.ndarray,
    samples: np.ndarray,
    targets: np.ndarray,
    *,
    seed: int = 0,
    noise: np.random.Generator | None = None,
) -> Gradients:
    """Return squared error and gradient of a batch (weights 1/N), with noise as of float32 if asked for."""

    def rounded(step: Step, array: np.ndarray) -> np.ndarray:
        return noisy(array, terms(step), float(not isinstance(step.layer, ELEMENTWISE)), noise)

    found = reference.forward(network, theta, samples, training=True, seed=seed, step=1, change=rounded)
    losses, grad = reference.loss.mean_squared_error(_rows(found.output), _rows(targets))
    grad = grad.reshape(found.output.shape) / len(samples)
    grad_theta, _ = reference.backward(found, grad, change=rounded)
    for step in network.steps:
        for slot in step.parameters:
            gradient = slot.view(grad_theta)
            gradient[...] = noisy(gradient, max(16, len(samples) * math.prod(step.shape[1:])), 1.0, noise)
    return Gradients(losses, grad_theta, found.values)


def _rows(array: np.ndarray) -> np.ndarray:
    return array.reshape(len(array), -1)


def terms(step: Step) -> float:
    """About how many roundings enter one output."""
    sums = step.layer.multiply_adds(*step.input_shapes) / max(1, math.prod(step.shape))
    return max(16.0, sums, math.prod(step.input_shapes[0][1:]) if isinstance(step.layer, Normalisation) else 0)


def noisy(array: np.ndarray, count: float, share: float, noise: np.random.Generator | None) -> np.ndarray:
    """Add noise of ``sqrt(count)`` units of each number, and a share of the root mean square of them all.

    A sum is off by units of its terms, which are as large as other sums; a single number by units of itself.
    """
    if noise is None:
        return array
    scale = np.abs(array) + share * math.sqrt(float(np.mean(array**2)))
    return array + UNIT * math.sqrt(count) * scale * noise.normal(size=array.shape)


@dataclass(frozen=True)
class Expectation:
    """What the reference says about a batch, and how far float32 may be from it."""

    truth: Gradients
    losses: float
    theta: dict[str, float]
    safe: bool

    def check(self, network: Network, losses: np.ndarray, gradient: np.ndarray) -> None:
        """Raise AssertionError where losses or the gradient of a parameter are further off."""
        off = float(np.abs(losses - self.truth.losses).max())
        assert off <= self.losses, f"losses are off by {off:.3g}; the bound is {self.losses:.3g}"
        for slot in network.parameters:
            off = float(np.linalg.norm(slot.view(gradient) - slot.view(self.truth.theta)))
            assert off <= self.theta[slot.name], (
                f"the gradient of {slot.name} is off by {off:.3g}; the bound is {self.theta[slot.name]:.3g}, "
                f"its size {float(np.linalg.norm(slot.view(self.truth.theta))):.3g}"
            )


def expect(
    network: Network, theta: np.ndarray, samples: np.ndarray, targets: np.ndarray, seed: int = 0
) -> Expectation:
    """Run the reference with and without noise."""
    truth = run(network, theta, samples, targets, seed=seed)
    runs = [run(network, theta, samples, targets, seed=seed, noise=np.random.default_rng(i)) for i in range(RUNS)]
    bounds = {
        slot.name: FACTOR * max(float(np.linalg.norm(slot.view(n.theta) - slot.view(truth.theta))) for n in runs)
        for slot in network.parameters
    }
    losses = FACTOR * max(float(np.abs(n.losses - truth.losses).max()) for n in runs)
    moved = {name: sum(np.abs(n.values[name] - v) for n in runs) for name, v in truth.values.items()}
    return Expectation(truth, losses + 1e-30, bounds, not _near_kink(network, truth.values, moved))


def _near_kink(network: Network, values: dict[str, np.ndarray], moved: dict[str, np.ndarray]) -> bool:
    """Return whether a value is so near to where a gradient jumps that its rounding could decide."""
    for step in network.steps:
        if not step.inputs:
            continue
        x, reach = values[step.inputs[0]], 4 * moved[step.inputs[0]]
        kinks = (getattr(step.layer, "low", None), getattr(step.layer, "high", None))
        places = kinks if None not in kinks else KINKS.get(type(step.layer), ())
        if any(np.any((np.abs(x - place) <= reach) & (reach > 0)) for place in places):
            return True
        if isinstance(step.layer, MaxPooling) and _near_tie(step.layer, x, reach):
            return True
    return False


def _near_tie(layer: MaxPooling, x: np.ndarray, reach: np.ndarray) -> bool:
    """Return whether the two largest cells of a window are as near as that, and not the same for good."""
    cells, reaches = (np.stack(list(parts(layer, array, fill))) for array, fill in ((x, -np.inf), (reach, 0.0)))
    if len(cells) < 2:
        return False
    two = np.argsort(cells, axis=0)[-2:]
    (second, first), (low, high) = np.take_along_axis(cells, two, 0), np.take_along_axis(reaches, two, 0)
    with np.errstate(invalid="ignore"):
        return bool(np.any((first - second <= low + high) & (low + high > 0)))
