"""Sizes and costs of a convolution, transposed convolution or pooling layer."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from striate.layers import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
)
from striate.layers.base import Layer
from striate.worksheets.arithmetic.axis import Axis, Kind
from striate.worksheets.arithmetic.report import layer_report

CONVOLUTIONS = {1: Conv1d, 2: Conv2d, 3: Conv3d}
TRANSPOSED = {1: ConvTranspose1d, 2: ConvTranspose2d, 3: ConvTranspose3d}
POOLINGS = {1: MaxPool1d, 2: MaxPool2d, 3: MaxPool3d}


@dataclass(frozen=True)
class LayerArithmetic:
    """Sizes and costs of one layer; ``print`` it to see them with their formulas.

    Parameters
    ----------
    axes : tuple of Axis
        The spatial axes.
    in_channels, out_channels, groups : int
        Channels; `groups` divides both.
    bias : bool
        Whether every output channel has a bias.
    batch : int
        Samples, for the multiply-adds and the memory.
    value_bytes : int
        Bytes per value: 4 for float32.
    """

    axes: tuple[Axis, ...]
    in_channels: int
    out_channels: int
    groups: int = 1
    bias: bool = True
    batch: int = 1
    value_bytes: int = 4

    @property
    def layer(self) -> Layer:
        """The layer whose sizes and costs these are, as a network would hold it."""
        rank, first = len(self.axes), self.axes[0]
        stride, dilation = tuple(axis.stride for axis in self.axes), tuple(axis.dilation for axis in self.axes)
        window: dict[str, Any] = {"stride": stride, "dilation": dilation}
        window["padding"] = tuple(axis.padding for axis in self.axes)
        if self.kind == "pooling":
            return POOLINGS[rank](self.kernel_size, ceil_mode=first.ceil_mode, **window)
        window |= {"groups": self.groups, "bias": self.bias}
        if self.kind == "convolution":
            return CONVOLUTIONS[rank](self.out_channels, self.kernel_size, **window)
        extra = tuple(axis.output_padding for axis in self.axes)
        return TRANSPOSED[rank](self.out_channels, self.kernel_size, output_padding=extra, **window)

    @property
    def kind(self) -> Kind:
        """The kind of layer: "convolution", "transposed" or "pooling"."""
        return self.axes[0].kind

    @property
    def input_size(self) -> tuple[int, ...]:
        """Input cells per axis."""
        return tuple(axis.input for axis in self.axes)

    @property
    def kernel_size(self) -> tuple[int, ...]:
        """Kernel taps per axis."""
        return tuple(axis.kernel for axis in self.axes)

    @property
    def output_size(self) -> tuple[int, ...]:
        """Output cells per axis."""
        return tuple(axis.output for axis in self.axes)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(batch, channels, *input cells)."""
        return (self.batch, self.in_channels, *self.input_size)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(batch, channels, *output cells)."""
        return (self.batch, self.out_channels, *self.output_size)

    @property
    def same_padding(self) -> tuple[tuple[int, int], ...]:
        """Padding (before, after) of every axis that "same" means."""
        return tuple(axis.same_padding for axis in self.axes)

    @property
    def weights(self) -> int:
        """Trained weights without biases: out_channels * in_channels/groups * kernel taps."""
        return sum(one.size for one in self.layer.parameters(self.input_shape[1:]) if one.name == "weight")

    @property
    def parameters(self) -> int:
        """Trained numbers: weights and biases."""
        return sum(one.size for one in self.layer.parameters(self.input_shape[1:]))

    @property
    def multiply_adds(self) -> int:
        """Multiplications (each with its addition) of a forward pass, taps on the padding included."""
        return self.batch * self.layer.multiply_adds(self.input_shape[1:])

    @property
    def window_reads(self) -> int:
        """Values a pooling layer compares or adds in a forward pass (0 for the other kinds)."""
        return prod(self.output_shape) * prod(self.kernel_size) if self.kind == "pooling" else 0

    @property
    def fully_connected_weights(self) -> int:
        """Weights a fully connected layer between the same input and output would have."""
        return prod(self.input_shape[1:]) * prod(self.output_shape[1:])

    @property
    def input_bytes(self) -> int:
        """Memory of the input batch in bytes."""
        return prod(self.input_shape) * self.value_bytes

    @property
    def output_bytes(self) -> int:
        """Memory of the output batch in bytes."""
        return prod(self.output_shape) * self.value_bytes

    @property
    def parameter_bytes(self) -> int:
        """Memory of the parameters in bytes."""
        return self.parameters * self.value_bytes

    def __str__(self) -> str:
        return layer_report(self)
