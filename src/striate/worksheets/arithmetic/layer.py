"""What a convolution, transposed convolution or pooling layer makes of its input, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from striate.worksheets.arithmetic.axis import Axis, Kind


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
    def kind(self) -> Kind:
        """What the layer does: "convolution", "transposed" or "pooling"."""
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
        if self.kind == "pooling":
            return 0
        return self.out_channels * (self.in_channels // self.groups) * prod(self.kernel_size)

    @property
    def parameters(self) -> int:
        """Trained numbers: weights and biases."""
        return self.weights + (self.out_channels if self.bias and self.kind != "pooling" else 0)

    @property
    def multiply_adds(self) -> int:
        """Multiplications (each with its addition) of a forward pass, taps on the padding included."""
        positions = self.input_size if self.kind == "transposed" else self.output_size
        return self.batch * self.weights * prod(positions)

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
        from striate.worksheets.arithmetic.report import layer_report

        return layer_report(self)
