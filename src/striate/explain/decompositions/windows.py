"""Values of convolution, transposed convolution and pooling taken apart."""

from __future__ import annotations

from typing import cast

import numpy as np

from striate.explain.decompositions.grid import joint_places, transposed_positions, window_positions
from striate.explain.decompositions.terms import Cell, Decomposition, Terms, decomposes, terms_at
from striate.layers.arguments import Pair, axes
from striate.layers.convolution import Convolution
from striate.layers.pooling import AvgPooling, LpPooling, MaxPooling, Pooling
from striate.layers.subsampling import Subsampling
from striate.layers.transposed import TransposedConvolution
from striate.layers.unpooling import MaxUnpooling
from striate.reference.pooling import average_sizes


@decomposes(Convolution)
def convolution(cell: Cell) -> Decomposition:
    """``sum over c, t of weight[m, c, t] * x[c, p * stride + t * dilation - padding] + bias[m]``."""
    layer: Convolution = cell.layer
    m, *position = cell.index
    channels, kernel = _filter(layer, m, cell)
    window = layer.window(cell.x.shape)
    positions = window_positions(window, cell.x.shape[1:], position, layer.padding_mode)
    places = joint_places(positions, cell.x.shape[1:], channels)
    terms = terms_at(cell, places, kernel)
    return Decomposition(
        terms,
        "sum of weight * x" + " + bias" * layer.bias,
        _bias(cell, m),
        window=terms.values.reshape(kernel.shape),
        kernel=kernel,
    )


def _filter(layer: Convolution, m: int, cell: Cell) -> tuple[np.ndarray, np.ndarray]:
    """Return the channels that filter ``m`` sees (int64[C']) and its weights (float64[C', *kernel])."""
    weight = cell.parameters["weight"]
    if layer.connections is not None:
        first = sum(len(row) for row in layer.connections[:m])
        channels = np.asarray(layer.connections[m], np.int64)
        return channels, weight[first : first + len(channels)]
    count = weight.shape[1]
    group = m // (layer.out_channels // layer.groups)
    return np.arange(count) + group * count, weight[m]


def _bias(cell: Cell, m: int) -> dict[str, float]:
    return {"bias": float(cell.parameters["bias"][m])} if "bias" in cell.parameters else {}


@decomposes(TransposedConvolution)
def transposed(cell: Cell) -> Decomposition:
    """``sum of weight[c, m, t] * x[c, p]`` over the inputs whose kernel reaches this value."""
    layer: TransposedConvolution = cell.layer
    m, *position = cell.index
    padding = [before for before, _ in cast("tuple[Pair, ...]", layer.padding)]
    settings = zip(
        cell.x.shape[1:],
        position,
        padding,
        axes(layer.kernel_size),
        axes(layer.stride),
        axes(layer.dilation),
        strict=True,
    )
    found = [transposed_positions(*setting) for setting in settings]
    per_group = len(cell.x) // layer.groups
    group, filter_number = divmod(m, layer.out_channels // layer.groups)
    channels = np.arange(per_group) + group * per_group
    taps = np.ix_(channels, np.array([filter_number]), *(t for _, t in found))
    kernel = cell.parameters["weight"][taps][:, 0]
    places = joint_places([p for p, _ in found], cell.x.shape[1:], channels)
    rule = "sum of weight * x over the inputs whose kernel reaches here" + " + bias" * layer.bias
    return Decomposition(terms_at(cell, places, kernel), rule, _bias(cell, m))


def _pooled(cell: Cell, layer: Pooling) -> np.ndarray:
    """Return int64[1, *kernel]: the places of the window."""
    channel, *position = cell.index
    space = cell.x.shape[1:]
    return joint_places(window_positions(layer.window(cell.x.shape), space, position), space, [channel])


@decomposes(MaxPooling)
def maximum(cell: Cell) -> Decomposition:
    """The largest value of the window; beyond the edge nothing wins."""
    places = _pooled(cell, cell.layer)
    return choose(terms_at(cell, places, outside=-np.inf), places.shape)


def choose(terms: Terms, shape: tuple[int, ...]) -> Decomposition:
    """Return the decomposition of the largest of ``terms``, the first of equal ones."""
    winner = int(np.argmax(terms.values))
    chosen = np.zeros(len(terms))
    chosen[winner] = 1.0
    products = np.zeros(len(terms))
    products[winner] = terms.values[winner]
    picked = Terms(terms.inputs, terms.places, terms.values, chosen, products)
    return Decomposition(
        picked,
        "the largest value of the window",
        window=terms.values.reshape(shape),
        winner=winner,
        factor_name="chosen",
    )


@decomposes(AvgPooling)
def mean(cell: Cell) -> Decomposition:
    """The sum of the window divided by its size."""
    sizes = average_sizes(cell.layer, cell.x.shape)
    size = float(np.broadcast_to(sizes, cell.output.shape[1:])[cell.index[1:]])
    places = _pooled(cell, cell.layer)
    terms = terms_at(cell, places, 1.0 / size)
    return Decomposition(
        terms,
        f"sum of x / {size:g}",
        statistics={"size of the window": size},
        window=terms.values.reshape(places.shape),
        factor_name="share",
    )


@decomposes(LpPooling)
def norm(cell: Cell) -> Decomposition:
    """``(sum of |x|^power)^(1/power)``."""
    power = cell.layer.power
    places = _pooled(cell, cell.layer)
    terms = terms_at(cell, places)
    terms = Terms(terms.inputs, terms.places, terms.values, None, np.abs(terms.values) ** power)
    return Decomposition(
        terms,
        f"(sum of |x|^{power:g})^(1/{power:g})",
        finish=lambda total: total ** (1.0 / power),
        finish_rule=f"sum^(1/{power:g})",
        window=terms.values.reshape(places.shape),
    )


@decomposes(Subsampling)
def subsampling(cell: Cell) -> Decomposition:
    """``weight[c] * sum of x + bias[c]``."""
    channel = cell.index[0]
    places = _pooled(cell, cell.layer)
    weight = float(cell.parameters["weight"][channel])
    terms = terms_at(cell, places, weight)
    return Decomposition(
        terms,
        "weight * sum of x + bias",
        _bias(cell, channel),
        statistics={"weight": weight},
        window=terms.values.reshape(places.shape),
        factor_name="weight",
    )


@decomposes(MaxUnpooling)
def unpooling(cell: Cell) -> Decomposition:
    """The sum of the values whose window had its maximum here."""
    pool = cell.layer.pool()
    x, source = cell.inputs
    channel, *position = cell.index
    window = pool.window(source.shape)
    geometry = zip(
        x.shape[1:], position, window.padding, window.kernel, window.stride, window.dilation, strict=True
    )
    reaching = [transposed_positions(n, q, pair[0], k, s, d)[0] for n, q, pair, k, s, d in geometry]
    places = joint_places(reaching, x.shape[1:], [channel]).ravel()
    here = int(np.ravel_multi_index(cell.index, source.shape))
    won = []
    for place in places:
        at = np.unravel_index(place, x.shape)
        taps = joint_places(window_positions(window, source.shape[1:], at[1:]), source.shape[1:], [channel]).ravel()
        seen = np.where(taps >= 0, source.ravel()[taps], -np.inf)
        won.append(float(taps[int(np.argmax(seen))] == here))
    rule = "sum of the values whose window had its maximum here"
    return Decomposition(terms_at(cell, places, np.array(won)), rule, factor_name="chosen")
