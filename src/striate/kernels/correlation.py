"""Kernels of every operation that is a sum of products over a window.

One kernel serves convolution, its input gradient, transposed convolution and fully connected layers, in
any number of dimensions: the planner turns kernel, stride, padding, dilation and groups into tables of
offsets, and the kernel only follows them.

rows    one entry for each output channel: where its weights, its outputs and its bias lie
taps    one entry for each product of a sum: where its input and its weight lie
places  one entry for each output position: where its window begins, and where its output lies
"""

from __future__ import annotations

from striate.kernels.vector import (
    Floats,
    Ints,
    offsets,
    shift,
    tile_dot,
    tile_load,
    tile_outer,
    tile_rows,
    tile_store,
    tile_sum_add,
    tile_zero,
)


def correlate(K, X):
    """Sums of products, K output channels by X positions at a time.

    ``out[row, place] = max(floor, start + sum over outer, tap of w[row, tap] * x[place, tap])`` where start
    is the bias of the row, or what ``out`` holds already.
    """

    def kernel(
        x: Floats,
        w: Floats,
        bias: Floats,
        out: Floats,
        rows: Ints,
        row_count: int,
        taps: Ints,
        tap_count: int,
        outer_count: int,
        x_outer: int,
        w_outer: int,
        places: Ints,
        place_count: int,
        blocks: int,
        x_block: int,
        out_block: int,
        floor: float,
        accumulate: int,
    ):
        for block in range(blocks):
            xb, ob = shift(x, block * x_block), shift(out, block * out_block)
            for p in range(0, place_count, X):
                x_at = offsets(places, 2 * p, 2, 2 * place_count - 2, X)
                out_at = offsets(places, 2 * p + 1, 2, 2 * place_count - 1, X)
                for k in range(0, row_count, K):
                    w_row = offsets(rows, 3 * k, 3, 3 * row_count - 3, K)
                    out_row = offsets(rows, 3 * k + 1, 3, 3 * row_count - 2, K)
                    if accumulate != 0:
                        tile = tile_load(ob, out_row, out_at)
                    else:
                        tile = tile_rows(bias, offsets(rows, 3 * k + 2, 3, 3 * row_count - 1, K), X)
                    x_from, w_from = 0, 0
                    for _ in range(outer_count):
                        for t in range(tap_count):
                            tile = tile_outer(
                                tile, w, w_row, w_from + taps[2 * t + 1], xb, x_at, x_from + taps[2 * t]
                            )
                        x_from += x_outer
                        w_from += w_outer
                    tile_store(tile, ob, out_row, out_at, floor)

    return kernel


def weight_gradient(K, T):
    """Gradient of the weights, K output channels by T taps at a time.

    ``grad_w[row, tap] += sum over blocks, places, lanes of grad_out[row, place] * x[place, tap]``

    rows holds (place of grad_out, place of grad_w), taps (place of x, place of grad_w),
    places (place of x, place of grad_out).
    """

    def kernel(
        x: Floats,
        grad_out: Floats,
        grad_w: Floats,
        rows: Ints,
        row_count: int,
        taps: Ints,
        tap_count: int,
        places: Ints,
        place_count: int,
        blocks: int,
        x_block: int,
        grad_block: int,
    ):
        for block in range(blocks):
            xb, gb = shift(x, block * x_block), shift(grad_out, block * grad_block)
            for k in range(0, row_count, K):
                row = offsets(rows, 2 * k, 2, 2 * row_count - 2, K)
                w_row = offsets(rows, 2 * k + 1, 2, 2 * row_count - 1, K)
                for t in range(0, tap_count, T):
                    tap = offsets(taps, 2 * t, 2, 2 * tap_count - 2, T)
                    w_tap = offsets(taps, 2 * t + 1, 2, 2 * tap_count - 1, T)
                    tile = tile_zero(x, K, T)
                    for p in range(place_count):
                        tile = tile_dot(tile, gb, row, places[2 * p + 1], xb, tap, places[2 * p])
                    tile_sum_add(tile, grad_w, w_row, w_tap, row_count - k, tap_count - t)

    return kernel
