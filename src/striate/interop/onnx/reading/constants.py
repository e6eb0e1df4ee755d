"""Nodes that read constants only and are no part of ``FOLDS``: computed by the layers that they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from striate import reference
from striate.interop.onnx.reading.values import MOST_AXES, Unsupported, Value, reshaped
from striate.layers import Identity, Input
from striate.network import Network

if TYPE_CHECKING:
    from striate.interop.onnx.reading.importer import Importer, Operator, Translation

MOST_NUMBERS = 2**22  # of all layers and their parameters


def filled(network: Network, arrays: dict[str, dict[str, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the vectors of parameters and states with the arrays of layers in their places.

    Raises
    ------
    Unsupported
        If an array has another size than its place.
    """
    theta, states = np.zeros(network.parameter_count, np.float32), network.initial_states().astype(np.float32)
    for step in network.steps:
        for slots, vector in ((step.parameters, theta), (step.states, states)):
            for slot in slots:
                values = arrays.get(step.name, {})[slot.spec.name]
                if values.size != slot.spec.size:
                    sides = f"{slot.spec.size} numbers {list(slot.spec.shape)}; got {list(values.shape)}"
                    raise Unsupported(f"{slot.name} has {sides}")
                slot.view(vector)[...] = values.reshape(slot.spec.shape)
    return theta, states


def of_constants(function: Translation, graph: Importer, node: Operator) -> Any:
    """Return what a node makes of constants, with the first of them as the only sample of the reference."""
    from striate.interop.onnx.reading.importer import translated

    first = node.inputs[0]
    if not isinstance(first, np.ndarray) or first.dtype.kind not in "fiub" or not 0 < first.size <= MOST_NUMBERS:
        raise Unsupported("its constants are missing, empty, too large, or no numbers")
    shape = first.shape if 0 < first.ndim <= MOST_AXES else (first.size,)
    sample = Value(Input(shape), first.shape, tuple(range(first.ndim)), None, 1)
    inner = type(graph)(graph.file)
    found = translated(function, inner, replace(node, inputs=[sample, *node.inputs[1:]]))
    results = found if isinstance(found, list | tuple) else [found]
    return [_computed(graph, inner, item, node, first) if isinstance(item, Value) else item for item in results]


def _products(network: Network) -> int:
    """Return the products in a network; raises Unsupported if it makes too many numbers."""
    if network.parameter_count + sum(int(np.prod(step.shape)) for step in network.steps) > MOST_NUMBERS:
        raise Unsupported("the constants that the graph computes are too large")
    return sum(step.layer.multiply_adds(*step.input_shapes) for step in network.steps if step.input_shapes)


def _computed(graph: Importer, inner: Importer, result: Value, node: Operator, first: np.ndarray) -> np.ndarray:
    """Return the numbers of a result, whole ones in the type of whole numbers; ``graph`` pays for the products."""
    result = result.straight()
    network = Network(Identity()(reshaped(result.node, (int(np.prod(result.base)),))))
    graph.products -= _products(network)
    if graph.products < 0:
        raise Unsupported("the constants that the graph computes are too large")
    theta, states = filled(network, inner.arrays)
    x = first.astype(np.float64).reshape(1, *network.input_shape)
    output = reference.forward(network, theta, x, states=states.astype(np.float64)).output
    whole = node.whole or node.kind in ("ArgMax", "ArgMin")
    return output.reshape(result.base).astype(np.int64 if whole else first.dtype)
