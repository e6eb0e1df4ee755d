"""Error signals of a computation graph in reverse order, every term kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.errors import UsageError
from striate.expression.graph import Graph, Node, operand_text, operand_values


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


def backward(graph: Graph, known: dict[str, np.ndarray]) -> tuple[Step, ...]:
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
                f"expression: the error signal of {node.name} ({node.place}) is not finite; {users} has no "
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
