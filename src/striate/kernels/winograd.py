"""Kernels of Winograd's minimal filtering F(4x4, 3x3): 36 products instead of 144 for 4 x 4 outputs.

A patch is 6 x 6 inputs, or the 4 x 4 outputs they give. Transformed values lie as [36][channel][patch][lane], with
``step`` floats from one of the 36 to the next, so that a call may compute some of the channels.
With B, G and A as in the reference, for each patch d, filter g and gradient e of the outputs:

    outputs          A' [ (G g G') * (B' d B) ] A
    filter gradient  G' [ (A e A') * (B' d B) ] G

Rounding: the entries of A reach 8 and those of B 5, so sums of products carry an error up to about 10 times
that of the direct sum (measured on random values: 2 to 4 times).

References
----------
Winograd (1980), "Arithmetic complexity of computations"; Lavin and Gray (2015), "Fast algorithms for
convolutional neural networks", section 4.3.
"""

from __future__ import annotations

from numba import float32 as f32
from numba import njit

from striate.kernels.functions import taken
from striate.kernels.vector import Floats, Ints, lanes_of, select, shift, splat, vload, vstore

inline = njit(inline="always")


@inline
def _input_side(a0, a1, a2, a3, a4, a5):
    """B' a."""
    u, w = a4 - a2 * f32(4.0), a3 - a1 * f32(4.0)
    p, q = a4 - a2, (a3 - a1) * f32(2.0)
    return a0 * f32(4.0) - a2 * f32(5.0) + a4, u + w, u - w, p + q, p - q, a1 * f32(4.0) - a3 * f32(5.0) + a5


@inline
def _output_side(m0, m1, m2, m3, m4, m5):
    """A' m."""
    s, d, t, e = m1 + m2, m1 - m2, m3 + m4, m3 - m4
    return m0 + s + t, d + e * f32(2.0), s + t * f32(4.0), d + e * f32(8.0) + m5


@inline
def _gradient_side(e0, e1, e2, e3):
    """A e."""
    s, d = e0 + e2, e1 + e3
    t, u = e0 + e2 * f32(4.0), e1 * f32(2.0) + e3 * f32(8.0)
    return e0, s + d, s - d, t + u, t - u, e3


@inline
def filter_side(g0, g1, g2):
    """G g."""
    s, t = (g0 + g2) * f32(-1.0 / 6.0), g1 * f32(-1.0 / 6.0)
    u, v = g0 * f32(1.0 / 24.0) + g2 * f32(1.0 / 6.0), g1 * f32(1.0 / 12.0)
    return g0 * f32(0.25), s + t, s - t, u + v, u - v, g2


@inline
def _filter_gradient_side(u0, u1, u2, u3, u4, u5):
    """G' u."""
    s, d = (u1 + u2) * f32(-1.0 / 6.0), (u2 - u1) * f32(1.0 / 6.0)
    t, e = u3 + u4, (u3 - u4) * f32(1.0 / 12.0)
    return u0 * f32(0.25) + s + t * f32(1.0 / 24.0), d + e, s + t * f32(1.0 / 6.0) + u5


@inline
def _patch(x, at, row, first_y, first_x, height, width, size, scratch):
    """Copy a patch that runs over the edge; what lies outside is zero."""
    lanes = lanes_of(x)
    zero = splat(x, f32(0.0))
    for i in range(size):
        for j in range(size):
            y, z = first_y + i, first_x + j
            o = (i * size + j) * lanes
            if y >= 0 and y < height and z >= 0 and z < width:
                vstore(scratch, o, vload(x, at + i * row + j * lanes))
            else:
                vstore(scratch, o, zero)


