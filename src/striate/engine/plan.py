"""From a network to tables that threads can run: shards, phases, buffers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from striate.engine import graph
from striate.engine.layout import Buffer
from striate.engine.losses import Results, emit_reference
from striate.engine.lowering import FALLBACK, Lowering, rule
from striate.engine.lowering.shape import emit_copy
from striate.engine.memory import Samples, Sizes, Vectors
from striate.engine.program import (
    CHUNK,
    COUNT,
    GRADIENT,
    INDEX,
    LANEWISE,
    LANEWISE_NUMBER,
    OUTPUTS,
    SUMMED,
    TARGETS,
    Place,
    Program,
    Row,
)
from striate.layers.shape import InputLayer
from striate.losses import Loss

CHUNK_FLOATS = 16384  # parameters that one task updates


def lower_forward(lowering: Lowering, outputs: Sequence[str]) -> None:
    """Emit the forward pass of ``outputs`` and of all that they depend on."""
    network = lowering.network
    needed = graph.ancestors(network, outputs)
    readers = {
        name: sum(step.name in needed for step in steps) + (name in outputs)
        for name, steps in graph.readers(network).items()
    }
    for step in network.steps:
        if isinstance(step.layer, InputLayer) or step.name not in needed:
            continue
        (rule(step.layer) or FALLBACK).forward(lowering, step)
        if not lowering.training:
            _release(lowering, step.inputs, readers)


def _release(lowering: Lowering, sources: tuple[str, ...], readers: dict[str, int]) -> None:
    """Free the buffers that nothing reads any more."""
    for source in sources:
        readers[source] -= 1
        buffer = lowering.values[source]
        alive = [n for n, b in lowering.values.items() if b.offset == buffer.offset and readers[n] > 0]
        if readers[source] == 0 and not alive and source != lowering.network.steps[0].name:
            lowering.arena.free(buffer)


def lower_backward(lowering: Lowering) -> None:
    """Emit the backward pass from the values whose gradients are there."""
    for step in reversed(lowering.network.steps):
        reached = step.name in lowering.gradients
        found = rule(step.layer) or FALLBACK
        learns = reached or step.name in lowering.needed  # what never gets a gradient keeps the zeros it began with
        if step.parameters and learns and not (reached and found.assigns):
            size = sum(slot.spec.size for slot in step.parameters)
            lowering.clear(Place(4 * step.parameters[0].offset, GRADIENT), size)
        if reached and not isinstance(step.layer, InputLayer):
            found.backward(lowering, step)
            _forget(lowering, step.name)


def _forget(lowering: Lowering, name: str) -> None:
    """Free the gradient and the value of a step whose backward pass is done, unless others share them."""
    for buffers in (lowering.gradients, lowering.values):
        buffer = buffers.pop(name)
        if all(other.offset != buffer.offset for other in buffers.values()):
            lowering.arena.free(buffer)


def emit_load(lowering: Lowering, samples: Samples, dtype: np.dtype, buffer: Buffer | None = None) -> Row:
    """Emit the call that puts samples into lanes; its argument ``x`` is set before every run.

    They go where the network's input lies, normalised; or to ``buffer`` as they are.
    """
    scale, offset = samples.scale, samples.offset
    if buffer is None:
        buffer = lowering.allocate(lowering.network.steps[0])
    else:
        scale, offset = (lowering.constant(value, buffer.shape[0]) for value in (1.0, 0.0))
    rows = buffer.space(np.arange(buffer.shape[1]), np.arange(buffer.shape[2]), np.zeros(1, np.int64)).ravel()
    begins = (buffer.channels()[:, None] + rows[None, :]).ravel()
    numbers = np.arange(len(begins))
    width = buffer.shape[3]
    runs = np.stack([numbers * width, begins, numbers // len(rows)], axis=1)
    lowering.emit(
        "batch.load_bytes" if dtype == np.uint8 else "batch.load_floats",
        x=Place(0),
        index=Place(samples.index.ctypes.data, INDEX),
        out=lowering.place(buffer),
        scale=scale,
        offset=offset,
        runs=lowering.program.table(runs),
        run_count=len(runs),
        length=width,
        sample_size=math.prod(buffer.shape),
        blocks=buffer.blocks,
        out_block=buffer.block,
    )
    return lowering.rows[-1]


def emit_loss(lowering: Lowering, name: str, loss: Loss, results: Results) -> None:
    """Emit the loss of the value ``name`` and its gradient."""
    value = lowering.values[name]
    grad, accumulate = lowering.gradient_into(name)
    target = lowering.arena.allocate(grad.shape) if accumulate else grad
    shape = lowering.network.step(name).shape
    kernel, numbers, features = loss.kernel(shape), loss.numbers(shape), value.features()
    if kernel is None:
        emit_reference(lowering, loss, shape, value, target, results)
    else:
        lowering.emit(
            kernel,
            outputs=lowering.place(value),
            grad=lowering.place(target),
            targets=Place(lowering.samples.targets.ctypes.data, TARGETS),
            **{field: Place(array.ctypes.data, LANEWISE) for field, array in vars(results).items()},
            **({} if numbers is None else {"numbers": numbers}),
            features=lowering.program.table(features),
            grad_features=lowering.program.table(target.features()),
            count=len(features),
            blocks=value.blocks,
            outputs_block=value.block,
            grad_block=target.block,
        )
    if accumulate:
        emit_copy(lowering, target, grad, accumulate)


def emit_store(lowering: Lowering, value: Buffer, out: Place) -> None:
    """Emit the call that takes a value out of the lanes, to a row of features for each sample."""
    features = value.features()
    lowering.emit(
        "batch.store_rows",
        x=lowering.place(value),
        out=out,
        features=lowering.program.table(features),
        count=len(features),
        blocks=value.blocks,
        x_block=value.block,
    )


def shard_tasks(sizes: Sizes, vectors: Vectors, target_count: int, output_count: int) -> list[dict[int, int]]:
    """Return what the registers hold in each shard."""
    first = [shard * sizes.samples for shard in range(sizes.shards)]
    return [
        {
            GRADIENT: vectors.shards.ctypes.data + 4 * vectors.padded * shard,
            INDEX: 8 * sample,
            LANEWISE: 4 * sample,
            TARGETS: 4 * sample * target_count,
            OUTPUTS: 4 * sample * output_count,
            LANEWISE_NUMBER: sample,
        }
        for shard, sample in enumerate(first)
    ]


def update_phase(
    program: Program, vectors: Vectors, sizes: Sizes, optimizer: str | None, summed: Sequence[tuple[int, int]] = ()
) -> Row:
    """Append the phase that sums the shards' gradients and takes the optimizer's step; return the first row.

    Without an optimizer it only sums. ``summed`` are the parts, from float to float, of the gradient that are there
    already.
    """
    total = program.row(
        "update.sum_shards",
        shards=Place(vectors.shards.ctypes.data, CHUNK),
        stride=vectors.padded,
        shard_count=sizes.shards,
        out=Place(vectors.gradient.ctypes.data, CHUNK),
        count=Place(0, SUMMED),
    )
    rows = [total]
    if optimizer:
        names = ("theta", "gradient", "first", "second")
        places = {name: Place(getattr(vectors, name).ctypes.data, CHUNK) for name in names}
        rows.append(program.row(f"update.{optimizer}", **places, numbers=vectors.numbers, count=Place(0, COUNT)))
    chunk = min(CHUNK_FLOATS, vectors.padded)
    begins = range(0, vectors.padded, chunk)
    tasks = []
    for begin in begins:
        count = min(chunk, vectors.padded - begin)
        done = any(first <= begin and begin + count <= end for first, end in summed)
        tasks.append({CHUNK: 4 * begin, COUNT: count, SUMMED: 0 if done else count})
    program.phase(rows, tasks)
    return total
