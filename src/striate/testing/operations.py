"""The table of test cases: how each operation is drawn, and how far float32 may be from its meaning.

It feeds every test that goes over all layers: references against finite differences and PyTorch, kernels against
references, descriptions and files, explanations. A new layer needs one line here.
"""

# ruff: noqa: E501  (one line for each operation, so that they can be compared)
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate import layers
from striate.layers import Layer
from striate.layers.convolution import Convolution
from striate.layers.global_pooling import AdaptiveAvgPooling, AdaptiveMaxPooling
from striate.layers.pooling import AvgPooling, LpPooling, MaxPooling
from striate.layers.rearrangement import Rearrangement
from striate.layers.recurrent import Recurrent
from striate.layers.subsampling import Subsampling
from striate.layers.transposed import TransposedConvolution
from striate.layers.unpooling import MaxGathering, MaxUnpooling
from striate.testing import draws, winograd
from striate.testing import magnitudes as of
from striate.testing.bounds import Magnitudes, Roundings, products, selected, terms, windows, without_signs
from striate.testing.choices import Choices
from striate.testing.draws import Case, any_shape, anywhere

Draw = Callable[[Choices], Case]


def never(case: Case) -> bool:
    """Return False."""
    return False


@dataclass(frozen=True)
class Operation:
    """One line of the table.

    Parameters
    ----------
    layers : tuple of classes
        What it proves, subclasses included.
    draw : function of Choices
        Returns a random valid case.
    magnitudes, roundings
        The two halves of the bound; see ``bounds``.
    exact : function of a case
        Whether float32 makes no error at all on small whole numbers.
    examples : int
        How many cases the whole run of the tests draws.
    above : float, optional
        The input is positive, and at least this.
    indices : bool
        The input holds numbers of entries, and has no gradient.
    trains : bool
        Training gives another output than evaluation.
    winograd : bool
        Whether the engine may use Winograd's algorithm.
    surrogate : function of a case
        Whether the gradient is one that the layer states in place of the slope.
    """

    layers: tuple[type[Layer], ...]
    draw: Draw
    magnitudes: Magnitudes
    roundings: Callable[[Case, int], Roundings]
    exact: Callable[[Case], bool] = never
    examples: int = 60
    above: float | None = None
    indices: bool = False
    trains: bool = False
    winograd: bool = True
    surrogate: Callable[[Case], bool] = never


def always(case: Case) -> bool:
    """Return True."""
    return True


def powers_of_two(case: Case) -> bool:
    """Whether means are over windows of 1, 2, 4, ... cells all of which count."""
    layer: Any = case.layer
    window = layer.window(*case.shapes)
    cells = math.prod(window.kernel if window else case.shapes[0][1:])
    whole = not window or getattr(layer, "count_padding", False) or not any(map(any, window.padding))
    return cells & (cells - 1) == 0 and cells <= 64 and whole and not getattr(layer, "ceil_mode", False)


def any_of(layer: type[Layer], least_rank: int = 0, positions: int = 1600, **options: list[Any]) -> Draw:
    """Draw a layer that takes any shape, with each of its arguments from a list."""

    def draw(choose: Choices) -> Case:
        drawn = {name: choose.one_of(values) for name, values in options.items()}
        if positions == draws.POSITIONS:
            return anywhere(choose, layer(**drawn), least_rank)
        return Case(layer(**drawn), (any_shape(choose, least_rank, positions),))

    return draw


def adaptive(stem: str) -> Draw:
    """Draw the adaptive pooling ``stem``."""
    return lambda choose: draws.adaptive(choose, stem)


def pooling(stem: str, **options: list[Any]) -> Draw:
    """Draw the pooling ``stem`` with further arguments from lists."""
    return lambda choose: draws.pooling(choose, stem, **options)


def joined(layer: type[Layer]) -> Draw:
    """Draw a layer that joins inputs of shapes that broadcast."""
    return lambda choose: draws.joined(choose, layer())


def normalised(view_of: of.View) -> Callable[[Case, int], Roundings]:
    """Two sums over what is normalised together, in the gradient three more; parameters sum over the batch."""

    def roundings(case: Case, batch: int) -> Roundings:
        view, over = view_of(case, np.empty((batch, *case.shapes[0])))
        count, together = math.prod(view.shape[axis] for axis in over), batch * math.prod(case.shapes[0][1:])
        return Roundings(3 * count + 20, 8 * count + 40, 3 * count + 20 + together)

    return roundings


