"""The inverse question: which kernel, padding or stride gives this output?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from striate.errors import ShapeError, UsageError, unknown_name
from striate.worksheets.arithmetic.arguments import at_least_one, padding_pairs
from striate.worksheets.arithmetic.axis import Axis, Kind
from striate.worksheets.arithmetic.formula import filled


@dataclass(frozen=True)
class Solutions:
    """Settings of one axis that turn `input` cells into `output` cells, the least padded first."""

    kind: Kind
    input: int
    output: int
    settings: tuple[Axis, ...]

    def __str__(self) -> str:
        count = len(self.settings)
        turn = "1 setting turns" if count == 1 else f"{count} settings turn"
        lines = [f"{self.kind}: {turn} {self.input} into {self.output}"]
        for axis in self.settings:
            before, after = axis.padding
            padding = str(before) if before == after else f"{before} before, {after} after"
            lines.append(f"  kernel {axis.kernel}, stride {axis.stride}, padding {padding}: {filled(axis)}")
        return "\n".join(lines)


def solve(
    input: int,
    output: int,
    *,
    kind: Kind = "convolution",
    kernel: int | None = None,
    stride: int | None = 1,
    padding: int | tuple[int, int] | None = None,
    dilation: int = 1,
    ceil_mode: bool = False,
    output_padding: int = 0,
    largest_kernel: int = 11,
) -> Solutions:
    """Return every setting of one axis with which `input` cells give `output` cells.

    What is None is looked for: kernels up to `largest_kernel` (or, with the padding given, any that fits),
    paddings smaller than the kernel on both sides, strides up to the kernel's size.

    Raises
    ------
    ShapeError
        When no setting gives this output; the nearest outputs are named.
    UsageError
        For an argument out of its range, or when nothing is left to look for.

    Examples
    --------
    >>> [axis.padding for axis in solve(28, 28, kernel=5).settings]
    [(2, 2)]
    """
    if kind not in get_args(Kind):
        raise unknown_name("solve", str(kind), get_args(Kind))
    known = {"input": input, "output": output, "dilation": dilation, "largest_kernel": largest_kernel}
    known |= {name: value for name, value in (("kernel", kernel), ("stride", stride)) if value is not None}
    for name, value in known.items():
        at_least_one("solve", name, value)
    if kernel is not None and stride is not None and padding is not None:
        raise UsageError("solve: nothing to look for; kernel, stride and padding are all given. Leave one as None.")
    pair = None if padding is None else padding_pairs("solve", padding, kind, (input,), (1,), (1,))[0]
    settings, reached = [], set[int]()
    for taps, step, cells in _candidates(kind, input, output, kernel, stride, pair, dilation, largest_kernel):
        try:
            axis = Axis("axis", kind, input, taps, step, cells, dilation, ceil_mode, output_padding)
        except ShapeError:
            continue
        reached.add(axis.output)
        if axis.output == output:
            settings.append(axis)
    if not settings:
        raise ShapeError(_nothing(kind, input, output, reached))
    settings.sort(key=lambda axis: (sum(axis.padding), axis.stride, axis.kernel))
    return Solutions(kind, input, output, tuple(settings))


def _candidates(
    kind: Kind,
    input: int,
    output: int,
    kernel: int | None,
    stride: int | None,
    padding: tuple[int, int] | None,
    dilation: int,
    largest_kernel: int,
) -> Iterator[tuple[int, int, tuple[int, int]]]:
    if kernel is not None:
        kernels = range(kernel, kernel + 1)
    elif padding is None:
        kernels = range(1, largest_kernel + 1)
    else:
        cells = (output if kind == "transposed" else input) + sum(padding)
        kernels = range(1, (cells - 1) // dilation + 2)
    for taps in kernels:
        reach = dilation * (taps - 1) + 1
        totals = range(2 * reach - 1)
        pairs = [padding] if padding is not None else [(total // 2, total - total // 2) for total in totals]
        strides = range(1, max(reach, 1) + 1) if stride is None else range(stride, stride + 1)
        for step in strides:
            for pair in pairs:
                yield taps, step, pair


def _nothing(kind: Kind, input: int, output: int, reached: set[int]) -> str:
    below = max((size for size in reached if size < output), default=None)
    above = min((size for size in reached if size > output), default=None)
    near = " and ".join(str(size) for size in (below, above) if size is not None)
    nearest = f" The nearest possible: {near}." if near else " No window fits at all."
    fix = (
        "a larger kernel or stride" if above is not None and below is None else "another kernel, stride or padding"
    )
    if below is not None and above is None and kind != "transposed":
        fix = "more padding, a smaller stride, or a transposed convolution to enlarge"
    return f"solve: no setting of this {kind} turns {input} into {output}.{nearest} Use {fix}."
