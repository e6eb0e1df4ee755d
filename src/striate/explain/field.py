"""The part of the input that one value sees: in theory from the windows, in effect from its gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from striate import reference
from striate.drawing.axes import new_axes, set_title, whole_ticks
from striate.drawing.mosaic import as_tile
from striate.drawing.notebook import Readable
from striate.explain.positions import place_text
from striate.explain.words import embedding_of
from striate.receptive_field import AxisField, receptive_fields, spans_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from striate.explain.tracing import Trace


@dataclass(frozen=True, eq=False, repr=False)
class Field(Readable):
    """The receptive field of one value.

    Parameters
    ----------
    place : str
        The value, in words.
    axes : tuple of AxisField
        Size, jump (the stride in input positions) and start (the offset) along each axis of the input.
    spans : tuple of (first, last)
        The input positions that the value can see along each axis.
    gradient : float64[*input_shape]
        The derivative of the value with respect to the network's input; with respect to the vectors of symbols,
        float64[D, length], if these are embedded.

    References
    ----------
    Luo, Li, Urtasun and Zemel (2016), "Understanding the effective receptive field in deep convolutional
    neural networks".
    """

    place: str
    axes: tuple[AxisField, ...]
    spans: tuple[tuple[int, int], ...]
    gradient: np.ndarray

    @property
    def weight(self) -> np.ndarray:
        """The share of each input position in the absolute gradient, float64[*space]; all 0 for a dead value."""
        amount = np.abs(self.gradient)
        amount = amount.sum(axis=0) if amount.ndim > 1 else amount
        total = amount.sum()
        return np.asarray(amount / total if total > 0 else amount)

    @property
    def support(self) -> tuple[tuple[int, int], ...] | None:
        """The first and last position along each axis where the gradient is not 0; None if it is 0 everywhere."""
        touched = np.nonzero(self.weight)
        return tuple((int(at.min()), int(at.max())) for at in touched) if len(touched[0]) else None

    def effective_size(self, share: float = 0.95) -> int:
        """Return how many input positions carry ``share`` of the absolute gradient."""
        ordered = np.sort(self.weight.ravel())[::-1].cumsum()
        return 0 if ordered[-1] == 0 else int(np.searchsorted(ordered, share * ordered[-1]) + 1)

    def __str__(self) -> str:
        size = " x ".join(str(axis.size) for axis in self.axes)
        jump = " x ".join(str(axis.jump) for axis in self.axes)
        spans = ", ".join(f"{first}..{last}" for first, last in self.spans)
        return (
            f"receptive field of {self.place}\n"
            f"  in theory: size {size}, stride {jump}, input positions {spans}\n"
            f"  in effect: {self._effect()}"
        )

    def _effect(self) -> str:
        support = self.support
        if support is None:
            return "nothing, because the gradient is 0 at every input position"
        seen = ", ".join(f"{first}..{last}" for first, last in support)
        of = f"{self.effective_size()} of {self.weight.size} positions"
        return f"input positions {seen}; {of} carry 95 % of the gradient"

    def _drawn(self) -> Axes:
        return draw_field(self)


def field_of(trace: Trace, layer: str, index: tuple[int, ...]) -> Field:
    """Return the receptive field of one value of ``trace``."""
    step = trace.network.step(layer)
    axes = receptive_fields(trace.network)[layer]
    place = place_text(layer, step.shape, index)
    grad = np.zeros((1, *step.shape))
    grad[(0, *index)] = 1.0
    _, gradients = reference.backward(trace.run, grad, at=layer)
    first = embedding_of(trace.network) or trace.network.steps[0]
    gradient = gradients.get(first.name, np.zeros((1, *first.shape)))[0]
    return Field(place, axes, spans_of(axes, index), gradient)


def draw_field(field: Field, sample: np.ndarray | None = None, axes: Axes | None = None) -> Axes:
    """Draw what a value sees: the gradient in red over the sample, inside a frame around the theoretical field.

    Parameters
    ----------
    field : Field
    sample : array [C, *space], optional
        Shown below; of a volume the middle slice.
    axes : Axes, optional
    """
    is_picture = field.weight.ndim > 1
    axes = new_axes(
        axes, *(("row", "column") if is_picture else ("", "position")), size=(5.2, 4.8 if is_picture else 2.2)
    )
    weight = np.atleast_2d(_middle(field.weight))
    rows, columns = weight.shape
    if sample is not None and is_picture:
        axes.imshow(_shown(np.asarray(sample, np.float64)), cmap="gray", interpolation="nearest")
    share = weight / (weight.max() or 1.0)
    colours = np.dstack([np.broadcast_to(np.array([0.9, 0.1, 0.1]), (rows, columns, 3)), share**0.5])
    axes.imshow(colours, interpolation="nearest", aspect="equal" if is_picture else "auto")
    _frame(axes, field.spans[-2:] if is_picture else ((0, 0), *field.spans))
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(rows - 0.5, -0.5)
    whole_ticks(axes)
    if not is_picture:
        axes.set_yticks([])
    set_title(axes, field.place)
    return axes


def _shown(sample: np.ndarray) -> np.ndarray:
    """Return a sample as [rows, columns], or [rows, columns, 3] from 0 to 1; of a volume the middle slice."""
    if sample.ndim == 4:
        sample = sample[:, sample.shape[1] // 2]
    return as_tile((sample - sample.min()) / (float(np.ptp(sample)) or 1.0))


def _frame(axes: Axes, spans: tuple[tuple[int, int], ...]) -> None:
    from matplotlib.patches import Rectangle

    (top, bottom), (left, right) = spans
    size = (right - left + 1, bottom - top + 1)
    axes.add_patch(Rectangle((left - 0.5, top - 0.5), *size, fill=False, edgecolor="#1f77b4", linewidth=2))


def _middle(values: np.ndarray) -> np.ndarray:
    """Return the middle slice of a volume, anything else as it is."""
    return values[len(values) // 2] if values.ndim == 3 else values
