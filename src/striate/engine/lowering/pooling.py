"""Pooling as tables of windows; windows over the edge form classes of their own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from striate.engine.layout import Buffer
from striate.engine.lowering.context import Lowering, Rule
from striate.engine.lowering.windows import Geometry, Grouping, class_tables, classes, windows_over
from striate.engine.rules import RULES, SAMPLES
from striate.layers.pooling import AvgPooling, MaxPooling
from striate.network import Step


def geometry_of(step: Step) -> Geometry:
    """Return the window of a pooling layer."""
    window = step.layer.window(*step.input_shapes)
    assert window is not None
    return Geometry.of(window)


def window_tables(
    x: Buffer, out: Buffer, geometry: Geometry, grouping: Grouping = windows_over
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (place in x, place in out) of the windows and the taps of every class."""
    for part in classes(grouping, x.shape[1:], out.shape[1:], geometry):
        where, pairs = class_tables(out, x, part, geometry)
        yield where, pairs[:, 0]


def pooling_arguments(
    lowering: Lowering, x: Buffer, out: Buffer, where: np.ndarray, taps: np.ndarray
) -> dict[str, Any]:
    """Return the arguments that the pooling kernels of floats share."""
    arguments = window_arguments(lowering, x, out, where, taps)
    return arguments | {"blocks": x.blocks, "x_block": x.block, "out_block": out.block}


def window_arguments(lowering: Any, x: Buffer, out: Buffer, where: np.ndarray, taps: np.ndarray) -> dict[str, Any]:
    """Return the arguments by which the pooling kernels of both layouts find their windows."""
    table = lowering.program.table
    return {
        "x": lowering.place(x),
        "out": lowering.place(out),
        "channels": table(np.stack([x.channels(), out.channels()], axis=1)),
        "channel_count": x.shape[0],
        "places": table(where),
        "place_count": len(where),
        "taps": table(taps),
        "tap_count": len(taps),
    }


def unrolled(taps: np.ndarray) -> tuple[int]:
    """Return the constant of the pooling kernels: the number of cells of usual small windows, else 0."""
    return (len(taps) if len(taps) in (2, 4, 9) else 0,)


def partition(x: Buffer, geometry: Geometry) -> bool:
    """Return whether the windows neither overlap nor leave anything out, whatever the input size."""
    covered = zip(x.shape[1:], geometry.kernel, geometry.stride, strict=True)
    exact = all(n % k == 0 and k == s for n, k, s in covered)
    plain = geometry.dilation == (1, 1, 1) and geometry.padding == ((0, 0),) * 3
    return exact and plain


def gradient_target(lowering: Lowering, step: Step, exact: bool) -> tuple[Buffer, int]:
    """Return the gradient buffer of the input, cleared unless the windows are an ``exact`` partition of it."""
    grad_x, accumulate = lowering.gradient_into(step.inputs[0])
    if not accumulate and not exact:
        lowering.emit("elementwise.fill", out=lowering.place(grad_x), count=grad_x.size, value=0.0)
        accumulate = 1
    return grad_x, accumulate


def _max_forward(lowering: Lowering, step: Step) -> None:
    x, out = lowering.values[step.inputs[0]], lowering.allocate(step)
    for where, taps in window_tables(x, out, geometry_of(step)):
        lowering.emit("pooling.max_pool", unrolled(taps), **pooling_arguments(lowering, x, out, where, taps))


def _max_backward(lowering: Lowering, step: Step) -> None:
    if step.inputs[0] not in lowering.needed:
        return
    x, out, grad = lowering.values[step.inputs[0]], lowering.values[step.name], lowering.gradients[step.name]
    geometry = geometry_of(step)
    grad_x, accumulate = gradient_target(lowering, step, partition(x, geometry))
    floor = 0.0 if step.inputs[0] in lowering.facts.masked else -math.inf
    buffers = (x, out, grad, grad_x)
    for places, taps in gradient_tables(buffers, geometry):
        emit_max_gradient(lowering, buffers, places, taps, accumulate, floor)