def winograd_input(
    x: Floats,
    out: Floats,
    patches: Ints,
    patch_count: int,
    channels: int,
    step: int,
    channel: int,
    row: int,
    height: int,
    width: int,
    scratch: Floats,
):
    """``B' d B`` of every channel and patch; patches hold (place in x, first row, first column)."""
    lanes = lanes_of(x)
    middle = shift(scratch, 36 * lanes)
    for c in range(channels):
        for p in range(patch_count):
            at = patches[3 * p] + c * channel
            y, z = patches[3 * p + 1], patches[3 * p + 2]
            source, line = shift(x, at), row
            if y < 0 or z < 0 or y + 6 > height or z + 6 > width:
                _patch(x, at, row, y, z, height, width, 6, scratch)
                source, line = scratch, 6 * lanes
            for i in range(6):
                o = i * line
                v = _input_side(
                    vload(source, o),
                    vload(source, o + lanes),
                    vload(source, o + 2 * lanes),
                    vload(source, o + 3 * lanes),
                    vload(source, o + 4 * lanes),
                    vload(source, o + 5 * lanes),
                )
                o = 6 * i * lanes
                vstore(middle, o, v[0])
                vstore(middle, o + lanes, v[1])
                vstore(middle, o + 2 * lanes, v[2])
                vstore(middle, o + 3 * lanes, v[3])
                vstore(middle, o + 4 * lanes, v[4])
                vstore(middle, o + 5 * lanes, v[5])
            begin = (c * patch_count + p) * lanes
            for j in range(6):
                o = j * lanes
                v = _input_side(
                    vload(middle, o),
                    vload(middle, o + 6 * lanes),
                    vload(middle, o + 12 * lanes),
                    vload(middle, o + 18 * lanes),
                    vload(middle, o + 24 * lanes),
                    vload(middle, o + 30 * lanes),
                )
                o = begin + j * step
                vstore(out, o, v[0])
                vstore(out, o + 6 * step, v[1])
                vstore(out, o + 12 * step, v[2])
                vstore(out, o + 18 * step, v[3])
                vstore(out, o + 24 * step, v[4])
                vstore(out, o + 30 * step, v[5])


def winograd_gradient(
    grad: Floats,
    out: Floats,
    patches: Ints,
    patch_count: int,
    channels: int,
    step: int,
    channel: int,
    row: int,
    height: int,
    width: int,
    scratch: Floats,
):
    """``A e A'`` of every channel and patch of 4 x 4 gradients."""
    lanes = lanes_of(grad)
    middle = shift(scratch, 36 * lanes)
    for c in range(channels):
        for p in range(patch_count):
            at = patches[3 * p] + c * channel
            y, z = patches[3 * p + 1], patches[3 * p + 2]
            source, line = shift(grad, at), row
            if y + 4 > height or z + 4 > width:
                _patch(grad, at, row, y, z, height, width, 4, scratch)
                source, line = scratch, 4 * lanes
            for i in range(4):
                o = i * line
                v = _gradient_side(
                    vload(source, o),
                    vload(source, o + lanes),
                    vload(source, o + 2 * lanes),
                    vload(source, o + 3 * lanes),
                )
                o = 6 * i * lanes
                vstore(middle, o, v[0])
                vstore(middle, o + lanes, v[1])
                vstore(middle, o + 2 * lanes, v[2])
                vstore(middle, o + 3 * lanes, v[3])
                vstore(middle, o + 4 * lanes, v[4])
                vstore(middle, o + 5 * lanes, v[5])
            begin = (c * patch_count + p) * lanes
            for j in range(6):
                o = j * lanes
                v = _gradient_side(
                    vload(middle, o),
                    vload(middle, o + 6 * lanes),
                    vload(middle, o + 12 * lanes),
                    vload(middle, o + 18 * lanes),
                )
                o = begin + j * step
                vstore(out, o, v[0])
                vstore(out, o + 6 * step, v[1])
                vstore(out, o + 12 * step, v[2])
                vstore(out, o + 18 * step, v[3])
                vstore(out, o + 24 * step, v[4])
                vstore(out, o + 30 * step, v[5])


