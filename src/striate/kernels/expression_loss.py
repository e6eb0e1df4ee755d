"""The kernel of a loss that was written as an expression: its operations, compiled one after the other."""

from __future__ import annotations

import ast
from typing import Any

from numba import float32 as f32
from numba import njit

from striate.kernels import functions
from striate.kernels.functions import vcos_turn, vexp, vsigmoid, vtanh
from striate.kernels.vector import Floats, Ints, lanes_of, select, shift, splat, vabs, vload, vround, vsqrt, vstore

SYMBOLS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Gt: "above",
    ast.GtE: "at_least",
    ast.Lt: "below",
    ast.LtE: "at_most",
}
LARGEST_WHOLE = 64  # exponents below it are multiplied out


def elementwise(code: str):
    """``loss = 1/T sum over t of value``, ``grad[t] = slope / T * weight``; ``code`` assigns value and slope.

    See ``striate.expression.straight_code``.
    """
    function = compiled(code)

    def kernel(
        outputs: Floats,
        grad: Floats,
        targets: Floats,
        weights: Floats,
        losses: Floats,
        correct: Floats,
        features: Ints,
        grad_features: Ints,
        count: int,
        blocks: int,
        outputs_block: int,
        grad_block: int,
    ):
        lanes = lanes_of(outputs)
        zero = splat(outputs, f32(0.0))
        share = f32(1.0) / f32(count)
        for block in range(blocks):
            y, gy = shift(outputs, block * outputs_block), shift(grad, block * grad_block)
            target, weight = shift(targets, block * count * lanes), vload(weights, block * lanes) * share
            total = zero
            for c in range(count):
                value, slope = function(vload(y, features[c]), vload(target, c * lanes))
                total = total + value
                vstore(gy, grad_features[c], slope * weight)
            vstore(losses, block * lanes, total * share)
            vstore(correct, block * lanes, zero)

    return kernel


def compiled(code: str) -> Any:
    """Return a function of an output and a target (vectors) that returns their value and its slope.

    Only assignments of arithmetic, of numbers and of calls of `OPERATIONS` become code, whatever the text says.

    Raises
    ------
    ValueError
        For anything else.
    """
    writer = _Writer()
    lines = [f"    {writer.assignment(statement)}" for statement in ast.parse(code).body]
    source = "\n".join(["def function(output, target):", *lines, "    return value, slope"])
    if not {"value", "slope"} <= writer.names:
        raise ValueError("the code of an expression must assign value and slope")
    space: dict[str, Any] = {"f32": f32, **OPERATIONS}
    exec(compile(source, "<expression>", "exec"), space)
    return njit(space["function"])


class _Writer:
    """Writes the assignments of a code again, in terms of `OPERATIONS`; every value is a vector."""

    def __init__(self) -> None:
        self.names = {"output", "target"}

    def assignment(self, statement: ast.stmt) -> str:
        """Return one line of source."""
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name not in OPERATIONS:
                written = f"{name} = {self.vector(value)}"
                self.names.add(name)
                return written
        raise ValueError(f"not an assignment: {ast.unparse(statement)}")

    def vector(self, tree: ast.expr) -> str:
        """Return the source of a value as a vector."""
        number = _number(tree)
        return self.value(tree) if number is None else f"fill(output, f32({number!r}))"

    def value(self, tree: ast.expr) -> str:
        """Return the source of a vector that no number alone makes up."""
        match tree:
            case ast.Name(id=name) if name in self.names:
                return name
            case ast.BinOp(op=operator, left=left, right=right) if type(operator) in SYMBOLS:
                return f"({self.vector(left)} {SYMBOLS[type(operator)]} {self.vector(right)})"
            case ast.BinOp(op=ast.Pow(), left=base, right=exponent) if (number := _number(exponent)) is not None:
                kind = "whole_power" if number == int(number) and abs(number) < LARGEST_WHOLE else "real_power"
                return f"{kind}({self.vector(base)}, f32({number!r}), f32(0.0))"
        name, operands = _call(tree)
        return f"{name}({', '.join(map(self.vector, operands))})"


