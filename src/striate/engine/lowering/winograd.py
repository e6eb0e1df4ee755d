"""3x3 convolutions by Winograd's algorithm, chunk by chunk of patches so that all of it stays in the caches.

``Y = A [(G g G') * (B d B')] A'`` for every patch ``d`` of 6 x 6 inputs and filter ``g`` of 3 x 3, summed over the
channels between the brackets. With ``u = 2^-24`` and ``n = C + 40`` roundings in a row (one for each of C channels,
40 for the transforms), an output of float32 is off by at most ``n u / (1 - n u)`` times

    |A| [ sum over c of (|G| |g| |G'|) * (|B| |d| |B'|) ] |A'|

which for values of one size is 28 to 256 times the sum of the 9 C products of the direct sum, whose ``n`` is 9 C.
Where signs differ the errors are far smaller: measured, 4 to 5 times those of the direct sum (root mean square,
16 to 256 channels; forward, and the gradient of the filters). ``winograd=False`` turns it off.

References
----------
Winograd (1980), "Arithmetic complexity of computations"; Lavin and Gray (2015), "Fast algorithms for convolutional
neural networks"; Barabasz et al. (2020), "Error analysis and improving the accuracy of Winograd convolution for
deep neural networks", section 3.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.engine.layout import Buffer
from striate.engine.lowering.context import Lowering
from striate.engine.lowering.correlation import ended_pairs, whole_tiles
from striate.engine.lowering.tiles import cheapest, tiles
from striate.engine.lowering.windows import Geometry
from striate.engine.program import Place, Program
from striate.engine.segments import PACKED
from striate.network import Step

LEAST_CHANNELS = 12  # on either side; with fewer the transforms cost more than they save
CHUNK_BYTES = 2**19  # of transformed inputs and products together, about what a second-level cache holds


def suits(lowering: Lowering, index: np.ndarray, window: Geometry, size: tuple[int, ...]) -> bool:
    """Return whether a convolution with outputs of ``size`` = (D, H, W) gains from the algorithm; D must be 1."""
    groups, filters, channels, _ = index.shape
    plain = window.kernel == (1, 3, 3) and window.stride == window.dilation == (1, 1, 1) and size[0] == 1
    wide = groups == 1 and min(filters, channels) >= LEAST_CHANNELS and min(size[1:]) >= 4
    return lowering.facts.winograd and plain and wide and bool((np.diff(index, axis=3) == 1).all())


@dataclass(frozen=True)
class Patches:
    """A chunk of patches of 4 x 4 outputs: block, first row and first column of each, int64[P]."""

    block: np.ndarray
    y: np.ndarray
    x: np.ndarray

    def __len__(self) -> int:
        return len(self.block)

    def table(self, buffer: Buffer, before: tuple[int, int]) -> np.ndarray:
        """Return (place in the buffer, first row, first column) of patches that begin ``before`` earlier."""
        y, x = self.y - before[0], self.x - before[1]
        _, _, row, column = buffer.strides
        places = self.block * buffer.block + buffer.origin + y * row + x * column
        return np.stack([places, y, x], axis=1)


def near(bytes_per_patch: int) -> int:
    """Return how many patches of a chunk stay in a cache."""
    return max(6, CHUNK_BYTES // bytes_per_patch // 3 * 3)


def chunks(out: Buffer, size: int) -> Iterator[Patches]:
    """Cut the outputs of all blocks into patches, and these into chunks of ``size``."""
    _, _, height, width = out.shape
    axes = np.meshgrid(np.arange(out.blocks), np.arange(0, height, 4), np.arange(0, width, 4), indexing="ij")
    block, y, x = (axis.ravel() for axis in axes)
    for first in range(0, len(block), size):
        part = slice(first, first + size)
        yield Patches(block[part], y[part], x[part])


def emit_winograd(
    lowering: Lowering,
    step: Step,
    x: Buffer,
    out: Buffer,
    index: np.ndarray,
    before: tuple[int, int],
    *,
    flipped: bool = False,
    bias: bool = False,
    floor: float = -math.inf,
    accumulate: int = 0,
) -> None:
    """Emit ``out[k] = sum over c of x[c] correlated with the filter at index[k, c]``, padded by ``before``.

    Parameters
    ----------
    index : int64[K, C]
        Place of every 3x3 filter in the parameter.
    flipped : bool
        Turn the filters by 180 degrees: the input gradient of a convolution.
    """
    rows, terms = index.shape
    lanes = x.lanes
    parts = list(chunks(out, near(36 * (rows + terms) * lanes * 4)))
    tile = cheapest(tiles(lanes, lowering.facts.most_sums).outer, rows, len(parts[0]), terms)
    whole = whole_tiles(np.arange(rows), tile[0])
    order = index[whole].reshape(-1, tile[0], terms).transpose(0, 2, 1).ravel()
    filters = _filters(lowering, step, order, flipped)
    numbers = np.arange(rows)
    begins = numbers // tile[0] * terms * tile[0] + numbers % tile[0]
    inputs, products, scratch = _room(lowering, len(parts[0]), terms, rows)
    for part in parts:
        count = len(part)
        _emit_transform(lowering, "input", x, part.table(x, before), inputs, terms, scratch)
        places = whole_tiles(np.stack([np.arange(count) * lanes] * 2, axis=1), tile[1])
        table = whole_tiles(np.stack([begins, numbers * count * lanes, 0 * numbers], axis=1), tile[0])
        pairs = np.stack([np.arange(terms) * count * lanes, np.arange(terms) * tile[0]], axis=1)
        lowering.emit(
            "correlation.correlate",
            tile,
            x=lowering.place(inputs),
            w=filters,
            bias=lowering.constant(0.0, 1),
            out=lowering.place(products),
            rows=lowering.program.table(table),
            row_count=len(table),
            taps=lowering.program.table(ended_pairs(pairs)),
            outer_count=1,
            x_outer=0,
            w_outer=0,
            places=lowering.program.table(places),
            place_count=len(places),
            blocks=36,
            x_block=terms * count * lanes,
            w_block=len(order),
            out_block=rows * count * lanes,
            bias_block=0,
            floor=lowering.constant(-math.inf, 1),
            accumulate=0,
        )
        start = lowering.parameter(step, "bias") if bias else None
        lowering.emit(
            "winograd.winograd_output",
            ("",),
            products=lowering.place(products),
            bias=start or lowering.constant(0.0, rows),
            **geometry(lowering.program, out, part.table(out, (0, 0)), rows),
            out=lowering.place(out),
            scratch=lowering.place(scratch),
            floor=floor,
            a=0.0,
            b=0.0,
            accumulate=accumulate,
            bias_vectors=0,
        )
    for buffer in (inputs, products, scratch):
        lowering.arena.free(buffer)


def emit_winograd_weights(
    lowering: Lowering, step: Step, x: Buffer, grad: Buffer, filters: int, channels: int, before: tuple[int, int]
) -> None:
    """Emit the gradient of the 3x3 filters [filters, channels] of a convolution from ``x`` to ``grad``."""
    lanes = x.lanes
    parts = list(chunks(grad, near(36 * (filters + channels) * lanes * 4)))
    inputs, gradients, scratch = _room(lowering, len(parts[0]), channels, filters)
    count = filters * channels
    sums = lowering.arena.allocate((-(-36 * count // (lanes * x.blocks)),))
    lowering.emit("elementwise.fill", out=lowering.place(sums), count=sums.size, value=0.0)
    tile = cheapest(tiles(lanes, lowering.facts.most_sums).dot, filters, channels, len(parts[0]))
    table = lowering.program.table
    for part in parts:
        size = len(part) * lanes
        _emit_transform(lowering, "input", x, part.table(x, before), inputs, channels, scratch)
        _emit_transform(lowering, "gradient", grad, part.table(grad, (0, 0)), gradients, filters, scratch)
        rows = np.stack([np.arange(filters) * size, np.arange(filters) * channels], axis=1)
        taps = np.stack([np.arange(channels) * size, np.arange(channels)], axis=1)
        lowering.emit(
            "correlation.weight_gradient",
            tile,
            x=lowering.place(inputs),
            grad_out=lowering.place(gradients),
            grad_w=lowering.place(sums),
            rows=table(whole_tiles(rows, tile[0])),
            row_count=filters,
            taps=table(whole_tiles(taps, tile[1])),
            tap_count=channels,
            places=table(ended_pairs(np.stack([np.arange(len(part)) * lanes] * 2, axis=1))),
            blocks=36,
            x_block=channels * size,
            grad_block=filters * size,
            w_block=count,
        )
    lowering.emit(
        "winograd.winograd_filter_gradient",
        products=lowering.place(sums),
        grad_w=lowering.parameter_gradient(step, "weight"),
        count=count,
        step=count,
        scratch=lowering.place(scratch),
    )
    for buffer in (inputs, gradients, scratch, sums):
        lowering.arena.free(buffer)


def _room(lowering: Lowering, patches: int, *channels: int) -> list[Buffer]:
    """Return buffers for the transformed values of each number of channels, and one for a patch at work."""
    blocks = lowering.arena.blocks
    sizes = [-(-36 * count * patches // blocks) for count in channels]
    return [*(lowering.arena.allocate((size,)) for size in sizes), lowering.scratch(72 * lowering.arena.lanes)]


def geometry(program: Program, buffer: Buffer, patches: np.ndarray, channels: int) -> dict[str, Any]:
    """Return the arguments of a transform that say where patches lie, and how transformed values do."""
    return {
        "patches": program.table(patches),
        "patch_count": len(patches),
        "channels": channels,
        "step": channels * len(patches) * buffer.lanes,
        "channel": buffer.strides[0],
        "row": buffer.strides[2],
        "height": buffer.shape[2],
        "width": buffer.shape[3],
    }


def _emit_transform(
    lowering: Lowering, side: str, x: Buffer, patches: np.ndarray, out: Buffer, channels: int, scratch: Buffer
) -> None:
    source = "x" if side == "input" else "grad"
    lowering.emit(
        f"winograd.winograd_{side}",
        **{source: lowering.place(x)},
        out=lowering.place(out),
        **geometry(lowering.program, x, patches, channels),
        scratch=lowering.place(scratch),
    )


def _filters(lowering: Lowering, step: Step, order: np.ndarray, flipped: bool) -> Place:
    """Return the transformed filters in the order of ``order``, made anew at the start of every run."""
    room = lowering.program.room(PACKED, 36 * order.size)
    lowering.emit_pack(
        "winograd.winograd_filters",
        w=lowering.parameter(step, "weight"),
        out=room,
        filters=lowering.program.table(order),
        filter_count=order.size,
        step=order.size,
        flipped=int(flipped),
        scratch=lowering.program.room(PACKED, 9 * lowering.arena.lanes * lowering.threads),
    )
    return room
