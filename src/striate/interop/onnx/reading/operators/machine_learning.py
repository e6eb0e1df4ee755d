"""Scalers, linear models and labels: operators of the domain "ai.onnx.ml", as scikit-learn's models need them."""

from __future__ import annotations

import numpy as np

from striate import layers
from striate.checks import LARGEST
from striate.interop.onnx.reading.importer import Importer, Operator, operator
from striate.interop.onnx.reading.operators.arithmetic import add, inverse, multiply
from striate.interop.onnx.reading.operators.dense import dense
from striate.interop.onnx.reading.operators.reductions import reduced
from striate.interop.onnx.reading.values import Unsupported, Value
from striate.layers.base import Layer

POST_TRANSFORMS: dict[str, Layer | None] = {"NONE": None, "SOFTMAX": layers.Softmax(), "LOGISTIC": layers.Sigmoid()}
SMALLEST = 1e-30
NORMS = {"MAX": "max", "L1": "l1", "L2": "l2"}


@operator("Scaler")
def scaler(graph: Importer, node: Operator) -> Value:
    """``(x - offset) * scale`` with a number for each feature."""
    offset, scale = (np.asarray(node.get(name, usual)) for name, usual in (("offset", [0.0]), ("scale", [1.0])))
    return multiply(graph, add(graph, node.value(), -offset[None]), scale[None])


@operator("Normalizer")
def normalizer(graph: Importer, node: Operator) -> Value:
    """Rows divided by their norms; "MAX" is the largest value."""
    value = node.value()
    how = NORMS[node.get("norm", "MAX")]
    norm = reduced(graph, value, [value.rank - 1], True, how)
    if how != "max":  # a row of zeros stays one
        norm = graph.each(layers.HardTanh(SMALLEST, LARGEST), norm)
    return multiply(graph, value, inverse(graph, norm))


def _linear(graph: Importer, node: Operator, count: int) -> Value:
    """Return ``count`` weighted sums of the features, and what becomes of them."""
    value, intercepts = node.value(), np.asarray(node.get("intercepts", [0.0] * count))
    weight = np.asarray(node.attributes["coefficients"]).reshape(count, -1)
    name = node.get("post_transform", "NONE")
    if name not in POST_TRANSFORMS:
        raise Unsupported(f"the transformation {name!r} of its scores is not supported")
    layer, scores = POST_TRANSFORMS[name], dense(graph, value, weight, intercepts)
    return scores if layer is None else graph.each(layer, scores)


@operator("LinearRegressor")
def linear_regressor(graph: Importer, node: Operator) -> Value:
    """A weighted sum for each target."""
    return _linear(graph, node, node.get("targets", 1))


@operator("LinearClassifier")
def linear_classifier(graph: Importer, node: Operator) -> list[Value | None]:
    """No label, and the scores of all classes."""
    classes = node.get("classlabels_ints") or node.get("classlabels_strings") or []
    if len(classes) * node.value().shape[-1] != len(node.attributes["coefficients"]):
        raise Unsupported("it does not have one row of coefficients for each class")
    return [None, _linear(graph, node, len(classes))]


@operator("Binarizer")
def binarizer(graph: Importer, node: Operator) -> Value:
    """1 where ``x > threshold``, otherwise 0."""
    value = add(graph, multiply(graph, node.value(), np.asarray(-1.0)), np.asarray(node.get("threshold", 0.0)))
    below = graph.each(layers.Step(), value)
    return add(graph, multiply(graph, below, np.asarray(-1.0)), np.asarray(1.0))


@operator("ZipMap")
def zip_map(graph: Importer, node: Operator) -> Value:
    """A dictionary for each sample stays a row of numbers."""
    return node.value()
