"""The picture that activates a unit most, found by gradient ascent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate import reference
from striate.explain.positions import axis_names, resolve
from striate.explain.samples import normalised, raw_scale
from striate.layers.arguments import integer, real
from striate.model import Model
from striate.model.part import part_of


@dataclass(frozen=True, eq=False)
class Maximised:
    """The picture found, and the unit's value after each step.

    Parameters
    ----------
    picture : float64[*input_shape]
        Raw values.
    values : float64[steps + 1]
        The unit's value (the mean over its map) before each step and at the end.
    """

    picture: np.ndarray
    values: np.ndarray


def maximise_activation(
    model: Model,
    layer: str,
    channel: int,
    *,
    steps: int = 60,
    rate: float = 0.2,
    decay: float = 0.01,
    blur: float = 0.5,
    limits: tuple[float, float] | None = None,
    seed: int = 0,
) -> Maximised:
    """Return a picture that activates a channel (or feature) of a layer strongly.

    Each step adds ``rate`` times the gradient, scaled to length 1 per value, and takes ``decay`` of the
    picture away; every fourth step blurs it. Without these the picture is noise that no eye can read.

    Parameters
    ----------
    model : Model
    layer : str
        For a class choose the layer before the softmax: the softmax can also grow by making other classes small.
    channel : int
    steps : int
    rate : float
        Length of a step, in units of the normalised input.
    decay : float
        Share of the input that a step takes away.
    blur : float
        Standard deviation in cells; 0 blurs nothing.
    limits : (low, high), optional
        Of raw values; 3 standard deviations around the mean by default.
    seed : int
        Of the noise that it begins with.

    Raises
    ------
    UsageError
        If there is no such layer or channel, or a number makes no sense.

    References
    ----------
    Erhan, Bengio, Courville and Vincent (2009), "Visualizing higher-layer features of a deep network".
    Yosinski et al. (2015), "Understanding neural networks through deep visualization", section 3.
    """
    steps, rate = integer(steps, "steps"), real(rate, "rate", above=0)
    blur, decay = real(blur, "blur", above=0, closed=True), real(decay, "decay", above=0, closed=True)
    part = part_of(model, layer)
    names = axis_names(part.network.output_shape)
    index = resolve(layer, part.network.output_shape, {n: channel if n == names[0] else 0 for n in names})[0]
    low, high = _limits(model, limits)
    x = 0.1 * np.random.default_rng(seed).normal(size=model.input_shape)
    values = []
    for number in range(steps + 1):
        value, gradient = _rise(part, x, index)
        values.append(value)
        if number == steps:
            break
        x = x * (1.0 - decay) + rate * gradient / max(float(np.sqrt((gradient**2).mean())), 1e-12)
        if blur and number % 4 == 3 and number < steps - 1:
            x = _blurred(x, blur)
        x = np.clip(x, low, high)
    mean = 0.0 if model.normalisation is None else np.reshape(model.normalisation.mean, raw_scale(model).shape)
    return Maximised(x * raw_scale(model) + mean, np.array(values))


def _limits(model: Model, limits: tuple[float, float] | None) -> tuple[np.ndarray | float, np.ndarray | float]:
    """Return the bounds of the normalised input."""
    if limits is None:
        return -3.0, 3.0
    ends = [normalised(model, np.full((1, *model.input_shape), float(end)))[0] for end in limits]
    return ends[0], ends[1]


def _rise(part: Model, x: np.ndarray, channel: int) -> tuple[float, np.ndarray]:
    """Return the mean over the channel and its gradient with respect to the normalised input."""
    run = reference.forward(part.network, part.theta, x[None], states=part.states.astype(np.float64))
    grad = np.zeros_like(run.output)
    grad[0, channel] = 1.0 / grad[0, channel].size
    _, gradients = reference.backward(run, grad)
    first = part.network.steps[0].name
    return float(run.output[0, channel].mean()), gradients[first][0]


def _blurred(x: np.ndarray, sigma: float) -> np.ndarray:
    """Return ``x`` [C, *space] (or [C]) blurred along every axis of space, mirrored at the borders."""
    from striate.worksheets.filters import gaussian_weights

    weights = gaussian_weights(sigma)
    reach = len(weights) // 2
    for axis in range(min(1, x.ndim - 1), x.ndim):
        margins = [(reach, reach) if i == axis else (0, 0) for i in range(x.ndim)]
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, margins, "symmetric"), len(weights), axis)
        x = windows @ weights
    return x
