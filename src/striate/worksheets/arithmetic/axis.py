"""The size rule of one axis: window, stride, padding, dilation, and the formula with its numbers filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from striate.errors import ShapeError, UsageError
from striate.layers.arguments import output_size, resolve_padding

Kind = Literal["convolution", "transposed", "pooling"]


@dataclass(frozen=True)
class Axis:
    """One axis of a convolution, transposed convolution or pooling layer.

    Parameters
    ----------
    name : str
        How people call the axis: "length", "depth", "rows" or "columns".
    kind : {"convolution", "transposed", "pooling"}
    input, kernel, stride, dilation : int
        Cells along the axis, each at least 1.
    padding : (int, int)
        Cells added before and after the input (a transposed convolution cuts them off its output).
    ceil_mode : bool
        Round up instead of down; a last window that would start behind the input is dropped.
    output_padding : int
        Cells a transposed convolution adds at the end, fewer than the stride or the dilation.

    Raises
    ------
    UsageError
        For a number out of its range.
    ShapeError
        When not even one window fits.

    References
    ----------
    Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep learning", relationships 6, 14 and 15.
    """

    name: str
    kind: Kind
    input: int
    kernel: int
    stride: int = 1
    padding: tuple[int, int] = (0, 0)
    dilation: int = 1
    ceil_mode: bool = False
    output_padding: int = 0

    def __post_init__(self) -> None:
        _check_ranges(self)
        if self.kind == "transposed":
            _check_transposed(self)
        elif self.output < 1:
            raise ShapeError(_does_not_fit(self))

    @property
    def effective_kernel(self) -> int:
        """Cells from the first to the last tap of the kernel: dilation*(kernel - 1) + 1."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def output(self) -> int:
        """Output cells."""
        if self.kind == "transposed":
            return transposed_numerator(self) + 1
        return output_size(self.input, self.kernel, self.stride, self.dilation, self.padding, self.ceil_mode)

    @property
    def last_window_dropped(self) -> bool:
        """Whether rounding up gave a window that would start beyond the input."""
        room = self.input + sum(self.padding) - self.effective_kernel
        return self.ceil_mode and self.output < -(-room // self.stride) + 1

    @property
    def unused(self) -> int:
        """Cells at the end of the padded input that no window reaches (0 for a transposed convolution)."""
        if self.kind == "transposed":
            return 0
        reached = (self.output - 1) * self.stride + self.effective_kernel
        return max(0, self.input + sum(self.padding) - reached)

    @property
    def same_padding(self) -> tuple[int, int]:
        """Padding (before, after) with which the output is ceil(input/stride), or input*stride if transposed."""
        return same_padding(self.kind, self.input, self.effective_kernel, self.stride)


def same_padding(kind: Kind, size: int, effective_kernel: int, stride: int) -> tuple[int, int]:
    """Return the padding (before, after) that "same" means; the odd cell goes to the end.

    Examples
    --------
    >>> same_padding("convolution", 28, 5, 1), same_padding("convolution", 224, 7, 2)
    ((2, 2), (2, 3))
    """
    if kind == "transposed":
        total = max(effective_kernel - stride, 0)
    else:
        return resolve_padding("same", (size,), (effective_kernel,), (stride,), (1,))[0]
    return total // 2, total - total // 2


def transposed_numerator(axis: Axis) -> int:
    """Return the output of a transposed convolution less one."""
    return (axis.input - 1) * axis.stride - sum(axis.padding) + axis.effective_kernel - 1 + axis.output_padding


def _check_ranges(axis: Axis) -> None:
    for name in ("input", "kernel", "stride", "dilation"):
        if getattr(axis, name) < 1:
            raise UsageError(f"{axis.kind}: {name} must be at least 1; got {getattr(axis, name)} ({axis.name}).")
    for name, value in (("padding", min(axis.padding)), ("output_padding", axis.output_padding)):
        if value < 0:
            raise UsageError(f"{axis.kind}: {name} must not be negative; got {value} ({axis.name}).")
    if axis.kind == "pooling" and 2 * max(axis.padding) > axis.effective_kernel:
        raise ShapeError(
            f"pooling: padding must be at most half the window, so that every window meets the input; got "
            f"{max(axis.padding)} for a window of {axis.effective_kernel} ({axis.name}). "
            f"Use padding {axis.effective_kernel // 2} at most."
        )


def _check_transposed(axis: Axis) -> None:
    limit = max(axis.stride, axis.dilation)
    if axis.output_padding >= limit:
        raise UsageError(
            f"transposed: output_padding must be smaller than the stride or the dilation ({limit}); "
            f"got {axis.output_padding} ({axis.name}). Use a larger stride, or pad the output afterwards."
        )
    if transposed_numerator(axis) < 0:
        raise ShapeError(
            f"transposed: the output needs at least one cell; got {transposed_numerator(axis) + 1} from input "
            f"{axis.input}, kernel {axis.kernel}, padding {axis.padding[0]} + {axis.padding[1]} ({axis.name}). "
            f"Use less padding, or a larger kernel or stride."
        )


def _does_not_fit(axis: Axis) -> str:
    kernel, cells = axis.effective_kernel, axis.input + sum(axis.padding)
    dilated = f" ({axis.kernel} taps, dilation {axis.dilation})" if axis.dilation > 1 else ""
    fix = f'Use a kernel of at most {(cells - 1) // axis.dilation + 1}, padding="same", or a larger input.'
    padded = f" plus padding {axis.padding[0]} + {axis.padding[1]}" if any(axis.padding) else ""
    return (
        f"{axis.kind}: a kernel of {kernel}{dilated} needs an input of at least {kernel}; "
        f"got {axis.input}{padded} ({axis.name}). {fix}"
    )
