"""Reverse-mode differentiation of a computation graph, every term kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.errors import UsageError
from striate.explain.expression.graph import Graph, Node, operand_text, operand_values
from striate.explain.expression.parse import parse


@dataclass(frozen=True, eq=False)
class Term:
    """What one use of a value adds to its error signal.

    Parameters
    ----------
    user : str
        The node that uses the value.
    text : str
        The rule, such as "z_bar*x".
    value : float64 array of the value's shape
    """

    user: str
    text: str
    value: np.ndarray


@dataclass(frozen=True, eq=False)
class Step:
    """One node of the graph with its value and its error signal (the result's derivative by this value).

    Parameters
    ----------
    node : Node
    value : float64 array
    error : float64 array of the value's shape
    terms : tuple of Term
        The error signal is their sum; none for the result itself, whose error signal is 1.
    """

    node: Node
    value: np.ndarray
    error: np.ndarray
    terms: tuple[Term, ...]


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
        """Return the step of a name."""
        for step in self.steps:
            if step.node.name == name:
                return step
        raise UsageError(
            f"backprop: {name!r} is no value of this expression; it has "
            f"{', '.join(step.node.name for step in self.steps)}."
        )

    @property
    def result(self) -> float:
        """Value of the expression."""
        return self[self.graph.output].value.item()

    @property
    def values(self) -> dict[str, np.ndarray]:
        """Value of every node by name."""
        return {step.node.name: step.value for step in self.steps}

    @property
    def gradients(self) -> dict[str, np.ndarray]:
        """Derivative of the result by every value that was given."""
        return {step.node.name: step.error for step in self.steps if step.node.operation is None}

    def __str__(self) -> str:
        from striate.explain.expression.board import board

        return board(self)

    def _repr_svg_(self) -> str:
        from striate.explain.expression.svg import draw_graph

        return draw_graph(self)


def backprop(text: str, values: Mapping[str, Any] | None = None, /, **named: Any) -> Backpropagation:
    """Compute an expression and the derivative of its result by every value, step by step.

    The expression is built from numbers, names, ``+ - * / ** @``, ``.T`` and the functions exp, log, sqrt,
    sin, cos, tan, tanh, sigmoid, relu, softplus, abs, sum, mean, softmax, log_softmax, logsumexp, maximum,
    minimum, dot, matmul and transpose. Several parts are separated by ``;`` or new lines and may be named:
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
    steps = _backward(graph, known)
    return Backpropagation(graph, steps, tuple(name for name in values if name not in graph.inputs))


def _backward(graph: Graph, known: dict[str, np.ndarray]) -> tuple[Step, ...]:
    """Return the steps in topological order, computed in the reverse of it."""
    terms: dict[str, list[Term]] = {node.name: [] for node in graph.nodes}
    steps = []
    for node in reversed(graph.nodes):
        value = known[node.name]
        error = np.ones_like(value) if node.name == graph.output else np.zeros_like(value)
        for term in terms[node.name]:
            error = np.asarray(error + term.value)
        if not np.isfinite(error).all():
            users = " and ".join(dict.fromkeys(term.user for term in terms[node.name]))
            raise UsageError(
                f"backprop: the error signal of {node.name} ({node.place}) is not finite; {users} has no "
                f"derivative there. Change the values given, or write an exponent as a number."
            )
        steps.append(Step(node, value, error, tuple(terms[node.name])))
        if node.operation is not None:
            for name, term in _send(node, error, known):
                terms[name].append(term)
    return tuple(reversed(steps))


def _send(node: Node, error: np.ndarray, known: dict[str, np.ndarray]) -> list[tuple[str, Term]]:
    """Return the terms that a node's error signal gives to its operands."""
    assert node.operation is not None
    values = operand_values(node, known)
    names, shapes = tuple(map(operand_text, node.operands)), tuple(value.shape for value in values)
    bar = f"{node.name}_bar"
    sent = []
    for operand, value, (rule, text) in zip(node.operands, values, node.operation.backward, strict=True):
        if not isinstance(operand, str):
            continue
        with np.errstate(all="ignore"):
            signal = np.asarray(rule(error, known[node.name], node.axis, *values), dtype=np.float64)
        written = text(bar, names, shapes) if callable(text) else text.format(*names, g=bar, y=node.name)
        if signal.shape != value.shape:
            signal, axes = _sum_to_shape(signal, value.shape)
            written = f"sum({written})" if value.size == 1 else f"sum({written}, axis={axes})"
        sent.append((operand, Term(node.name, written, signal)))
    return sent


def _sum_to_shape(signal: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, str]:
    """Add up the elements that broadcasting made of one element."""
    extra = signal.ndim - len(shape)
    axes = [*range(extra), *(extra + i for i, n in enumerate(shape) if n == 1 and signal.shape[extra + i] != 1)]
    written = str(axes[0]) if len(axes) == 1 else str(tuple(axes))
    return np.asarray(signal.sum(axis=tuple(axes))).reshape(shape), written
