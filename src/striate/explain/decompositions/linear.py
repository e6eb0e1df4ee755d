"""Values of linear layers taken apart, with the weights that the layer's reference gives."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from striate.explain.decompositions.grid import joint_places, window_positions
from striate.explain.decompositions.terms import Cell, Decomposition, Terms, decomposes, terms_at
from striate.layers.base import Layer, Shape, Window
from striate.layers.sampling import GridSample2d
from striate.reference.registry import Context, operation

Arrays = Mapping[str, np.ndarray]
AT_ONCE = 32
"""Output channels whose kernels are read with one pass."""


def slopes(cell: Cell, grad: np.ndarray) -> list[np.ndarray]:
    """Return the gradient by each input, float64[N, *input], that ``grad``, float64[N, *output], leads to."""
    inputs = tuple(np.broadcast_to(x, (len(grad), *x.shape)) for x in cell.inputs)
    output = np.broadcast_to(cell.output, (len(grad), *cell.output.shape))
    backward = operation(cell.layer).backward
    return list(backward(cell.layer, dict(cell.parameters), inputs, output, grad, _context(cell))[0])


def constants(cell: Cell) -> np.ndarray:
    """Return what the layer makes of zeros, float64[*output]: its biases and other constants."""
    zeros = [np.zeros((1, *x.shape)) for x in cell.inputs]
    forward = operation(cell.layer).forward
    return np.asarray(forward(cell.layer, dict(cell.parameters), *zeros, context=_context(cell))[0])


def _context(cell: Cell) -> Context:
    return Context(states={name: state.copy() for name, state in cell.states.items()})


def linear(cell: Cell) -> Decomposition:
    """``sum of weight * x + constant``; the row of the layer's matrix that belongs to the value."""
    unpadded = cell.layer.unpadded()
    if unpadded is not None:
        return _alike(cell, unpadded)
    rows = slopes(cell, _chosen(cell.output.shape, cell.index))
    window = _window(cell, rows[0][0])
    if window is None:
        terms = _nonzero(cell, [row[0] for row in rows])
    else:
        factors = np.where(window >= 0, rows[0][0].ravel()[window], 0.0)
        terms = terms_at(cell, window, factors)
    shown = None if window is None else terms.values.reshape(window.shape)
    return _sum(cell, terms, float(constants(cell)[cell.index]), window=shown)


@decomposes(GridSample2d)
def grid_sample(cell: Cell) -> Decomposition:
    """A weighted sum of the image, whose weights follow from the grid."""
    weights = slopes(cell, _chosen(cell.output.shape, cell.index))[0].ravel()
    (places,) = np.nonzero(weights)
    return _sum(cell, terms_at(cell, places, weights[places]), 0.0)


def _sum(cell: Cell, terms: Terms, constant: float, **more: Any) -> Decomposition:
    named = {"bias" if "bias" in cell.parameters else "constant": constant}
    factor_name = "weight" if "weight" in cell.parameters else "factor"
    shown = named if constant or "bias" in cell.parameters else {}
    return Decomposition(terms, cell.layer.formula, shown, factor_name=factor_name, **more)


def _chosen(shape: Shape, index: tuple[int, ...]) -> np.ndarray:
    grad = np.zeros((1, *shape))
    grad[(0, *index)] = 1.0
    return grad


def _nonzero(cell: Cell, rows: Sequence[np.ndarray]) -> Terms:
    found = [np.flatnonzero(row) for row in rows]
    values = np.concatenate([x.ravel()[at] for x, at in zip(cell.inputs, found, strict=True)])
    factors = np.concatenate([row.ravel()[at] for row, at in zip(rows, found, strict=True)])
    numbers = np.repeat(np.arange(len(found)), [len(at) for at in found])
    return Terms(numbers, np.concatenate(found), values, factors, values * factors)


def _window(cell: Cell, row: np.ndarray) -> np.ndarray | None:
    """Return the places of the layer's window in the channels that count, int64[C', *kernel], if it has one."""
    window = cell.layer.window(*(x.shape for x in cell.inputs))
    if window is None or window.zoom is not None or math.prod(window.kernel) == 1 or len(cell.inputs) > 1:
        return None
    channels = np.flatnonzero(row.reshape(len(row), -1).any(axis=1))
    positions = window_positions(window, cell.x.shape[1:], cell.index[1:], window.beyond)
    places = joint_places(positions, cell.x.shape[1:], channels)
    covered = np.isin(np.flatnonzero(row), places).all()
    return places if covered and len(np.unique(places[places >= 0])) == (places >= 0).sum() else None


def _alike(cell: Cell, unpadded: Layer) -> Decomposition:
    """Take a window apart whose weights are the same at every position: padding and all."""
    window, m = cell.layer.window(cell.x.shape), cell.index[0]
    assert window is not None
    parts = kernels(unpadded, cell.parameters, len(cell.x), window, [m])
    channels, kernel, constant = parts[0]
    positions = window_positions(window, cell.x.shape[1:], cell.index[1:], window.beyond)
    terms = terms_at(cell, joint_places(positions, cell.x.shape[1:], channels), kernel)
    return _sum(cell, terms, constant, window=terms.values.reshape(kernel.shape), kernel=kernel)


def kernels(
    layer: Layer, parameters: Arrays, channels: int, window: Window, outputs: Sequence[int]
) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Return the input channels (int64[C']), kernel (float64[C', *kernel]) and bias of each output channel.

    They are read from the gradient of one window; ones in place of the parameters tell which channels count.

    Parameters
    ----------
    layer : Layer
        Without padding.
    parameters : dict of float64 arrays
    channels : int
        Of the input.
    window : Window
        Of the layer.
    outputs : sequence of int
        Channels of the output.
    """
    span = tuple((k - 1) * d + 1 for k, d in zip(window.kernel, window.dilation, strict=True))
    taps = tuple(slice(None, None, d) for d in window.dilation)
    x = np.zeros((channels, *span))
    shape = layer.output_shape(x.shape)
    output = np.zeros(shape)
    cell = Cell(layer, parameters, (x,), (0,) * len(shape), {}, output)
    ones = Cell(
        layer, {name: np.ones_like(value) for name, value in parameters.items()}, (x,), cell.index, {}, output
    )
    fixed = constants(cell)
    found = []
    for first in range(0, len(outputs), AT_ONCE):
        some = outputs[first : first + AT_ONCE]
        grad = np.concatenate([_chosen(shape, (m, *(0,) * (len(shape) - 1))) for m in some])
        counts = np.asarray(slopes(ones, grad)[0].reshape(len(some), channels, -1).any(axis=2))
        weights = slopes(cell, grad)[0][(slice(None), slice(None), *taps)]
        for m, count, weight in zip(some, counts, weights, strict=True):
            seen = np.flatnonzero(count)
            found.append((seen, weight[seen], float(fixed[m].ravel()[0])))
    return found


def linearised(cell: Cell) -> Decomposition:
    """``sum of derivative * x + rest``: all that can be said of a layer that states no facts."""
    rows = slopes(cell, _chosen(cell.output.shape, cell.index))
    terms = _nonzero(cell, [row[0] for row in rows])
    value = float(cell.output[cell.index])
    rest = math.fsum([value, *(-terms.products).tolist()])
    return Decomposition(terms, "sum of derivative * x + rest", {"rest": rest}, factor_name="derivative")