def winograd_output(activation):
    """``max(floor, bias + A' m A)``, or an activation of it, of every channel and patch, inside the output.

    ``bias`` holds one number for each channel, or with ``bias_vectors`` a vector for each block of channels. The
    activation is one of ``striate.kernels.functions`` with the arguments a and b, or "" for none.
    """
    put = _put(activation)

    def kernel(
        products: Floats,
        bias: Floats,
        out: Floats,
        patches: Ints,
        patch_count: int,
        channels: int,
        step: int,
        channel: int,
        row: int,
        height: int,
        width: int,
        scratch: Floats,
        floor: float,
        a: float,
        b: float,
        accumulate: int,
        bias_vectors: int,
    ):
        lanes = lanes_of(out)
        low = splat(out, floor)
        for k in range(channels):
            start = vload(bias, k * lanes) if bias_vectors != 0 else splat(out, bias[k])
            for p in range(patch_count):
                begin = (k * patch_count + p) * lanes
                for i in range(6):
                    o = begin + 6 * i * step
                    v = _output_side(
                        vload(products, o),
                        vload(products, o + step),
                        vload(products, o + 2 * step),
                        vload(products, o + 3 * step),
                        vload(products, o + 4 * step),
                        vload(products, o + 5 * step),
                    )
                    o = 4 * i * lanes
                    vstore(scratch, o, v[0])
                    vstore(scratch, o + lanes, v[1])
                    vstore(scratch, o + 2 * lanes, v[2])
                    vstore(scratch, o + 3 * lanes, v[3])
                at = patches[3 * p] + k * channel
                rows, columns = height - patches[3 * p + 1], width - patches[3 * p + 2]
                for j in range(min(columns, 4)):
                    o = j * lanes
                    v = _output_side(
                        vload(scratch, o),
                        vload(scratch, o + 4 * lanes),
                        vload(scratch, o + 8 * lanes),
                        vload(scratch, o + 12 * lanes),
                        vload(scratch, o + 16 * lanes),
                        vload(scratch, o + 20 * lanes),
                    )
                    o = at + j * lanes
                    put(out, o, v[0] + start, low, a, b, accumulate)
                    if rows > 1:
                        put(out, o + row, v[1] + start, low, a, b, accumulate)
                    if rows > 2:
                        put(out, o + 2 * row, v[2] + start, low, a, b, accumulate)
                    if rows > 3:
                        put(out, o + 3 * row, v[3] + start, low, a, b, accumulate)

    return kernel


def _put(activation):
    activate = taken(activation)

    @inline
    def put(out, at, value, low, a, b, accumulate):
        value = activate(select(value < low, low, value), a, b)
        if accumulate != 0:
            value = value + vload(out, at)
        vstore(out, at, value)

    return put


def winograd_filters(
    w: Floats, out: Floats, filters: Ints, filter_count: int, step: int, flipped: int, scratch: Floats
):
    """``out[t, i] = (G g G')[t]`` of the filter at ``w[filters[i]]``, turned by 180 degrees if ``flipped``.

    The lanes are filters here; the last ones, which do not fill a vector, begin earlier and are computed twice.
    """
    lanes = lanes_of(w)
    for first in range(0, filter_count, lanes):
        begin = min(first, filter_count - lanes)
        for lane in range(lanes):
            g = shift(w, filters[begin + lane])
            for t in range(9):
                scratch[t * lanes + lane] = g[8 - t if flipped != 0 else t]
        r0 = filter_side(vload(scratch, 0), vload(scratch, lanes), vload(scratch, 2 * lanes))
        r1 = filter_side(vload(scratch, 3 * lanes), vload(scratch, 4 * lanes), vload(scratch, 5 * lanes))
        r2 = filter_side(vload(scratch, 6 * lanes), vload(scratch, 7 * lanes), vload(scratch, 8 * lanes))
        for j in range(6):
            v = filter_side(r0[j], r1[j], r2[j])
            for k in range(6):
                vstore(out, (6 * k + j) * step + begin, v[k])


def winograd_filter_gradient(products: Floats, grad_w: Floats, count: int, step: int, scratch: Floats):
    """``grad_w[i] = G' u G`` for each of ``count`` filters, u at ``products[t, i]``; the lanes are filters."""
    lanes = lanes_of(products)
    for first in range(0, count, lanes):
        begin = min(first, count - lanes)
        u = shift(products, begin)
        for j in range(6):
            v = _filter_gradient_side(
                vload(u, j * step),
                vload(u, (6 + j) * step),
                vload(u, (12 + j) * step),
                vload(u, (18 + j) * step),
                vload(u, (24 + j) * step),
                vload(u, (30 + j) * step),
            )
            vstore(scratch, j * lanes, v[0])
            vstore(scratch, (6 + j) * lanes, v[1])
            vstore(scratch, (12 + j) * lanes, v[2])
        for i in range(3):
            row = shift(scratch, 6 * i * lanes)
            v = _filter_gradient_side(
                vload(row, 0),
                vload(row, lanes),
                vload(row, 2 * lanes),
                vload(row, 3 * lanes),
                vload(row, 4 * lanes),
                vload(row, 5 * lanes),
            )
            result = shift(scratch, (18 + 3 * i) * lanes)
            vstore(result, 0, v[0])
            vstore(result, lanes, v[1])
            vstore(result, 2 * lanes, v[2])
        for lane in range(lanes):
            for t in range(9):
                grad_w[9 * (begin + lane) + t] = scratch[(18 + t) * lanes + lane]
