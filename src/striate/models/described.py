"""Networks described in TOML: a list of layers, by default one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from striate.errors import ModelFileError, ShapeError, UsageError, unknown_name
from striate.layers import Input
from striate.layers.base import Node
from striate.layers.registry import LAYERS, from_dict
from striate.network import Network
from striate.settings import Place, sizes
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

    Layers follow one another. For other graphs a layer has a ``name``, and ``inputs``, a list of names.

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
        raise UsageError(f"{path}: needs an input_shape, such as [1, 28, 28].")
    layers = tables.get("layers")
    if not isinstance(layers, list) or not layers or not all(isinstance(item, Mapping) for item in layers):
        raise UsageError(f"{path}: needs layers, each under a line [[layers]]; got {layers!r}.")
    name = tables.get("name", Path(path).stem)
    return Network(_connected(layers, tuple(shape), classes, Place(str(path))), str(name))


def _connected(layers: Sequence[Mapping[str, Any]], shape: tuple[int, ...], classes: int, place: Place) -> Node:
    node: Node = Input(shape)
    nodes: dict[str, Node] = {"input": node}
    for number, item in enumerate(layers, 1):
        where = f"{place}: layer {number}"
        fields = {key: classes if value == CLASSES else value for key, value in item.items()}
        name, inputs = fields.pop("name", None), fields.pop("inputs", None)
        kind = fields.get("type")
        if kind is None:
            raise UsageError(
                f'{where}: needs a type, such as type = "Conv2d"; got {", ".join(fields) or "nothing"}.'
            )
        if not isinstance(kind, str) or kind not in LAYERS:
            raise unknown_name(f"{where}: type", str(kind), LAYERS)
        if name is not None and (not isinstance(name, str) or name in nodes):
            raise UsageError(f"{where}: needs a name of its own, as text; got {name!r}.")
        sources = [node] if inputs is None else [_node(source, nodes, where) for source in _listed(inputs)]
        try:
            node = from_dict(fields, name)(*sources)
        except UsageError as error:
            raise type(error)(f"{where} ({kind}): {error}") from None
        except (ModelFileError, TypeError) as error:
            raise UsageError(f"{where} ({kind}): {error}") from None
        if name is not None:
            nodes[name] = node
    return node


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _node(name: Any, nodes: Mapping[str, Node], where: str) -> Node:
    if not isinstance(name, str) or name not in nodes:
        raise unknown_name(f"{where}: input", str(name), nodes)
    return nodes[name]
