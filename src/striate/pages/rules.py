"""How each layer computes a value, in the few forms that ``web/rules.js`` computes too.

Weights are not in the rules: these say where the weights lie in the parameters, so that an edited one counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from striate.explain.decompositions import Cell
from striate.explain.decompositions.linear import constants, kernels, slopes
from striate.layers.activation import Identity, LogSoftmax, Softmax
from striate.layers.arithmetic import Add, Multiply
from striate.layers.base import Layer
from striate.layers.convolution import Convolution
from striate.layers.dense import Linear, RadialBasis
from striate.layers.embedding import Embedding
from striate.layers.global_pooling import AdaptiveMaxPooling, GlobalAvgPool, GlobalMaxPool
from striate.layers.normalisation import BatchNorm, LocalResponseNorm, SampleNormalisation
from striate.layers.pairwise import MatMul, Maximum, Minimum, Where
from striate.layers.pooling import LpPooling, MaxPooling
from striate.layers.regularisation import Regulariser
from striate.layers.sampling import GridSample2d
from striate.layers.shape import Flatten, InputLayer, Reshape
from striate.layers.unpooling import MaxGathering, MaxUnpooling
from striate.model import Model
from striate.network import Step
from striate.pages.packing import exact, matrix, pack, shortest, tables
from striate.reference.dense import centres
from striate.reference.registry import Context, operation
from striate.targets.image import normalisation_of

MOST_TERMS = 2_000_000
"""Terms of a layer that are listed where nothing says how they repeat."""
LISTED = "rows"
"""The kind of a layer whose terms are listed, value by value."""
MOST_GRADIENT = 100_000_000
"""Numbers of a layer's whole matrix up to which its rows are read from the gradient."""
Rule = dict[str, Any]


def rule_of(model: Model, step: Step, most: int = MOST_TERMS) -> Rule:
    """Return how the page computes a value of a layer: JSON types, with ``kind`` naming the function.

    Terms of which nothing says how they repeat are listed if there are at most ``most``; else the kind is "none".
    """
    layer = step.layer
    if isinstance(layer, InputLayer):
        mean, scale = normalisation_of(model)
        return {"kind": "given", "formula": "(raw - mean) * scale", "mean": mean.tolist(), "scale": scale.tolist()}
    found = next((RULES[cls] for cls in type(layer).__mro__ if cls in RULES), _usual)
    rule = found(model, step)
    if rule["kind"] == LISTED:
        rule = _rows(model, step, most)
    biased = any(slot.spec.name == "bias" for slot in step.parameters)
    return {"formula": layer.formula, "constantName": "bias" if biased else "constant", **rule}


def _usual(model: Model, step: Step) -> Rule:
    """Return the rule of a layer that states facts: linear, pointwise."""
    layer = step.layer
    if layer.pointwise:
        return _pointwise(model, step) if layer.linear else {"kind": "function"}
    if not layer.linear:
        return {"kind": "none"}
    unpadded = layer.unpadded()
    return {"kind": LISTED} if unpadded is None else _windows(model, step, unpadded)


def _cell(model: Model, step: Step, parameters: dict[str, np.ndarray] | None = None) -> Cell:
    """Return a layer with zeros for inputs, whose gradient is its matrix."""
    own = parameters or {slot.spec.name: slot.view(model.theta).astype(np.float64) for slot in step.parameters}
    states = {slot.spec.name: slot.view(model.states).astype(np.float64) for slot in step.states}
    inputs = tuple(np.zeros(shape) for shape in step.input_shapes)
    return Cell(step.layer, own, inputs, (0,) * len(step.shape), states, np.zeros(step.shape))


def _begin(step: Step, name: str) -> int | None:
    """Return where a parameter of a layer begins in all parameters; None if it has none of this name."""
    return next((slot.offset for slot in step.parameters if slot.spec.name == name), None)


