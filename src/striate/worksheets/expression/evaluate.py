"""Reverse-mode differentiation of an expression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.errors import UsageError
from striate.expression.graph import Graph
from striate.expression.parse import parse
from striate.worksheets.expression.board import board
from striate.worksheets.expression.steps import Step, backward
from striate.worksheets.expression.svg import graph_svg


@dataclass(frozen=True, eq=False)
class Backpropagation:
    """Forward values and error signals of an expression; ``print`` it to see them as on a board.

    Parameters
    ----------
    graph : Graph
    steps : tuple of Step
        In topological order.
    unused : tuple of str
        Names that were given and do not stand in the expression.
    """

    graph: Graph
    steps: tuple[Step, ...]
    unused: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Step:
        """Return the step called ``name``."""
        for step in self.steps:
            if step.node.name == name:
                return step
        raise UsageError(
            f"expression: {name!r} is not a value of this expression; it has "
            f"{', '.join(step.node.name for step in self.steps)}."
        )

    @property
    def result(self) -> float:
        """Value of the expression."""
        return float(self[self.graph.output].value.item())

    @property
    def values(self) -> dict[str, np.ndarray]:
        """Value of every node by name."""
        return {step.node.name: step.value for step in self.steps}

    @property
    def gradients(self) -> dict[str, np.ndarray]:
        """Derivative of the result by every value that was given."""
        return {step.node.name: step.error for step in self.steps if step.node.operation is None}

    def __str__(self) -> str:
        return board(self.steps, self.graph.output, self.unused)

    def _repr_svg_(self) -> str:
        return graph_svg(self.steps, self.graph)


def backprop(text: str, values: Mapping[str, Any] | None = None, /, **named: Any) -> Backpropagation:
    """Compute an expression and the derivative of its result by every value, step by step.

    The expression is built from numbers, names, ``+ - * / ** @``, ``.T`` and the functions exp, log, sqrt,
    sin, cos, tan, tanh, sigmoid, relu, softplus, abs, floor, ceil, sum, mean, softmax, log_softmax, logsumexp,
    maximum, minimum, dot, matmul and transpose. Several parts are separated by ``;`` or new lines and may be named:
    ``z = w*x + b; y = sigmoid(z); 0.5*(y - t)**2``. Values are numbers, vectors or matrices; they are
    broadcast as NumPy does. Where a value is used more than once, its error signals are added.

    Parameters
    ----------
    text : str
    values, **named
        The value of every name in the text.

    Raises
    ------
    UsageError
        For a text that is not such an expression (with its place), a name without a value, or a result
        that is not finite.
    ShapeError
        For shapes that do not fit, or a result that is not a single number.

    References
    ----------
    Griewank and Walther (2008), "Evaluating derivatives", chapter 3.

    Examples
    --------
    >>> found = backprop("0.5*(w*x - t)**2", w=2.0, x=3.0, t=5.0)
    >>> found.result, float(found.gradients["w"])
    (0.5, 3.0)
    """
    return differentiate(parse(text), {**(values or {}), **named})


def differentiate(graph: Graph, values: Mapping[str, Any]) -> Backpropagation:
    """Return forward values and error signals of a graph that `parse` built; errors are those of `backprop`."""
    known = graph.forward(values)
    steps = backward(graph, known)
    return Backpropagation(graph, steps, tuple(name for name in values if name not in graph.inputs))


def draw_graph(result: Backpropagation) -> str:
    """Return the computation graph as SVG text.

    Every box holds a node's formula, its value (blue) and its error signal (red); pointing at a box shows
    them in full, pointing at a line shows what it adds to the error signal at its left end.
    """
    return graph_svg(result.steps, result.graph)
