"""Kernels of every operation that is a sum of products over a window.

One kernel serves convolution, its input gradient, transposed convolution and fully connected layers, in
any number of dimensions: the planner turns kernel, stride, padding, dilation and groups into tables of
offsets, and the kernel only follows them.

rows    one entry for each output channel: where its weights, its outputs and its bias lie
taps    one entry for each product of a sum: where its input and its weight lie
places  one entry for each output position: where its window begins, and where its output lies

Weights are the same for every block of samples, so ``w_block`` is 0; but the 36 products of Winograd's algorithm
are 36 blocks with weights of their own, and so are the groups of a depthwise convolution.

A table that is read tile by tile is padded to whole tiles by repeating its last entry, which computes and
stores the same numbers twice. A table that is read in the innermost loop holds a pair of 32-bit offsets in
every entry and ends with ``END``: LLVM does not unroll a loop of unknown length, and unrolled, the tile no
longer fits the registers (measured: half the speed).
"""

from __future__ import annotations

from striate.kernels.vector import (
    Floats,
    Ints,
    high_half,
    low_half,
    offsets,
    shift,
    tile_add,
    tile_dot,
    tile_dot_run,
    tile_load,
    tile_outer,
    tile_outer_run,
    tile_rows,
    tile_store,
    tile_sum_add,
    tile_zero,
)

END = -(2**63)


def correlate(K, X):
    """Sums of products, K output channels by X positions at a time.

    ``out[row, place] = max(floor, bias[row] + sum over outer, tap of w[row, tap] * x[place, tap])``, plus what
    ``out`` holds to accumulate: added at the end, so that a long sum may come in blocks. ``floor`` is read
    where it is used, so that it takes no register from the tile.

    rows : (weights, output, bias) of each output channel
    taps : pairs (input, weight), ended
    places : (window, output) of each position
    """
    return _correlation(K, X, 1, 0, 0)


def correlate_runs(K, X, length, x_step, w_step):
    """The same sums, whose products come in runs of ``length`` that are ``x_step`` and ``w_step`` apart.

    A run takes the addresses of its first product alone: for processors where adding them takes as long as the
    products.

    taps : pairs (input, weight) of the first product of each run, ended
    """
    return _correlation(K, X, length, x_step, w_step)


def _correlation(K, X, length, x_step, w_step):
    def kernel(
        x: Floats,
        w: Floats,
        bias: Floats,
        out: Floats,
        rows: Ints,
        row_count: int,
        taps: Ints,
        outer_count: int,
        x_outer: int,
        w_outer: int,
        places: Ints,
        place_count: int,
        blocks: int,
        x_block: int,
        w_block: int,
        out_block: int,
        bias_block: int,
        floor: Floats,
        accumulate: int,
    ):
        for block in range(blocks):
            xb, wb, ob = shift(x, block * x_block), shift(w, block * w_block), shift(out, block * out_block)
            bb = shift(bias, block * bias_block)
            for p in range(0, place_count, X):
                x_at, out_at = offsets(places, 2 * p, 2, X), offsets(places, 2 * p + 1, 2, X)
                for k in range(0, row_count, K):
                    w_row, out_row = offsets(rows, 3 * k, 3, K), offsets(rows, 3 * k + 1, 3, K)
                    tile = tile_rows(bb, offsets(rows, 3 * k + 2, 3, K), X)
                    x_from, w_from = xb, wb
                    for _ in range(outer_count):
                        t = 0
                        tap = taps[0]
                        while tap != END:
                            t += 1
                            w_tap, x_tap = high_half(tap), low_half(tap)
                            if length == 1:
                                tile = tile_outer(tile, w_from, w_row, w_tap, x_from, x_at, x_tap)
                            else:
                                tile = tile_outer_run(
                                    tile, w_from, w_row, w_tap, w_step, x_from, x_at, x_tap, x_step, length
                                )
                            tap = taps[t]
                        x_from = shift(x_from, x_outer)
                        w_from = shift(w_from, w_outer)
                    if accumulate != 0:
                        tile = tile_add(tile, tile_load(ob, out_row, out_at))
                    tile_store(tile, ob, out_row, out_at, floor[0])

    return kernel


def weight_gradient(K, T):
    """Gradient of the weights, K output channels by T taps at a time.

    ``grad_w[row, tap] += sum over blocks, places, lanes of grad_out[row, place] * x[place, tap]``

    rows : (grad_out, grad_w) of each output channel; the first ``row_count`` count
    taps : (x, grad_w) of each tap; the first ``tap_count`` count
    places : pairs (x, grad_out), ended
    """
    return _weight_gradient(K, T, 1, 0, 0)


def weight_gradient_runs(K, T, length, x_step, grad_step):
    """The same sums, whose places come in runs, as in ``correlate_runs``.

    places : pairs (x, grad_out) of the first place of each run, ended
    """
    return _weight_gradient(K, T, length, x_step, grad_step)


def _weight_gradient(K, T, length, x_step, grad_step):
    def kernel(
        x: Floats,
        grad_out: Floats,
        grad_w: Floats,
        rows: Ints,
        row_count: int,
        taps: Ints,
        tap_count: int,
        places: Ints,
        blocks: int,
        x_block: int,
        grad_block: int,
        w_block: int,
    ):
        for block in range(blocks):
            xb, gb = shift(x, block * x_block), shift(grad_out, block * grad_block)
            wb = shift(grad_w, block * w_block)
            for k in range(0, row_count, K):
                row, w_row = offsets(rows, 2 * k, 2, K), offsets(rows, 2 * k + 1, 2, K)
                for t in range(0, tap_count, T):
                    tap, w_tap = offsets(taps, 2 * t, 2, T), offsets(taps, 2 * t + 1, 2, T)
                    tile = tile_zero(x, K, T)
                    p = 0
                    place = places[0]
                    while place != END:
                        p += 1
                        g_at, x_at = high_half(place), low_half(place)
                        if length == 1:
                            tile = tile_dot(tile, gb, row, g_at, xb, tap, x_at)
                        else:
                            tile = tile_dot_run(tile, gb, row, g_at, grad_step, xb, tap, x_at, x_step, length)
                        place = places[p]
                    tile_sum_add(tile, wb, w_row, w_tap, row_count - k, tap_count - t)

    return kernel
