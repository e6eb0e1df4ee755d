"""The operations of the expression language: value and error signals written side by side.

Every operation has a forward rule ``forward(axis, *operands)`` and, for each operand, a rule
``backward(g, y, axis, *operands)`` that turns the error signal `g` of its result `y` into the error
signal it sends to that operand, with the same rule as text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Rule = Callable[..., Any]
Names = tuple[str, ...]
Shapes = tuple[tuple[int, ...], ...]
Text = str | Callable[[str, Names, Shapes], str]


@dataclass(frozen=True)
class Operation:
    """One operation of the language.

    Parameters
    ----------
    name : str
    symbol : str
        How it is written: ``{0}``, ``{1}`` are the operands, ``{axis}`` the axis.
    forward : callable
        ``forward(axis, *operands)``
    backward : tuple of (callable, text)
        For each operand the rule of its error signal, and the rule as text in which ``{g}`` is the error
        signal of the result, ``{y}`` the result and ``{0}``, ``{1}`` the operands (or a function of the
        error signal's name, the operands' names and their shapes).
    domain : str
        What it needs for a finite result.
    takes_axis : bool
    default_axis : int or None
    """

    name: str
    symbol: str
    forward: Rule
    backward: tuple[tuple[Rule, Text], ...]
    domain: str = ""
    takes_axis: bool = False
    default_axis: int | None = None


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return 1/(1 + exp(-x)) without overflow."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -x)))


def softmax(x: np.ndarray, axis: int | None) -> np.ndarray:
    """Return exp(x)/sum(exp(x)) along `axis` without overflow."""
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


def _log_sum_exp(axis: int | None, x: np.ndarray) -> np.ndarray:
    top = x.max(axis=axis, keepdims=True)
    total = np.log(np.exp(x - top).sum(axis=axis, keepdims=True)) + top
    return np.asarray(np.squeeze(total, axis=axis) if axis is not None else total.reshape(()))


def _spread(g: np.ndarray, axis: int | None, x: np.ndarray) -> np.ndarray:
    """Return `g`, of which `axis` was summed away, in the shape of `x`."""
    return np.broadcast_to(g if axis is None else np.expand_dims(g, axis), x.shape)


def _power_to_base(g: np.ndarray, y: np.ndarray, axis: None, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return g * np.where(b == 0, 0.0, b * np.power(a, b - 1))


def _power_to_exponent(g: np.ndarray, y: np.ndarray, axis: None, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return g * np.where((a == 0) & (b > 0), 0.0, y * np.log(a))


def _power_text(g: str, names: Names, shapes: Shapes) -> str:
    base, exponent = names
    if exponent == "0":
        return "0"
    return f"{g}*2*{base}" if exponent == "2" else f"{g}*{exponent}*{base}**({exponent} - 1)"


def _matmul(axis: None, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if a.ndim == 0 or b.ndim == 0:
        raise ValueError("a number is not a vector or matrix")
    return np.asarray(a @ b)


def _matmul_to_left(g: np.ndarray, y: np.ndarray, axis: None, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if b.ndim == 1:
        return g * b if a.ndim == 1 else np.outer(g, b)
    return np.asarray(g @ b.T)


def _matmul_to_right(g: np.ndarray, y: np.ndarray, axis: None, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if a.ndim == 1:
        return g * a if b.ndim == 1 else np.outer(a, g)
    return np.asarray(a.T @ g)


def _matmul_left_text(g: str, names: Names, shapes: Shapes) -> str:
    b = names[1]
    if len(shapes[1]) == 1:
        return f"{g}*{b}" if len(shapes[0]) == 1 else f"outer({g}, {b})"
    return f"{g} @ {b}.T" if len(shapes[0]) == 2 else f"{b} @ {g}"


def _matmul_right_text(g: str, names: Names, shapes: Shapes) -> str:
    a = names[0]
    if len(shapes[0]) == 1:
        return f"{g}*{a}" if len(shapes[1]) == 1 else f"outer({a}, {g})"
    return f"{a}.T @ {g}"


def _one(name: str, forward: Rule, backward: Rule, text: str, domain: str = "") -> Operation:
    """Return an operation on one operand: ``forward(a)``, ``backward(g, y, a)``."""
    return Operation(
        name,
        name + "({0})",
        lambda axis, a: forward(a),
        ((lambda g, y, axis, a: backward(g, y, a), text),),
        domain,
    )


def _two(name: str, symbol: str, forward: Rule, *backward: tuple[Rule, Text], domain: str = "") -> Operation:
    return Operation(name, symbol, forward, backward, domain)


def _along(name: str, forward: Rule, backward: Rule, text: str, default: int | None) -> Operation:
    rules = ((backward, text),)
    return Operation(name, name + "({0}{axis})", forward, rules, takes_axis=True, default_axis=default)


OPERATORS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        _two(
            "+",
            "{0} + {1}",
            lambda _, a, b: a + b,
            (lambda g, y, _, a, b: g, "{g}"),
            (lambda g, y, _, a, b: g, "{g}"),
        ),
        _two(
            "-",
            "{0} - {1}",
            lambda _, a, b: a - b,
            (lambda g, y, _, a, b: g, "{g}"),
            (lambda g, y, _, a, b: -g, "-{g}"),
        ),
        _two(
            "*",
            "{0}*{1}",
            lambda _, a, b: a * b,
            (lambda g, y, _, a, b: g * b, "{g}*{1}"),
            (lambda g, y, _, a, b: g * a, "{g}*{0}"),
        ),
        _two(
            "/",
            "{0}/{1}",
            lambda _, a, b: a / b,
            (lambda g, y, _, a, b: g / b, "{g}/{1}"),
            (lambda g, y, _, a, b: -g * a / b**2, "-{g}*{0}/{1}**2"),
            domain="it needs a divisor other than 0",
        ),
        _two(
            "**",
            "{0}**{1}",
            lambda _, a, b: np.power(a, b),
            (_power_to_base, _power_text),
            (_power_to_exponent, "{g}*{y}*log({0})"),
            domain="a broken power needs a positive base, and a large one overflows",
        ),
        _two(
            "@", "{0} @ {1}", _matmul, (_matmul_to_left, _matmul_left_text), (_matmul_to_right, _matmul_right_text)
        ),
        Operation("neg", "-{0}", lambda _, a: -a, ((lambda g, y, _, a: -g, "-{g}"),)),
        Operation("=", "{0}", lambda _, a: a, ((lambda g, y, _, a: g, "{g}"),)),
        Operation("T", "{0}.T", lambda _, a: a.T, ((lambda g, y, _, a: g.T, "{g}.T"),)),
    )
}

_MAXIMUM = _two(
    "maximum",
    "maximum({0}, {1})",
    lambda _, a, b: np.maximum(a, b),
    (lambda g, y, _, a, b: g * (a >= b), "{g}*({0} >= {1})"),
    (lambda g, y, _, a, b: g * (a < b), "{g}*({0} < {1})"),
)
_MINIMUM = _two(
    "minimum",
    "minimum({0}, {1})",
    lambda _, a, b: np.minimum(a, b),
    (lambda g, y, _, a, b: g * (a <= b), "{g}*({0} <= {1})"),
    (lambda g, y, _, a, b: g * (a > b), "{g}*({0} > {1})"),
)

FUNCTIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        _one("exp", np.exp, lambda g, y, a: g * y, "{g}*{y}", "it overflows above 709"),
        _one("log", np.log, lambda g, y, a: g / a, "{g}/{0}", "it needs numbers above 0"),
        _one("sqrt", np.sqrt, lambda g, y, a: g / (2 * y), "{g}/(2*{y})", "it needs numbers of at least 0"),
        _one("sin", np.sin, lambda g, y, a: g * np.cos(a), "{g}*cos({0})"),
        _one("cos", np.cos, lambda g, y, a: -g * np.sin(a), "-{g}*sin({0})"),
        _one("tan", np.tan, lambda g, y, a: g * (1 + y**2), "{g}*(1 + {y}**2)"),
        _one("tanh", np.tanh, lambda g, y, a: g * (1 - y**2), "{g}*(1 - {y}**2)"),
        _one("sigmoid", sigmoid, lambda g, y, a: g * y * sigmoid(-a), "{g}*{y}*(1 - {y})"),
        _one("relu", lambda a: np.maximum(a, 0), lambda g, y, a: g * (a > 0), "{g}*({0} > 0)"),
        _one("softplus", lambda a: np.logaddexp(0, a), lambda g, y, a: g * sigmoid(a), "{g}*sigmoid({0})"),
        _one("floor", np.floor, lambda g, y, a: np.zeros_like(g), "0"),
        _one("ceil", np.ceil, lambda g, y, a: np.zeros_like(g), "0"),
        _one("abs", np.abs, lambda g, y, a: g * np.sign(a), "{g}*sign({0})"),
        _along("sum", lambda n, a: a.sum(axis=n), lambda g, y, n, a: _spread(g, n, a), "{g}", None),
        _along(
            "mean",
            lambda n, a: a.mean(axis=n),
            lambda g, y, n, a: _spread(g, n, a) * (y.size / a.size),
            "{g}/count",
            None,
        ),
        _along(
            "logsumexp", _log_sum_exp, lambda g, y, n, a: _spread(g, n, a) * softmax(a, n), "{g}*softmax({0})", -1
        ),
        _along(
            "softmax",
            lambda n, a: softmax(a, n),
            lambda g, y, n, a: y * (g - (g * y).sum(axis=n, keepdims=True)),
            "{y}*({g} - sum({g}*{y}))",
            -1,
        ),
        _along(
            "log_softmax",
            lambda n, a: a - np.broadcast_to(_spread(_log_sum_exp(n, a), n, a), a.shape),
            lambda g, y, n, a: g - np.exp(y) * g.sum(axis=n, keepdims=True),
            "{g} - exp({y})*sum({g})",
            -1,
        ),
        _MAXIMUM,
        _MINIMUM,
    )
}
FUNCTIONS["transpose"] = OPERATORS["T"]
FUNCTIONS["dot"] = FUNCTIONS["matmul"] = OPERATORS["@"]
CONSTANTS = {"pi": float(np.pi)}
