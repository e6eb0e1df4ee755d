"""Outputs that name a class instead of giving numbers, as exported classifiers of scikit-learn have them."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.interop.onnx.messages import Node
from striate.interop.onnx.reading.file import File, value_of

COPIES = ("Cast", "Identity", "Reshape")
"""Operators that may stand between a label and the output."""
ATTRIBUTES = ("classlabels_strings", "classlabels_ints", "classlabels_int64s")


def scores_and_classes(file: File) -> tuple[list[str], tuple[str, ...]]:
    """Return the outputs of a graph without its labels, and the names of the classes that these choose from.

    A label is chosen by the scores, so it says nothing that they and the names of the classes do not say.
    """
    makers = {name: node for node in file.graph.node for name in node.output}
    kept: list[str] = []
    classes: tuple[str, ...] = ()
    for item in file.graph.output:
        name = item.name
        while name in makers and makers[name].op_type in COPIES and makers[name].input:
            name = makers[name].input[0]
        node = makers.get(name)
        classes = classes or (_classes(file, node) if node else ())
        if node is None or not _gives_labels(node, name):
            kept.append(item.name)
    return (kept, classes) if kept else ([item.name for item in file.graph.output], ())


def _gives_labels(node: Node, name: str) -> bool:
    """Return whether a value that ``node`` makes is a label."""
    if node.op_type in ("ArrayFeatureExtractor", "Binarizer"):
        return True
    return node.op_type == "LinearClassifier" and name == node.output[0]


def _classes(file: File, node: Node) -> tuple[str, ...]:
    """Return the names among which ``node`` chooses."""
    if node.op_type == "ArrayFeatureExtractor":
        return _named(file.constants.get(next(iter(node.input), ""), ()))
    found: dict[str, Any] = {item.name: item for item in node.attribute if item.name in ATTRIBUTES}
    return next((_named(value_of(found[name])) for name in ATTRIBUTES if name in found), ())


def _named(labels: Any) -> tuple[str, ...]:
    return tuple(str(label) for label in np.asarray(labels, object).ravel())
