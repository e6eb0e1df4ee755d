"""The correct result of a calculation: its values, and the terms of each."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.errors import UsageError, unknown_name
from striate.expression.parse import parse
from striate.numbers import format_number
from striate.worksheets.check.text import FUNCTIONS, literal, setting, settings
from striate.worksheets.filtering import Filtered, Meaning, convolve
from striate.worksheets.pooling import pool

Place = tuple[int, ...]
_MEANINGS: dict[str, Meaning] = {"correlate": "cross-correlation", "convolve": "convolution"}


@dataclass(frozen=True, eq=False)
class Answer:
    """The result of a sum.

    Parameters
    ----------
    values : float64 array
    reading : str
        How the sum was understood.
    work : function of a position
        The line that works out one value, "" if there is nothing to show.
    terms : function of a position
        The products that make up one value, None if it is no sum of products.
    """

    values: np.ndarray
    reading: str
    work: Callable[[Place], str]
    terms: Callable[[Place], np.ndarray | None] = lambda _: None


def answers(task: ast.expr) -> Iterator[Answer]:
    """Yield what the left side of a sum can mean: the usual reading first, then the others.

    ``x * w`` of two arrays is a cross-correlation, whose padding and stride the result shown decides.

    Raises
    ------
    UsageError, ShapeError
        If it means nothing.
    """
    match task:
        case ast.BinOp(op=ast.Mult(), left=left, right=right) if _is_array(left) and _is_array(right):
            yield from _readings(literal(left, "check: the input"), literal(right, "check: the kernel"))
        case ast.BinOp(op=ast.MatMult(), left=left, right=right) if _is_array(left) and _is_array(right):
            yield _product(literal(left, "check: the left matrix"), literal(right, "check: the right matrix"))
        case ast.Call(func=ast.Name(id=name)) if name in _MEANINGS:
            yield from _filtered(name, task)
        case ast.Call(func=ast.Name(id="max_pool" | "average_pool" as name)):
            yield _pooled(name, task)
        case _:
            yield _expression(task)


def _is_array(tree: ast.expr) -> bool:
    return isinstance(tree, ast.List | ast.Tuple)


def _readings(x: np.ndarray, kernel: np.ndarray) -> Iterator[Answer]:
    yield _filter_answer(convolve(x, kernel))  # raises if sizes do not fit
    for stride in (1, 2, 3, 4):
        for padding in ("valid", "same", "full", 1, 2):
            for meaning in _MEANINGS.values():
                with contextlib.suppress(UsageError):
                    yield _filter_answer(convolve(x, kernel, meaning=meaning, padding=padding, stride=stride))


def _filtered(name: str, call: ast.Call) -> Iterator[Answer]:
    arguments, named = settings(call)
    if len(arguments) != 2:
        raise UsageError(f"check: {name} takes an input and a kernel; got {len(arguments)} arguments.")
    x, kernel = literal(arguments[0], "check: the input"), literal(arguments[1], "check: the kernel")
    _known(name, named, ("padding", "border", "stride", "dilation"))
    first = _MEANINGS[name]
    for meaning in (first, *(other for other in _MEANINGS.values() if other != first)):
        yield _filter_answer(convolve(x, kernel, meaning=meaning, **named))


def _filter_answer(found: Filtered) -> Answer:
    padding = sorted({axis.padding for axis in found.axes})
    stride = sorted({axis.stride for axis in found.axes})
    words: list[str] = [found.meaning]
    if any(map(any, padding)):
        words.append("padding " + " and ".join(str(a) if a == b else f"{a}+{b}" for a, b in padding))
    if stride != [1]:
        words.append(f"stride {' and '.join(map(str, stride))}")
    return Answer(
        found.values,
        ", ".join(words),
        lambda place: str(found.step(*place)),
        lambda place: found.step(*place).products.ravel(),
    )


def _pooled(name: str, call: ast.Call) -> Answer:
    arguments, named = settings(call)
    if len(arguments) != 2:
        raise UsageError(f"check: {name} takes an input and a window; got {len(arguments)} arguments.")
    _known(name, named, ("stride", "padding", "dilation", "ceil_mode"))
    window = setting(arguments[1])
    statistic: Any = name.removesuffix("_pool")
    found = pool(literal(arguments[0], "check: the input"), window, statistic=statistic, **named)
    return Answer(found.values, f"{statistic} pooling", lambda place: str(found.step(*place)))


def _product(a: np.ndarray, b: np.ndarray) -> Answer:
    if a.shape[-1] != b.shape[0]:
        raise UsageError(
            f"check: the left matrix needs as many columns as the right one has rows; got {a.shape} and {b.shape}."
        )

    def terms(place: Place) -> np.ndarray:
        row = a[place[0]] if a.ndim == 2 else a
        return np.asarray(row * (b[:, place[-1]] if b.ndim == 2 else b))

    def work(place: Place) -> str:
        row, column = (a[place[0]] if a.ndim == 2 else a), (b[:, place[-1]] if b.ndim == 2 else b)
        written = " + ".join(f"{_factor(x)}*{_factor(y)}" for x, y in zip(row, column, strict=True))
        return f"out[{', '.join(map(str, place))}] = {written} = {format_number(float(row @ column))}"

    return Answer(np.asarray(a @ b), "matrix product", work, terms)


def _factor(value: float) -> str:
    text = format_number(value)
    return f"({text})" if value < 0 else text


def _expression(task: ast.expr) -> Answer:
    """Compute anything else as the expression language does; arrays in it become names."""
    if isinstance(task, ast.Call) and isinstance(task.func, ast.Name):
        _known_function(task.func.id)
    arrays = _Arrays()
    text = ast.unparse(arrays.visit(task))
    graph = parse(text)
    values = graph.evaluate(arrays.found)
    return Answer(values[graph.output], "arithmetic", lambda _: "")


def _known_function(name: str) -> None:
    from striate.expression.operations import FUNCTIONS as OPERATIONS

    if name not in OPERATIONS:
        raise unknown_name("check: function", name, (*FUNCTIONS, *OPERATIONS))


class _Arrays(ast.NodeTransformer):
    """Puts a name in the place of every array that is written out."""

    def __init__(self) -> None:
        self.found: dict[str, np.ndarray] = {}

    def visit_List(self, node: ast.List) -> ast.expr:
        name = f"array{len(self.found) + 1}"
        self.found[name] = literal(node, "check")
        return ast.Name(id=name)


def _known(name: str, given: dict[str, Any], known: tuple[str, ...]) -> None:
    for key in given:
        if key not in known:
            raise unknown_name(f"check: {name}", key, known)