def shared(case: Case, batch: int) -> Roundings:
    """A parameter may sum over all values of the batch."""
    return Roundings(3, 3, 3 + batch * math.prod(case.output_shape))


def powers(case: Case, batch: int) -> Roundings:
    """A logarithm and an exponential for every cell of a window."""
    sums = windows(case, batch)
    return Roundings(sums.output + 40, sums.inputs + 40, 0)


def radial(case: Case, batch: int) -> Roundings:
    """Return the roundings of radial basis functions."""
    return Roundings(4 + case.shapes[0][0], 4 + case.output_shape[0], 4 + batch)


def across(case: Case, batch: int) -> Roundings:
    """A sum over neighbouring channels, then a power."""
    size: int = case.layer.size
    return Roundings(2 * size + 24, 4 * size + 60, 0)


def resized(case: Case, batch: int) -> Roundings:
    """Sums over a few inputs of every axis, backward over all outputs that one input reaches."""
    outputs = math.prod(case.output_shape[1:])
    return Roundings(math.prod(case.shapes[0][1:]) + 3, outputs + 3, 0)


curve = of.elementwise
COINS = [True, False]
MAPS = 400  # positions, for operations whose reference is slow
RATES = [0.0, 0.2, 0.5, 0.9]

OPERATIONS: dict[str, Operation] = {
    # sums of products
    "convolution": Operation((Convolution,), draws.convolution, winograd.magnitudes, products, winograd.exact, 800),
    "wide convolution": Operation((Convolution,), draws.wide_convolution, winograd.magnitudes, products, winograd.exact, 120),
    "wide convolution, direct sums": Operation((Convolution,), draws.wide_convolution, without_signs, products, always, 80, winograd=False),
    "transposed convolution": Operation((TransposedConvolution,), draws.transposed, without_signs, products, always, 300),
    "linear": Operation((layers.Linear,), draws.linear, without_signs, products, always, 300),
    "radial basis": Operation((layers.RadialBasis,), draws.radial, of.radial_basis, radial, always, 100),
    "embedding": Operation((layers.Embedding,), draws.embedding, selected, terms(2), always, 60, indices=True),
    "recurrent": Operation((Recurrent,), draws.recurrent, of.jacobian, terms(2), never, 60),
    # pooling
    "max pooling": Operation((MaxPooling,), pooling("MaxPool"), selected, windows, always, 300),
    "average pooling": Operation((AvgPooling,), pooling("AvgPool", count_padding=COINS), without_signs, windows, powers_of_two, 250),
    "Lp pooling": Operation((LpPooling,), pooling("LpPool", power=[1.0, 2.0, 2.5, 4.0]), of.lp_pooling, powers, lambda c: c.layer.power == 1, 200),
    "subsampling": Operation((Subsampling,), pooling("Subsample"), without_signs, windows, always, 150),
    "unpooling": Operation((MaxUnpooling,), draws.unpooling, of.at_maxima, terms(64), always, 60),
    "global average": Operation((layers.GlobalAvgPool,), any_of(layers.GlobalAvgPool, 1), without_signs, windows, powers_of_two, 80),
    "global maximum": Operation((layers.GlobalMaxPool,), any_of(layers.GlobalMaxPool, 1), selected, terms(1), always, 80),
    "adaptive average": Operation((AdaptiveAvgPooling,), adaptive("AdaptiveAvgPool"), without_signs, windows, never, 80),
    "adaptive maximum": Operation((AdaptiveMaxPooling,), adaptive("AdaptiveMaxPool"), selected, windows, always, 80),
    "gathering": Operation((MaxGathering,), draws.gathering, of.at_maxima, terms(64), always, 60),
    "grid sample": Operation((layers.GridSample2d,), draws.grid_sample, of.grid_sample, terms(20, 1600), never, 60),
    # activations
    "relu": Operation((layers.ReLU,), any_of(layers.ReLU), selected, terms(1), always, 100),
    "leaky relu": Operation((layers.LeakyReLU,), any_of(layers.LeakyReLU, slope=[0.01, 0.25, -2.0]), selected, terms(3), lambda c: c.layer.slope != 0.01, 80),
    "parametric relu": Operation((layers.PReLU,), any_of(layers.PReLU, shared=COINS), selected, shared, always, 100),
    "elu": Operation((layers.ELU,), any_of(layers.ELU, alpha=[0.1, 1.0, 2.0]), curve(of.exponential_unit, of.exponential_slope), terms(10), examples=80),
    "selu": Operation((layers.SELU,), any_of(layers.SELU), curve(of.exponential_unit, of.exponential_slope), terms(12), examples=60),
    "gelu": Operation((layers.GELU,), any_of(layers.GELU, approximate=["none", "tanh"]), curve(lambda _, x, y: np.abs(x), of.gelu_slope), terms(20, 30), examples=80),
    "silu": Operation((layers.SiLU,), any_of(layers.SiLU), curve(lambda _, x, y: np.abs(y), lambda _, x, y: of.sigmoid(x) * (1 + np.abs(x))), terms(14, 28), examples=80),
    "softplus": Operation((layers.Softplus,), any_of(layers.Softplus, beta=[0.1, 1.0, 2.0]), curve(of.softplus, of.softplus_slope), terms(12, 16), examples=80),
    "sigmoid": Operation((layers.Sigmoid,), any_of(layers.Sigmoid), curve(lambda _, x, y: y, lambda _, x, y: y), terms(12, 24), examples=80),
    "tanh": Operation((layers.Tanh,), any_of(layers.Tanh), curve(lambda _, x, y: np.abs(y), of.ones), terms(6, 16), examples=80),
    "scaled tanh": Operation((layers.ScaledTanh,), any_of(layers.ScaledTanh, amplitude=[1.7159, 1.0], slope=[2 / 3, -1.5]), curve(lambda _, x, y: np.abs(y), of.scaled_tanh_slope), terms(12, 30), examples=60),
    "hard sigmoid": Operation((layers.HardSigmoid,), any_of(layers.HardSigmoid), curve(lambda _, x, y: 1 + np.abs(x), of.ones), terms(4), examples=60),
    "hard tanh": Operation((layers.HardTanh,), any_of(layers.HardTanh, low=[-1.0, -0.52], high=[1.0, 2.01]), selected, terms(2), lambda c: (c.layer.low, c.layer.high) == (-1, 1), 60),
    "hard swish": Operation((layers.HardSwish,), any_of(layers.HardSwish), curve(lambda _, x, y: np.abs(x) * (1 + np.abs(x)), lambda _, x, y: 1 + np.abs(x)), terms(8), examples=60),
    "step": Operation((layers.Step,), any_of(layers.Step, straight_through=COINS), selected, terms(1), always, 60, surrogate=lambda c: c.layer.straight_through),
    "absolute": Operation((layers.Absolute,), any_of(layers.Absolute), selected, terms(1), always, 40),
    "celu": Operation((layers.CELU,), any_of(layers.CELU, alpha=[0.5, 2.0]), curve(of.continuous_unit, of.continuous_slope), terms(12, 20), examples=60),
    "erf": Operation((layers.Erf,), any_of(layers.Erf), curve(of.ones, lambda _, x, y: of.density(2 ** 0.5 * x) * 3 * (1 + x * x)), terms(16, 16), examples=60),
    "exp": Operation((layers.Exp,), any_of(layers.Exp), curve(of.exponential, of.exponential), terms(8, 10), examples=60),
    "log": Operation((layers.Log,), any_of(layers.Log), curve(lambda _, x, y: np.abs(np.nan_to_num(y)) + 1, lambda _, x, y: np.abs(1 / x)), terms(8, 3), examples=60, above=0.0625),
    "mish": Operation((layers.Mish,), any_of(layers.Mish), curve(of.ones_and_input, of.ones_and_input), terms(24, 40), examples=60),
    "power": Operation((layers.Power,), any_of(layers.Power, exponent=[-2.5, -1.0, -0.5, 0.5, 1.0, 1.75, 3.0]), curve(of.power, of.power_slope), terms(16, 20), examples=100, above=0.0625),
    "round": Operation((layers.Round,), any_of(layers.Round, step=[0.25, 1.0, 0.037], straight_through=COINS), selected, terms(2), lambda c: c.layer.step == 1, 60, surrogate=always),
    "sine": Operation((layers.Sin,), any_of(layers.Sin), curve(of.ones, of.ones), terms(8, 10), examples=60),
    "softsign": Operation((layers.Softsign,), any_of(layers.Softsign), curve(lambda _, x, y: np.abs(y), lambda _, x, y: 1 + 0 * x), terms(4, 8), examples=40),
    "square root": Operation((layers.Sqrt,), any_of(layers.Sqrt), curve(lambda _, x, y: y, lambda _, x, y: 0.5 / y), terms(3, 6), examples=40, above=0.0625),
    "softmax": Operation((layers.Softmax,), any_of(layers.Softmax, positions=MAPS), of.softmax, terms(1, 4), examples=100),
    "log softmax": Operation((layers.LogSoftmax,), any_of(layers.LogSoftmax, positions=MAPS), of.softmax, terms(1, 4), examples=80),
    "identity": Operation((layers.Identity,), any_of(layers.Identity), selected, terms(1), always, 40),
    # normalisation
    "batch norm": Operation((layers.BatchNorm,), any_of(layers.BatchNorm, positions=MAPS, affine=COINS, momentum=[0.1, 1.0]), of.running, normalised(of.over_batch), examples=150, trains=True),
    "layer norm": Operation((layers.LayerNorm,), any_of(layers.LayerNorm, positions=MAPS, over=["sample", "channels"], affine=COINS), of.normalisation(of.over_sample), normalised(of.over_sample), examples=80),
    "group norm": Operation((layers.GroupNorm,), draws.group_norm, of.normalisation(of.over_groups), normalised(of.over_groups), examples=80),
    "instance norm": Operation((layers.InstanceNorm,), any_of(layers.InstanceNorm, 1, MAPS, affine=COINS), of.normalisation(of.over_space), normalised(of.over_space), examples=80),
    "local response norm": Operation((layers.LocalResponseNorm,), any_of(layers.LocalResponseNorm, positions=MAPS, size=[1, 2, 5, 6], alpha=[1e-4, 0.5, 2.0], beta=[0.75, 0.5, 1.0], k=[1.0, 2.0]), of.local_response, across, examples=80),
    # shape and arithmetic
    "flatten": Operation((layers.Flatten,), any_of(layers.Flatten), selected, terms(1), always, 60),
    "reshape": Operation((layers.Reshape,), draws.reshape, selected, terms(1), always, 100),
    "pad": Operation((layers.Pad,), draws.padding, selected, terms(125), always, 120),
    "crop": Operation((layers.Crop,), draws.cropping, selected, terms(1), always, 80),
    "upsample": Operation((layers.Upsample,), draws.upsampling, without_signs, windows, lambda c: c.layer.mode == "nearest", 120),
    "rearrangement": Operation((Rearrangement,), draws.rearrangement, selected, terms(1, 64), always, 200),
    "resize": Operation((layers.Resize,), draws.resizing, of.resized, resized, examples=150),
    "constant": Operation((layers.Constant,), draws.constant, selected, terms(2), always, 40),
    "matrix product": Operation((layers.MatMul,), draws.matrices, without_signs, lambda c, n: Roundings(c.shapes[0][-1] + 3, max(map(max, c.shapes)) + 3, 0), always, 100),
    "extremum": Operation((layers.Maximum, layers.Minimum), draws.extremum, selected, terms(2, 1600), always, 120),
    "where": Operation((layers.Where,), draws.choice, selected, terms(1, 1600), always, 60),
    "concatenate": Operation((layers.Concatenate,), draws.concatenation, selected, terms(1), always, 100),
    "add": Operation((layers.Add,), joined(layers.Add), without_signs, terms(1600), always, 120),
    "multiply": Operation((layers.Multiply,), joined(layers.Multiply), without_signs, terms(1600), always, 120),
    "scale": Operation((layers.Scale,), any_of(layers.Scale, factor=[0.5, -2.0], shift=[0.0, 1.0]), curve(of.scaled, lambda layer, x, y: 0 * x + abs(layer.factor)), terms(2), always, 60),
    "channel scale": Operation((layers.ChannelScale,), any_of(layers.ChannelScale, bias=COINS), without_signs, terms(3), always, 80),
    # regularisation
    "dropout": Operation((layers.Dropout,), any_of(layers.Dropout, rate=RATES), without_signs, terms(3), examples=100, trains=True),
    "spatial dropout": Operation((layers.SpatialDropout,), any_of(layers.SpatialDropout, rate=RATES), without_signs, terms(3), examples=80, trains=True),
    "gaussian noise": Operation((layers.GaussianNoise,), any_of(layers.GaussianNoise, deviation=[0.1, 1.0]), curve(of.noise, of.ones), terms(16), examples=80, trains=True),
}  # fmt: skip
"""By name; see ``Operation``. One line each, however long, so that they can be compared."""
