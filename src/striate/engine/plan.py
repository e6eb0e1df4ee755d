"""From the facts of a network to its program: shards, phases, sections."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from striate.engine import graph, segments
from striate.engine.analysis import Facts
from striate.engine.dealing import deal, deal_packs
from striate.engine.layerwise import direction, layerwise_phases
from striate.engine.layout import Arena, Buffer
from striate.engine.losses import emit_loss
from striate.engine.lowering import FALLBACK, Lowering, rule
from striate.engine.memory import Sizes
from striate.engine.program import (
    ARENA,
    BACKWARD,
    BUFFERS,
    CHUNK,
    COUNT,
    GRADIENT,
    INDEX,
    INPUTS,
    LANEWISE,
    LANEWISE_NUMBER,
    LOSS,
    OUTPUTS,
    SUMMED,
    TARGETS,
    UPDATE,
    ByCount,
    Place,
    Program,
    Row,
)
from striate.engine.updates import UPDATES
from striate.layers.shape import InputLayer

CHUNK_FLOATS, LEAST_CHUNK_FLOATS = 16384, 2048  # parameters that one task updates


def lower(facts: Facts, threads: int = 1) -> Program:
    """Return the program of a network: a training step, or inference.

    More threads than shards share the calls of a shard; they change the tasks, and no bit of the results.
    """
    lowering = begin(facts, threads)
    emit_load(lowering)
    lower_forward(lowering, facts.outputs)
    if facts.loss is None:
        emit_store(lowering, lowering.values[facts.outputs[0]], Place(segments.OUTPUTS, 0, OUTPUTS))
    else:
        lowering.section = LOSS
        for number, name in enumerate(facts.outputs):
            lowering.where = name
            emit_loss(lowering, name, facts.loss, number)
        lower_backward(lowering)
    add_shards(lowering)
    if facts.training:
        add_update(lowering)
    return lowering.program.finish()


def begin(facts: Facts, threads: int = 1) -> Lowering:
    """Return an empty program under construction."""
    program = Program(facts.sizes.lanes)
    kept = () if facts.optimizer is None else UPDATES[facts.optimizer].vectors
    network, shards = facts.network, facts.sizes.shards if facts.training else 0
    flat = segments.flat_sizes(network.parameter_count, network.state_count, shards, kept)
    for name, size in (flat | segments.sample_sizes(facts)).items():
        program.segment(name, size)
    program.segment(INPUTS, math.prod(network.input_shape) * facts.dtype.itemsize, external=True)  # of a sample
    return Lowering(facts, program, Arena(facts.sizes.lanes, facts.sizes.blocks), threads)


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
        lowering.where = step.name
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
    lowering.section = BACKWARD
    for step in reversed(lowering.network.steps):
        lowering.where = step.name
        reached = step.name in lowering.gradients
        found = rule(step.layer) or FALLBACK
        learns = reached or step.name in lowering.needed  # what never gets a gradient keeps the zeros it began with
        if step.parameters and learns and not (reached and found.assigns):
            size = sum(slot.spec.size for slot in step.parameters)
            lowering.clear(Place(segments.GRADIENTS, 4 * step.parameters[0].offset, GRADIENT), size)
        if reached and not isinstance(step.layer, InputLayer):
            found.backward(lowering, step)
            _forget(lowering, step.name)


def _forget(lowering: Lowering, name: str) -> None:
    """Free the gradient and the value of a step whose backward pass is done, unless others share them."""
    for buffers in (lowering.gradients, lowering.values):
        buffer = buffers.pop(name)
        if all(other.offset != buffer.offset for other in buffers.values()):
            lowering.arena.free(buffer)


def emit_load(lowering: Lowering) -> None:
    """Emit the call that puts samples into lanes, normalised, where the network's input lies."""
    first = lowering.network.steps[0]
    lowering.where = first.name
    emit_load_into(lowering, lowering.allocate(first), Place(INPUTS), Place(segments.SCALE), Place(segments.MEAN))


