"""Padding and cropping: what is beyond the edge of an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from striate.errors import ShapeError, UsageError
from striate.layers.arguments import Pair, canonical_padding, choice, integer, real
from striate.layers.base import Layer, Shape, Window, format_shape

PADDING_MODES = ("zeros", "replicate", "reflect", "circular")


def check_reach(mode: str, padding: Sequence[Pair], shape: Shape) -> None:
    """Raise ShapeError if ``mode`` needs values of ``shape`` (C, *space) that are not there."""
    for n, pair in zip(shape[1:], padding, strict=True):
        most = {"reflect": n - 1, "circular": n}.get(mode, max(pair))
        if max(pair) > most:
            raise ShapeError(
                f"{mode} padding must be at most {most} on a side of {n}; got {format_shape(shape)} and a padding "
                f'of {max(pair)}. Use less, or the mode "replicate".'
            )


def pairs_for(value: int | tuple[Pair, ...], shape: Shape, what: str) -> tuple[Pair, ...]:
    """Return (before, after) for each axis of space of ``shape``; raises ShapeError when their numbers differ."""
    rank = len(shape) - 1
    if rank < 1:
        raise ShapeError(f"{what} needs an input with space; got {format_shape(shape)}. Reshape it first.")
    if isinstance(value, int):
        return ((value, value),) * rank
    if len(value) != rank:
        raise ShapeError(
            f"{what} for {len(value)} axes needs an input with as many axes of space; got {format_shape(shape)}. "
            "Give one number for all axes, or one item for each."
        )
    return value


def pairs_or_number(value: object, what: str) -> int | tuple[Pair, ...]:
    """Return one number for all axes as it is, anything else as (before, after) for each axis.

    Raises UsageError if it is neither.
    """
    if isinstance(value, str):
        raise UsageError(f"{what}: must be a number, or one item for each axis; got {value!r}.")
    if isinstance(value, Sequence):
        pairs = canonical_padding(value, len(value))
        return pairs if isinstance(pairs, tuple) else 0
    return integer(value, what, minimum=0)


@dataclass(frozen=True, repr=False)
class Pad(Layer):
    """Add a margin around the space of every channel: ``out[c, p] = x[c, p - before]``.

    Parameters
    ----------
    padding : int, or one item (int or (before, after)) per axis
    mode : {"zeros", "replicate", "reflect", "circular"}
    value : float
        What the mode "zeros" puts there.

    Examples
    --------
    >>> Pad(2).output_shape((1, 28, 28))
    (1, 32, 32)
    """

    kind: ClassVar[str] = "pad"
    per_axis: ClassVar[frozenset[str]] = frozenset()  # one number means any number of axes here
    linear: ClassVar[bool] = True
    symbols: ClassVar[str] = "x inside, the padding outside"

    padding: int | Sequence[int | Sequence[int]]
    mode: str = "zeros"
    value: float = 0.0

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "padding", pairs_or_number(self.padding, "padding"))
        put(self, "mode", choice(self.mode, "mode", PADDING_MODES))
        put(self, "value", real(self.value, "value"))

    def pairs(self, shape: Shape) -> tuple[Pair, ...]:
        """Return (before, after) for each axis of space of the input ``shape``."""
        return pairs_for(self.padding, shape, "padding")  # type: ignore[arg-type]

    def window(self, *inputs: Shape) -> Window:
        """Return one tap, shifted by the margin."""
        pairs = self.pairs(inputs[0])
        ones = (1,) * len(pairs)
        return Window(ones, ones, ones, pairs, beyond=self.mode)

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (C, *space + margins)."""
        pairs = self.pairs(inputs[0])
        check_reach(self.mode, pairs, inputs[0])
        return (inputs[0][0], *(n + sum(pair) for n, pair in zip(inputs[0][1:], pairs, strict=True)))


@dataclass(frozen=True, repr=False)
class Crop(Layer):
    """Cut a margin off the space of every channel: ``out[c, p] = x[c, p + before]``.

    Parameters
    ----------
    cropping : int, or one item (int or (before, after)) per axis

    Examples
    --------
    >>> Crop(((0, 1), 2)).output_shape((3, 10, 10))
    (3, 9, 6)
    """

    kind: ClassVar[str] = "crop"
    linear: ClassVar[bool] = True
    symbols: ClassVar[str] = "x"

    cropping: int | Sequence[int | Sequence[int]]

    def __post_init__(self) -> None:
        object.__setattr__(self, "cropping", pairs_or_number(self.cropping, "cropping"))

    def pairs(self, shape: Shape) -> tuple[Pair, ...]:
        """Return (before, after) for each axis of space of the input ``shape``."""
        return pairs_for(self.cropping, shape, "cropping")  # type: ignore[arg-type]

    def window(self, *inputs: Shape) -> Window:
        """Return one tap, shifted by what is cut off."""
        pairs = tuple((-before, -after) for before, after in self.pairs(inputs[0]))
        ones = (1,) * len(pairs)
        return Window(ones, ones, ones, pairs)

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (C, *space - margins); raises ShapeError if nothing is left."""
        pairs = self.pairs(inputs[0])
        space = tuple(n - sum(pair) for n, pair in zip(inputs[0][1:], pairs, strict=True))
        if min(space) < 1:
            raise ShapeError(
                f"cropping must leave something; got {format_shape(inputs[0])} and margins {pairs}. Crop less."
            )
        return (inputs[0][0], *space)
