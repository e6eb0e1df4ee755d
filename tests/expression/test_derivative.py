"""Derivatives of elementwise expressions: their numbers, and the same from their rules as code."""

from __future__ import annotations

import numpy as np
import pytest

from striate.expression import ELEMENTWISE, parse, slope, straight_code
from striate.expression.operations import sigmoid

EXPRESSIONS = (
    "output + target", "target - output", "output*target*output", "target/output", "-output", "output**3",
    "output**(-2)", "output**0.5", "output**0", "2**output", "output**target", "e = output; e", "exp(output)",
    "log(output)", "sqrt(output)", "sin(output)", "cos(output)", "tan(0.3*output)", "tanh(output)",
    "sigmoid(output)", "relu(output - 1)",
    "softplus(output)", "floor(output)*output", "ceil(output)*output", "abs(1 - output)",
    "maximum(output, 1)", "minimum(output, target)", "a = output - target; b = a*a; sqrt(1 + b) + a*b",
    "log(target)*2 + 0*output",
)  # fmt: skip
SPACE = {
    "np": np, "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "tanh": np.tanh, "sigmoid": sigmoid, "relu": lambda x: np.maximum(x, 0), "floor": np.floor, "ceil": np.ceil,
    "softplus": lambda x: np.logaddexp(0, x), "abs": np.abs, "sign": np.sign, "maximum": np.maximum,
    "minimum": np.minimum,
}  # fmt: skip


def numbers() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {"output": rng.uniform(0.2, 3.0, (6, 2)), "target": rng.uniform(0.2, 3.0, (6, 2))}


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_the_slope_is_that_of_the_values(text: str) -> None:
    given, step = numbers(), 1e-6
    graph = parse(text)
    _, found = slope(graph, "output", given)
    high, low = (slope(graph, "output", given | {"output": given["output"] + s})[0] for s in (step, -step))
    np.testing.assert_allclose(found, (high - low) / (2 * step), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_the_code_computes_the_same(text: str) -> None:
    given, graph = numbers(), parse(text)
    space = SPACE | given
    exec(straight_code(graph, "output"), space)
    value, found = slope(graph, "output", given)
    np.testing.assert_allclose(np.broadcast_to(space["value"], value.shape), value, rtol=1e-12)
    np.testing.assert_allclose(np.broadcast_to(space["slope"], found.shape), found, rtol=1e-12, atol=1e-14)


def test_every_operation_is_tried() -> None:
    used = {node.operation.name for text in EXPRESSIONS for node in parse(text).nodes if node.operation}
    assert used == ELEMENTWISE


def test_names_do_not_matter() -> None:
    assert straight_code(parse("e = output - target; e**2"), "output") == straight_code(
        parse("difference = output - target; square = difference**2"), "output"
    )


def test_numbers_keep_their_digits() -> None:
    assert "0.123456789012345" in straight_code(parse("0.123456789012345*output"), "output")
