"""Enlarge or reduce the space of every channel to any size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from striate.errors import ShapeError, UsageError
from striate.layers.arguments import axes, choice, flag, per_axis, real
from striate.layers.base import Layer, Shape, format_shape

COORDINATES = (
    "half_pixel",
    "half_pixel_symmetric",
    "pytorch_half_pixel",
    "align_corners",
    "asymmetric",
    "crop_and_resize",
)
ROUNDINGS = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")


@dataclass(frozen=True, repr=False)
class Resize(Layer):
    """Interpolate each channel at ``size`` positions: ``out[p] = sum over q of share[p, q] * x[q]``.

    Output position p lies at ``(p + 1/2) / scale - 1/2`` in the input (coordinates "half_pixel"), at
    ``p (n - 1) / (size - 1)`` ("align_corners"), at ``p / scale`` ("asymmetric") or at
    ``(first + p (last - first) / (size - 1)) (n - 1)`` ("crop_and_resize", where what lies beyond the input is 0).

    Parameters
    ----------
    size : sequence of int
        Of the output, one for each axis of space.
    mode : {"nearest", "linear", "cubic"}
    coordinates : str
        "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric" or
        "crop_and_resize".
    rounding : {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}
        How "nearest" finds a place.
    scale : sequence of float, optional
        Enlargement of each axis, where it is not ``size / n``.
    cubic : float
        Keys' coefficient of the mode "cubic".
    exclude_outside : bool
        Leave out what lies beyond the edge, rather than repeat the edge.
    antialias : bool
        Let the mode "linear" or "cubic" average all that one output covers when it reduces.
    region : sequence of (first, last), optional
        For "crop_and_resize": the part of each axis of space that is kept, as shares of its length.

    References
    ----------
    Keys (1981), "Cubic convolution interpolation for digital image processing".

    Examples
    --------
    >>> Resize((10, 15)).output_shape((3, 7, 7))
    (3, 10, 15)
    """

    kind: ClassVar[str] = "resize"
    sees_all: ClassVar[bool] = True
    linear: ClassVar[bool] = True
    symbols: ClassVar[str] = "{0.mode} interpolation of x"
    per_axis: ClassVar[frozenset[str]] = frozenset()

    size: Sequence[int]
    mode: str = "linear"
    coordinates: str = "half_pixel"
    rounding: str = "round_prefer_floor"
    scale: Sequence[float] | None = None
    cubic: float = -0.75
    exclude_outside: bool = False
    antialias: bool = False
    region: Sequence[Sequence[float]] | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        size = self.size if isinstance(self.size, Sequence) else (self.size,)
        put(self, "size", per_axis(size, len(size), "size"))
        put(self, "mode", choice(self.mode, "mode", ("nearest", "linear", "cubic")))
        put(self, "coordinates", choice(self.coordinates, "coordinates", COORDINATES))
        put(self, "rounding", choice(self.rounding, "rounding", ROUNDINGS))
        put(self, "cubic", real(self.cubic, "cubic"))
        put(self, "exclude_outside", flag(self.exclude_outside, "exclude_outside"))
        put(self, "antialias", flag(self.antialias, "antialias"))
        if self.scale is not None:
            if len(self.scale) != len(size):
                raise UsageError(f"scale: needs one number for each of {len(size)} axes; got {self.scale!r}.")
            put(self, "scale", tuple(real(value, "scale", above=0) for value in self.scale))

        if (self.region is None) == (self.coordinates == "crop_and_resize"):
            raise UsageError(
                f"region: belongs to the coordinates crop_and_resize; got {self.region!r} and {self.coordinates!r}."
            )
        if self.region is not None:
            if len(self.region) != len(size) or any(len(pair) != 2 for pair in self.region):
                raise UsageError(f"region: needs (first, last) for each of {len(size)} axes; got {self.region!r}.")
            put(self, "region", tuple((real(a, "region"), real(b, "region")) for a, b in self.region))

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (C, *size); raises ShapeError unless the input has as many axes of space."""
        if len(inputs[0]) != len(axes(self.size)) + 1:
            raise ShapeError(
                f"a size of {len(axes(self.size))} axes needs an input with as many axes of space; got "
                f"{format_shape(inputs[0])}. Name every axis of space."
            )
        return (inputs[0][0], *axes(self.size))

    def scales(self, shape: Shape) -> tuple[float, ...]:
        """Return the enlargement of each axis of space of the input ``shape``."""
        if self.scale is not None:
            return tuple(self.scale)
        return tuple(o / n for o, n in zip(axes(self.size), shape[1:], strict=True))
