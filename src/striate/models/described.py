"""Networks described in TOML: a list of layers, by default one after the other."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from striate.errors import ShapeError, UsageError, unknown_name
from striate.layers import Input, Layer
from striate.layers.base import Node
from striate.layers.graph import layer_names, topological_order
from striate.layers.registry import LAYERS
from striate.network import Network
from striate.settings import sizes
from striate.settings.toml import read_tables

CLASSES = "classes"
"""Stands for the number of outputs that the data need, wherever a layer takes a number."""
KEYS = ("name", "input_shape", "layers")


def network_of_file(path: str | Path, classes: int, input_shape: Sequence[int] | None) -> Network:
    """Return the network that a TOML file describes.

    ::

        name = "small"                  # optional
        input_shape = [1, 28, 28]       # optional; else that of the data

        [[layers]]
        type = "Conv2d"
        out_channels = 8
        kernel_size = 3

        [[layers]]
        type = "Linear"
        out_features = "classes"

    Layers follow one another. For other graphs a layer has ``inputs``, a list of names: those that layers have in
    the file, or else their kind and number, such as ``pool1``, as the summary shows them.

    Parameters
    ----------
    path : path
    classes : int
        What "classes" stands for in it.
    input_shape : (channels, *space), optional
        Of the data.

    Raises
    ------
    UsageError
        If the file cannot be read, or something in it is not known.
    ShapeError
        If shapes do not fit, or it is for samples of another shape.
    """
    tables, place = read_tables(path)
    for key in tables:
        if key not in KEYS:
            raise unknown_name(str(path), key, KEYS)
    shape = input_shape
    if "input_shape" in tables:
        shape = sizes(1, 2, 3, 4).check(tables["input_shape"], place.at("input_shape"))
        if input_shape is not None and tuple(input_shape) != shape:
            raise ShapeError(
                f"{path}: input_shape must be that of the data, {list(input_shape)}; got {list(shape)}."
            )
    if shape is None:
        raise UsageError(
            f"{path}: needs an input_shape, such as [1, 28, 28]. Write it above the layers, or use --input 1x28x28."
        )
    layers = tables.get("layers")
    if not isinstance(layers, list) or not layers or not all(isinstance(item, Mapping) for item in layers):
        raise UsageError(f"{path}: needs layers, each under a line [[layers]]; got {layers or 'none'}.")
    output = _connected(layers, tuple(shape), classes, path)
    try:
        return Network(output, str(tables.get("name", Path(path).stem)))
    except UsageError as error:
        raise type(error)(f"{path}: {error}") from None


def _connected(items: Sequence[Mapping[str, Any]], shape: tuple[int, ...], classes: int, path: str | Path) -> Node:
    places = [f"{path}: layer {number}" for number in range(1, len(items) + 1)]
    layers = [_layer(item, classes, where) for item, where in zip(items, places, strict=True)]
    node: Node = Input(shape)
    nodes: dict[str, Node] = {"input": node}
    for item, layer, name, where in zip(items, layers, layer_names(layers), places, strict=True):
        if name in nodes:
            raise UsageError(f"{where}: needs a name of its own, as text; got {name!r}.")
        sources = _listed(item["inputs"]) if "inputs" in item else None
        inputs = [node] if sources is None else [_node(source, nodes, where) for source in sources]
        try:
            node = replace(layer, name=name)(*inputs)
        except (UsageError, TypeError) as error:
            kind = UsageError if isinstance(error, TypeError) else type(error)
            raise kind(f"{where} ({type(layer).__name__}): {error}") from None
        nodes[name] = node
    used = {id(one) for one in topological_order([node])}
    for name, where in zip(list(nodes)[1:], places, strict=True):
        if id(nodes[name]) not in used:
            raise UsageError(
                f"{where}: every layer must lead to the last one; nothing reads {name}. "
                "Add it to the inputs of a later layer, or leave it out."
            )
    return node


def _layer(item: Mapping[str, Any], classes: int, where: str) -> Layer:
    fields = {key: classes if value == CLASSES else value for key, value in item.items() if key != "inputs"}
    name, kind = fields.get("name"), fields.pop("type", None)
    if kind is None:
        raise UsageError(f'{where}: needs a type, such as type = "Conv2d"; got {", ".join(fields) or "nothing"}.')
    if not isinstance(kind, str) or kind not in LAYERS:
        raise unknown_name(f"{where}: type", str(kind), LAYERS)
    if name is not None and not isinstance(name, str):
        raise UsageError(f"{where}: needs a name of its own, as text; got {name!r}.")
    cls: Any = LAYERS[kind]
    arguments = inspect.signature(cls).parameters
    for key in fields:
        if key not in arguments:
            raise unknown_name(f"{where} ({kind}): argument", key, [*arguments, "inputs"])
    missing = [key for key, one in arguments.items() if one.default is one.empty and key not in fields]
    if missing:
        raise UsageError(f"{where} ({kind}): needs {' and '.join(missing)}. Add a line such as {missing[0]} = 3.")
    try:
        layer: Layer = cls(**fields)
    except UsageError as error:
        hint = ' "classes" stands for the number of classes.' if str(error).startswith("out_") else ""
        raise type(error)(f"{where} ({kind}): {error}{hint}") from None
    return layer


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _node(name: Any, nodes: Mapping[str, Node], where: str) -> Node:
    if not isinstance(name, str) or name not in nodes:
        raise unknown_name(f"{where}: input", str(name), nodes)
    return nodes[name]
