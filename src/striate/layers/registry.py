"""The closed list of layers that a model file may name."""

from __future__ import annotations

from typing import Any

from striate.errors import ModelFileError, UsageError
from striate.layers import (
    activation,
    arithmetic,
    convolution,
    dense,
    embedding,
    functions,
    global_pooling,
    normalisation,
    padding,
    pairwise,
    pooling,
    rearrangement,
    regularisation,
    resize,
    shape,
    subsampling,
    transposed,
    unpooling,
)
from striate.layers.base import Layer

LAYERS: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (
        activation.ELU,
        activation.GELU,
        activation.SELU,
        activation.HardSigmoid,
        activation.HardSwish,
        activation.HardTanh,
        activation.Identity,
        activation.LeakyReLU,
        activation.LogSoftmax,
        activation.PReLU,
        activation.ReLU,
        activation.Sigmoid,
        activation.SiLU,
        activation.Softmax,
        activation.Softplus,
        activation.Step,
        activation.Tanh,
        activation.ScaledTanh,
        arithmetic.Add,
        arithmetic.ChannelScale,
        arithmetic.Concatenate,
        arithmetic.Multiply,
        arithmetic.Scale,
        convolution.Conv1d,
        convolution.Conv2d,
        convolution.Conv3d,
        dense.Linear,
        dense.RadialBasis,
        embedding.Embedding,
        functions.Absolute,
        functions.CELU,
        functions.Erf,
        functions.Exp,
        functions.Log,
        functions.Mish,
        functions.Power,
        functions.Softsign,
        functions.Sqrt,
        global_pooling.AdaptiveAvgPool1d,
        global_pooling.AdaptiveAvgPool2d,
        global_pooling.AdaptiveAvgPool3d,
        global_pooling.GlobalAvgPool,
        global_pooling.GlobalMaxPool,
        normalisation.BatchNorm,
        normalisation.GroupNorm,
        normalisation.InstanceNorm,
        normalisation.LayerNorm,
        normalisation.LocalResponseNorm,
        padding.Crop,
        padding.Pad,
        pairwise.Constant,
        pairwise.MatMul,
        pairwise.Maximum,
        pairwise.Minimum,
        pooling.AvgPool1d,
        pooling.AvgPool2d,
        pooling.AvgPool3d,
        pooling.LpPool1d,
        pooling.LpPool2d,
        pooling.LpPool3d,
        pooling.MaxPool1d,
        pooling.MaxPool2d,
        pooling.MaxPool3d,
        rearrangement.Expand,
        rearrangement.Permute,
        rearrangement.PixelShuffle,
        rearrangement.PixelUnshuffle,
        rearrangement.Select,
        rearrangement.Slice,
        regularisation.Dropout,
        regularisation.GaussianNoise,
        regularisation.SpatialDropout,
        resize.Resize,
        shape.InputLayer,
        shape.Flatten,
        shape.Reshape,
        shape.Upsample,
        subsampling.Subsample1d,
        subsampling.Subsample2d,
        subsampling.Subsample3d,
        transposed.ConvTranspose1d,
        transposed.ConvTranspose2d,
        transposed.ConvTranspose3d,
        unpooling.MaxUnpool1d,
        unpooling.MaxUnpool2d,
        unpooling.MaxUnpool3d,
    )
}


def register(cls: type[Layer]) -> type[Layer]:
    """Let model files name a layer of your own; use it as a decorator.

    Raises
    ------
    UsageError
        If another layer has the name already.
    """
    if LAYERS.setdefault(cls.__name__, cls) is not cls:
        raise UsageError(f"{cls.__name__}: a registered layer has a name of its own; this one is taken. Rename it.")
    return cls


def to_dict(layer: Layer) -> dict[str, Any]:
    """Return a layer as JSON types: its type and the arguments that are not the default.

    Examples
    --------
    >>> to_dict(convolution.Conv2d(6, 5))
    {'type': 'Conv2d', 'out_channels': 6, 'kernel_size': [5, 5]}
    """
    return {"type": type(layer).__name__, **layer.config()}


def from_dict(description: dict[str, Any], name: str | None = None) -> Layer:
    """Return the layer that ``to_dict`` described.

    Raises
    ------
    ModelFileError
        If the type is not in the list or the arguments are not its own.
    """
    arguments = dict(description)
    kind = arguments.pop("type", None)
    if not isinstance(kind, str) or kind not in LAYERS:
        raise ModelFileError(f"{name}: layers of this file must be known to striate; got type {kind!r}.")
    try:
        return LAYERS[kind](**arguments, name=name)
    except (TypeError, UsageError) as error:
        raise ModelFileError(f"{name}: the arguments do not describe a {kind}; {error}") from None
