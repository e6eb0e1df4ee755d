"""Parse text to claims: a calculation and its claimed result."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from striate.errors import UsageError
from striate.numbers import parse_numbers

EXAMPLE = '"[1,2,3,4] * [1,-1] = [-1,-1,-1]"'
FUNCTIONS = ("convolve", "correlate", "max_pool", "average_pool")
_OPEN, _CLOSE = "([{", ")]}"


@dataclass(frozen=True, eq=False)
class Claim:
    """A calculation as it was written.

    Parameters
    ----------
    text : str
        The whole of it.
    task : ast.expr
        What stands left of the equals sign.
    shown : float64 array
        What stands right of it.
    half_unit : float64 array
        How far rounding may move each number: half a unit of its last decimal, 0 for whole numbers.
    """

    text: str
    task: ast.expr
    shown: np.ndarray
    half_unit: np.ndarray


def split_sums(text: str) -> list[str]:
    """Return the sums of a text: each ends with its line, or with the line that closes its last bracket.

    Examples
    --------
    >>> split_sums("# slide 3\\n1 + 1 = 2\\n[1, 2] * [1] =\\n  [1,\\n   2]\\n")
    ['1 + 1 = 2', '[1, 2] * [1] = [1, 2]']
    """
    return [sum_ for _, sum_ in numbered_sums(text)]


def numbered_sums(text: str) -> Iterator[tuple[int, str]]:
    """Yield the sums of a text as `split_sums` does, each with the number of its first line, counted from 1."""
    parts: list[str] = []
    first = 0
    for number, row in enumerate(text.splitlines(), start=1):
        if line := row.split("#")[0].strip():
            first = first if parts else number
            parts.append(line)
            whole = " ".join(parts)
            if _depth(whole) <= 0 and not whole.endswith(("=", "*", "@", "+", "-", "/")) and _equals(whole):
                yield first, whole
                parts = []
    if parts:
        yield first, " ".join(parts)


def read_claim(text: str) -> Claim:
    """Return the two sides of a sum.

    Raises
    ------
    UsageError
        If there are not two sides, or one of them cannot be read.
    """
    signs = _equals(text)
    if len(signs) != 1:
        raise UsageError(f"check: a sum has one equals sign; got {len(signs)} in {text[:60]!r}. Write {EXAMPLE}.")
    left, right = text[: signs[0]].strip(), text[signs[0] + 1 :].strip()
    shown = parse_numbers(right, "check: the result")
    return Claim(text.strip(), _parsed(left), shown, _half_units(right, shown.shape))


def literal(tree: ast.expr, where: str) -> np.ndarray:
    """Return the numbers that a syntax tree writes out."""
    return parse_numbers(ast.unparse(tree), where)


def settings(call: ast.Call) -> tuple[list[ast.expr], dict[str, Any]]:
    """Return the positional arguments of a call, and the values of those with a name."""
    return call.args, {str(item.arg): setting(item.value) for item in call.keywords}


def setting(tree: ast.expr) -> Any:
    """Return the number, name or tuple of numbers that a syntax tree writes out."""
    try:
        return ast.literal_eval(tree)
    except ValueError:
        raise UsageError(
            f"check: settings are numbers or names in quotes; got {ast.unparse(tree)[:60]!r}. "
            'Write stride=2 or padding="same".'
        ) from None


def _parsed(text: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        place = f" (column {error.offset})" if isinstance(error, SyntaxError) and error.offset else ""
        raise UsageError(f"check: {text[:60]!r} cannot be read{place}. Write {EXAMPLE}.") from None


def _equals(text: str) -> list[int]:
    """Return where equals signs stand outside all brackets."""
    found, depth = [], 0
    for at, char in enumerate(text):
        depth += (char in _OPEN) - (char in _CLOSE)
        if char == "=" and depth == 0:
            found.append(at)
    return found


def _depth(text: str) -> int:
    return sum((char in _OPEN) - (char in _CLOSE) for char in text)


def _half_units(text: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return half a unit of the last decimal of every number in a text."""
    tree = ast.parse(text, mode="eval").body
    units = [_half_unit(node, text) for node in _leaves(tree)]
    return np.array(units).reshape(shape)


def _leaves(tree: ast.expr) -> Iterator[ast.expr]:
    if isinstance(tree, ast.List | ast.Tuple):
        for item in tree.elts:
            yield from _leaves(item)
    else:
        yield tree


def _half_unit(tree: ast.expr, text: str) -> float:
    number = tree.operand if isinstance(tree, ast.UnaryOp) else tree
    written = ast.get_source_segment(text, number) or ""
    if not isinstance(number, ast.Constant) or not ("." in written or "e" in written.lower()):
        return 0.0
    exponent = Decimal(written.replace("_", "")).as_tuple().exponent
    return 0.5 * 10.0 ** int(exponent)
