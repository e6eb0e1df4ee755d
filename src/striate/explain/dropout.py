"""Which values dropout sets to 0, training step by training step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.drawing.axes import new_axes
from striate.drawing.mosaic import mosaic
from striate.drawing.notebook import Readable
from striate.errors import UsageError
from striate.explain.features.maps import map_pictures
from striate.explain.tracing import Trace
from striate.layers.arguments import integer
from striate.layers.regularisation import Dropout, SpatialDropout
from striate.reference.registry import Context
from striate.reference.regularisation import dropout_factors

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DROPPED = np.array([0.84, 0.37, 0.0])  # orange, which the colour-blind tell from every grey
MOST_MAPS, MOST_COLUMNS = 64, 3


@dataclass(frozen=True, eq=False, repr=False)
class DropoutMasks(Readable):
    """What a dropout layer does to the values of one sample.

    Parameters
    ----------
    layer : str
    rate : float
        The probability that a value is set to 0.
    values : float64[*shape]
        What arrives at the layer, which is also what leaves it when the model predicts.
    factors : float64[steps, *shape]
        What each value is multiplied by in each training step: 0, or ``1 / (1 - rate)``.
    """

    layer: str
    rate: float
    values: np.ndarray
    factors: np.ndarray

    def __str__(self) -> str:
        count = self.values.size
        lines = [f"{self.layer} drops each value with probability {self.rate:g} and multiplies the others by "]
        lines[0] += f"{1 / (1 - self.rate):.4g}"
        for step, factors in enumerate(self.factors, start=1):
            after = (self.values * factors).mean()
            lines.append(f"  step {step}: {int((factors == 0).sum()):,} of {count:,} dropped, mean {after:.4g}")
        return "\n".join([*lines, f"  prediction: all {count:,} kept, mean {self.values.mean():.4g}"])

    def _drawn(self) -> Axes:
        return draw_dropout(self)


def dropout_masks(trace: Trace, layer: str | None = None, *, steps: int = 5, seed: int = 0) -> DropoutMasks:
    """Return the masks that a dropout layer draws for the first sample of a batch in the first training steps.

    Parameters
    ----------
    trace : Trace
    layer : str, optional
        The first dropout layer by default.
    steps : int
        Training steps.
    seed : int
        Of the training; the masks are a function of seed, step, layer and sample.

    Raises
    ------
    UsageError
        If there is no such layer, or it is not a dropout layer.

    References
    ----------
    Srivastava et al. (2014), "Dropout: a simple way to prevent neural networks from overfitting".
    """
    known = [step.name for step in trace.network.steps if isinstance(step.layer, Dropout | SpatialDropout)]
    if layer is not None:
        trace.network.step(layer)
    if not known or layer not in (None, *known):
        has = f"Dropout layers: {', '.join(known)}." if known else "Train a network with dropout, such as alexnet."
        raise UsageError(f"{layer or trace.network.name}: has no dropout. {has}")
    step = trace.network.step(layer or known[0])
    values = trace[step.inputs[0]]
    assert isinstance(step.layer, Dropout | SpatialDropout)
    factors = [
        np.broadcast_to(
            dropout_factors(step.layer, values[None], Context(True, seed, number, step.name, {}))[0], values.shape
        )
        for number in range(integer(steps, "steps"))
    ]
    return DropoutMasks(step.name, step.layer.rate, values, np.stack(factors))


def draw_dropout(masks: DropoutMasks) -> Axes:
    """Draw the values of a sample as used in a prediction and after each mask, with dropped ones in orange."""
    shown = [np.ones_like(masks.values), *masks.factors]
    columns = min(len(shown), MOST_COLUMNS)
    rows = math.ceil(len(shown) / columns)
    figure: Any = new_axes(None, size=(1.75 * columns, 2.0 * rows + 0.3)).figure
    figure.clear()
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    limit = float(np.abs(masks.values).max()) or 1.0
    for number, (axes, factors) in enumerate(zip(panels, shown, strict=False)):
        axes.imshow(_picture(np.abs(masks.values) / limit, factors), interpolation="nearest")
        dropped = int((factors == 0).sum())
        title = f"step {number}\n{dropped:,} of {factors.size:,} dropped" if number else "prediction\nall kept"
        axes.set_title(title, fontsize=8)
    figure.suptitle(f"{masks.layer}, rate {masks.rate:g}; the brighter, the larger; orange is dropped", fontsize=9)
    first: Axes = panels[0]
    return first


def _picture(shares: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Return values as one picture with colours: features as a square, maps side by side."""
    colours = np.where((factors == 0)[..., None], DROPPED, shares[..., None] * np.ones(3))
    if shares.ndim == 1:
        side = math.ceil(math.sqrt(shares.size))
        room = np.ones((side * math.ceil(shares.size / side), 3))
        room[: shares.size] = colours
        return room.reshape(-1, side, 3)
    planes = [map_pictures(colours[..., part])[:MOST_MAPS] for part in range(3)]
    tiles = mosaic([np.dstack(plane) for plane in zip(*planes, strict=True)]).values[1:]
    return np.where(np.isnan(tiles), 1.0, tiles)
