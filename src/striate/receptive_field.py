"""Which part of the input every value of a network can see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from striate.layers.base import Shape, Window
from striate.layers.shape import InputLayer
from striate.network import Network, Step


@dataclass(frozen=True)
class AxisField:
    """The receptive field along one axis of the input.

    Parameters
    ----------
    size : int
        Input positions that one value can see.
    jump : Fraction
        Input positions between the fields of neighbouring values; 0 where all see the same.
    start : Fraction
        The first input position that value 0 sees; negative where it lies in the padding.
    positions : int
        Values along this axis.
    """

    size: int
    jump: Fraction
    start: Fraction
    positions: int

    def span(self, position: int) -> tuple[int, int]:
        """Return the first and last input position that ``position`` sees, not cut at the edges."""
        first = int(self.start + position * self.jump)
        return first, first + self.size - 1


ReceptiveField = tuple[AxisField, ...]
"""One field per axis of the input's space; a row of features counts as one axis."""


def receptive_fields(network: Network) -> dict[str, ReceptiveField]:
    """Return the receptive field of every step of ``network`` by name.

    A window of k taps with dilation d and stride s after a field (size, jump, start) gives
    ``size + d (k - 1) jump``, ``jump * s`` and ``start - padding * jump``. Where branches meet, the
    largest field counts.

    References
    ----------
    Araujo, Norris and Sim (2019), "Computing receptive fields of convolutional neural networks".

    Examples
    --------
    >>> from striate.models import lenet5
    >>> fields = receptive_fields(lenet5())
    >>> [fields[name][0].size for name in ("conv1", "pool1", "conv2", "pool2", "linear1")]
    [5, 6, 14, 16, 32]
    >>> fields["conv1"][0].span(0)
    (-2, 2)
    """
    fields: dict[str, ReceptiveField] = {}
    for step in network.steps:
        if isinstance(step.layer, InputLayer):
            fields[step.name] = tuple(AxisField(1, Fraction(1), Fraction(0), n) for n in _space(step.shape))
        else:
            fields[step.name] = _after(step, _join([fields[source] for source in step.inputs]))
    return fields


def _space(shape: Shape) -> Shape:
    return shape[1:] if len(shape) > 1 else shape


def _join(fields: Sequence[ReceptiveField]) -> ReceptiveField:
    """Return the field that holds all of ``fields``, axis by axis."""
    return tuple(
        AxisField(
            max(field.size for field in axis),
            max(field.jump for field in axis),
            min(field.start for field in axis),
            max(field.positions for field in axis),
        )
        for axis in zip(*fields, strict=True)
    )


def _after(step: Step, field: ReceptiveField) -> ReceptiveField:
    window = step.layer.window(*step.input_shapes)
    if step.layer.sees_all or (window is not None and len(window.kernel) != len(field)):
        return tuple(_everything(axis) for axis in field)
    if window is None:
        return field
    return tuple(_through(axis, window, index, step.shape[index + 1]) for index, axis in enumerate(field))


def _everything(axis: AxisField) -> AxisField:
    size = int(axis.size + (axis.positions - 1) * axis.jump)
    return AxisField(size, Fraction(0), axis.start, 1)


def _through(axis: AxisField, window: Window, index: int, positions: int) -> AxisField:
    zoom = window.zoom[index] if window.zoom else 1
    steps = window.dilation[index] * (window.kernel[index] - 1) // zoom
    fine = axis.jump / zoom
    return AxisField(
        int(axis.size + steps * axis.jump),
        fine * window.stride[index],
        axis.start - window.padding[index][0] * fine,
        positions,
    )
