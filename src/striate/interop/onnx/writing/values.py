"""Dense layers, sums, shapes and rearrangements as ONNX operators."""

from __future__ import annotations

from typing import Any

from striate.interop.onnx.writing.graph import GraphWriter, writes
from striate.interop.onnx.writing.windows import padded
from striate.layers import arithmetic, pairwise, rearrangement
from striate.layers.base import Shape
from striate.layers.dense import Linear, RadialBasis
from striate.layers.embedding import Embedding
from striate.layers.padding import Crop, Pad
from striate.layers.regularisation import Regulariser
from striate.layers.resize import Resize
from striate.layers.sampling import GridSample2d
from striate.layers.shape import Flatten, Reshape, Upsample
from striate.network import Step
from striate.reference.dense import centres
from striate.reference.resize import matrices
from striate.reference.shape import upsampling_matrix


@writes(Linear)
def linear(graph: GraphWriter, step: Step) -> str:
    """``Gemm``."""
    layer: Any = step.layer
    arguments = [graph.stored(step, "weight")] + ([graph.stored(step, "bias")] if layer.bias else [])
    return graph.add("Gemm", *graph.inputs(step), *arguments, transB=1)


@writes(RadialBasis)
def radial_basis(graph: GraphWriter, step: Step) -> str:
    """The sum of squared differences from every centre."""
    layer: Any = step.layer
    found = centres(layer, {} if layer.centres else {"weight": graph.parameter(step, "weight")})
    row = graph.add("Unsqueeze", *graph.inputs(step), graph.ints([1]))
    difference = graph.add("Sub", row, graph.constant(found[None]))
    square = graph.add("Mul", difference, difference)
    return graph.add("ReduceSum", square, graph.ints([2]), keepdims=0)


@writes(GridSample2d)
def grid_sample(graph: GraphWriter, step: Step) -> str:
    """``GridSample``."""
    layer: Any = step.layer
    mode = {"linear": "bilinear", "nearest": "nearest", "cubic": "bicubic"}[layer.mode]
    settings = {"padding_mode": layer.padding, "align_corners": int(layer.align_corners)}
    return graph.add("GridSample", *graph.inputs(step), mode=mode, **settings)


@writes(Embedding)
def embedding(graph: GraphWriter, step: Step) -> str:
    """``Gather``, with the vectors as channels."""
    symbols = graph.reshape(graph.inputs(step)[0], (step.shape[1],))
    index = graph.add("Cast", symbols, to=7)
    return graph.transpose(graph.add("Gather", graph.stored(step, "weight"), index, axis=0), (1, 0))


def _broadcast(graph: GraphWriter, step: Step) -> list[str]:
    """Return the inputs with the axes of size 1 that are missing on the right."""
    names = []
    for x, shape in zip(graph.inputs(step), step.input_shapes, strict=True):
        missing = range(len(shape) + 1, len(step.shape) + 1)
        names.append(graph.add("Unsqueeze", x, graph.ints(list(missing))) if missing else x)
    return names


@writes(arithmetic.Add, arithmetic.Multiply, pairwise.Maximum, pairwise.Minimum)
def joined(graph: GraphWriter, step: Step) -> str:
    """``Add``, ``Mul``, ``Max`` or ``Min``, two at a time."""
    operator = {"Add": "Add", "Multiply": "Mul", "Maximum": "Max", "Minimum": "Min"}[type(step.layer).__name__]
    total, *others = _broadcast(graph, step)
    for other in others:
        total = graph.add(operator, total, other)
    return total if others else graph.add("Identity", total)


@writes(pairwise.Where)
def where(graph: GraphWriter, step: Step) -> str:
    """``Where``."""
    condition, first, second = _broadcast(graph, step)
    return graph.add("Where", graph.add("Greater", condition, graph.constant(0.0)), first, second)


@writes(pairwise.MatMul)
def matrix_product(graph: GraphWriter, step: Step) -> str:
    """``MatMul``."""
    return graph.add("MatMul", *graph.inputs(step))


@writes(pairwise.Constant)
def constant(graph: GraphWriter, step: Step) -> str:
    """The numbers, repeated for every sample."""
    value = graph.stored(step, "value", graph.parameter(step, "value")[None])
    batch = graph.add("Slice", graph.add("Shape", *graph.inputs(step)), graph.ints([0]), graph.ints([1]))
    shape = graph.add("Concat", batch, graph.ints(step.shape), axis=0)
    return graph.add("Expand", value, shape)


@writes(arithmetic.Concatenate)
def concatenate(graph: GraphWriter, step: Step) -> str:
    """``Concat`` of the channels."""
    return graph.add("Concat", *graph.inputs(step), axis=1)


@writes(arithmetic.Scale)
def scale(graph: GraphWriter, step: Step) -> str:
    """``Mul`` and ``Add`` with numbers."""
    layer: Any = step.layer
    product = graph.add("Mul", *graph.inputs(step), graph.constant(layer.factor))
    return graph.add("Add", product, graph.constant(layer.shift))


