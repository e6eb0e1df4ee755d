"""How configurations of layers are drawn: valid ones of every kind, sides from 1 to 40, at a bounded cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate import layers
from striate.errors import ShapeError
from striate.layers import Layer
from striate.layers.base import Shape
from striate.testing.choices import Choices

LARGEST = 40  # of a side, and of a number of channels
POSITIONS = 1600  # of a channel


@dataclass(frozen=True)
class Case:
    """A layer and the shapes of its inputs."""

    layer: Any
    shapes: tuple[Shape, ...]

    @property
    def output_shape(self) -> Shape:
        """The shape of one output sample."""
        shape: Shape = self.layer.output_shape(*self.shapes)
        return shape

    @property
    def cost(self) -> int:
        """Values and multiplications of one sample, which bound the time that a test takes."""
        values = sum(math.prod(shape) for shape in (*self.shapes, self.output_shape))
        return values + int(self.layer.multiply_adds(*self.shapes))

    def __repr__(self) -> str:
        return f"{self.layer!r} on {', '.join(map(str, self.shapes))}"


def pick(stem: str, rank: int) -> Any:
    """Return the layer class ``stem`` for ``rank`` axes of space."""
    return getattr(layers, f"{stem}{rank}d")


def sides(choose: Choices, least: tuple[int, ...], positions: int = POSITIONS) -> tuple[int, ...]:
    """Return sides of at least ``least``, of at most 40, with a product of at most about ``positions``."""
    room = max(1, positions // math.prod(least))
    found = []
    for extent in least:
        side = choose.integer(extent, max(extent, min(LARGEST, extent * room)))
        room = max(1, room * extent // side)
        found.append(side)
    return tuple(found) if choose.integer(0, 1) else _turned(tuple(found), least)


def _turned(found: tuple[int, ...], least: tuple[int, ...]) -> tuple[int, ...]:
    """Let the last side be the one that had all the room, where that fits."""
    turned = found[::-1]
    return turned if all(a >= b for a, b in zip(turned, least, strict=True)) else found


def channels(choose: Choices, space: tuple[int, ...], values: int = 4000) -> int:
    """Draw a number of channels, fewer for large maps."""
    return choose.integer(1, max(1, min(LARGEST, values // math.prod(space))))


def per_axis(choose: Choices, rank: int, high: int, low: int = 1) -> tuple[int, ...]:
    """Draw one number for each axis."""
    return tuple(choose.integer(low, high) for _ in range(rank))


def extents(kernel: tuple[int, ...], dilation: tuple[int, ...]) -> tuple[int, ...]:
    """Return how many cells a dilated kernel covers on each axis."""
    return tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))


def kernels(choose: Choices) -> tuple[int, tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Return a rank, a kernel, a stride and a dilation; the more axes, the smaller."""
    rank = choose.one_of([2, 2, 2, 1, 1, 3])
    kernel = per_axis(choose, rank, {1: 9, 2: 5, 3: 3}[rank])
    stride = per_axis(choose, rank, {1: 4, 2: 3, 3: 2}[rank]) if choose.integer(0, 1) else (1,) * rank
    dilation = per_axis(choose, rank, {1: 4, 2: 3, 3: 2}[rank]) if choose.integer(0, 3) == 0 else (1,) * rank
    return rank, kernel, stride, dilation


