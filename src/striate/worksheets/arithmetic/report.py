"""The arithmetic of a layer as text."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from striate.worksheets.arithmetic.axis import Axis
from striate.worksheets.arithmetic.formula import filled, symbols

if TYPE_CHECKING:
    from striate.worksheets.arithmetic.layer import LayerArithmetic

_TITLES = {"convolution": "convolution", "transposed": "transposed convolution", "pooling": "pooling"}


def layer_report(layer: LayerArithmetic) -> str:
    """Return sizes with their formulas, "same" padding, parameters, multiply-adds and memory as text."""
    lines = [
        f"{_TITLES[layer.kind]}: {_times((layer.in_channels, *layer.input_size))} -> "
        f"{_times((layer.out_channels, *layer.output_size))}",
        *([] if layer.kind == "pooling" else [f"  layer           {layer.layer!r}"]),
        *_size_lines(layer),
        *_padding_lines(layer),
    ]
    if layer.kind == "pooling":
        lines.append(f"  parameters      0; values read {layer.window_reads:,}")
    else:
        lines += _cost_lines(layer)
    lines.append(_memory_line(layer))
    return "\n".join(lines)


def _size_lines(layer: LayerArithmetic) -> list[str]:
    lines, seen = [], dict[str, str]()
    for axis in layer.axes:
        text = filled(axis)
        if text in seen:
            lines.append(f"  {axis.name:<14}  as {seen[text]}: {axis.output}")
        else:
            lines.append(f"  {axis.name:<14}  {symbols(axis)} = {text}{_unused(axis)}")
            seen[text] = axis.name
    return lines


def _unused(axis: Axis) -> str:
    if not axis.unused:
        return ""
    plural = "s" if axis.unused > 1 else ""
    return f"   (the last {axis.unused} cell{plural} of the padded input: in no window)"


def _padding_lines(layer: LayerArithmetic) -> list[str]:
    pairs = dict.fromkeys(layer.same_padding)
    texts = [str(before) if before == after else f"{before} before and {after} after" for before, after in pairs]
    if len(texts) > 1:
        named = zip(layer.axes, layer.same_padding, strict=True)
        texts = [f"{axis.name} {before} before and {after} after" for axis, (before, after) in named]
    return [f'  "same" padding  {"; ".join(texts)}']


def _cost_lines(layer: LayerArithmetic) -> list[str]:
    group = f"{layer.in_channels // layer.groups} x {_times(layer.kernel_size)}"
    bias = f" + {layer.out_channels}" if layer.bias else ""
    positions = layer.input_size if layer.kind == "transposed" else layer.output_size
    batch = f"{layer.batch} x " if layer.batch > 1 else ""
    return [
        f"  parameters      {layer.out_channels} x ({group}){bias} = {layer.parameters:,}",
        f"  multiply-adds   {batch}{_times(positions)} x {layer.weights:,} weights = {layer.multiply_adds:,}",
        f"  for comparison  fully connected, {prod(layer.input_shape[1:]):,} to {prod(layer.output_shape[1:]):,}: "
        f"{layer.fully_connected_weights:,} weights",
    ]


def _memory_line(layer: LayerArithmetic) -> str:
    parts = [f"input {format_bytes(layer.input_bytes)}", f"output {format_bytes(layer.output_bytes)}"]
    if layer.parameters:
        parts.append(f"parameters {format_bytes(layer.parameter_bytes)}")
    batch = f", batch of {layer.batch}" if layer.batch > 1 else ""
    return f"  memory          {', '.join(parts)} ({layer.value_bytes} bytes per value{batch})"


def format_bytes(count: int) -> str:
    """Return a number of bytes in B, KiB, MiB, GiB or TiB.

    Examples
    --------
    >>> format_bytes(618348)
    '603.9 KiB'
    """
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.1f} {unit}" if unit != "B" else f"{count} B"
        value /= 1024
    return f"{value:,.1f} TiB"


def _times(numbers: tuple[int, ...]) -> str:
    return " x ".join(map(str, numbers))