def gradient_tables(
    buffers: tuple[Buffer, Buffer, Buffer, Buffer], geometry: Geometry, grouping: Grouping = windows_over
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the places of windows and of taps, of every class, in x, out, grad_out and grad_x.

    Returns
    -------
    places : int64[P, 4]
        Where each window begins in x, its places in out and grad_out, and where it begins in grad_x.
    taps : int64[T, 2]
        Place of each cell in x and in grad_x.
    """
    x, out, grad, grad_x = buffers
    for part in classes(grouping, x.shape[1:], out.shape[1:], geometry):
        where, pairs = class_tables(out, x, part, geometry)
        grad_out_where, _ = class_tables(grad, x, part, geometry)
        grad_x_where, grad_pairs = class_tables(out, grad_x, part, geometry)
        columns = [where[:, 0], where[:, 1], grad_out_where[:, 1], grad_x_where[:, 0]]
        yield np.stack(columns, axis=1), np.stack([pairs[:, 0], grad_pairs[:, 0]], axis=1)


def window_gradient_arguments(
    lowering: Lowering,
    buffers: tuple[Buffer, Buffer, Buffer, Buffer],
    places: np.ndarray,
    taps: np.ndarray,
    accumulate: int,
) -> dict[str, Any]:
    """Return the arguments of kernels that read x, out and grad_out and give grad_x."""
    x, out, grad, grad_x = buffers
    table = lowering.program.table
    return {
        "x": lowering.place(x),
        "out": lowering.place(out),
        "grad_out": lowering.place(grad),
        "grad_x": lowering.place(grad_x),
        "channels": table(np.stack([b.channels() for b in buffers], axis=1)),
        "channel_count": x.shape[0],
        "places": table(places),
        "place_count": len(places),
        "taps": table(taps),
        "tap_count": len(taps),
        "blocks": x.blocks,
        "x_block": x.block,
        "out_block": out.block,
        "grad_out_block": grad.block,
        "grad_x_block": grad_x.block,
        "accumulate": accumulate,
    }


def emit_max_gradient(
    lowering: Lowering,
    buffers: tuple[Buffer, Buffer, Buffer, Buffer],
    places: np.ndarray,
    taps: np.ndarray,
    accumulate: int,
    floor: float = -math.inf,
) -> None:
    """Emit the call that gives grad_out to the first maximum of every window; tables of ``gradient_tables``."""
    arguments = window_gradient_arguments(lowering, buffers, places, taps, accumulate)
    lowering.emit("pooling.max_pool_gradient", unrolled(taps), **arguments, floor=floor)


def _shares(
    step: Step, x: Buffer, out: Buffer, geometry: Geometry
) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """Yield windows, taps and 1/size; windows of a class are split by what their sum is divided by."""
    sizes = divisors(step, geometry, out)
    for part in classes(windows_over, x.shape[1:], out.shape[1:], geometry):
        where, pairs = class_tables(out, x, part, geometry)
        divide = sizes[np.ix_(*(p.positions for p in part))].ravel()
        for size in np.unique(divide):
            yield where[divide == size], pairs[:, 0], 1.0 / float(size)


def divisors(step: Step, geometry: Geometry, out: Buffer) -> np.ndarray:
    """Return what the sum of every window is divided by, float64[D, H, W] of the output."""
    layer: AvgPooling = step.layer  # type: ignore[assignment]
    size = (1, 1, 1, *step.input_shapes[0][1:])[-3:]
    counts = np.ones(())
    axes = zip(
        size, out.shape[1:], geometry.kernel, geometry.stride, geometry.dilation, geometry.padding, strict=True
    )
    for n, o, k, s, d, (before, after) in axes:
        first, last = (-before, n + after) if layer.count_padding else (0, n)
        cells = np.arange(o)[:, None] * s - before + np.arange(k)[None, :] * d
        counts = counts[..., None] * ((cells >= first) & (cells < last)).sum(axis=1)
    return counts


def _avg_forward(lowering: Lowering, step: Step) -> None:
    x, out = lowering.values[step.inputs[0]], lowering.allocate(step)
    for where, taps, share in _shares(step, x, out, geometry_of(step)):
        lowering.emit(
            "pooling.avg_pool", unrolled(taps), **pooling_arguments(lowering, x, out, where, taps), share=share
        )


def _avg_backward(lowering: Lowering, step: Step) -> None:
    if step.inputs[0] not in lowering.needed:
        return
    x, grad, geometry = lowering.values[step.inputs[0]], lowering.gradients[step.name], geometry_of(step)
    grad_x, accumulate = gradient_target(lowering, step, partition(x, geometry))
    table = lowering.program.table
    for where, taps, share in _shares(step, grad_x, grad, geometry):
        lowering.emit(
            "pooling.avg_pool_gradient",
            unrolled(taps),
            grad_out=lowering.place(grad),
            grad_x=lowering.place(grad_x),
            channels=table(np.stack([grad.channels(), grad_x.channels()], axis=1)),
            channel_count=grad.shape[0],
            places=table(where[:, ::-1]),
            place_count=len(where),
            taps=table(taps),
            tap_count=len(taps),
            blocks=grad.blocks,
            grad_out_block=grad.block,
            grad_x_block=grad_x.block,
            share=share,
            accumulate=accumulate,
        )


RULES[SAMPLES, MaxPooling] = Rule(_max_forward, _max_backward)
RULES[SAMPLES, AvgPooling] = Rule(_avg_forward, _avg_backward)
