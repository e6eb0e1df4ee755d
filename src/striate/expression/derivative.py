"""The derivative of an elementwise expression: its numbers, and its rules as a program without branches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from striate.expression.graph import Graph, Node, Operand, operand_values

ELEMENTWISE = frozenset({
    "+", "-", "*", "/", "**", "neg", "=", "abs", "ceil", "cos", "exp", "floor", "log", "maximum", "minimum", "relu",
    "sigmoid", "sin", "softplus", "sqrt", "tan", "tanh",
})  # fmt: skip
"""Names of the operations that apply to every number of an array separately."""
EXACT = 2**53  # whole numbers below it are written without a point


def slope(graph: Graph, by: str, values: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the value of an elementwise expression and its derivative by the input ``by``, in float64.

    Nothing is checked: where the expression has no value or no derivative, the results are NaN or infinite.

    Parameters
    ----------
    graph : Graph
        Of operations in `ELEMENTWISE`.
    by : str
    values : dict of float64[*shape]
        The inputs, all of one shape.
    """
    known = {name: np.asarray(value, np.float64) for name, value in values.items()}
    signals: dict[str, np.ndarray] = {}
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            if node.operation is not None:
                known[node.name] = np.asarray(node.operation.forward(None, *operand_values(node, known)))
        shape = np.broadcast_shapes(*(value.shape for value in known.values()))
        signals[graph.output] = np.ones(shape)
        for node in reversed(graph.nodes):
            if node.name in signals:
                _send(node, known, signals)
    zero = np.zeros(shape)
    return np.broadcast_to(known[graph.output], shape), np.asarray(signals.get(by, zero))


def _send(node: Node, known: Mapping[str, np.ndarray], signals: dict[str, np.ndarray]) -> None:
    """Add what the error signal of a node gives to those of its operands."""
    if node.operation is None:
        return
    values, given = operand_values(node, known), signals[node.name]
    for operand, (rule, _) in zip(node.operands, node.operation.backward, strict=True):
        if isinstance(operand, str):
            signals[operand] = signals.get(operand, 0.0) + rule(given, known[node.name], None, *values)


def straight_code(graph: Graph, by: str) -> str:
    """Return the expression and its derivative by ``by`` as assignments, one after the other.

    Inputs keep their names, other values are v1, v2, ... and their error signals g1, g2, ...; the last two
    assignments are those of ``value`` and ``slope``. Expressions that differ in names alone have the same code.

    Examples
    --------
    >>> from striate.expression.parse import parse
    >>> print(straight_code(parse("(output - target)**2"), "output"))
    v1 = output - target
    v2 = v1**2
    g2 = 1
    g1 = g2*2*v1
    slope = g1
    value = v2
    """
    names = {name: name for name in graph.inputs}
    computed = [node for node in graph.nodes if node.operation is not None]
    names |= {node.name: f"v{number}" for number, node in enumerate(computed, start=1)}
    lines = [f"{names[node.name]} = {_formula(node, names)}" for node in computed]
    leading = _leading(graph, by)
    terms: dict[str, list[str]] = {name: [] for name in leading} | {graph.output: ["1"]}
    for node in reversed(computed):
        if node.name in leading:
            signal = names[node.name].replace("v", "g")
            lines.append(f"{signal} = {' + '.join(terms[node.name])}")
            for operand, text in _rules(node, names, signal):
                if operand in leading:
                    terms[operand].append(text)
    return "\n".join([*lines, f"slope = {' + '.join(terms[by])}", f"value = {names[graph.output]}"])


def _leading(graph: Graph, by: str) -> set[str]:
    """Return the names of ``by`` and of all values that are computed from it and lead to the result."""
    above = {by}
    for node in graph.nodes:
        if above.intersection(node.operands):
            above.add(node.name)
    below = {graph.output}
    for node in reversed(graph.nodes):
        if node.name in below:
            below.update(operand for operand in node.operands if isinstance(operand, str))
    return above & below | {by}


def _formula(node: Node, names: Mapping[str, str]) -> str:
    assert node.operation is not None
    return node.operation.symbol.format(*(_text(operand, names) for operand in node.operands), axis="")


def _rules(node: Node, names: Mapping[str, str], signal: str) -> Iterator[tuple[Operand, str]]:
    """Yield each operand with what the node adds to its error signal."""
    assert node.operation is not None
    operands = tuple(_text(operand, names) for operand in node.operands)
    for operand, (_, text) in zip(node.operands, node.operation.backward, strict=True):
        known = {"g": signal, "y": names[node.name]}
        yield operand, text(signal, operands, ()) if callable(text) else text.format(*operands, **known)


def _text(operand: Operand, names: Mapping[str, str]) -> str:
    """Return a name, or a number with all of its digits, in brackets if negative."""
    if isinstance(operand, str):
        return names[operand]
    text = repr(int(operand)) if operand == int(operand) and abs(operand) < EXACT else repr(operand)
    return f"({text})" if operand < 0 else text
