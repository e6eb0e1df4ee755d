"""Quantised networks: their integers are whole numbers of floats here, their sums those of the numbers meant.

An integer ``q`` stands for ``scale * (q - zero_point)``. Constants are dequantised once; what is quantised and
dequantised again is rounded (`Round`) and clipped, straight through for gradients.

References
----------
Jacob et al. (2018), "Quantization and training of neural networks for efficient integer-arithmetic-only inference".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from striate import layers
from striate.interop.onnx.reading.fold import broadcast_along, no_zero_point, quantised_range
from striate.interop.onnx.reading.importer import Importer, Operand, Operator, operator, translation
from striate.interop.onnx.reading.operators.activations import clipped
from striate.interop.onnx.reading.operators.arithmetic import add, inverse, multiply, negated, scaled
from striate.interop.onnx.reading.operators.reductions import reduced
from striate.interop.onnx.reading.values import Unsupported, Value, reshaped

BYTE = 255.0
MICROSOFT = "com.microsoft."
"""Before the names of operators that ONNX Runtime adds."""


@dataclass(frozen=True)
class Grid:
    """The numbers that integers stand for.

    Parameters
    ----------
    scale : float32 array, a number or one for each place of an axis
    zero_point : float32 array
    low, high : float
        The smallest and largest integer.
    """

    scale: np.ndarray
    zero_point: np.ndarray
    low: float
    high: float

    @classmethod
    def of(cls, node: Operator, number: int, axis: int | None = None, rank: int = 0) -> Grid:
        """Return the grid of the operands ``number`` (scale) and ``number + 1`` (zero point)."""
        scale, zero_point = node.needed(number), node.constant(number + 1)
        zero_point = no_zero_point(node) if zero_point is None else zero_point
        low, high = quantised_range(zero_point.dtype)
        if np.any(scale <= 0) or not np.all(np.isfinite(scale)):
            raise Unsupported("a scale must be above 0")
        scale, zero_point = (broadcast_along(item.astype(np.float32), axis, rank) for item in (scale, zero_point))
        return cls(scale, zero_point, low, high)


def quantised(graph: Importer, value: Value, grid: Grid) -> Value:
    """Return the integers of the numbers: ``clip(round(x / scale) + zero_point, low, high)``."""
    if grid.scale.size == grid.zero_point.size == 1:
        scale, zero_point = float(grid.scale.item()), float(grid.zero_point.item())
        value = graph.each(layers.Round(scale, straight_through=True), value)
        low, high = (grid.scale.ravel()[0] * np.asarray(n - zero_point, np.float32) for n in (grid.low, grid.high))
        return scaled(graph, clipped(graph, value, low, high), 1 / scale, zero_point)
    value = multiply(graph, value, 1 / grid.scale.astype(np.float64))
    value = add(graph, graph.each(layers.Round(straight_through=True), value), grid.zero_point)
    return clipped(graph, value, np.asarray(grid.low), np.asarray(grid.high))


def meant(graph: Importer, integers: Operand, grid: Grid) -> Value | np.ndarray:
    """Return the numbers that integers stand for; those of a value that was just quantised are known."""
    if not isinstance(integers, Value):
        return np.asarray((np.asarray(integers, np.float32) - grid.zero_point) * grid.scale)
    if grid.scale.size == grid.zero_point.size == 1:
        return scaled(graph, scaled(graph, integers, 1.0, -grid.zero_point.item()), grid.scale.item())
    return multiply(graph, add(graph, integers, -grid.zero_point), grid.scale)


def of_floats(graph: Importer, node: Operator, kind: str, inputs: Sequence[Operand]) -> Value:
    """Return what another operator makes of floats."""
    function = translation(kind, node.opset)
    assert function is not None
    found: Value = function(graph, replace(node, kind=kind, inputs=list(inputs)))
    return found


def _rank(operand: Operand) -> int:
    return operand.rank if isinstance(operand, Value) else np.ndim(operand)  # type: ignore[arg-type]


@operator("QuantizeLinear", MICROSOFT + "QuantizeLinear")
def quantize(graph: Importer, node: Operator) -> Value:
    """Floats as integers."""
    _without_blocks(node)
    value = node.value()
    return quantised(graph, value, Grid.of(node, 1, node.get("axis", 1), value.rank))


@operator("DequantizeLinear", MICROSOFT + "DequantizeLinear")
def dequantize(graph: Importer, node: Operator) -> Value | np.ndarray:
    """Integers as floats."""
    _without_blocks(node)
    value = node.value()
    return meant(graph, value, Grid.of(node, 1, node.get("axis", 1), value.rank))


def _without_blocks(node: Operator) -> None:
    if node.get("block_size", 0):
        raise Unsupported("scales of blocks are for constants only")


@operator("QLinearConv")
def convolution(graph: Importer, node: Operator) -> Value:
    """A convolution of integers, with a bias in units of the product of both scales."""
    kernel, rank = node.needed(3), _rank(node.inputs[3])
    x, weights = Grid.of(node, 1), Grid.of(node, 4, 0, rank)
    inputs = [meant(graph, node.value(), x), meant(graph, kernel, weights)]
    bias = node.constant(8)
    if bias is not None:
        inputs.append(bias.astype(np.float64) * x.scale.item() * weights.scale.ravel())
    return quantised(graph, of_floats(graph, node, "Conv", inputs), Grid.of(node, 6))


@operator("QLinearMatMul")
def product(graph: Importer, node: Operator) -> Value:
    """A product of integers; rows of the first matrix and columns of the second may have scales of their own."""
    a, b = node.inputs[0], node.inputs[3]
    inputs = [
        meant(graph, a, Grid.of(node, 1, -2, _rank(a))),
        meant(graph, b, Grid.of(node, 4, -1, _rank(b))),
    ]
    return quantised(graph, of_floats(graph, node, "MatMul", inputs), Grid.of(node, 6))


@operator(MICROSOFT + "QGemm")
def gemm(graph: Importer, node: Operator) -> Value:
    """``alpha A B + C`` of integers; floats come out where no scale is given for the result."""
    a, b, c = node.inputs[0], node.inputs[3], node.constant(6)
    first, second = Grid.of(node, 1), Grid.of(node, 4, 0 if node.get("transB", 0) else 1, 2)
    inputs = [meant(graph, a, first), meant(graph, b, second)]
    if c is not None:
        alpha = node.get("alpha", 1.0)
        inputs.append((c.astype(np.float64) * alpha * first.scale.item() * second.scale.ravel()).astype(np.float32))
    found = of_floats(graph, node, "Gemm", inputs)
    return found if node.constant(7) is None else quantised(graph, found, Grid.of(node, 7))


@operator("ConvInteger", "MatMulInteger")
def integers(graph: Importer, node: Operator) -> Value:
    """A convolution or product of integers less their zero points."""
    kind = node.kind.removesuffix("Integer")
    axes = (None, 0) if kind == "Conv" else (-2, -1)
    pairs = zip(node.inputs[:2], (*node.inputs[2:], None, None), axes, strict=False)
    return of_floats(graph, node, kind, [_from_zero(graph, *pair) for pair in pairs])


def _from_zero(graph: Importer, operand: Operand, zero_point: Operand, axis: int | None) -> Operand:
    """Return integers less their zero point: one number, one for each place of an axis, or one of the sample."""
    if isinstance(zero_point, Value):
        return add(graph, operand, negated(graph, zero_point))
    zero_point = np.zeros(()) if zero_point is None else zero_point.astype(np.float32)
    grid = Grid(np.ones((), np.float32), broadcast_along(zero_point, axis, _rank(operand)), 0, 0)
    return meant(graph, operand, grid)


@operator("DynamicQuantizeLinear")
def quantize_dynamically(graph: Importer, node: Operator) -> list[Value]:
    """Integers from 0 to 255 between the extremes of a sample, with their scale and zero point.

    The foreign model takes the extremes of all samples that it is given at once.
    """
    value = node.value()
    axes = [axis for axis in range(value.rank) if axis != value.batch]
    top = clipped(graph, reduced(graph, value, axes, keep=True, how="max"), np.zeros(()), None)
    bottom = clipped(graph, reduced(graph, value, axes, keep=True, how="min"), None, np.zeros(()))
    scale = scaled(graph, add(graph, top, negated(graph, bottom)), 1 / BYTE)
    scale = clipped(graph, scale, np.asarray(np.finfo(np.float32).tiny), None)
    per_unit = inverse(graph, scale)
    zero_point = _rounded(graph, multiply(graph, negated(graph, bottom), per_unit))
    whole = add(graph, _rounded(graph, multiply(graph, value, per_unit)), zero_point)
    scalars = [Value(reshaped(v.node, (1,)), (), (), None, v.count) for v in (scale, zero_point)]
    return [clipped(graph, whole, np.zeros(()), np.asarray(BYTE)), *scalars]


def _rounded(graph: Importer, value: Operand) -> Value:
    assert isinstance(value, Value)
    return graph.each(layers.Round(straight_through=True), value)


ONE = {
    "QLinearSigmoid": "Sigmoid",
    "QLinearLeakyRelu": "LeakyRelu",
    "QLinearSoftmax": "Softmax",
    "QLinearAveragePool": "AveragePool",
    "QLinearGlobalAveragePool": "GlobalAveragePool",
}
"""Operators of one operand: that of floats, between scale and zero point of what comes in and goes out."""
TWO = {"QLinearAdd": "Add", "QLinearMul": "Mul"}


@operator(*(MICROSOFT + kind for kind in ONE))
def one_operand(graph: Importer, node: Operator) -> Value:
    """Floats, treated by the usual operator, as integers again."""
    if node.get("channels_last", 0):
        raise Unsupported("channels last are not supported")
    inputs = [meant(graph, node.value(), Grid.of(node, 1))]
    return quantised(
        graph, of_floats(graph, node, ONE[node.kind.removeprefix(MICROSOFT)], inputs), Grid.of(node, 3)
    )


@operator(*(MICROSOFT + kind for kind in TWO))
def two_operands(graph: Importer, node: Operator) -> Value:
    """The sum or product of two quantised tensors."""
    inputs = [meant(graph, node.inputs[place], Grid.of(node, place + 1)) for place in (0, 3)]
    return quantised(
        graph, of_floats(graph, node, TWO[node.kind.removeprefix(MICROSOFT)], inputs), Grid.of(node, 6)
    )


@operator(MICROSOFT + "QLinearConcat")
def concatenation(graph: Importer, node: Operator) -> Value:
    """Tensors with scales of their own, one after the other."""
    places = range(2, len(node.inputs), 3)
    inputs = [meant(graph, node.inputs[place], Grid.of(node, place + 1)) for place in places]
    return quantised(graph, of_floats(graph, node, "Concat", inputs), Grid.of(node, 0))