def pairs(choose: Choices, most: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """Draw (before, after) for each axis, each at most ``most``."""
    return tuple((choose.integer(0, m), choose.integer(0, m)) for m in most)


def grouping(choose: Choices) -> tuple[int, int, int]:
    """Return groups, channels and filters: usual, depthwise, wide, or groups of a few."""
    kind = choose.one_of(["usual", "usual", "depthwise", "wide", "groups"])
    if kind == "depthwise":
        groups = choose.integer(1, 12)
        return groups, groups, groups * choose.integer(1, 2)
    if kind == "wide":
        return 1, choose.integer(1, LARGEST), choose.integer(1, LARGEST)
    groups = choose.integer(2, 4) if kind == "groups" else 1
    return groups, groups * choose.integer(1, 6), groups * choose.integer(1, 9)


def convolution(choose: Choices) -> Case:
    """Draw a convolution of any kind."""
    rank, kernel, stride, dilation = kernels(choose)
    groups, inputs, filters = grouping(choose)
    space = sides(choose, extents(kernel, dilation), 64 if inputs * filters > 200 else POSITIONS // inputs)
    mode = choose.one_of(["zeros", "zeros", "zeros", "replicate", "reflect", "circular"])
    most = tuple(min(n - 1 if mode == "reflect" else n, 3) for n in space)
    padding = choose.one_of(["same", "valid", "pairs", "pairs"])
    table = connections(choose, inputs, filters) if groups == 1 and choose.integer(0, 7) == 0 else None
    common = (filters, kernel, stride, pairs(choose, most) if padding == "pairs" else padding, dilation, groups)
    layer = pick("Conv", rank)(*common, bool(choose.integer(0, 1)), mode, table)
    shape = (inputs, *space)
    if not fits(layer, shape):  # "same" reaches further than reflection can
        layer = pick("Conv", rank)(*common)
    return Case(layer, (shape,))


def wide_convolution(choose: Choices) -> Case:
    """Draw 3x3 kernels over many channels, for which there is an algorithm of its own."""
    space = sides(choose, (3, 3), 120)
    padding = choose.one_of(["same", "valid", pairs(choose, (2, 2))])
    mode = choose.one_of(["zeros", "zeros", "zeros", "reflect"])
    filters, inputs = choose.integer(10, LARGEST), choose.integer(10, LARGEST)
    layer = layers.Conv2d(filters, 3, padding=padding, bias=bool(choose.integer(0, 1)), padding_mode=mode)
    return Case(layer, ((inputs, *space),))


def connections(choose: Choices, inputs: int, filters: int) -> list[list[int]]:
    """Return a table in which every filter sees at least one channel."""
    table = coins(choose, filters, inputs)
    table[np.arange(filters), np.arange(filters) % inputs] = True
    return [np.flatnonzero(row).tolist() for row in table]


def coins(choose: Choices, *shape: int) -> np.ndarray:
    """Return a table of truth values; one choice, however large it is."""
    return np.random.default_rng(choose.integer(0, 999)).integers(0, 2, shape).astype(bool)


def transposed(choose: Choices) -> Case:
    """Draw a transposed convolution."""
    rank, kernel, stride, dilation = kernels(choose)
    groups, inputs, filters = grouping(choose)
    reach = extents(kernel, dilation)
    space = sides(choose, (1,) * rank, max(1, 400 // inputs // math.prod(stride)))
    extra = tuple(choose.integer(0, max(s, d) - 1) for s, d in zip(stride, dilation, strict=True))
    same = all(e >= s for e, s in zip(reach, stride, strict=True)) and choose.integer(0, 3) == 0
    cut = "same" if same else pairs(choose, tuple((e - 1) // 2 for e in reach))
    layer = pick("ConvTranspose", rank)(
        filters, kernel, stride, cut, extra, dilation, groups, bool(choose.integer(0, 1))
    )
    return Case(layer, ((inputs, *space),))


def pooling(choose: Choices, stem: str, **options: Any) -> Case:
    """Draw a pooling layer; ``options`` holds what its further arguments may be."""
    rank, kernel, stride, dilation = kernels(choose)
    ceil_mode = choose.integer(0, 2) == 0
    if ceil_mode:
        dilation, padding = (1,) * rank, tuple(choose.integer(0, k // 2) for k in kernel)
    else:
        halves = tuple(k // 2 for k in kernel)
        padding = choose.one_of(["same", "valid", pairs(choose, halves)])
    space = sides(choose, extents(kernel, dilation))
    shape = (channels(choose, space), *space)
    more = {name: choose.one_of(values) for name, values in options.items()}
    step = stride if choose.integer(0, 1) else None
    return Case(pick(stem, rank)(kernel, step, padding, dilation, ceil_mode, **more), (shape,))


def unpooling(choose: Choices) -> Case:
    """Draw a max unpooling with the input of its pooling."""
    case = pooling(choose, "MaxPool")
    (source,) = case.shapes
    return Case(pick("MaxUnpool", len(source) - 1).of(case.layer), (case.output_shape, source))


def linear(choose: Choices) -> Case:
    """Draw a fully connected layer."""
    inputs = choose.integer(1, LARGEST) if choose.integer(0, 2) else choose.integer(1, 400)
    return Case(layers.Linear(choose.integer(1, LARGEST), bool(choose.integer(0, 1))), ((inputs,),))


def radial(choose: Choices) -> Case:
    """Draw a layer of radial basis functions."""
    inputs, outputs = choose.integer(1, LARGEST), choose.integer(1, LARGEST)
    rows = ["".join(".#"[bit] for bit in row) for row in coins(choose, outputs, inputs).astype(int)]
    return Case(layers.RadialBasis(outputs, rows if choose.integer(0, 2) == 0 else None), ((inputs,),))


def any_shape(choose: Choices, least_rank: int = 0, positions: int = POSITIONS) -> Shape:
    """Draw a shape with ``least_rank`` to 3 axes of space."""
    space = sides(choose, (1,) * choose.integer(least_rank, 3), positions)
    return (channels(choose, space), *space)


def anywhere(choose: Choices, layer: Layer, least_rank: int = 0) -> Case:
    """Apply a layer that takes inputs of any shape."""
    return Case(layer, (any_shape(choose, least_rank),))


def group_norm(choose: Choices) -> Case:
    """Draw a group normalisation with channels that its groups divide."""
    groups, shape = choose.integer(1, 4), any_shape(choose, positions=400)
    layer = layers.GroupNorm(groups, affine=bool(choose.integer(0, 1)))
    return Case(layer, ((groups * min(shape[0], 8), *shape[1:]),))


def gathering(choose: Choices) -> Case:
    """Draw values at the maxima of another input."""
    case = pooling(choose, "MaxPool")
    return Case(pick("MaxGather", len(case.shapes[0]) - 1).of(case.layer), case.shapes * 2)


def grid_sample(choose: Choices) -> Case:
    """Draw an image and a grid."""
    image, grid = (sides(choose, (1, 1), 200) for _ in range(2))
    layer = layers.GridSample2d(
        choose.one_of(["linear", "nearest", "cubic"]),
        choose.one_of(["zeros", "border", "reflection"]),
        choose.one_of([False, True]),
    )
    return Case(layer, ((channels(choose, image, 1000), *image), (*grid, 2)))


def adaptive(choose: Choices, stem: str) -> Case:
    """Draw the adaptive pooling ``stem``."""
    rank = choose.integer(1, 3)
    space = sides(choose, (1,) * rank)
    return Case(pick(stem, rank)(per_axis(choose, rank, 7)), ((channels(choose, space), *space),))


def padding(choose: Choices) -> Case:
    """Draw a padding layer."""
    rank = choose.integer(1, 3)
    space = sides(choose, (1,) * rank, 400)
    mode = choose.one_of(["zeros", "replicate", "reflect", "circular"])
    most = tuple(min(n - 1 if mode == "reflect" else n, 4) for n in space)
    value = choose.one_of([0.0, -1.5]) if mode == "zeros" else 0.0
    return Case(layers.Pad(pairs(choose, most), mode, value), ((channels(choose, space, 2000), *space),))


def cropping(choose: Choices) -> Case:
    """Draw a cropping layer."""
    rank = choose.integer(1, 3)
    cut = pairs(choose, (3,) * rank)
    space = sides(choose, tuple(a + b + 1 for a, b in cut))
    return Case(layers.Crop(cut), ((channels(choose, space), *space),))


def reshape(choose: Choices) -> Case:
    """Draw a reshape."""
    shape = any_shape(choose)
    cut = choose.integer(0, len(shape))
    order = list(shape[cut:] + shape[:cut])
    if choose.integer(0, 1):
        order[choose.integer(0, len(order) - 1)] = -1
    return Case(layers.Reshape(order), (shape,))


def upsampling(choose: Choices) -> Case:
    """Draw an upsampling."""
    rank = choose.integer(1, 3)
    space = sides(choose, (1,) * rank, 200)
    factor = choose.integer(1, 4) if choose.integer(0, 1) else per_axis(choose, rank, 3)
    layer = layers.Upsample(factor, choose.one_of(["nearest", "bilinear"]))
    return Case(layer, ((channels(choose, space, 400), *space),))


def rearrangement(choose: Choices) -> Case:
    """Draw any layer that puts values to other places."""
    shape = any_shape(choose, 1, 400)
    kind = choose.one_of(["permute", "slice", "select", "expand", "shuffle", "unshuffle"])
    if kind == "permute":
        order = np.random.default_rng(choose.integer(0, 999)).permutation(len(shape))
        return Case(layers.Permute(tuple(map(int, order))), (shape,))
    if kind == "slice":
        size = tuple(choose.integer(1, n) for n in shape)
        begin = tuple(choose.integer(0, n - m) for n, m in zip(shape, size, strict=True))
        if choose.integer(0, 1):
            return Case(layers.Slice(begin, size), (shape,))
        last = tuple(b + m - 1 for b, m in zip(begin, size, strict=True))
        return Case(layers.Slice(last, size, (-1,) * len(shape)), (shape,))
    if kind == "select":
        axis = choose.integer(0, len(shape) - 1)
        indices = tuple(choose.integer(0, shape[axis] - 1) for _ in range(choose.integer(1, 9)))
        return Case(layers.Select(indices, axis), (shape,))
    if kind == "expand":
        source = tuple(n if choose.integer(0, 1) else 1 for n in shape)
        return Case(layers.Expand(shape), (source,))
    return _shuffled(choose, kind)


def _shuffled(choose: Choices, kind: str) -> Case:
    factor, order_name = choose.integer(1, 3), choose.one_of(["channels", "blocks"])
    channels_, rows, columns = choose.integer(1, 6), choose.integer(1, 8), choose.integer(1, 8)
    if kind == "shuffle":
        return Case(layers.PixelShuffle(factor, order_name), ((channels_ * factor**2, rows, columns),))
    return Case(layers.PixelUnshuffle(factor, order_name), ((channels_, rows * factor, columns * factor),))


def resizing(choose: Choices) -> Case:
    """Draw a resize in any mode."""
    rank = choose.integer(1, 3)
    space, size = sides(choose, (1,) * rank, 64), sides(choose, (1,) * rank, 100)
    mode = choose.one_of(["nearest", "linear", "cubic"])
    kinds = ["half_pixel", "half_pixel_symmetric", "align_corners", "asymmetric", "crop_and_resize"]
    coordinates = choose.one_of(kinds)
    cropped = coordinates == "crop_and_resize"
    region = [(choose.integer(-2, 9) / 8, choose.integer(-2, 9) / 8) for _ in space] if cropped else None
    rounding = choose.one_of(["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
    antialias = mode != "nearest" and bool(choose.integer(0, 1))
    layer = layers.Resize(size, mode, coordinates, rounding, antialias=antialias and not cropped, region=region)
    return Case(layer, ((choose.integer(1, 6), *space),))


def constant(choose: Choices) -> Case:
    """Draw a constant."""
    return Case(layers.Constant(any_shape(choose, positions=400)), (any_shape(choose, positions=100),))


def matrices(choose: Choices) -> Case:
    """Draw a product of two matrices."""
    rows, inner, columns = (choose.integer(1, 12) for _ in range(3))
    before = tuple(choose.integer(1, 3) for _ in range(choose.integer(0, 2)))
    return Case(layers.MatMul(), ((*before, rows, inner), (*before, inner, columns)))


def extremum(choose: Choices) -> Case:
    """Draw a maximum or minimum of two inputs."""
    case = joined(choose, layers.Add())
    layer = layers.Maximum() if choose.integer(0, 1) else layers.Minimum()
    return Case(layer, (*case.shapes, *case.shapes)[:2])


def choice(choose: Choices) -> Case:
    """Draw a choice between two inputs by the sign of a third."""
    case = joined(choose, layers.Add())
    return Case(layers.Where(), (case.shapes * 3)[:3])


def joined(choose: Choices, layer: Layer) -> Case:
    """Two or three inputs of the same shape; sometimes one, sometimes ones that broadcast."""
    shape, kind = any_shape(choose, positions=400), choose.one_of(["same", "same", "broadcast", "one"])
    count = 1 if kind == "one" else choose.integer(2, 3)
    if kind != "broadcast":
        return Case(layer, (shape,) * count)
    shapes = [tuple(n if choose.integer(0, 2) else 1 for n in shape) for _ in range(count)]
    return Case(layer, tuple(s[: choose.integer(1, len(s))] for s in shapes))


def concatenation(choose: Choices) -> Case:
    """Draw a concatenation of 1 to 4 inputs."""
    space = sides(choose, (1,) * choose.integer(0, 3), 400)
    count = choose.integer(1, 4)
    return Case(layers.Concatenate(), tuple((channels(choose, space, 1000), *space) for _ in range(count)))


def embedding(choose: Choices) -> Case:
    """Draw an embedding."""
    length = choose.integer(1, LARGEST)
    layer = layers.Embedding(choose.integer(1, LARGEST), choose.integer(1, 20))
    return Case(layer, ((1, length) if choose.integer(0, 1) else (length,),))


def recurrent(choose: Choices) -> Case:
    """Draw a recurrent layer and a short series."""
    options: dict[str, Any] = {"features": choose.integer(1, 3)}
    options |= {name: choose.one_of([False, True]) for name in ("reverse", "bias")}
    layer = choose.one_of([
        layers.LSTM(**options), layers.RNN(**options, activation=choose.one_of(["tanh", "relu"])),
        layers.GRU(**options, reset_after=choose.one_of([False, True])),
    ])  # fmt: skip
    return Case(layer, ((choose.integer(1, 9), choose.integer(1, 6)),))


def fits(layer: Layer, *shapes: Shape) -> bool:
    """Return whether ``layer`` takes inputs of these shapes."""
    try:
        layer.output_shape(*shapes)
    except ShapeError:
        return False
    return True
