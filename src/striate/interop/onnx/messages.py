"""The messages of an ONNX file, as far as they are used (onnx.proto3 of the ONNX project)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from striate.interop.protobuf import BYTES, DOUBLE, FLOAT, INT, TEXT, many, one


@dataclass
class Text:
    """A key and a value (StringStringEntryProto)."""

    key: str = one(1, TEXT, "")
    value: str = one(2, TEXT, "")


@dataclass
class Tensor:
    """A constant array (TensorProto)."""

    dims: Any = many(1, INT)
    data_type: int = one(2, INT, 0)
    float_data: Any = many(4, FLOAT)
    int32_data: Any = many(5, INT)
    string_data: list[Any] = many(6, BYTES)
    int64_data: Any = many(7, INT)
    name: str = one(8, TEXT, "")
    raw_data: Any = one(9, BYTES)
    double_data: Any = many(10, DOUBLE)
    uint64_data: Any = many(11, INT)
    external_data: list[Text] = many(13, Text)
    data_location: int = one(14, INT, 0)


@dataclass
class Attribute:
    """A named argument of a node (AttributeProto); which field holds it is told by ``type``."""

    name: str = one(1, TEXT, "")
    f: float = one(2, FLOAT)
    i: int = one(3, INT)
    s: Any = one(4, BYTES)
    t: Tensor = one(5, Tensor)
    g: Any = one(6, BYTES)
    floats: Any = many(7, FLOAT)
    ints: Any = many(8, INT)
    strings: list[Any] = many(9, BYTES)
    type: int = one(20, INT, 0)


@dataclass
class Node:
    """One operation (NodeProto)."""

    input: list[str] = many(1, TEXT)
    output: list[str] = many(2, TEXT)
    name: str = one(3, TEXT, "")
    op_type: str = one(4, TEXT, "")
    attribute: list[Attribute] = many(5, Attribute)
    domain: str = one(7, TEXT, "")


@dataclass
class Dimension:
    """One side of a shape: a number, or a name for what is not fixed."""

    dim_value: int | None = one(1, INT)
    dim_param: str | None = one(2, TEXT)


@dataclass
class TensorShape:
    """The sides of an array (TensorShapeProto)."""

    dim: list[Dimension] = many(1, Dimension, most=64)


@dataclass
class TensorType:
    """Element type and shape (TypeProto.Tensor)."""

    elem_type: int = one(1, INT, 0)
    shape: TensorShape | None = one(2, TensorShape)


@dataclass
class Type:
    """The type of a value (TypeProto); sequences and maps are not read."""

    tensor_type: TensorType | None = one(1, TensorType)


@dataclass
class ValueInfo:
    """Name and type of an input or output (ValueInfoProto)."""

    name: str = one(1, TEXT, "")
    type: Type | None = one(2, Type)


@dataclass
class Graph:
    """Nodes, constants, inputs and outputs (GraphProto)."""

    node: list[Node] = many(1, Node)
    name: str = one(2, TEXT, "")
    initializer: list[Tensor] = many(5, Tensor)
    input: list[ValueInfo] = many(11, ValueInfo)
    output: list[ValueInfo] = many(12, ValueInfo)
    sparse_initializer: list[Any] = many(15, BYTES)


@dataclass
class OperatorSet:
    """The version of a set of operators (OperatorSetIdProto)."""

    domain: str = one(1, TEXT, "")
    version: int = one(2, INT, 0)


@dataclass
class Model:
    """A whole file (ModelProto)."""

    ir_version: int = one(1, INT, 0)
    producer_name: str = one(2, TEXT, "")
    producer_version: str = one(3, TEXT, "")
    graph: Graph | None = one(7, Graph)
    opset_import: list[OperatorSet] = many(8, OperatorSet)
    metadata_props: list[Text] = many(14, Text)
