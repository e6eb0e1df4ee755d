"""Numbers as text, and text as numbers."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from striate.errors import UsageError

LONGEST_TEXT = 100_000


def format_number(value: float) -> str:
    """Return a number with six digits, without needless zeros.

    Examples
    --------
    >>> format_number(0.1 + 0.2), format_number(-3.0), format_number(-0.0)
    ('0.3', '-3', '0')
    """
    return f"{float(value) + 0.0:.6g}"


def format_array(values: np.ndarray, largest: int = 24) -> str:
    """Return a number as it is, a vector as [1 2], a matrix as [1 2; 3 4]; only the shape of a larger one.

    Examples
    --------
    >>> format_array(np.array([[1.0, 2.5], [3.0, 4.0]]))
    '[1 2.5; 3 4]'
    """
    if values.ndim == 0:
        return format_number(values.item())
    if values.size > largest or values.ndim > 2:
        return f"array of shape {values.shape}, from {values.min():.4g} to {values.max():.4g}"
    rows = values if values.ndim == 2 else values[None]
    return "[" + "; ".join(" ".join(map(format_number, row)) for row in rows) + "]"


def as_numbers(where: str, name: str, value: Any) -> np.ndarray:
    """Return `value` as a new float64 array.

    Raises
    ------
    UsageError
        For uneven rows, anything but real numbers, or NaN or infinity.
    """
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise TypeError
    except (TypeError, ValueError):
        uneven = _uneven_rows(value)
        reason = f"uneven rows ({uneven})" if uneven else f"{type(value).__name__} {str(value)[:40]!r}"
        fix = " Give every row the same number of values." if uneven else ""
        raise UsageError(f"{where}: {name} must be numbers; got {reason}.{fix}") from None
    array = np.array(array, dtype=np.float64)
    if array.size == 0:
        raise UsageError(f"{where}: {name} must be numbers; got none.")
    if not np.isfinite(array).all():
        bad = array[~np.isfinite(array)].flat[0]
        raise UsageError(f"{where}: {name} must be finite numbers; got {bad}. Replace it first.")
    return array


def parse_numbers(text: str, where: str = "numbers") -> np.ndarray:
    """Return the array that a text such as ``[[1, 0, -1], [1/2, 0, -1/2]]`` stands for.

    Only numbers, signs, divisions, brackets and commas are read; nothing is evaluated otherwise.

    Raises
    ------
    UsageError
        For anything else (with its column), or rows of uneven length.

    Examples
    --------
    >>> parse_numbers("[1, -2, 1/4]")
    array([ 1.  , -2.  ,  0.25])
    """
    if len(text) > LONGEST_TEXT:
        raise UsageError(f"{where}: at most {LONGEST_TEXT:,} characters are read; got {len(text):,}. Use a file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval").body
        return as_numbers(where, "the rows", _read(tree, where))
    except SyntaxError as error:
        place = f" (column {error.offset})" if error.offset else ""
        raise UsageError(
            f"{where}: needs numbers in brackets, such as [[1, 0], [0, -1]]; got {text[:60]!r}{place}."
        ) from None
    except (ValueError, MemoryError, RecursionError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{where}: the text cannot be read: {error}. Write [[1, 0], [0, -1]].") from None


def _read(node: ast.expr, where: str) -> Any:
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_scalar(operand, where)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _scalar(operand, where)
        case ast.BinOp(op=ast.Div(), left=left, right=right):
            divisor = _scalar(right, where)
            if divisor == 0:
                raise UsageError(f"{where}: division by zero at column {node.col_offset + 1}.")
            return _scalar(left, where) / divisor
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_read(item, where) for item in items]
    raise UsageError(
        f"{where}: only numbers, brackets and commas are allowed; got {ast.unparse(node)[:40]!r} "
        f"at column {node.col_offset + 1}."
    )


def _scalar(node: ast.expr, where: str) -> float:
    value = _read(node, where)
    if isinstance(value, list):
        raise UsageError(f"{where}: a sign or division needs a single number at column {node.col_offset + 1}.")
    return float(value)


def _uneven_rows(value: Any) -> str:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ""
    lengths = [len(row) if isinstance(row, Sequence) and not isinstance(row, str) else 1 for row in value]
    if len(set(lengths)) <= 1:
        return next((found for row in value if (found := _uneven_rows(row))), "")
    return "of " + ", ".join(map(str, lengths[:8])) + (", ..." if len(lengths) > 8 else "") + " values"
