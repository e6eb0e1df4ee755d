"""ONNX graphs made node by node, and the models read from them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from striate.interop import onnx
from striate.interop.onnx.messages import (
    Attribute,
    Dimension,
    Graph,
    Node,
    OperatorSet,
    TensorShape,
    TensorType,
    Type,
    ValueInfo,
)
from striate.interop.onnx.messages import (
    Model as Message,
)
from striate.interop.onnx.tensors import from_array
from striate.interop.onnx.writing.graph import attribute
from striate.interop.protobuf import encode
from striate.model import Model


def value(name: str, *sides: int | str) -> ValueInfo:
    dims = [Dimension(dim_param=s) if isinstance(s, str) else Dimension(dim_value=s) for s in sides]
    return ValueInfo(name=name, type=Type(tensor_type=TensorType(elem_type=1, shape=TensorShape(dim=dims))))


def node(kind: str, inputs: str, output: str = "", **attributes: Any) -> Node:
    stated = [
        Attribute(name=key, g=encode(item), type=5) if isinstance(item, Graph) else attribute(key, item)
        for key, item in attributes.items()
    ]
    return Node(inputs.split(), [output or f"{kind.lower()}"], f"the_{output or kind.lower()}", kind, stated)


def message(nodes: list[Node], *sides: int | str, opset: int = 17, **constants: Any) -> Message:
    arrays = [from_array(np.asarray(array), name) for name, array in constants.items()]
    graph = Graph(node=nodes, initializer=arrays, input=[value("x", *sides)], output=[value(nodes[-1].output[0])])
    graph.output[0].type = Type(tensor_type=TensorType(elem_type=1))
    return Message(ir_version=8, graph=graph, opset_import=[OperatorSet(domain="", version=opset)])


def read(path: Path, content: Message, **options: Any) -> Model:
    path.write_bytes(encode(content))
    return onnx.load(path, **options)


def kinds(model: Model) -> Counter[str]:
    return Counter(type(step.layer).__name__ for step in model.network.steps)
