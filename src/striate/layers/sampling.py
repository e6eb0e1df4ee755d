"""Sampling an image at the positions of a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from striate.errors import ShapeError, UsageError
from striate.layers.base import Layer, Shape, format_shapes

MODES = ("linear", "nearest", "cubic")
PADDINGS = ("zeros", "border", "reflection")


@dataclass(frozen=True, repr=False)
class GridSample2d(Layer):
    """``out[c, i, j] = x1[c]`` at the position ``x2[i, j]``, interpolated: an image warped by a computed grid.

    The second input holds (column, row) of every output: -1 is the left or upper edge of the image, 1 the right or
    lower one.

    Parameters
    ----------
    mode : {"linear", "nearest", "cubic"}
        How values between positions are interpolated.
    padding : {"zeros", "border", "reflection"}
        What is beyond the edge: zeros, the nearest value of the edge, or the image mirrored there.
    align_corners : bool
        Whether the edge is in the middle of the outermost pixels, not at their outer side.

    References
    ----------
    Jaderberg et al. (2015), "Spatial transformer networks", section 3.3.

    Examples
    --------
    >>> GridSample2d().output_shape((3, 32, 32), (24, 16, 2))
    (3, 24, 16)
    """

    kind: ClassVar[str] = "grid_sample"
    arity: ClassVar[int | None] = 2
    sees_all: ClassVar[bool] = True
    symbols: ClassVar[str] = "x1 interpolated at the position x2"

    mode: str = "linear"
    padding: str = "zeros"
    align_corners: bool = False

    def __post_init__(self) -> None:
        for name, known in (("mode", MODES), ("padding", PADDINGS)):
            value = getattr(self, name)
            if value not in known:
                raise UsageError(f"{name}: must be one of {', '.join(known)}; got {value!r}.")
        if not isinstance(self.align_corners, bool):
            raise UsageError(f"align_corners: must be true or false; got {self.align_corners!r}.")

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (C, rows, columns of the grid); raises ShapeError unless the inputs are an image and a grid."""
        image, grid = inputs
        if len(image) != 3 or len(grid) != 3 or grid[2] != 2:
            raise ShapeError(
                f"needs an image (C, rows, columns) and a grid (rows, columns, 2); got {format_shapes(inputs)}."
            )
        return (image[0], *grid[:2])

    def multiply_adds(self, *inputs: Shape) -> int:
        """Return the number of neighbours of each output value: 4, 16 for cubic, 1 for the nearest."""
        channels, rows, columns = self.output_shape(*inputs)
        return channels * rows * columns * {"nearest": 1, "linear": 4, "cubic": 16}[self.mode]
