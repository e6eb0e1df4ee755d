"""The computation graph of an expression: named nodes in topological order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.errors import ShapeError, UsageError, suggestion
from striate.expression.operations import Operation
from striate.numbers import as_numbers, format_number

Operand = str | float


@dataclass(frozen=True)
class Node:
    """One value of the graph: an input (no operation), or an operation on earlier nodes and literal numbers.

    Parameters
    ----------
    name : str
        The name it was given in the text, or v1, v2, ...
    operation : Operation or None
    operands : tuple of str or float
        Names of nodes, and numbers that stand in the text.
    axis : int or None
        For operations along an axis.
    place : str
        Where it stands in the text: "column 5" or "line 2, column 5".
    """

    name: str
    operation: Operation | None
    operands: tuple[Operand, ...]
    axis: int | None
    place: str

    @property
    def formula(self) -> str:
        """The operation written with the names of its operands, "" for an input."""
        if self.operation is None:
            return ""
        axis = "" if self.axis == self.operation.default_axis else f", axis={self.axis}"
        return self.operation.symbol.format(*map(operand_text, self.operands), axis=axis)


@dataclass(frozen=True)
class Graph:
    """An expression as nodes in topological order; the last named one is the result."""

    text: str
    nodes: tuple[Node, ...]
    output: str

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the values that must be given."""
        return tuple(node.name for node in self.nodes if node.operation is None)

    def evaluate(self, values: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Return the value of every node, float64; the result may have any shape. Raises as `forward` does."""
        known: dict[str, np.ndarray] = {}
        with np.errstate(all="ignore"):
            for node in self.nodes:
                known[node.name] = _given(node, values) if node.operation is None else _compute(node, known)
        return known

    def forward(self, values: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Return the value of every node, float64; the result is a single number.

        Raises
        ------
        UsageError
            For a name that is not given, a value that is not a number, or a result that is not finite.
        ShapeError
            For shapes that do not fit together, or a result that is not a single number.
        """
        known = self.evaluate(values)
        if known[self.output].size != 1:
            raise ShapeError(
                f"expression: the result must be a single number; got shape {known[self.output].shape}. "
                f"Write sum(...) or mean(...) around it."
            )
        return known


def operand_text(operand: Operand) -> str:
    """Return a name, or a number in brackets if negative."""
    if isinstance(operand, str):
        return operand
    text = format_number(operand)
    return f"({text})" if operand < 0 else text


def operand_values(node: Node, known: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Return the values of a node's operands."""
    return [known[item] if isinstance(item, str) else np.asarray(item) for item in node.operands]


def _given(node: Node, values: Mapping[str, Any]) -> np.ndarray:
    if node.name not in values:
        if not values:
            raise UsageError(f"expression: {node.name} ({node.place}) has no value; give {node.name}=...")
        hint = suggestion(node.name, values) or f"given: {', '.join(sorted(values))}"
        raise UsageError(f"expression: {node.name} ({node.place}) has no value; give {node.name}=... ({hint})")
    array = as_numbers("backprop", node.name, values[node.name])
    if array.ndim > 2:
        raise ShapeError(
            f"expression: {node.name} must be a number, vector or matrix; got shape {array.shape}. Reshape it."
        )
    return array


def _compute(node: Node, known: Mapping[str, np.ndarray]) -> np.ndarray:
    assert node.operation is not None
    operands = operand_values(node, known)
    try:
        if node.axis is not None and operands[0].ndim == 0:  # NumPy allows axis 0 and -1 of a number
            raise ValueError
        value = np.asarray(node.operation.forward(node.axis, *operands), dtype=np.float64)
    except ValueError:  # NumPy's AxisError is one
        shapes = " and ".join(str(operand.shape) for operand in operands)
        if node.axis is not None:
            rule = f"axis {node.axis} does not exist in shape {shapes}. Use a smaller axis"
        else:
            rule = f"shapes {shapes} do not fit. Reshape or transpose one of them"
        raise ShapeError(f"expression: {node.formula} ({node.place}): {rule}.") from None
    if not np.isfinite(value).all():
        needs = f"; {node.operation.domain}" if node.operation.domain else ""
        raise UsageError(
            f"expression: {node.formula} ({node.place}) is not a finite number{needs}. Change the values given."
        )
    return value
