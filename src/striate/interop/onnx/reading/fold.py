"""Nodes without a sample among their operands: computed once, while the graph is read."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.interop.onnx.reading.values import Unsupported
from striate.interop.onnx.tensors import BFLOAT16, DTYPES, to_shape

if TYPE_CHECKING:
    from striate.interop.onnx.reading.importer import Operator

Fold = Callable[..., Any]
LARGEST = 2**28  # numbers of one constant


def _constant(node: Operator) -> np.ndarray:
    for name, dtype in (("value_float", np.float32), ("value_int", np.int64)):
        if name in node.attributes:
            return np.asarray(node.attributes[name], dtype)
    for name, dtype in (("value_floats", np.float32), ("value_ints", np.int64)):
        if name in node.attributes:
            return np.asarray(node.attributes[name], dtype)
    if "value" in node.attributes:
        return np.asarray(node.attributes["value"])
    raise Unsupported("the constant has an unknown type")


def _sized(shape: Any) -> tuple[int, ...]:
    sides = to_shape(np.ravel(shape), "a constant")
    if min(sides, default=0) < 0 or math.prod(sides) > LARGEST:
        raise Unsupported(f"a constant cannot have the shape {list(sides)}")
    return sides


def _constant_of_shape(node: Operator, shape: np.ndarray) -> np.ndarray:
    value = np.asarray(node.get("value", np.zeros(1, np.float32)))
    return np.broadcast_to(value.ravel()[0], _sized(shape))  # takes no memory


def _cast(node: Operator, x: np.ndarray) -> np.ndarray:
    kind = node.get("to")
    if kind != BFLOAT16 and kind not in DTYPES:
        raise Unsupported(f"casts to the element type {kind} are not known")
    return x.astype(np.float32 if kind == BFLOAT16 else DTYPES[kind])


def target_shape(shape: np.ndarray, source: tuple[int, ...], allow_zero: bool) -> list[int]:
    """Return the shape that a Reshape asks for: 0 copies a side, -1 is what is left."""
    wanted = list(to_shape(np.ravel(shape), "what is reshaped"))
    if not allow_zero:
        wanted = [source[i] if side == 0 and i < len(source) else side for i, side in enumerate(wanted)]
    known = math.prod(side for side in wanted if side != -1)
    total = math.prod(source)
    if wanted.count(-1) > 1 or (known and -1 in wanted and total % known) or min(wanted, default=0) < -1:
        raise Unsupported(f"{list(source)} cannot be reshaped to {wanted}")
    return [total // known if side == -1 and known else side for side in wanted]


def _reshape(node: Operator, x: np.ndarray, shape: np.ndarray) -> np.ndarray:
    return x.reshape(target_shape(shape, x.shape, bool(node.get("allowzero", 0))))


def _slice(node: Operator, x: np.ndarray, *_: np.ndarray) -> np.ndarray:
    starts, ends = node.ints(1, "starts") or [], node.ints(2, "ends") or []
    axes = node.ints(3, "axes") or list(range(len(starts)))
    steps = node.ints(4, "steps") or [1] * len(starts)
    cut: list[slice] = [slice(None)] * x.ndim
    for begin, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        cut[axis] = slice(begin, None if step < 0 and end < -x.shape[axis] else end, step)
    return x[tuple(cut)]


def parts_of(node: Operator, total: int) -> list[int]:
    """Return the sizes of what a Split makes of ``total`` places; raises Unsupported if they do not fit."""
    found, count = node.constant(1, "split"), len(node.outputs)
    size = -(-total // count)
    parts = [min(size, total - size * i) for i in range(count)] if found is None else np.ravel(found).tolist()
    if len(parts) != count or sum(parts) != total or min(parts) < 0:
        raise Unsupported(f"the parts {parts[:8]} do not make up {total} places in {count} outputs")
    return [int(part) for part in parts]


def _split(node: Operator, x: np.ndarray, *_: np.ndarray) -> list[np.ndarray]:
    axis = node.get("axis", 0)
    return np.split(x, np.cumsum(parts_of(node, x.shape[axis]))[:-1], axis=axis)


def _axes(node: Operator, number: int = 1) -> tuple[int, ...] | None:
    found = node.ints(number, "axes")
    return None if found is None else tuple(found)


def _unsqueeze(node: Operator, x: np.ndarray, *_: np.ndarray) -> np.ndarray:
    return np.expand_dims(x, _axes(node) or ())


def _reduce(function: Fold) -> Fold:
    def fold_reduction(node: Operator, x: np.ndarray, *_: np.ndarray) -> np.ndarray:
        return np.asarray(function(x, axis=_axes(node), keepdims=bool(node.get("keepdims", 1)))).astype(x.dtype)

    return fold_reduction


def _divide(node: Operator, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if a.dtype.kind in "iu":
        return np.trunc(a / np.where(b == 0, 1, b)).astype(a.dtype)
    with np.errstate(all="ignore"):
        return np.asarray(a / b)


def _plain(function: Fold) -> Fold:
    def fold_plain(node: Operator, *inputs: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.asarray(function(*inputs))

    return fold_plain


def _steps(start: np.ndarray, stop: np.ndarray, step: np.ndarray) -> int:
    if step == 0 or not abs((stop - start) / step) <= LARGEST:
        raise Unsupported("a range is too long")
    return int(abs((stop - start) / step))


def _range(node: Operator, start: np.ndarray, stop: np.ndarray, step: np.ndarray) -> np.ndarray:
    return np.asarray(np.arange(start.item(), stop.item(), step.item()), start.dtype)


def _expand(node: Operator, x: np.ndarray, shape: np.ndarray) -> np.ndarray:
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, _sized(shape)))


def _tile(node: Operator, x: np.ndarray, repeats: np.ndarray) -> np.ndarray:
    return np.tile(x, [int(r) for r in repeats])


def _gemm(node: Operator, a: np.ndarray, b: np.ndarray, c: np.ndarray | None = None) -> np.ndarray:
    a, b = a.T if node.get("transA", 0) else a, b.T if node.get("transB", 0) else b
    alike = a.strides[0] == 0  # rows that ConstantOfShape made, one for each sample
    found = node.get("alpha", 1.0) * ((a[:1] if alike else a) @ b)
    found = np.broadcast_to(found, (len(a), b.shape[1]))
    return found if c is None else np.asarray(found + node.get("beta", 1.0) * c, a.dtype)


def quantised_range(dtype: np.dtype) -> tuple[float, float]:
    """Return the smallest and largest number of an integer type, or of 8 bits without a sign."""
    limits = np.iinfo(dtype if dtype.kind in "iu" else np.uint8)
    return float(limits.min), float(limits.max)


def no_zero_point(node: Operator) -> np.ndarray:
    """Return 0 in the type of what is quantised without a zero point."""
    return np.zeros((), DTYPES.get(node.get("output_dtype", 0), np.dtype("u1")))


def broadcast_along(numbers: np.ndarray, axis: int | None, rank: int) -> np.ndarray:
    """Return numbers, one for each place of an axis, in a shape that is broadcast with arrays of ``rank`` axes."""
    if numbers.size == 1:
        return numbers.reshape(())
    if axis is None or numbers.ndim == rank:
        return numbers
    sides = [1] * rank
    sides[axis] = numbers.size
    return numbers.reshape(sides)


def _scales(node: Operator, x: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return scales or zero points for every number of ``x``: one, one for each place, or one for each block."""
    axis, block = node.get("axis", 1), node.get("block_size", 0)
    if block and numbers.ndim == x.ndim:
        numbers = np.repeat(numbers, min(block, x.shape[axis]), axis)[tuple(slice(n) for n in x.shape)]
    return np.broadcast_to(broadcast_along(numbers, axis, x.ndim), x.shape)


