"""Receptive fields: the part of the input that each value of a network can see."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from striate.layers.base import Shape, Window
from striate.layers.shape import Flatten, InputLayer
from striate.network import Network, Step

LONGEST_PERIOD = 2**20
"""Positions of the input that the windows of a period cover; of a longer one only the beginning is followed."""
NOTHING = (2**31, -(2**31))  # the first and last position of an empty set: any position extends it


@dataclass(frozen=True, eq=False)
class Period:
    """The fields far from every edge, which repeat: those of ``len(firsts)`` neighbouring values.

    Parameters
    ----------
    firsts, lasts : int64[P]
        The first and last input position that each of them sees, as if the input had no edges.
    advance : int
        Input positions from each value to the one P values further on.
    """

    firsts: np.ndarray
    lasts: np.ndarray
    advance: int

    def __call__(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the first and the last input position that each of ``positions`` sees."""
        turns, place = np.divmod(positions, len(self.firsts))
        first, last = self.firsts[place], self.lasts[place]
        moved, empty = turns * self.advance, first > last
        return np.where(empty, first, first + moved), np.where(empty, last, last + moved)


@dataclass(frozen=True, eq=False)
class AxisField:
    """The receptive field along one axis of the input.

    Parameters
    ----------
    firsts, lasts : int64[N]
        The first and last input position on which each value along this axis depends: one entry where all
        values see the same, one for every feature after Flatten. A value that sees only padding has a last
        position before its first.
    period : Period
        The fields far from the edges, which give size, jump and start.
    positions : int
        Values along this axis; 1 where all see the same.
    """

    firsts: np.ndarray
    lasts: np.ndarray
    period: Period
    positions: int

    @property
    def size(self) -> int:
        """The most input positions that one value can see, from the first to the last."""
        return max(0, int((self.period.lasts - self.period.firsts).max()) + 1)

    @property
    def jump(self) -> Fraction:
        """Input positions between the fields of neighbouring values; 0 where all see the same."""
        return Fraction(self.period.advance, len(self.period.firsts))

    @property
    def start(self) -> Fraction:
        """Where the field of value 0 begins, averaged over a period; negative in the padding."""
        seen = np.flatnonzero(self.period.firsts <= self.period.lasts)
        if not len(seen):
            return Fraction(0)
        double = self.period.firsts[seen] + self.period.lasts[seen]  # twice the centres
        centre = Fraction(int(double.sum()), 2 * len(seen)) - self.jump * Fraction(int(seen.sum()), len(seen))
        return centre - Fraction(self.size - 1, 2)

    def span(self, position: int) -> tuple[int, int]:
        """Return the first and last input position on which ``position`` depends; (0, -1) for none."""
        at = position if len(self.firsts) > 1 else 0
        first, last = int(self.firsts[at]), int(self.lasts[at])
        return (first, last) if first <= last else (0, -1)


ReceptiveField = tuple[AxisField, ...]
"""One field per axis of the input's space; a row of features counts as one axis."""


def receptive_fields(network: Network) -> dict[str, ReceptiveField]:
    """Return the receptive field of every step of ``network`` by name.

    A window of k taps with dilation d and stride s after a field (size, jump, start) gives
    ``size + d (k - 1) jump``, ``jump * s`` and ``start - padding * jump``. Where an input is spread out first
    (upsampling, transposed convolution), neighbouring values see different numbers of positions, so fields are
    followed for a whole period of them, and near the edges value by value. Where branches meet, a value sees
    what it sees through any of them.

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
    (0, 2)
    """
    fields: dict[str, ReceptiveField] = {}
    for step in network.steps:
        if isinstance(step.layer, InputLayer):
            fields[step.name] = tuple(_itself(n) for n in _space(step.shape))
        else:
            fields[step.name] = _after(step, [fields[source] for source in step.inputs])
    return fields


def seen_text(field: ReceptiveField, shape: Shape, times: str = " x ") -> str:
    """Return the size of a field as text, without what lies beyond the edges of an input of ``shape``.

    Empty if the input has a single position, as a row of a table has.
    """
    space = _space(shape)
    sizes = [min(axis.size, n) for axis, n in zip(field, space, strict=True)]
    return times.join(map(str, sizes)) if len(shape) > 1 and math.prod(space) > 1 else ""


