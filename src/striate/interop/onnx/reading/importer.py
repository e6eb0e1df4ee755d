"""A graph of operators becomes a network, node by node."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from striate.errors import StriateError, UsageError
from striate.interop.onnx.messages import Node as Message
from striate.interop.onnx.reading.constants import of_constants
from striate.interop.onnx.reading.file import File, needed, parse_branch, value_of
from striate.interop.onnx.reading.fold import FOLDS, fold
from striate.interop.onnx.reading.values import Unsupported, Value, permuted, reshaped
from striate.interop.onnx.tensors import to_shape
from striate.interop.protobuf import MalformedError
from striate.layers.base import Layer, Node

Operand = Value | np.ndarray | None
"""What a node reads: a value that depends on the sample, a constant, or nothing."""
GRAPH = 5  # the type of an attribute that is one
MOST_NESTED = 16  # branches
LARGEST_CONSTANT = 2**28  # numbers that folding may make


@dataclass
class Operator:
    """A node while it is read: its operands and attributes.

    Parameters
    ----------
    name, kind : str
        Of the node, and of its operator.
    inputs : list of Value, array or None
    attributes : dict
    opset : int
    outputs : list of str
    """

    name: str
    kind: str
    inputs: list[Operand]
    attributes: dict[str, Any]
    opset: int
    outputs: list[str]
    whole: bool = False
    """Whether its numbers are of a type of whole numbers, or conditions."""

    def get(self, name: str, default: Any = None) -> Any:
        """Return an attribute."""
        return self.attributes.get(name, default)

    def value(self, number: int = 0) -> Value:
        """Return an operand that depends on the sample; raises Unsupported if it does not."""
        found = self.inputs[number] if number < len(self.inputs) else None
        if not isinstance(found, Value):
            raise Unsupported(f"input {number} must depend on the sample")
        return found

    def constant(self, number: int, name: str | None = None) -> np.ndarray | None:
        """Return a constant operand, or the attribute of older versions that it was; None where there is none."""
        if name is not None and name in self.attributes:
            return np.asarray(self.attributes[name])
        found = self.inputs[number] if number < len(self.inputs) else None
        if isinstance(found, Value):
            raise Unsupported(f"input {number} must be a constant")
        return found

    def needed(self, number: int) -> np.ndarray:
        """Return a constant operand that must be there."""
        found = self.constant(number)
        if found is None:
            raise Unsupported(f"input {number} is missing")
        return found

    def ints(self, number: int, name: str) -> list[int] | None:
        """Return numbers, at most one for each axis, from an operand or an attribute; None where neither is."""
        found = self.constant(number, name)
        return None if found is None else list(to_shape(np.ravel(found), name))


Translation = Callable[["Importer", Operator], Any]
OPERATORS: dict[str, list[tuple[int, Translation]]] = {}
"""Functions of (importer, operator) for every operator, with the opset from which each holds."""


def operator(*kinds: str, since: int = 1) -> Callable[[Translation], Translation]:
    """Register the decorated function for operators from opset ``since`` on."""

    def register(function: Translation) -> Translation:
        for kind in kinds:
            OPERATORS.setdefault(kind, []).append((since, function))
            OPERATORS[kind].sort(key=lambda item: -item[0])
        return function

    return register


def kind_of(message: Message) -> str:
    """Return the name of an operator, with its domain if that is not ONNX's own."""
    own = message.domain in OWN_DOMAINS
    return message.op_type if own else f"{message.domain}.{message.op_type}"


def translation(kind: str, opset: int) -> Translation | None:
    """Return the newest translation that is not newer than ``opset``."""
    return next((function for since, function in OPERATORS.get(kind, ()) if since <= opset), None)


WHOLE_TYPES = frozenset({2, 3, 4, 5, 6, 7, 9, 12, 13})
"""Element types of whole numbers and conditions."""
CONDITIONS = frozenset({"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Not", "And", "Or", "Xor"})
"""Operators whose results are conditions."""
COUNTING = CONDITIONS | {"Shape", "Size", "ArgMax", "ArgMin", "NonZero"}
"""Operators whose results are whole numbers, whatever their operands are."""


