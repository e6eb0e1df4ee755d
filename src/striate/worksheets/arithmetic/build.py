"""The arithmetic of a layer from arguments in their usual forms."""

from __future__ import annotations

from striate.errors import UsageError
from striate.worksheets.arithmetic.arguments import (
    AXIS_NAMES,
    Padding,
    Size,
    at_least_one,
    count_dimensions,
    padding_pairs,
    per_axis,
)
from striate.worksheets.arithmetic.axis import Axis, Kind
from striate.worksheets.arithmetic.layer import LayerArithmetic


def convolution(
    input: Size,
    kernel: Size,
    *,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
    in_channels: int = 1,
    out_channels: int = 1,
    bias: bool = True,
    batch: int = 1,
    dimensions: int | None = None,
) -> LayerArithmetic:
    """Return sizes and costs of a convolution layer in one to three dimensions.

    ``output = floor((input + padding_before + padding_after - dilation*(kernel - 1) - 1)/stride) + 1``

    Parameters
    ----------
    input, kernel, stride, dilation : int or sequence of int
        One number for every axis, or one per axis.
    padding : int, "same", "valid" or sequence
        Zeros around the input: one number, or one number or (before, after) per axis. With "same" the
        output has ceil(input/stride) cells.
    dimensions : int, optional
        Number of axes when all sizes are one number; 2 if not given.

    Raises
    ------
    UsageError
        For an argument that cannot mean anything.
    ShapeError
        When not even one window fits.

    References
    ----------
    Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep learning", section 2.

    Examples
    --------
    >>> convolution(227, 11, stride=4, in_channels=3, out_channels=96).output_shape
    (1, 96, 55, 55)
    """
    axes = _axes("convolution", input, kernel, stride, padding, dilation, dimensions)
    return _layer(axes, in_channels, out_channels, groups, bias, batch)


def transposed_convolution(
    input: Size,
    kernel: Size,
    *,
    stride: Size = 1,
    padding: Padding = 0,
    output_padding: Size | None = None,
    dilation: Size = 1,
    groups: int = 1,
    in_channels: int = 1,
    out_channels: int = 1,
    bias: bool = True,
    batch: int = 1,
    dimensions: int | None = None,
) -> LayerArithmetic:
    """Return sizes and costs of a transposed convolution (the adjoint of `convolution`, used to enlarge).

    ``output = (input - 1)*stride - padding_before - padding_after + dilation*(kernel - 1) + 1 + output_padding``

    Parameters and errors are those of `convolution`; with "same" the output has input*stride cells.

    References
    ----------
    Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep learning", section 4.

    Examples
    --------
    >>> transposed_convolution(7, 4, stride=2, padding=1, in_channels=64, out_channels=32).output_shape
    (1, 32, 14, 14)
    """
    axes = _axes("transposed", input, kernel, stride, padding, dilation, dimensions, False, output_padding)
    return _layer(axes, in_channels, out_channels, groups, bias, batch)


def pooling(
    input: Size,
    kernel: Size,
    *,
    stride: Size | None = None,
    padding: Padding = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    channels: int = 1,
    batch: int = 1,
    dimensions: int | None = None,
) -> LayerArithmetic:
    """Return sizes and costs of a pooling layer; `stride` is the kernel's size if not given.

    Parameters and errors are those of `convolution`. With `ceil_mode` a last, partial window counts too,
    unless it would start behind the input.

    Examples
    --------
    >>> pooling(28, 2, channels=6).output_shape
    (1, 6, 14, 14)
    """
    stride = kernel if stride is None else stride
    axes = _axes("pooling", input, kernel, stride, padding, dilation, dimensions, ceil_mode)
    return _layer(axes, channels, channels, channels, False, batch)


def _axes(
    kind: Kind,
    input: Size,
    kernel: Size,
    stride: Size,
    padding: Padding,
    dilation: Size,
    dimensions: int | None,
    ceil_mode: bool = False,
    output_padding: Size | None = None,
) -> tuple[Axis, ...]:
    sizes = {"input": input, "kernel": kernel, "stride": stride, "dilation": dilation}
    extra = {} if output_padding is None else {"output_padding": output_padding}
    count = count_dimensions(kind, dimensions, sizes | extra)
    n, k, s, d = (per_axis(kind, name, value, count) for name, value in sizes.items())
    reach = tuple(dilation * (taps - 1) + 1 for dilation, taps in zip(d, k, strict=True))
    pairs = padding_pairs(kind, padding, kind, n, reach, s)
    if output_padding is not None:
        added = per_axis(kind, "output_padding", output_padding, count)
    elif kind == "transposed" and padding == "same":  # a stride wider than the kernel leaves cells to add
        added = tuple(max(step - cells, 0) for step, cells in zip(s, reach, strict=True))
    else:
        added = (0,) * count
    names = AXIS_NAMES[count]
    return tuple(Axis(names[i], kind, n[i], k[i], s[i], pairs[i], d[i], ceil_mode, added[i]) for i in range(count))


def _layer(
    axes: tuple[Axis, ...], in_channels: int, out_channels: int, groups: int, bias: bool, batch: int
) -> LayerArithmetic:
    where = axes[0].kind
    counts = {"in_channels": in_channels, "out_channels": out_channels, "groups": groups, "batch": batch}
    numbers = {name: at_least_one(where, name, value) for name, value in counts.items()}
    for name in ("in_channels", "out_channels"):
        if numbers[name] % numbers["groups"]:
            raise UsageError(
                f"{where}: {name} must be a multiple of groups; got {name} {numbers[name]}, groups "
                f"{numbers['groups']}. Use a number of groups that divides in_channels and out_channels."
            )
    return LayerArithmetic(axes=axes, bias=bias, **numbers)
