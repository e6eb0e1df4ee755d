"""Tables of offsets for operations over windows, in any number of dimensions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from striate.engine.layout import Buffer, three
from striate.errors import CapacityError
from striate.layers.base import Window

MOST_PAIRS = 2**22  # of a tap and a position that the tables of one axis hold


@dataclass(frozen=True)
class Geometry:
    """A window on depth, rows and columns."""

    kernel: tuple[int, int, int]
    stride: tuple[int, int, int]
    dilation: tuple[int, int, int]
    padding: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]

    @classmethod
    def of(cls, window: Window) -> Geometry:
        """Return ``window`` with axes of length one put before."""
        return cls(
            three(window.kernel, 1),
            three(window.stride, 1),
            three(window.dilation, 1),
            three(window.padding, (0, 0)),
        )

    def tap_coordinates(self) -> np.ndarray:
        """Return the coordinates of all taps relative to the window's begin, int64[T, 3]."""
        axes = [np.arange(k) * d for k, d in zip(self.kernel, self.dilation, strict=True)]
        return np.stack([g.ravel() for g in np.meshgrid(*axes, indexing="ij")], axis=1)


def places(x: Buffer, out: Buffer, geometry: Geometry) -> np.ndarray:
    """Return (place of the window's begin in x, place in out) of every window of a channel, int64[P, 2]."""
    begins = [
        np.arange(o) * s - before
        for o, s, (before, _) in zip(out.shape[1:], geometry.stride, geometry.padding, strict=True)
    ]
    return np.stack([x.space(*begins).ravel(), out.positions()], axis=1)


def taps(x: Buffer, geometry: Geometry) -> np.ndarray:
    """Return the place of every tap relative to the window's begin, int64[T]."""
    return geometry.tap_coordinates() @ np.array(x.strides[1:], np.int64)


@dataclass(frozen=True)
class AxisClass:
    """Positions of one axis that meet the same pairs of (tap, position on the other side)."""

    positions: np.ndarray
    partners: np.ndarray
    pairs: tuple[tuple[int, int], ...]


def axis_classes(pairs_of: Sequence[Sequence[tuple[int, int]]]) -> list[AxisClass]:
    """Group the positions of an axis whose pairs (tap, partner) are alike but for a shift of the partner.

    ``partners`` holds the first partner of every position; ``pairs`` the (tap, partner - first).
    """
    groups: dict[tuple[tuple[int, int], ...], list[tuple[int, int]]] = {}
    for position, pairs in enumerate(pairs_of):
        first = pairs[0][1] if pairs else 0
        key = tuple((tap, partner - first) for tap, partner in pairs)
        groups.setdefault(key, []).append((position, first))
    return [
        AxisClass(np.array([p for p, _ in members]), np.array([f for _, f in members]), key)
        for key, members in groups.items()
    ]


def windows_over(size: int, outputs: int, k: int, s: int, d: int, before: int) -> list[AxisClass]:
    """Group the windows of an axis by the taps that lie inside the input: (tap, input position)."""
    groups: dict[tuple[int, int], list[int]] = {}
    for o in range(outputs):
        groups.setdefault(_taps_inside(o * s - before, size, k, d), []).append(o)
    _check_pairs(sum(end - first for first, end in groups), size, k)
    found = []
    for (first, end), members in groups.items():
        positions = np.array(members)
        partners = positions * s - before + first * d if end > first else np.zeros_like(positions)
        found.append(AxisClass(positions, partners, tuple((t, (t - first) * d) for t in range(first, end))))
    return found


def inputs_under(size: int, outputs: int, k: int, s: int, d: int, before: int) -> list[AxisClass]:
    """Group the input positions of an axis by the windows that cover them: (tap, window)."""
    pairs: list[list[tuple[int, int]]] = [[] for _ in range(size)]
    inside = [_taps_inside(o * s - before, size, k, d) for o in range(outputs)]
    _check_pairs(sum(end - first for first, end in inside), size, k)
    for o in reversed(range(outputs)):  # so that the taps of a position come in their order
        for t in range(*inside[o]):
            pairs[o * s + t * d - before].append((t, o))
    return axis_classes(pairs)


def _taps_inside(begin: int, size: int, k: int, d: int) -> tuple[int, int]:
    """Return the first tap of the window at ``begin`` that lies inside 0 to ``size - 1``, and the end of them."""
    first, end = max(0, -(begin // d)), min(k, -((begin - size) // d))
    return (first, end) if first < end else (0, 0)


def _check_pairs(count: int, size: int, k: int) -> None:
    if count > MOST_PAIRS:
        raise CapacityError(
            f"pooling: windows of {k} over {size} positions need tables of {count:,} entries, of at most "
            f"{MOST_PAIRS:,}. Use a larger stride or a smaller kernel."
        )


Grouping = Callable[[int, int, int, int, int, int], list[AxisClass]]
"""From the size of an axis, its outputs, kernel, stride, dilation and padding before to its classes."""


def classes(
    grouping: Grouping, size: Sequence[int], outputs: Sequence[int], geometry: Geometry
) -> Iterator[tuple[AxisClass, AxisClass, AxisClass]]:
    """Yield the products of the classes of the three axes."""
    per_axis = [
        grouping(n, o, k, s, d, before)
        for n, o, k, s, d, (before, _) in zip(
            size, outputs, geometry.kernel, geometry.stride, geometry.dilation, geometry.padding, strict=True
        )
    ]
    yield from itertools.product(*per_axis)


def class_tables(
    here: Buffer, there: Buffer, parts: tuple[AxisClass, AxisClass, AxisClass], geometry: Geometry
) -> tuple[np.ndarray, np.ndarray]:
    """Return the tables of one class.

    Returns
    -------
    places : int64[P, 2]
        Place of the first partner in ``there``, place of the position in ``here``.
    taps : int64[T, 2]
        Place of the partner relative to the first, number of the tap in the kernel.
    """
    partners = there.space(*(part.partners for part in parts)).ravel()
    positions = here.space(*(part.positions for part in parts)).ravel()
    strides, (_, kh, kw) = there.strides[1:], geometry.kernel
    table = [
        (a * strides[0] + b * strides[1] + c * strides[2], (i * kh + j) * kw + k)
        for (i, a), (j, b), (k, c) in itertools.product(*(part.pairs for part in parts))
    ]
    return np.stack([partners, positions], axis=1), np.array(table, np.int64).reshape(-1, 2)