def _call(tree: ast.expr) -> tuple[str, list[ast.expr]]:
    """Return which of `OPERATIONS` a part of the code stands for, and its operands."""
    match tree:
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return "negative", [inner]
        case ast.BinOp(op=ast.Pow(), left=base, right=exponent):
            return "power", [base, exponent]
        case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in COMPARISONS:
            return COMPARISONS[type(operator)], [left, right]
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in OPERATIONS:
            return name, arguments
    raise ValueError(f"not an operation on numbers: {ast.unparse(tree)}")


def _number(tree: ast.expr) -> float | None:
    """Return the number that a part of the code is, None if it is none."""
    match tree:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.UnaryOp(op=ast.USub(), operand=inner) if (number := _number(inner)) is not None:
            return -number
        case ast.BinOp(op=ast.Sub(), left=left, right=right):
            first, second = _number(left), _number(right)
            return None if first is None or second is None else first - second
    return None


@njit
def _fill(x, number):
    return splat(x, number)


@njit
def _negative(x):
    return f32(0.0) - x


@njit
def _log(x):
    return functions.log(x, f32(0.0), f32(0.0))


@njit
def _softplus(x):
    return functions.softplus(x, f32(1.0), f32(0.0))


@njit
def _relu(x):
    return functions.relu(x, f32(0.0), f32(0.0))


@njit
def _power(base, exponent):
    """base^exponent as e^(exponent log base); NaN below 0."""
    return vexp(exponent * _log(base))


@njit
def _floor(x):
    whole = vround(x)
    return select(whole > x, whole - f32(1.0), whole)


@njit
def _ceil(x):
    return f32(0.0) - _floor(f32(0.0) - x)


@njit
def _cos(x):
    turns = x * f32(0.15915494309189535)
    return vcos_turn(turns - _floor(turns))


@njit
def _sin(x):
    turns = x * f32(0.15915494309189535) - f32(0.25)
    return vcos_turn(turns - _floor(turns))


@njit
def _tan(x):
    return _sin(x) / _cos(x)


@njit
def _sign(x):
    """1, -1, or x itself where it is 0 or NaN."""
    one = splat(x, f32(1.0))
    return select(x > splat(x, f32(0.0)), one, select(x < splat(x, f32(0.0)), f32(0.0) - one, x))


@njit
def _maximum(a, b):
    """The larger; NaN where one is NaN."""
    return select(a >= b, a, select(b >= a, b, a + b))


@njit
def _minimum(a, b):
    """The smaller; NaN where one is NaN."""
    return select(b >= a, a, select(a >= b, b, a + b))


@njit
def _above(a, b):
    return select(a > b, splat(a, f32(1.0)), splat(a, f32(0.0)))


@njit
def _at_least(a, b):
    return select(a >= b, splat(a, f32(1.0)), splat(a, f32(0.0)))


@njit
def _below(a, b):
    return _above(b, a)


@njit
def _at_most(a, b):
    return _at_least(b, a)


OPERATIONS = {
    "fill": _fill,
    "negative": _negative,
    "exp": vexp,
    "log": _log,
    "sqrt": vsqrt,
    "sin": _sin,
    "cos": _cos,
    "tan": _tan,
    "tanh": vtanh,
    "sigmoid": vsigmoid,
    "softplus": _softplus,
    "relu": _relu,
    "floor": _floor,
    "ceil": _ceil,
    "abs": vabs,
    "sign": _sign,
    "maximum": _maximum,
    "minimum": _minimum,
    "power": _power,
    "whole_power": functions.whole_power,
    "real_power": functions.real_power,
    "above": _above,
    "at_least": _at_least,
    "below": _below,
    "at_most": _at_most,
}