def emit_load_into(lowering: Lowering, buffer: Buffer, x: Place, scale: Place, mean: Place) -> None:
    """Emit the call that puts ``(x - mean[channel]) * scale[channel]`` into the lanes of ``buffer``."""
    rows = buffer.space(np.arange(buffer.shape[1]), np.arange(buffer.shape[2]), np.zeros(1, np.int64)).ravel()
    begins = (buffer.channels()[:, None] + rows[None, :]).ravel()
    numbers = np.arange(len(begins))
    width = buffer.shape[3]
    runs = np.stack([numbers * width, begins, numbers // len(rows)], axis=1)
    lowering.emit(
        "batch.load_bytes" if lowering.facts.dtype == np.uint8 else "batch.load_floats",
        x=x,
        index=Place(segments.SAMPLES, 0, INDEX),
        out=lowering.place(buffer),
        scale=scale,
        mean=mean,
        runs=lowering.program.table(runs),
        run_count=len(runs),
        length=width,
        sample_size=math.prod(buffer.shape),
        blocks=buffer.blocks,
        out_block=buffer.block,
    )


def emit_store(lowering: Lowering, value: Buffer, out: Place) -> None:
    """Emit the call that takes a value out of the lanes, to a row of features for each sample."""
    features = value.features()
    lowering.emit(
        "batch.store_rows",
        x=lowering.place(value),
        out=out,
        features=lowering.program.table(features),
        feature_count=len(features),
        row=len(features),
        blocks=value.blocks,
        x_block=value.block,
    )


def add_shards(lowering: Lowering) -> None:
    """Append the phases of the shards; shards that wait for each other need buffers of their own."""
    program, facts, stride = lowering.program, lowering.facts, lowering.arena.size
    program.shared_arena = bool(lowering.parts) or lowering.gang > 1
    program.segment(BUFFERS, 4 * stride * (facts.sizes.shards if program.shared_arena else 1))
    if lowering.packs:
        program.side_by_side(deal_packs(program, lowering.packs, lowering.threads if lowering.gang > 1 else 1))
    tasks = _shard_tasks(facts, 4 * stride if program.shared_arena else 0)
    for rows, between, seen in [*lowering.parts, (lowering.rows, [], [])]:
        for parts in deal(program, rows, lowering.gang) if rows else ():  # nothing may follow the last barrier
            program.shared(parts, tasks)
        program.phases[-1].seen += seen
        for row in between:
            row.arguments.update({k: v(stride) for k, v in row.arguments.items() if callable(v)})
        if between:
            program.side_by_side(between)


def _shard_tasks(facts: Facts, arena_bytes: int) -> list[dict[int, int]]:
    """Return what the registers hold in each shard."""
    sizes, outputs = facts.sizes, math.prod(facts.network.output_shape)
    gradient = 4 * segments.padded(facts.network.parameter_count)
    return [
        {
            ARENA: arena_bytes * shard,
            GRADIENT: gradient * shard,
            INDEX: 8 * sample,
            LANEWISE: 4 * sample,
            TARGETS: 4 * sample * facts.target_count,
            OUTPUTS: 4 * sample * outputs,
            LANEWISE_NUMBER: sample,
        }
        for shard, sample in enumerate(shard * sizes.samples for shard in range(sizes.shards))
    ]


def add_update(lowering: Lowering) -> None:
    """Append the phase that sums the shards' gradients and takes the optimizer's step."""
    facts = lowering.facts
    count = segments.padded(facts.network.parameter_count)
    parameters = [(slot.offset, slot.offset + slot.spec.size) for slot in facts.network.parameters]
    update_phases(
        lowering.program, count, facts.sizes, facts.optimizer, lowering.summed, lowering.threads, parameters
    )


def update_phases(
    program: Program,
    length: int,
    sizes: Sizes,
    optimizer: str | None,
    summed: Sequence[tuple[int, int]] = (),
    threads: int = 1,
    parameters: Sequence[tuple[int, int]] | None = None,
) -> None:
    """Append the phases that sum the shards' gradients, and take the step of an optimizer unless it is None.

    Parameters
    ----------
    length : int
        Of the flat vectors.
    summed : sequence of (first, end)
        The parts of the gradient that are there already.
    threads : int
        Among which the parameters are shared.
    parameters : sequence of (first, end), optional
        Where each lies in the flat vectors; by default there is one.
    """
    layerwise = optimizer is not None and UPDATES[optimizer].layerwise
    if layerwise:
        direction(program, length)
    total = program.row(
        BACKWARD,
        "update.sum_shards",
        shards=Place(segments.GRADIENTS, 0, CHUNK),
        stride=length,
        shard_count=ByCount(tuple(range(1, sizes.shards + 1))),
        count=Place("", 0, SUMMED),
    )
    rows = [total, *([] if optimizer is None else [update_row(program, optimizer)])]
    chunk = min(CHUNK_FLOATS, max(LEAST_CHUNK_FLOATS, segments.padded(length // threads)))
    tasks = []
    for begin in range(0, length, chunk):
        count = min(chunk, length - begin)
        done = any(first <= begin and begin + count <= end for first, end in summed)
        tasks.append({CHUNK: 4 * begin, COUNT: count, SUMMED: 0 if done else count})
    program.phase(rows, tasks)
    if layerwise:
        layerwise_phases(program, [(0, length)] if parameters is None else parameters)


def update_row(program: Program, optimizer: str) -> Row:
    """Return the call that takes the step of an optimizer over a chunk of the flat vectors."""
    vectors: dict[str, Any] = {
        name: Place(segments.of_optimizer(name), 0, CHUNK) for name in UPDATES[optimizer].vectors
    }
    if UPDATES[optimizer].layerwise:
        vectors["direction"] = Place(segments.DIRECTION, 0, CHUNK)
    return program.row(
        UPDATE,
        f"update.{optimizer}",
        theta=Place(segments.PARAMETERS, 0, CHUNK),
        gradient=Place(segments.GRADIENTS, 0, CHUNK),
        **vectors,
        numbers=Place(segments.NUMBERS),
        count=Place("", 0, COUNT),
    )