def _dequantise(node: Operator, x: np.ndarray, scale: np.ndarray, zero: np.ndarray | None = None) -> np.ndarray:
    numbers = x.astype(np.float32)
    if zero is not None:
        numbers = numbers - _scales(node, x, zero).astype(np.float32)
    return numbers * _scales(node, x, scale).astype(np.float32)


def _quantise(node: Operator, x: np.ndarray, scale: np.ndarray, zero: np.ndarray | None = None) -> np.ndarray:
    zero = no_zero_point(node) if zero is None else zero
    whole = np.rint(x / _scales(node, x, scale)) + _scales(node, x, zero).astype(np.float32)
    return np.asarray(np.clip(whole, *quantised_range(zero.dtype)).astype(zero.dtype))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))


FOLDS: dict[str, Fold] = {
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Shape": lambda node, x: np.array(x.shape[slice(node.get("start", 0), node.get("end"))], np.int64),
    "Size": lambda node, x: np.array(x.size, np.int64),
    "Cast": _cast,
    "Reshape": _reshape,
    "Slice": _slice,
    "Split": _split,
    "Unsqueeze": _unsqueeze,
    "Squeeze": lambda node, x, *_: np.squeeze(x, _axes(node)),
    "Transpose": lambda node, x: np.transpose(x, node.get("perm")),
    "Concat": lambda node, *inputs: np.concatenate(inputs, axis=node.get("axis", 0)),
    "Gather": lambda node, x, index: np.take(x, index.astype(np.int64), axis=node.get("axis", 0)),
    "Flatten": lambda node, x: x.reshape(math.prod(x.shape[: node.get("axis", 1)]), -1),
    "Identity": lambda node, x: x,
    "Dropout": lambda node, x, *_: x,
    "Range": _range,
    "Expand": _expand,
    "Tile": _tile,
    "Where": _plain(np.where),
    "NonZero": lambda node, x: np.array(np.nonzero(x), np.int64),
    "Equal": _plain(np.equal),
    "Greater": _plain(np.greater),
    "GreaterOrEqual": _plain(np.greater_equal),
    "Less": _plain(np.less),
    "LessOrEqual": _plain(np.less_equal),
    "Not": _plain(np.logical_not),
    "And": _plain(np.logical_and),
    "Or": _plain(np.logical_or),
    "Add": _plain(np.add),
    "Sub": _plain(np.subtract),
    "Mul": _plain(np.multiply),
    "Div": _divide,
    "Pow": lambda node, a, b: np.power(a.astype(np.float64), b).astype(a.dtype),
    "Mod": lambda node, a, b: np.fmod(a, b) if node.get("fmod", 0) else np.mod(a, b),
    "Neg": _plain(np.negative),
    "Abs": _plain(np.abs),
    "Sqrt": _plain(np.sqrt),
    "Exp": _plain(np.exp),
    "Log": _plain(np.log),
    "Floor": _plain(np.floor),
    "Ceil": _plain(np.ceil),
    "Reciprocal": _plain(lambda x: 1 / x),
    "Sigmoid": _plain(_sigmoid),
    "Tanh": _plain(np.tanh),
    "Relu": _plain(lambda x: np.maximum(x, 0)),
    "Sin": _plain(np.sin),
    "Cos": _plain(np.cos),
    "Max": lambda node, *inputs: np.maximum.reduce(np.broadcast_arrays(*inputs)),
    "Min": lambda node, *inputs: np.minimum.reduce(np.broadcast_arrays(*inputs)),
    "Sum": lambda node, *inputs: sum(inputs[1:], inputs[0]),
    "MatMul": _plain(np.matmul),
    "Gemm": _gemm,
    "ReduceSum": _reduce(np.sum),
    "ReduceProd": _reduce(np.prod),
    "ReduceMean": _reduce(np.mean),
    "ReduceMax": _reduce(np.max),
    "ReduceMin": _reduce(np.min),
    "QuantizeLinear": _quantise,
    "DequantizeLinear": _dequantise,
    "com.microsoft.QuantizeLinear": _quantise,
    "com.microsoft.DequantizeLinear": _dequantise,
}
"""Functions of (node, *arrays)."""
BROADCAST = frozenset(
    """Where Equal Greater GreaterOrEqual Less LessOrEqual And Or
    Add Sub Mul Div Pow Mod Max Min Sum""".split()  # noqa: SIM905
)
"""Those whose operands are broadcast."""
VIEWS = frozenset("Shape Size Identity Dropout Expand Slice Split Squeeze Transpose Unsqueeze".split())  # noqa: SIM905
"""Those that take no memory, however large the array that a repeated number looks like."""


