"""Convolution as a sparse matrix in which the same few parameters repeat."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.drawing.notebook import Readable
from striate.errors import ShapeError, UsageError
from striate.numbers import as_numbers
from striate.reference.sparse import SparseMatrix
from striate.worksheets.arithmetic.arguments import AXIS_NAMES, Padding, Size
from striate.worksheets.arithmetic.build import convolution
from striate.worksheets.arithmetic.layer import LayerArithmetic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LARGEST = 20_000_000  # entries that are not zero
LARGEST_DRAWN = 4_000_000  # cells


@dataclass(frozen=True, eq=False, repr=False)
class Toeplitz(Readable):
    """The matrix M of a convolution layer without biases: ``output.ravel() = M @ input.ravel()``.

    Written with rows, as ``input.ravel() @ M.T``, the kernel runs down every column of ``M.T``.

    Parameters
    ----------
    matrix : SparseMatrix, float64[outputs, inputs]
    parameter : SparseMatrix, int64[outputs, inputs]
        Which weight stands where: its place in ``weight.ravel()``, counted from 1.
    layer : LayerArithmetic
    """

    matrix: SparseMatrix
    parameter: SparseMatrix
    layer: LayerArithmetic

    @property
    def distinct(self) -> int:
        """Distinct parameters: the weights of the kernel that stand in the matrix at all."""
        return len(np.unique(self.parameter.values))

    @property
    def entries(self) -> int:
        """Entries of the matrix that a weight stands in."""
        return len(self.parameter.values)

    @property
    def full(self) -> int:
        """Entries of a full matrix: parameters of a fully connected layer."""
        return self.layer.fully_connected_weights

    def __str__(self) -> str:
        rows, columns = self.matrix.shape
        text = (
            f"matrix of {rows} x {columns}: {self.entries:,} of {self.full:,} entries are not zero by "
            f"construction ({100 * self.entries / self.full:.3g} %)\n"
            f"distinct parameters {self.distinct:,}, against {self.full:,} of a full matrix"
        )
        if rows * columns > 400:
            return text
        cells = [[f"{value:.6g}" for value in row] for row in self.matrix.toarray()]
        width = max(len(cell) for row in cells for cell in row)
        stored = self.parameter.toarray() > 0
        lines = [
            " ".join((cell if there else "·").rjust(width) for cell, there in zip(row, marks, strict=True))
            for row, marks in zip(cells, stored, strict=True)
        ]
        return "\n".join([text, *lines])

    def _drawn(self) -> Axes:
        return draw_toeplitz(self)


def toeplitz(
    kernel: Any,
    input: Size,
    *,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Toeplitz:
    """Return the sparse matrix of a convolution layer (cross-correlation) with zero padding.

    Parameters
    ----------
    kernel : array [*taps] or [out channels, in channels/groups, *taps]
        As many axes as the input, or two more.
    input : int or sequence of int
        Cells along every axis; a single number stands for one axis if the kernel has one.
    stride, padding, dilation, groups
        As in `striate.worksheets.arithmetic.convolution`.

    Raises
    ------
    ShapeError
        For axes that do not fit, or a kernel larger than the padded input.
    UsageError
        For a matrix with more than 20 million entries that are not zero.

    References
    ----------
    Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep learning", section 4.1.

    Examples
    --------
    >>> print(toeplitz([-1, 0, 1], 5))
    matrix of 3 x 5: 9 of 15 entries are not zero by construction (60 %)
    distinct parameters 3, against 15 of a full matrix
    -1  0  1  ·  ·
     · -1  0  1  ·
     ·  · -1  0  1
    """
    weight = as_numbers("toeplitz", "the kernel", kernel)
    dimensions = _dimensions(weight, input)
    if weight.ndim == dimensions:
        weight = weight[None, None]
    layer = convolution(
        input,
        weight.shape[2:],
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        in_channels=weight.shape[1] * groups,
        out_channels=weight.shape[0],
        bias=False,
        dimensions=dimensions,
    )
    count = prod(layer.output_shape) * layer.weights // layer.out_channels
    if count > LARGEST:
        raise UsageError(f"toeplitz: at most {LARGEST:,} entries are built; got {count:,}. Use a smaller input.")
    return _build(weight, layer)


def _dimensions(weight: np.ndarray, input: Size) -> int:
    axes = 0 if isinstance(input, int | np.integer) else len(input)
    dimensions = axes or (weight.ndim if weight.ndim < 3 else weight.ndim - 2)
    if dimensions not in AXIS_NAMES or weight.ndim not in (dimensions, dimensions + 2):
        raise ShapeError(
            f"toeplitz: the kernel has the axes of the input, or two more for its channels; got shape "
            f"{weight.shape} for an input of {axes or 1} axes. Give the input as one number per axis."
        )
    return dimensions


def _build(weight: np.ndarray, layer: LayerArithmetic) -> Toeplitz:
    rows, columns, index = _places(weight, layer)
    shape = (prod(layer.output_shape), prod(layer.input_shape))
    parameter = SparseMatrix.ordered(index + 1, rows, columns, shape)
    return Toeplitz(replace(parameter, values=weight.ravel()[parameter.values - 1]), parameter, layer)


def _places(weight: np.ndarray, layer: LayerArithmetic) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return row, column and index into ``weight.ravel()`` of every entry."""
    filters, per_group = weight.shape[:2]
    outputs, inputs, taps = layer.output_size, layer.input_size, layer.kernel_size
    at = np.indices(outputs).reshape(len(outputs), -1)  # [axes, positions]
    cell_numbers, inside_all, tap_numbers = [], [], []
    for number, tap in enumerate(np.ndindex(*taps)):
        inside = np.ones(at.shape[1], dtype=bool)
        cell = np.zeros(at.shape[1], dtype=np.int64)
        for i, axis in enumerate(layer.axes):
            place = at[i] * axis.stride + tap[i] * axis.dilation - axis.padding[0]
            inside &= (place >= 0) & (place < axis.input)
            cell = cell * axis.input + place
        cell_numbers.append(cell[inside])
        inside_all.append(np.flatnonzero(inside))
        tap_numbers.append(np.full(int(inside.sum()), number))
    cells, positions, numbers = map(np.concatenate, (cell_numbers, inside_all, tap_numbers))
    m, c = np.indices((filters, per_group)).reshape(2, -1, 1)
    first = m // (filters // layer.groups) * per_group  # first input channel of the filter's group
    rows = m * prod(outputs) + positions
    columns = (first + c) * prod(inputs) + cells
    index = (m * per_group + c) * prod(taps) + numbers
    return rows.ravel(), columns.ravel(), index.ravel()