def spans_of(field: ReceptiveField, index: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return the first and last input position along each axis that one value sees.

    Parameters
    ----------
    field : ReceptiveField
        Of the step that the value belongs to.
    index : (channel, *space) or (feature,)
        Where the value is in the output of the step.
    """
    place = index[1:] if len(index) > 1 else tuple(index) * len(field)
    place = place if len(place) == len(field) else (0,) * len(field)
    return tuple(axis.span(at) for axis, at in zip(field, place, strict=True))


def _space(shape: Shape) -> Shape:
    return shape[1:] if len(shape) > 1 else shape


def _itself(n: int) -> AxisField:
    here = np.zeros(1, np.int64)
    return AxisField(np.arange(n), np.arange(n), Period(here, here, 1), n)


def _join(fields: Sequence[ReceptiveField]) -> ReceptiveField:
    """Return the field that holds all of ``fields``, axis by axis."""
    return tuple(_union(axis) for axis in zip(*fields, strict=True)) if len(fields) > 1 else fields[0]


def _union(axes: Sequence[AxisField]) -> AxisField:
    if len({len(axis.firsts) for axis in axes} - {1}) > 1:  # rows of features, one behind the other
        return _everything(_union([_everything(axis) for axis in axes]))
    firsts, lasts = (
        np.min(np.broadcast_arrays(*(a.firsts for a in axes)), axis=0),
        np.max(np.broadcast_arrays(*(a.lasts for a in axes)), axis=0),
    )
    jump = max(axis.jump for axis in axes)
    steady = [axis for axis in axes if axis.jump == jump]
    count = math.lcm(*(len(axis.period.firsts) for axis in steady))
    begins, ends = zip(*(axis.period(np.arange(count)) for axis in steady), strict=True)
    low, high = np.min(begins, axis=0), np.max(ends, axis=0)
    missing = max(axis.size for axis in axes) - int((high - low).max()) - 1  # a branch that sees everything
    return AxisField(firsts, lasts, Period(low, high + max(0, missing), int(jump * count)), len(firsts))


def _after(step: Step, fields: Sequence[ReceptiveField]) -> ReceptiveField:
    layer, window, space = step.layer, step.layer.window(*step.input_shapes), _space(step.shape)
    field = fields[0] if window else _join(fields)  # the second input of MaxUnpool only tells where values go
    if isinstance(layer, Flatten):
        return _in_a_row(field, step.input_shapes[0])
    row = len(step.input_shapes[0]) == 1
    if layer.sees_all or (layer.mixes_channels and row) or (window and len(window.kernel) != len(field)):
        return tuple(_everything(axis) for axis in field)
    if window is None:
        known = {len(axis.firsts) for axis in field} if row else set()
        return field if known <= {1, *space} else tuple(_everything(axis) for axis in field)
    axes = enumerate(zip(field, step.input_shapes[0][1:], space, strict=True))
    return tuple(_through(axis, window, index, size, outputs) for index, (axis, size, outputs) in axes)


def _in_a_row(field: ReceptiveField, shape: Shape) -> ReceptiveField:
    """Return one entry for each feature of a value of ``shape`` that is flattened."""
    space = _space(shape)
    if len(shape) == 1 or len(space) != len(field):
        return field
    fields = []
    for axis, place in zip(field, np.indices(space).reshape(len(space), -1), strict=True):
        at = np.tile(place, shape[0]) if len(axis.firsts) > 1 else np.zeros(1, np.int64)
        fields.append(AxisField(axis.firsts[at], axis.lasts[at], axis.period, axis.positions))
    return tuple(fields)


def _everything(axis: AxisField) -> AxisField:
    first, last = axis.firsts.min(keepdims=True), axis.lasts.max(keepdims=True)
    begin, end = axis.period(np.arange(axis.positions)) if axis.jump else (axis.period.firsts, axis.period.lasts)
    return AxisField(first, last, Period(begin.min(keepdims=True), end.max(keepdims=True), 0), 1)


def _through(axis: AxisField, window: Window, index: int, size: int, outputs: int) -> AxisField:
    """Return the field after a window over ``size`` values that gives ``outputs``."""
    firsts, lasts = np.broadcast_to(axis.firsts, size), np.broadcast_to(axis.lasts, size)

    def inside(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        places, seen = BEYOND[window.beyond](places, size)
        return np.where(seen, firsts[places], NOTHING[0]), np.where(seen, lasts[places], NOTHING[1])

    zoom, stride = window.zoom[index] if window.zoom else 1, window.stride[index]
    count = zoom * len(axis.period.firsts) // math.gcd(stride, zoom * len(axis.period.firsts))
    count = max(1, min(count, LONGEST_PERIOD // stride))
    advance = axis.jump * Fraction(count * stride, zoom)
    period = Period(*_taps_of(window, index, count, axis.period), int(advance))
    return AxisField(*_taps_of(window, index, outputs, inside), period, outputs)


def _taps_of(
    window: Window, index: int, count: int, field: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the first ``count`` windows see, given what each of the values before them sees."""
    stride, kernel, dilation = window.stride[index], window.kernel[index], window.dilation[index]
    begins = np.arange(count) * stride
    spread = np.arange(begins[-1] + dilation * (kernel - 1) + 1) - window.padding[index][0]
    place, between = np.divmod(spread, window.zoom[index] if window.zoom else 1)
    begin, end = field(place)
    first = _over_taps(np.minimum, np.where(between == 0, begin, NOTHING[0]), kernel, dilation)
    last = _over_taps(np.maximum, np.where(between == 0, end, NOTHING[1]), kernel, dilation)
    return first[begins], last[begins]


def _over_taps(extreme: np.ufunc, values: np.ndarray, kernel: int, dilation: int) -> np.ndarray:
    """Return the extreme of ``kernel`` values from each place on, each ``dilation`` after the one before.

    The number of values doubles from step to step; two overlapping runs give the rest.
    """
    taps = 1
    while 2 * taps <= kernel:
        values = extreme(values[: len(values) - taps * dilation], values[taps * dilation :])
        taps *= 2
    rest = (kernel - taps) * dilation
    return np.asarray(extreme(values[: len(values) - rest], values[rest:]))


def _mirrored(places: np.ndarray, n: int) -> np.ndarray:
    turn = np.abs(places) % max(1, 2 * n - 2)
    return np.minimum(turn, max(1, 2 * n - 2) - turn) if n > 1 else np.zeros_like(places)


BEYOND: dict[str, Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]] = {
    "zeros": lambda p, n: (p.clip(0, n - 1), (p >= 0) & (p < n)),
    "replicate": lambda p, n: (p.clip(0, n - 1), np.full(p.shape, True)),
    "reflect": lambda p, n: (_mirrored(p, n), np.full(p.shape, True)),
    "circular": lambda p, n: (p % n, np.full(p.shape, True)),
}
"""By the mode of a padding: which of n positions stands at ``p``, and whether there is one."""