@writes(arithmetic.ChannelScale)
def channel_scale(graph: GraphWriter, step: Step) -> str:
    """``Mul`` and ``Add`` with a number for each channel."""
    layer: Any = step.layer
    rank = len(step.shape)
    product = graph.add("Mul", *graph.inputs(step), graph.per_channel(graph.parameter(step, "weight"), rank))
    if not layer.bias:
        return product
    return graph.add("Add", product, graph.per_channel(graph.parameter(step, "bias"), rank))


@writes(Regulariser)
def nothing(graph: GraphWriter, step: Step) -> str:
    """What disturbs training does nothing afterwards."""
    return graph.add("Identity", *graph.inputs(step))


@writes(Flatten)
def flatten(graph: GraphWriter, step: Step) -> str:
    """``Flatten``."""
    return graph.add("Flatten", *graph.inputs(step), axis=1)


@writes(Reshape)
def reshape(graph: GraphWriter, step: Step) -> str:
    """``Reshape`` with the batch as it is."""
    return graph.reshape(graph.inputs(step)[0], step.shape)


@writes(Pad)
def pad(graph: GraphWriter, step: Step) -> str:
    """``Pad``."""
    layer: Any = step.layer
    shape = step.input_shapes[0]
    return padded(graph, graph.inputs(step)[0], layer.pairs(shape), shape[1:], layer.mode, layer.value)


@writes(Crop)
def crop(graph: GraphWriter, step: Step) -> str:
    """``Slice`` of the space."""
    layer: Any = step.layer
    shape = step.input_shapes[0]
    pairs = layer.pairs(shape)
    begin = [before for before, _ in pairs]
    end = [n - after for n, (_, after) in zip(shape[1:], pairs, strict=True)]
    axes = range(2, 2 + len(pairs))
    return graph.add("Slice", *graph.inputs(step), graph.ints(begin), graph.ints(end), graph.ints(list(axes)))


@writes(rearrangement.Slice)
def part(graph: GraphWriter, step: Step) -> str:
    """``Slice`` of every axis."""
    layer: Any = step.layer
    end = [
        b + s * (n - 1) + (1 if s > 0 else -1) for b, s, n in zip(layer.begin, layer.step, layer.size, strict=True)
    ]
    end = [-(2**31) if stop < 0 else stop for stop in end]
    axes = range(1, 1 + len(step.shape))
    lists = (layer.begin, end, list(axes), layer.step)
    return graph.add("Slice", *graph.inputs(step), *map(graph.ints, lists))


@writes(rearrangement.Select)
def select(graph: GraphWriter, step: Step) -> str:
    """``Gather``."""
    layer: Any = step.layer
    return graph.add("Gather", *graph.inputs(step), graph.ints(layer.indices), axis=layer.axis + 1)


@writes(rearrangement.Permute)
def permute(graph: GraphWriter, step: Step) -> str:
    """``Transpose`` that leaves the batch first."""
    layer: Any = step.layer
    return graph.transpose(graph.inputs(step)[0], layer.order)


@writes(rearrangement.Expand)
def expand(graph: GraphWriter, step: Step) -> str:
    """``Expand``."""
    return graph.add("Expand", *graph.inputs(step), graph.ints((1, *step.shape)))


@writes(rearrangement.PixelShuffle)
def pixel_shuffle(graph: GraphWriter, step: Step) -> str:
    """``DepthToSpace``."""
    layer: Any = step.layer
    mode = "CRD" if layer.order == "channels" else "DCR"
    return graph.add("DepthToSpace", *graph.inputs(step), blocksize=layer.factor, mode=mode)


@writes(rearrangement.PixelUnshuffle)
def pixel_unshuffle(graph: GraphWriter, step: Step) -> str:
    """``SpaceToDepth``, whose blocks come first; then channels first."""
    layer: Any = step.layer
    blocks = graph.add("SpaceToDepth", *graph.inputs(step), blocksize=layer.factor)
    if layer.order == "blocks":
        return blocks
    channels, rows, columns = step.shape
    square = layer.factor**2
    apart = graph.reshape(blocks, (square, channels // square, rows, columns))
    return graph.reshape(graph.transpose(apart, (1, 0, 2, 3)), step.shape)


@writes(Upsample, Resize)
def resize(graph: GraphWriter, step: Step) -> str:
    """A product with a matrix of shares along each axis, which is the same whoever computes it."""
    (x,), shape = graph.inputs(step), step.input_shapes[0]
    for axis, matrix in enumerate(_matrices(step.layer, shape), start=1):
        x = graph.along(x, shape, axis, matrix)
        shape = (*shape[:axis], matrix.shape[0], *shape[axis + 1 :])
    return x


def _matrices(layer: Any, shape: Shape) -> list[Any]:
    if isinstance(layer, Resize):
        return matrices(layer, shape)
    return [upsampling_matrix(n, f, layer.mode) for n, f in zip(shape[1:], layer.factors(shape), strict=True)]