def whole_results(node: Operator) -> Sequence[str]:
    """Return the names of those results of a node that are of a type of whole numbers."""
    if node.kind in ("TopK", "MaxPool") and not node.whole:
        return node.outputs[1:]
    if node.kind in ("Cast", "QuantizeLinear", "DequantizeLinear"):
        return node.outputs if node.get("to") in WHOLE_TYPES else ()
    return node.outputs if node.whole or node.kind in COUNTING else ()


NO_SUCH = "there is no such operator"
OWN_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
MISFITS = (
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    OverflowError,
    TypeError,
    ValueError,
    ZeroDivisionError,
)
"""What attributes of a wrong type, number or range lead to."""


def translated(function: Translation, graph: Importer, node: Operator) -> Any:
    """Return what a translation makes of a node; raises Unsupported if its attributes make no sense."""
    try:
        return function(graph, node)
    except StriateError:
        raise
    except MISFITS as error:
        text = " ".join(str(error).split())[:120]
        raise Unsupported(f"its attributes or operands do not fit{f'; {text}' if text else ''}") from None


@dataclass
class Importer:
    """Nodes of a network for the values of a graph.

    Parameters
    ----------
    file : File
    """

    file: File
    values: dict[str, Operand] = field(default_factory=dict)
    arrays: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    problems: dict[str, tuple[str, str]] = field(default_factory=dict)
    pooled: dict[int, Node] = field(default_factory=dict)
    makers: dict[int, Operator] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    """Names of values of whole numbers."""
    names: dict[str, int] = field(default_factory=dict)
    """Names of layers, with the last number that was tried after each."""
    current: str = "layer"
    wanted: set[str] | None = None
    """Names of values that are read; None where that is not known."""
    depth: int = 0
    room: int = 2**22
    """How many numbers folding may still make."""
    products: int = 2**28
    """How many products the layers of constants may still take."""

    def run(self, outputs: Sequence[str]) -> None:
        """Read the nodes that ``outputs`` depend on; what is not supported is collected in ``problems``."""
        self.values.update(self.file.constants)
        self.room += 2 * sum(array.size for array in self.file.constants.values())
        kinds = ((item.name, item.type.tensor_type) for item in self.file.graph.input if item.type)
        self.whole.update(name for name, kind in kinds if kind and kind.elem_type in WHOLE_TYPES)
        nodes = needed(self.file.graph, outputs)
        if not any(item.type == GRAPH for message in nodes for item in message.attribute):  # which may read any
            self.wanted = {*outputs, *(name for message in nodes for name in message.input)}
        self._read_all(nodes)

    def branch(self, data: bytes) -> list[Operand]:
        """Return the outputs of a graph in an attribute, which sees the values read so far.

        Raises
        ------
        Unsupported
            If one of its nodes is not supported; which one stands in ``problems``.
        """
        inner, constants = parse_branch(data, self.values)
        if self.depth == MOST_NESTED:
            raise Unsupported(f"its branches are nested more than {MOST_NESTED} deep")
        hidden = {name: self.values.pop(name) for name in constants if name in self.values}
        self.depth += 1
        self.values.update(constants)
        self._read_all(inner.node)
        found = [self.values.get(item.name) for item in inner.output]
        for name in (*constants, *(name for node in inner.node for name in node.output)):
            self.values.pop(name, None)
        self.values.update(hidden)
        self.depth -= 1
        if any(item is None for item in found):
            raise Unsupported("one of its branches is not supported")
        return found

    def _read_all(self, nodes: Sequence[Message]) -> None:
        unknown: set[str] = set()
        for message in nodes:
            name = message.name or next(iter(message.output), "")
            if unknown.intersection(message.input):
                unknown.update(message.output)
                kind = kind_of(message)
                if kind not in FOLDS and translation(kind, self.file.opset) is None:
                    self.problems[name] = (kind, NO_SUCH)
                continue
            try:
                self._read(message, name)
            except (Unsupported, UsageError) as error:
                self.problems.setdefault(name, (message.op_type, str(error)))
                unknown.update(message.output)

    def _read(self, message: Message, name: str) -> None:
        attributes = {item.name: value_of(item) for item in message.attribute}
        inputs = [self.values[source] if source else None for source in message.input]
        outputs = [name if self.wanted is None or name in self.wanted else "" for name in message.output]
        node = Operator(name, kind_of(message), inputs, attributes, self.file.opset, outputs)
        node.whole = self._is_whole(node, message.input)
        self.current = re.sub(r"[^\w/-]+", "_", name).strip("/_") or message.op_type
        found = None
        if not any(isinstance(item, Value) for item in inputs):
            found = fold(node, self.room)
            self.room -= sum(item.size for item in (found if isinstance(found, list) else [found])
                             if isinstance(item, np.ndarray) and item.base is None)  # fmt: skip
        if found is None:
            function = translation(node.kind, self.file.opset)
            if function is None:
                raise Unsupported(NO_SUCH)
            constant = bool(inputs) and node.kind != "If" and not any(isinstance(item, Value) for item in inputs)
            found = of_constants(function, self, node) if constant else translated(function, self, node)
        results = found if isinstance(found, list | tuple) else [found]
        for output, result in zip(message.output, results, strict=False):
            if isinstance(result, np.ndarray) and result.size > LARGEST_CONSTANT:
                raise MalformedError(f"the constant {output!r} would have {result.size:,} values")
            self.values[output] = result
            self.makers.setdefault(id(result), node)
        self.whole.update(whole_results(node))

    def _is_whole(self, node: Operator, names: Sequence[str]) -> bool:
        """Return whether the operand that decides the type of the result holds whole numbers."""
        place = 1 if node.kind == "Where" else 0
        item = node.inputs[place] if place < len(node.inputs) else None
        return (
            names[place] in self.whole if isinstance(item, Value) else item is not None and item.dtype.kind in "iub"
        )

    def apply(self, layer: Layer, *nodes: Node, **arrays: Any) -> Node:
        """Return ``layer`` applied to nodes, under a name of the operator; ``arrays`` are its parameters."""
        name = self._unused(self.current)
        node = replace(layer, name=name)(*nodes)
        if arrays:
            self.arrays[name] = {key: np.asarray(value, np.float32) for key, value in arrays.items()}
        return node

    def _unused(self, stem: str) -> str:
        name = stem
        while name in self.names:
            self.names[stem] += 1
            name = f"{stem}_{self.names[stem]}"
        self.names[name] = 1
        return name

    def each(self, layer: Layer, value: Value) -> Value:
        """Return ``layer``, which treats every number alike, applied to ``value``."""
        return value.with_node(self.apply(layer, value.node))

    def grouped(self, value: Value, first: Sequence[int]) -> tuple[Node, Callable[[Node, Sequence[int]], Value]]:
        """Return the numbers as [product of the axes ``first`` of a sample, product of the others].

        The function returned puts such a node back: as a value whose axes ``first`` have other sizes.
        """
        base_first = [value.order[axis] for axis in first]
        rest = [axis for axis in range(len(value.base)) if axis not in base_first]
        order = [*base_first, *rest]
        sizes = [value.base[axis] for axis in order]
        shape = (math.prod(sizes[: len(first)]), math.prod(sizes[len(first) :]))
        node = reshaped(permuted(value.node, value.base, order), shape)

        def back(result: Node, changed: Sequence[int]) -> Value:
            base = (*changed, *sizes[len(first) :])
            places = tuple(order.index(axis) for axis in value.order)
            return Value(result, tuple(int(n) for n in base), places, value.batch, value.count)

        return node, back