def _matmul_size(axis: int, a: np.ndarray, b: np.ndarray) -> int:
    if min(a.ndim, b.ndim) < 2:
        return 0
    return int(math.prod(np.broadcast_shapes(a.shape[:-2], b.shape[:-2])) * a.shape[-2] * b.shape[-1])


SIZES: dict[str, Callable[..., int]] = {
    "Concat": lambda axis, *inputs: sum(item.size for item in inputs),
    "Gather": lambda axis, x, index: index.size * (x.size // max(1, x.shape[axis])),
    "MatMul": _matmul_size,
    "Gemm": lambda axis, a, b, *_: max(a.shape) * max(b.shape),
    "Tile": lambda axis, x, counts: math.prod(n * int(r) for n, r in zip(x.shape, counts, strict=True)),
    "Range": lambda axis, *inputs: _steps(*inputs),
}
"""Functions of (axis, *arrays): how many numbers a node makes, where that may be more than it reads."""


def _size(kind: str, inputs: list[np.ndarray], axis: int) -> int:
    """Return how many numbers a node makes of constants, where that may be more than are stored."""
    if kind in SIZES:
        return SIZES[kind](axis, *inputs)
    if kind in BROADCAST:
        return math.prod(np.broadcast_shapes(*(item.shape for item in inputs)))
    repeated = [item.size for item in inputs if 0 in item.strides]
    return 0 if kind in VIEWS else max(repeated, default=0)


def fold(node: Operator, most: int = LARGEST) -> Any:
    """Return what a node makes of constants; None if it is one that is only known for samples.

    Raises
    ------
    Unsupported
        If the operands do not fit the operator, or it makes more numbers of fewer than ``most``.
    """
    function = FOLDS.get(node.kind)
    if function is None:
        if not node.inputs:
            raise Unsupported("there is no such operator")
        return None
    inputs = [np.asarray(item) for item in node.inputs if item is not None]
    if any(item.dtype == object for item in inputs):
        raise Unsupported("it computes with text")
    try:
        if _size(node.kind, inputs, node.get("axis", 0)) > most:
            raise Unsupported("the constants that the graph computes are too large")
        return function(node, *inputs)
    except (TypeError, ValueError, IndexError, KeyError, OverflowError, ZeroDivisionError) as error:
        raise Unsupported(f"its constants do not fit; {error}") from None