def _convolution(model: Model, step: Step) -> Rule:
    layer = step.layer
    assert isinstance(layer, Convolution)
    if layer.connections:
        return _windows(model, step, layer.unpadded())
    channels, outputs = step.input_shapes[0][0], layer.out_channels
    seen, each = channels // layer.groups, outputs // layer.groups
    begin = _begin(step, "weight")
    assert begin is not None
    window = layer.window(*step.input_shapes)
    size = seen * math.prod(window.kernel)
    return {
        "kind": "windows",
        "axes": tables(window, step.input_shapes[0], step.shape),
        "channels": [list(range(g * seen, (g + 1) * seen)) for g in range(layer.groups)],
        "group": [m // each for m in range(outputs)],
        "first": [begin + m * size for m in range(outputs)],
        "constant": {"first": _begin(step, "bias")} if layer.bias else {"values": [0.0]},
    }


def _windows(model: Model, step: Step, unpadded: Layer) -> Rule:
    """Return the kernel of each output channel, and where the taps of each position lie."""
    shape = step.input_shapes[0]
    window = step.layer.window(*step.input_shapes)
    assert window is not None
    codes = {
        slot.spec.name: np.arange(1.0, slot.spec.size + 1).reshape(slot.spec.shape) + slot.offset
        for slot in step.parameters
    }
    found = kernels(unpadded, _cell(model, step).parameters, shape[0], window, range(step.shape[0]))
    weight = np.concatenate([kernel.ravel() for _, kernel, _ in found])
    rule = {
        "kind": "windows",
        "axes": tables(window, shape, step.shape),
        "channels": [seen.tolist() for seen, _, _ in found],
        "group": list(range(step.shape[0])),
        "constant": {"values": [constant for _, _, constant in found]},
    }
    if codes:
        named = kernels(unpadded, codes, shape[0], window, range(step.shape[0]))
        at = np.concatenate([kernel.ravel() for _, kernel, _ in named]) - 1
        whole = at.astype(np.int64)
        if (whole == at).all() and np.array_equal(model.theta[whole], weight.astype(np.float32)):
            bias = _begin(step, "bias")
            return {**rule, "indices": pack(whole, "i4")} | ({} if bias is None else {"constant": {"first": bias}})
    return {**rule, "weight": exact(weight)}


def _dense(model: Model, step: Step) -> Rule:
    return {
        "kind": "dense",
        "first": _begin(step, "weight"),
        "constant": {"first": _begin(step, "bias")} if _begin(step, "bias") is not None else {"values": [0.0]},
    }


def _pointwise(model: Model, step: Step) -> Rule:
    """Return a factor and a constant for each value, or one of them for all."""
    cell = _cell(model, step)
    factor, shift = slopes(cell, np.ones((1, *step.shape)))[0].ravel(), constants(cell).ravel()
    rule = {"kind": "pointwise", "constant": {"values": shortest(shift, step.shape[0])}}
    weight, bias = _begin(step, "weight"), _begin(step, "bias")
    own = shortest(factor, step.shape[0])
    if (
        weight is not None
        and isinstance(own, list)
        and len(own) == step.shape[0]
        and np.array_equal(model.theta[weight : weight + len(own)], np.asarray(own, np.float32))
    ):
        return {**rule, "first": weight} | ({} if bias is None else {"constant": {"first": bias}})
    return {**rule, "factor": own}


def _rows(model: Model, step: Step, most: int) -> Rule:
    """Return the terms of every value: a place that it copies, or its row of the layer's matrix."""
    places = _copied(model, step)
    if places is not None:
        return {"kind": "copy"} if _in_order(places) else {"kind": "copy", "places": pack(places, "i4")}
    count, entering = math.prod(step.shape), sum(map(math.prod, step.input_shapes))
    if count * entering > MOST_GRADIENT:
        return {"kind": "none"}
    cell = _cell(model, step)
    rows = matrix(cell, count)
    at = [np.flatnonzero(row) for row in rows]
    if sum(map(len, at)) > most:
        return {"kind": "none"}
    return {
        "kind": LISTED,
        "starts": pack(np.cumsum([0, *map(len, at)]), "i4"),
        "places": pack(np.concatenate(at), "i4"),
        "weight": exact(np.concatenate([row[here] for row, here in zip(rows, at, strict=True)])),
        "constant": {"values": shortest(constants(cell).ravel(), step.shape[0])},
    }


def _copied(model: Model, step: Step) -> np.ndarray | None:
    """Return which place of its inputs, one after the other, each value copies; None if some do not."""
    if step.parameters or step.states:
        return None
    sizes = [math.prod(shape) for shape in step.input_shapes]
    drawn = np.random.default_rng(0).random(sum(sizes)) + 1.0  # all different, and no sum of others
    parts = np.split(drawn, np.cumsum(sizes)[:-1])
    shaped = [part.reshape(1, *shape) for part, shape in zip(parts, step.input_shapes, strict=True)]
    found = operation(step.layer).forward(step.layer, {}, *shaped, context=Context())[0].ravel()
    order = np.argsort(drawn)
    places = order[np.clip(np.searchsorted(drawn[order], found), 0, len(drawn) - 1)]
    return places if np.array_equal(drawn[places], found) else None


def _in_order(places: np.ndarray) -> bool:
    return bool((places == np.arange(len(places))).all())


def _add(model: Model, step: Step) -> Rule:
    return {"kind": "sum" if len(set(step.input_shapes)) == 1 else LISTED}


def _maximum(model: Model, step: Step) -> Rule:
    shape = step.input_shapes[0]
    layer = step.layer
    assert isinstance(layer, MaxPooling | LpPooling)
    axes = tables(layer.window(shape), shape, step.shape)
    if isinstance(layer, LpPooling):
        return {"kind": "norm", "axes": axes, "power": layer.power}
    return {"kind": "maximum", "axes": axes}


def _part_maximum(model: Model, step: Step) -> Rule:
    layer = step.layer
    assert isinstance(layer, AdaptiveMaxPooling)
    axes = [[list(part) for part in parts] for parts in layer.parts(step.input_shapes[0])]
    return {"kind": "maximum", "axes": axes}


def _gathering(model: Model, step: Step) -> Rule:
    shape = step.input_shapes[1]
    layer = step.layer
    assert isinstance(layer, MaxGathering)
    return {"kind": "gathering", "axes": tables(layer.pool().window(shape), shape, step.shape)}


def _grid_sample(model: Model, step: Step) -> Rule:
    layer = step.layer
    assert isinstance(layer, GridSample2d)
    return {"kind": "gridSample", "mode": layer.mode, "padding": layer.padding, "alignCorners": layer.align_corners}


def _unpooling(model: Model, step: Step) -> Rule:
    values, pooled = step.input_shapes
    layer = step.layer
    assert isinstance(layer, MaxUnpooling)
    return {"kind": "unpooling", "axes": tables(layer.pool().window(pooled), pooled, values)}


def _batch_norm(model: Model, step: Step) -> Rule:
    states = {slot.spec.name: slot.view(model.states).tolist() for slot in step.states}
    return {
        "kind": "batchNorm",
        "mean": states["running_mean"],
        "variance": states["running_variance"],
        "epsilon": step.layer.epsilon,  # type: ignore[attr-defined]
        "first": _begin(step, "weight"),
        "constant": {"first": _begin(step, "bias")},
    }


def _sample_norm(model: Model, step: Step) -> Rule:
    layer = step.layer
    assert isinstance(layer, SampleNormalisation)
    learnt = next((slot.spec.shape for slot in step.parameters), ())
    return {
        "kind": "sampleNorm",
        "together": layer.channels_together(step.shape[0]),
        "epsilon": layer.epsilon,
        "first": _begin(step, "weight"),
        "constant": {"first": _begin(step, "bias")},
        "each": len(learnt) == 1 < len(step.shape),  # one weight for each channel, not for each value
    }


def _response_norm(model: Model, step: Step) -> Rule:
    layer = step.layer
    assert isinstance(layer, LocalResponseNorm)
    numbers = {"size": layer.size, "alpha": layer.alpha, "beta": layer.beta, "k": layer.k}
    return {"kind": "responseNorm", **numbers}


def _radial(model: Model, step: Step) -> Rule:
    begin = _begin(step, "weight")
    if begin is not None:
        return {"kind": "radial", "first": begin}
    return {"kind": "radial", "weight": pack(centres(step.layer, {}), "f4")}  # type: ignore[arg-type]


def _kind(kind: str, **more: Any) -> Callable[[Model, Step], Rule]:
    return lambda model, step: {"kind": kind, **more}


RULES: dict[type[Layer], Callable[[Model, Step], Rule]] = {
    Convolution: _convolution,
    Linear: _dense,
    Add: _add,
    Multiply: _kind("product"),
    Maximum: _kind("extremum", sign=1),
    Minimum: _kind("extremum", sign=-1),
    Where: _kind("choice"),
    MatMul: _kind("matrix"),
    MaxPooling: _maximum,
    LpPooling: _maximum,
    MaxUnpooling: _unpooling,
    MaxGathering: _gathering,
    AdaptiveMaxPooling: _part_maximum,
    GridSample2d: _grid_sample,
    GlobalMaxPool: _kind("channelMaximum"),
    GlobalAvgPool: _kind("channelMean"),
    BatchNorm: _batch_norm,
    SampleNormalisation: _sample_norm,
    LocalResponseNorm: _response_norm,
    Softmax: _kind("softmax", logarithm=False),
    LogSoftmax: _kind("softmax", logarithm=True),
    RadialBasis: _radial,
    Embedding: lambda model, step: {"kind": "entry", "first": _begin(step, "weight")},
    Regulariser: _kind("copy"),
    Flatten: _kind("copy"),
    Reshape: _kind("copy"),
    Identity: _kind("copy"),
}
"""Rules by the class of a layer; its subclasses have the same."""
