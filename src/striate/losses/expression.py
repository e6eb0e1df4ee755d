"""A loss written as an expression, such as ``log(cosh(output - target))``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from striate.errors import UsageError
from striate.expression import ELEMENTWISE, Graph, parse, slope, straight_code
from striate.layers.base import Shape
from striate.losses.base import Array
from striate.losses.regression import ErrorLoss

NAMES = ("output", "target")


@dataclass(frozen=True)
class ExpressionLoss(ErrorLoss):
    """Mean over the outputs of an expression of ``output`` and ``target``, differentiated and compiled.

    Parameters
    ----------
    expression : str
        The loss of one output: numbers, ``output``, ``target``, ``+ - * / **`` and the functions abs, ceil, cos,
        exp, floor, log, maximum, minimum, relu, sigmoid, sin, softplus, sqrt, tan and tanh. Parts are separated by
        ``;`` and may be named: ``e = output - target; sqrt(1 + e**2) - 1``. Targets keep their units.
    reduction : {"mean", "sum"}

    Raises
    ------
    UsageError
        For a text that is no such expression, with the place.

    Examples
    --------
    >>> import numpy as np
    >>> loss = ExpressionLoss("e = output - target; sqrt(1 + e**2) - 1")
    >>> losses, slopes = loss.reference(np.array([[0.75]]), np.array([[0.0]]))
    >>> losses, slopes
    (array([0.25]), array([[0.6]]))
    """

    name: ClassVar[str] = "expression"
    scale_free: ClassVar[bool] = False

    expression: str

    def __post_init__(self) -> None:
        super().__post_init__()
        _parsed(self.expression)

    @property
    def title(self) -> str:
        """The expression itself."""
        return self.expression

    def reference(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Return the mean over the outputs, and its gradient by the rules of the expression language."""
        values, slopes = slope(_parsed(self.expression), "output", {"output": outputs, "target": targets})
        count = outputs[0].size
        return values.reshape(len(values), -1).mean(axis=1), slopes / count

    def kernel(self, shape: Shape) -> str | None:
        """Return the kernel that compiles expressions."""
        return "expression_loss.elementwise"

    def kernel_constants(self, shape: Shape) -> tuple[int | str, ...]:
        """Return the expression and its derivative as assignments."""
        return (_code(self.expression),)


@cache
def _code(text: str) -> str:
    return straight_code(_parsed(text), "output")


@cache
def _parsed(text: Any) -> Graph:
    """Return the graph of a loss.

    Raises
    ------
    UsageError
        If it is no expression, has other names, no output, or operations on whole vectors.
    """
    if not isinstance(text, str):
        raise UsageError(f"loss: an expression is a text; got {text!r}.")
    graph = parse(text)
    for node in graph.nodes:
        if node.operation is None and node.name not in NAMES:
            raise UsageError(
                f"loss: an expression can only use the names output and target; got {node.name} ({node.place}). "
                "Write its "
                "value as a number, or define it in a part before."
            )
        if node.operation is not None and node.operation.name not in ELEMENTWISE:
            raise UsageError(
                f"loss: an expression must be elementwise; got {node.operation.name} ({node.place}). Write a "
                "class that derives from striate.losses.Loss."
            )
    if "output" not in graph.inputs:
        raise UsageError(f"loss: an expression must contain output, or there is nothing to learn; got {text!r}.")
    return graph