def draw_toeplitz(result: Toeplitz, axes: Axes | None = None, transposed: bool = False) -> Axes:
    """Draw the matrix, one colour per parameter, white where nothing stands.

    Parameters
    ----------
    transposed : bool
        Draw ``M.T``, down whose columns the kernel runs.

    Raises
    ------
    UsageError
        For a matrix of more than 4 million cells.
    """
    from striate.drawing.axes import new_axes

    if result.full > LARGEST_DRAWN:
        raise UsageError(
            f"toeplitz: at most {LARGEST_DRAWN:,} cells are drawn; got {result.full:,}. Use a smaller input."
        )
    axes = new_axes(axes, *(("input", "output") if transposed else ("output", "input")))
    index = result.parameter.toarray()
    values = result.matrix.toarray()
    if transposed:
        index, values = index.T, values.T
    rows, columns = index.shape
    shown = np.ma.masked_equal(index, 0)
    axes.imshow(
        shown,
        cmap="turbo",
        interpolation="nearest",
        aspect="equal",
        vmin=0,
        vmax=max(index.max(), 2) + 1,
        alpha=0.75,
    )
    if rows * columns <= 600:
        axes.set_xticks(np.arange(-0.5, columns), minor=True)
        axes.set_yticks(np.arange(-0.5, rows), minor=True)
        axes.grid(which="minor", color="#d0d0d0", linewidth=0.6)
        axes.tick_params(which="minor", length=0)
        size = min(9.0, 160 / max(rows, columns))
        for row, column in zip(*np.nonzero(index), strict=True):
            axes.text(column, row, f"{values[row, column]:.3g}", ha="center", va="center", fontsize=size)
    from matplotlib.ticker import MaxNLocator

    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title(f"{result.distinct:,} distinct parameters, {result.full:,} in a full matrix", fontsize=10)
    return axes
