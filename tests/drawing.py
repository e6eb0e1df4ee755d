"""Configurations of every operation, drawn by hypothesis: what tests of references and kernels share.

``FAMILIES`` maps a name to a strategy of ``Drawn`` (a layer and the shapes of its inputs). Sizes are small;
``scaled`` makes them as large as a test wants.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from striate import layers
from striate.errors import ShapeError
from striate.layers import Layer
from striate.layers.base import Shape
from striate.reference import Context
from striate.reference.registry import Array, Arrays

Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True)
class Drawn:
    """A layer and the shapes of its inputs."""

    layer: Layer
    shapes: tuple[Shape, ...]

    def __repr__(self) -> str:
        return f"{self.layer!r} on {self.shapes}"


def small(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


def per_axis(rank: int, low: int, high: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.tuples(*[small(low, high)] * rank)


def space_for(draw: Draw, rank: int, extents: tuple[int, ...], largest: int) -> Shape:
    """Sides of at least ``extents``, so that a kernel fits without padding."""
    return tuple(draw(small(extent, max(extent, largest))) for extent in extents)


def extents_of(kernel: tuple[int, ...], dilation: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))


def sides(rank: int) -> int:
    """A largest side that keeps the arrays of ``rank`` dimensions small."""
    return {1: 12, 2: 8, 3: 5}[rank]


def pick(stem: str, rank: int) -> Any:
    return getattr(layers, f"{stem}{rank}d")


@st.composite
def convolutions(draw: Draw, largest: Callable[[int], int] = sides) -> Drawn:
    rank = draw(small(1, 3))
    kernel, stride, dilation = draw(per_axis(rank, 1, 4)), draw(per_axis(rank, 1, 3)), draw(per_axis(rank, 1, 2))
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    channels, filters = groups * draw(small(1, 3)), groups * draw(small(1, 3))
    space = space_for(draw, rank, extents_of(kernel, dilation), largest(rank))
    mode = draw(st.sampled_from(["zeros", "zeros", "replicate", "reflect", "circular"]))
    most = min(min(space) - 1 if mode == "reflect" else min(space), 3)
    pairs = st.tuples(*[st.one_of(small(0, most), st.tuples(small(0, most), small(0, most)))] * rank)
    padding = draw(st.one_of(st.sampled_from(["same", "valid"]), pairs))
    table = None
    if groups == 1 and draw(small(0, 5)) == 0:
        rows = st.lists(small(0, channels - 1), min_size=1, unique=True).map(sorted)
        table = draw(st.tuples(*[rows] * filters))
    layer = pick("Conv", rank)(filters, kernel, stride, padding, dilation, groups, draw(st.booleans()), mode, table)
    if not fits(layer, (channels, *space)):
        layer = pick("Conv", rank)(filters, kernel, stride, padding, dilation, groups)
    return Drawn(layer, ((channels, *space),))


@st.composite
def transposed(draw: Draw) -> Drawn:
    rank = draw(small(1, 3))
    kernel, stride, dilation = draw(per_axis(rank, 1, 4)), draw(per_axis(rank, 1, 3)), draw(per_axis(rank, 1, 2))
    extents = extents_of(kernel, dilation)
    most = tuple(max(s, d) - 1 for s, d in zip(stride, dilation, strict=True))
    extra = tuple(draw(small(0, m)) for m in most)
    padding = tuple((draw(small(0, (e - 1) // 2)), draw(small(0, (e - 1) // 2))) for e in extents)
    groups = draw(st.sampled_from([1, 1, 2]))
    shape = (groups * draw(small(1, 3)), *draw(per_axis(rank, 1, 4)))
    same = all(e >= s for e, s in zip(extents, stride, strict=True)) and draw(small(0, 3)) == 0
    return Drawn(
        pick("ConvTranspose", rank)(
            groups * draw(small(1, 3)),
            kernel,
            stride,
            "same" if same else padding,
            extra,
            dilation,
            groups,
            draw(st.booleans()),
        ),
        (shape,),
    )


@st.composite
def poolings(draw: Draw, stem: str, **options: st.SearchStrategy[Any]) -> Drawn:
    rank = draw(small(1, 3))
    kernel, stride, dilation = draw(per_axis(rank, 1, 4)), draw(per_axis(rank, 1, 3)), draw(per_axis(rank, 1, 2))
    ceil_mode = draw(st.booleans())
    if ceil_mode:
        dilation = (1,) * rank
        padding: Any = tuple(draw(small(0, k // 2)) for k in kernel)
    else:
        pairs = st.tuples(*[st.tuples(small(0, k // 2), small(0, k // 2)) for k in kernel])
        padding = draw(st.one_of(st.sampled_from(["same", "valid"]), pairs))
    shape = (draw(small(1, 3)), *space_for(draw, rank, extents_of(kernel, dilation), sides(rank)))
    more = {name: draw(strategy) for name, strategy in options.items()}
    layer = pick(stem, rank)(kernel, draw(st.sampled_from([None, stride])), padding, dilation, ceil_mode, **more)
    return Drawn(layer, (shape,))


@st.composite
def unpoolings(draw: Draw) -> Drawn:
    drawn = draw(poolings("MaxPool"))
    pool, source = drawn.layer, drawn.shapes[0]
    return Drawn(pick("MaxUnpool", len(source) - 1).of(pool), (pool.output_shape(source), source))


@st.composite
def any_shape(draw: Draw, least_rank: int = 0) -> Shape:
    rank = draw(small(least_rank, 3))
    return (draw(small(1, 6)), *draw(per_axis(rank, 1, 5)))


def on_any(strategy: st.SearchStrategy[Layer], least_rank: int = 0) -> st.SearchStrategy[Drawn]:
    """A layer that takes inputs of any shape."""
    return st.builds(lambda layer, shape: Drawn(layer, (shape,)), strategy, any_shape(least_rank))


@st.composite
def adaptive(draw: Draw) -> Drawn:
    rank = draw(small(1, 3))
    return Drawn(pick("AdaptiveAvgPool", rank)(draw(per_axis(rank, 1, 7))), ((2, *draw(per_axis(rank, 1, 9))),))


@st.composite
def group_norms(draw: Draw) -> Drawn:
    groups = draw(small(1, 3))
    shape = draw(any_shape())
    layer = layers.GroupNorm(groups, affine=draw(st.booleans()))
    return Drawn(layer, ((shape[0] * groups, *shape[1:]),))


@st.composite
def margins(draw: Draw, stem: str) -> Drawn:
    rank = draw(small(1, 3))
    space = draw(per_axis(rank, 4, 6))
    items = st.one_of(small(0, 2), st.tuples(*[st.one_of(small(0, 2), st.tuples(small(0, 2), small(0, 1)))] * rank))
    if stem == "Crop":
        pairs = st.tuples(*[st.tuples(small(0, 2), small(0, 1))] * rank)
        return Drawn(layers.Crop(draw(st.one_of(st.just(1), pairs))), ((2, *space),))
    mode = draw(st.sampled_from(["zeros", "replicate", "reflect", "circular"]))
    return Drawn(layers.Pad(draw(items), mode, draw(st.sampled_from([0.0, -1.5]))), ((2, *space),))


@st.composite
def reshapes(draw: Draw) -> Drawn:
    shape = draw(any_shape())
    cut = draw(small(0, len(shape)))
    order = list(shape[cut:] + shape[:cut])
    if draw(st.booleans()):
        order[draw(small(0, len(order) - 1))] = -1
    return Drawn(layers.Reshape(order), (shape,))


@st.composite
def upsamplings(draw: Draw) -> Drawn:
    rank = draw(small(1, 3))
    factor = draw(st.one_of(small(1, 4), per_axis(rank, 1, 3)))
    shape = (draw(small(1, 2)), *draw(per_axis(rank, 1, 4)))
    return Drawn(layers.Upsample(factor, draw(st.sampled_from(["nearest", "bilinear"]))), (shape,))


@st.composite
def joined(draw: Draw, layer: type[Layer]) -> Drawn:
    count, shape = draw(small(1, 4)), draw(any_shape())
    if layer is layers.Concatenate:
        return Drawn(layer(), tuple((draw(small(1, 4)), *shape[1:]) for _ in range(count)))
    shapes = []
    for _ in range(count):
        stretched = tuple(n if draw(small(0, 3)) else 1 for n in shape)
        shapes.append(stretched[: draw(small(1, len(shape)))] if draw(small(0, 3)) == 0 else stretched)
    return Drawn(layer(), tuple(shapes))


@st.composite
def radial(draw: Draw) -> Drawn:
    features, outputs = draw(small(1, 5)), draw(small(1, 4))
    text = st.text("#.", min_size=features, max_size=features)
    centres = draw(st.one_of(st.none(), st.tuples(*[text] * outputs)))
    return Drawn(layers.RadialBasis(outputs, centres), ((features,),))


@st.composite
def rearrangements(draw: Draw) -> Drawn:
    shape = (draw(small(1, 4)), draw(small(1, 4)), draw(small(1, 4)))
    rows, columns = shape[1:]
    size = tuple(draw(small(1, n)) for n in shape)
    begin = tuple(n - m for n, m in zip(shape, size, strict=True))
    axis, factor = draw(small(0, 2)), draw(small(1, 2))
    order = draw(st.sampled_from(["channels", "blocks"]))
    layer, given_shape = draw(
        st.sampled_from(
            [
                (layers.Permute(tuple(np.roll((0, 1, 2), axis).tolist())), shape),
                (layers.Slice(begin, size), shape),
                (layers.Select((shape[axis] - 1, 0, 0), axis), shape),
                (layers.Expand(shape), tuple(n if i == axis else 1 for i, n in enumerate(shape))),
                (layers.PixelShuffle(factor, order), (shape[0] * factor**2, rows, columns)),
                (layers.PixelUnshuffle(factor, order), (shape[0], rows * factor, columns * factor)),
            ]
        )
    )
    return Drawn(layer, (given_shape,))


@st.composite
def resizings(draw: Draw) -> Drawn:
    rank = draw(small(1, 2))
    coordinates = st.sampled_from(["half_pixel", "half_pixel_symmetric", "align_corners", "asymmetric"])
    layer = layers.Resize(
        draw(per_axis(rank, 1, 6)),
        draw(st.sampled_from(["nearest", "linear", "cubic"])),
        draw(coordinates),
        draw(st.sampled_from(["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])),
    )
    return Drawn(layer, ((draw(small(1, 2)), *draw(per_axis(rank, 1, 6))),))


@st.composite
def matrices(draw: Draw) -> Drawn:
    rows, inner, columns = draw(per_axis(3, 1, 4))
    before = draw(st.sampled_from([(), (2,), (2, 3)]))
    return Drawn(layers.MatMul(), ((*before, rows, inner), (*before, inner, columns)))


@st.composite
def extrema(draw: Draw) -> Drawn:
    drawn = draw(joined(layers.Add))
    layer = draw(st.sampled_from([layers.Maximum(), layers.Minimum()]))
    return Drawn(layer, (drawn.shapes * 2)[:2])


def fits(layer: Layer, *shapes: Shape) -> bool:
    try:
        layer.output_shape(*shapes)
    except ShapeError:
        return False
    return True


def just(layer: Layer) -> st.SearchStrategy[Layer]:
    return st.just(layer)


rates = st.sampled_from([0.0, 0.2, 0.5, 0.9])
positive = st.sampled_from([0.1, 0.5, 1.0, 2.0])
affine = st.booleans()

FAMILIES: dict[str, st.SearchStrategy[Drawn]] = {
    "convolution": convolutions(),
    "transposed convolution": transposed(),
    "max pooling": poolings("MaxPool"),
    "average pooling": poolings("AvgPool", count_padding=st.booleans()),
    "Lp pooling": poolings("LpPool", power=st.sampled_from([1.0, 2.0, 2.5, 4.0])),
    "subsampling": poolings("Subsample"),
    "unpooling": unpoolings(),
    "global average": on_any(just(layers.GlobalAvgPool()), 1),
    "global maximum": on_any(just(layers.GlobalMaxPool()), 1),
    "adaptive average": adaptive(),
    "linear": st.builds(
        lambda n, m, bias: Drawn(layers.Linear(m, bias), ((n,),)), small(1, 9), small(1, 9), st.booleans()
    ),
    "radial basis": radial(),
    "batch norm": on_any(st.builds(layers.BatchNorm, affine=affine, momentum=st.sampled_from([0.1, 0.5, 1.0]))),
    "layer norm": on_any(st.builds(layers.LayerNorm, over=st.sampled_from(["sample", "channels"]), affine=affine)),
    "group norm": group_norms(),
    "instance norm": on_any(st.builds(layers.InstanceNorm, affine=affine), 1),
    "local response norm": on_any(
        st.builds(layers.LocalResponseNorm, small(1, 6), positive, positive, st.sampled_from([1.0, 2.0]))
    ),
    "identity": on_any(just(layers.Identity())),
    "relu": on_any(just(layers.ReLU())),
    "leaky relu": on_any(st.builds(layers.LeakyReLU, st.sampled_from([0.01, 0.2]))),
    "parametric relu": on_any(st.builds(layers.PReLU, st.booleans())),
    "elu": on_any(st.builds(layers.ELU, positive)),
    "selu": on_any(just(layers.SELU())),
    "gelu": on_any(st.builds(layers.GELU, st.sampled_from(["none", "tanh"]))),
    "silu": on_any(just(layers.SiLU())),
    "softplus": on_any(st.builds(layers.Softplus, positive)),
    "sigmoid": on_any(just(layers.Sigmoid())),
    "tanh": on_any(just(layers.Tanh())),
    "scaled tanh": on_any(st.builds(layers.ScaledTanh, st.sampled_from([1.7159, 2.0]), positive)),
    "hard sigmoid": on_any(just(layers.HardSigmoid())),
    "hard tanh": on_any(st.builds(layers.HardTanh, st.sampled_from([-1.0, -0.52]), st.sampled_from([1.0, 2.01]))),
    "hard swish": on_any(just(layers.HardSwish())),
    "step": on_any(just(layers.Step())),
    "absolute": on_any(just(layers.Absolute())),
    "celu": on_any(st.builds(layers.CELU, positive)),
    "erf": on_any(just(layers.Erf())),
    "exp": on_any(just(layers.Exp())),
    "log": on_any(just(layers.Log())),
    "square root": on_any(just(layers.Sqrt())),
    "mish": on_any(just(layers.Mish())),
    "power": on_any(st.builds(layers.Power, st.sampled_from([-1.0, 2.0, 3.0]))),
    "softsign": on_any(just(layers.Softsign())),
    "rearrangement": rearrangements(),
    "resize": resizings(),
    "constant": on_any(st.builds(layers.Constant, any_shape())),
    "matrix product": matrices(),
    "extremum": extrema(),
    "softmax": on_any(just(layers.Softmax())),
    "log softmax": on_any(just(layers.LogSoftmax())),
    "flatten": on_any(just(layers.Flatten())),
    "reshape": reshapes(),
    "pad": margins("Pad"),
    "crop": margins("Crop"),
    "upsample": upsamplings(),
    "concatenate": joined(layers.Concatenate),
    "add": joined(layers.Add),
    "multiply": joined(layers.Multiply),
    "scale": on_any(st.builds(layers.Scale, st.sampled_from([0.5, -2.0]), st.sampled_from([0.0, 1.0]))),
    "channel scale": on_any(st.builds(layers.ChannelScale, st.booleans())),
    "embedding": st.builds(
        lambda n, e, length, row: Drawn(layers.Embedding(n, e), ((1, length) if row else (length,),)),
        small(1, 9),
        small(1, 4),
        small(1, 6),
        st.booleans(),
    ),
    "dropout": on_any(st.builds(layers.Dropout, rates)),
    "spatial dropout": on_any(st.builds(layers.SpatialDropout, rates)),
    "gaussian noise": on_any(st.builds(layers.GaussianNoise, positive)),
}


@dataclass
class Values:
    """Numbers for a drawn configuration: inputs, parameters and where it runs."""

    inputs: tuple[Array, ...]
    parameters: Arrays
    context: Context


def values_for(drawn: Drawn, batch: int, seed: int, *, training: bool = True, whole: bool = False) -> Values:
    """Values at least 0.05 apart and away from 0 (no ties, no kinks); with ``whole`` small integers."""
    rng = np.random.default_rng(seed)
    layer = drawn.layer
    if isinstance(layer, layers.Embedding):
        inputs: tuple[Array, ...] = (rng.integers(0, layer.entries, (batch, *drawn.shapes[0])).astype(float),)
    else:
        inputs = tuple(spread(rng, (batch, *shape), whole) for shape in drawn.shapes)
    if isinstance(layer, layers.Log | layers.Sqrt):
        inputs = tuple(np.abs(x) + 0.5 for x in inputs)
    if isinstance(layer, layers.Maximum | layers.Minimum) and not whole:
        inputs = (inputs[0], inputs[1] + 0.02)  # apart from the first, too
    parameters = {spec.name: spread(rng, spec.shape, whole) for spec in layer.parameters(*drawn.shapes)}
    states = {spec.name: np.abs(spread(rng, spec.shape, whole)) + 0.1 for spec in layer.states(*drawn.shapes)}
    return Values(inputs, parameters, Context(training, seed, 3, "layer", states))


def spread(rng: np.random.Generator, shape: Shape, whole: bool = False) -> Array:
    if whole:
        return rng.integers(-4, 5, shape).astype(float)
    count = int(np.prod(shape))
    grid = (np.arange(count) - count // 2 + 0.53) * max(0.05, 4.0 / count) * (1 if count < 400 else 400 / count)
    return rng.permutation(grid).reshape(shape)
