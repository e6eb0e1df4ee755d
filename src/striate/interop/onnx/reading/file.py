"""An ONNX file as checked messages: sizes, versions and the order of nodes."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import ModelFileError
from striate.interop.onnx.messages import Attribute, Graph, Model, Node
from striate.interop.onnx.tensors import to_array
from striate.interop.protobuf import MalformedError, decode

LARGEST = 2**31 - 1  # bytes of a protocol buffer
OPSETS = (6, 28)
KINDS = {1: "f", 2: "i", 3: "s", 4: "t", 5: "g", 6: "floats", 7: "ints", 8: "strings"}


@dataclass(frozen=True, eq=False)
class File:
    """What an ONNX file holds.

    Parameters
    ----------
    path : Path
    graph : Graph
        Its nodes in topological order.
    opset : int
        The version of the operators of the domain "ai.onnx".
    constants : dict of arrays
    metadata : dict of str
    producer : str
    """

    path: Path
    graph: Graph
    opset: int
    constants: dict[str, np.ndarray]
    metadata: dict[str, str]
    producer: str


def read(path: str | Path) -> File:
    """Return the checked contents of an ONNX file.

    Raises
    ------
    ModelFileError
        If the file is missing, no ONNX file, damaged, too new, or keeps numbers in other files.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise MalformedError(f"it is larger than 2 GB ({size:,} bytes)")
        return parse(path.read_bytes(), path)
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read; {error.strerror}. Check the path.") from None
    except MalformedError as error:
        raise ModelFileError(f"{path}: must be an ONNX file; {error}.") from None


def parse(data: bytes, path: Path) -> File:
    """Return the checked contents of the bytes of an ONNX file; raises MalformedError."""
    model = decode(Model, data)
    if model.graph is None or not model.graph.node:
        raise MalformedError("it has no graph")
    versions = [int(item.version) for item in model.opset_import if item.domain in ("", "ai.onnx")]
    opset = max(versions, default=OPSETS[1] if model.opset_import else 1)
    if not OPSETS[0] <= opset <= OPSETS[1]:
        raise MalformedError(f"opsets {OPSETS[0]} to {OPSETS[1]} are supported; got {opset}, so convert the model")
    constants = _checked(model.graph)
    metadata = {item.key: item.value for item in model.metadata_props}
    producer = f"{model.producer_name} {model.producer_version}".strip()
    return File(path, model.graph, opset, constants, metadata, producer)


def parse_branch(data: bytes, outside: Container[str]) -> tuple[Graph, dict[str, np.ndarray]]:
    """Return the graph in an attribute, whose nodes may also read the names ``outside``, and its constants."""
    graph = decode(Graph, data)
    return graph, _checked(graph, outside)


def _checked(graph: Graph, outside: Container[str] = ()) -> dict[str, np.ndarray]:
    """Return the constants of a graph, and put its nodes in order; raises MalformedError."""
    if graph.sparse_initializer:
        raise MalformedError("sparse constants are not supported; save them as dense ones")
    constants = {tensor.name: to_array(tensor) for tensor in graph.initializer}
    graph.node = _in_order(graph, set(constants), outside)
    return constants


def _in_order(graph: Graph, own: set[str], outside: Container[str]) -> list[Node]:
    """Return the nodes so that each comes after what it reads; as they are where that holds already.

    Raises
    ------
    MalformedError
        If a value is computed twice, never, or from itself.
    """
    own |= {item.name for item in graph.input} | {""}

    def known(name: str) -> bool:
        return name in own or name in outside

    makers: dict[str, int] = {}
    for number, node in enumerate(graph.node):
        for name in filter(None, node.output):
            if name in makers:
                raise MalformedError(f"the value {name!r} is computed twice")
            makers[name] = number
    if all(
        known(name) or makers.get(name, len(graph.node)) < number
        for number, node in enumerate(graph.node)
        for name in node.input
    ):
        return graph.node  # whose branches may read values without naming them among the inputs
    waiting: list[int] = []
    readers: dict[int, list[int]] = {}
    for number, node in enumerate(graph.node):
        sources = {makers[name] for name in node.input if name in makers and not known(name)}
        missing = next((name for name in node.input if name not in makers and not known(name)), None)
        if missing is not None:
            raise MalformedError(f"the value {missing!r} is read but never computed")
        waiting.append(len(sources))
        for source in sources:
            readers.setdefault(source, []).append(number)
    order = [number for number, count in enumerate(waiting) if not count]
    for number in order:  # grows while it is walked
        for reader in readers.get(number, ()):
            waiting[reader] -= 1
            if not waiting[reader]:
                order.append(reader)
    if len(order) < len(graph.node):
        raise MalformedError("its graph has a cycle")
    return [graph.node[number] for number in order]


def needed(graph: Graph, outputs: Iterable[str]) -> list[Node]:
    """Return the nodes that ``outputs`` depend on, in order."""
    wanted, found = set(outputs), []
    for place in reversed(range(len(graph.node))):
        node = graph.node[place]
        if wanted.isdisjoint(node.output):
            continue
        found.append(node)
        if any(KINDS.get(item.type) == "g" for item in node.attribute):  # its branches may read any value
            return [*graph.node[:place], *found[::-1]]
        wanted.update(node.input)
    return found[::-1]


def value_of(attribute: Attribute) -> Any:
    """Return what an attribute holds: a number, text, an array, a list; raises MalformedError."""
    kind = KINDS.get(attribute.type)
    found = None if kind is None else getattr(attribute, kind)
    if found is None:
        raise MalformedError(f"the attribute {attribute.name!r} has no value of a known type")
    if kind == "s":
        return str(found, "utf-8", "replace")
    if kind == "strings":
        return [str(item, "utf-8", "replace") for item in found]
    if kind == "t":
        return to_array(found)
    if kind in ("ints", "floats"):
        return np.asarray(found).tolist()
    return found
