"""From a network to calls with channels in the lanes, dealt out to threads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from striate import machine
from striate.engine import graph, segments
from striate.engine.analysis import Facts
from striate.engine.channels import integer_sums, integers, pointwise, rearrangement, sums  # noqa: F401  (they fill the rules)
from striate.engine.channels.context import Chain, ChannelLowering, Work, move_arguments, rule
from striate.engine.channels.folding import activations, folds
from striate.engine.channels.single import SingleLowering
from striate.engine.channels.single import forward as single_forward
from striate.engine.channels.words import as_floats
from striate.engine.cutting import cut
from striate.engine.layout import NO_MARGIN
from striate.engine.program import (
    ARENA,
    BUFFERS,
    FORWARD,
    INDEX,
    INPUTS,
    LANEWISE,
    OUTPUTS,
    Phase,
    Place,
    Program,
    Row,
)
from striate.layers.shape import InputLayer
from striate.network import Network, Step

PRODUCTS = 200_000  # of a task: some 4 microseconds, a few times what it costs to hand it out
TASKS = 64  # that a call is cut into at most, over all samples


def lower(facts: Facts, lanes: int, threads: int = 1, byte_products: str | None = None) -> tuple[Program, float]:
    """Return the program of a network for inference, and what a sample costs in multiplications.

    Parameters
    ----------
    facts : Facts
        A shard is a sample. Observed values are stored for a single sample, in segments of their own.
    threads : int
        For more than one, calls are cut into tasks; how many there are does not matter.
    byte_products : {"vnni", "pairs", "plain"}, optional
        How bytes are multiplied; the fastest of this processor by default.
    """
    lowering = _begin(facts, lanes)
    lowering.byte_products = byte_products or machine.byte_products(lanes)
    _emit_load(lowering)
    _lower_steps(lowering)
    _emit_store(lowering, facts.outputs[0], Place(segments.OUTPUTS, 0, OUTPUTS))
    for name in facts.outputs[1:]:
        size = 4 * math.prod(facts.network.step(name).shape)
        _emit_store(lowering, name, lowering.program.segment(segments.of_value(name), size))
    _deal(lowering, TASKS if threads > 1 else 1)
    return lowering.program.finish(), lowering.products()


def _begin(facts: Facts, lanes: int) -> ChannelLowering:
    network = facts.network
    folded = folds(network, facts.outputs)
    activated = activations(network, facts.outputs, folded)
    margins = graph.margins(network, {**facts.fused, **folded, **activated}, training=False)
    for step in network.steps:
        found = rule(step)
        if found is not None and found.margin is not None:
            margins[step.inputs[0]] = graph.widest(margins.get(step.inputs[0], NO_MARGIN), found.margin(step))
    program = Program(lanes, shared_arena=True)
    sizes = segments.flat_sizes(network.parameter_count, network.state_count, 0) | segments.sample_sizes(facts)
    for name, size in sizes.items():
        program.segment(name, size)
    program.segment(INPUTS, math.prod(network.input_shape) * facts.dtype.itemsize, external=True)
    lowering = ChannelLowering(replace(facts, margins=margins), program, folded, activated)
    first = network.steps[0]
    lowering.stored = lowering.arena.of_channels(first.shape, margins[first.name], lanes=1)
    lowering.values[first.name] = lowering.stored
    return lowering


def _lower_steps(lowering: ChannelLowering) -> None:
    """Emit the outputs and all that they depend on."""
    network, outputs = lowering.network, lowering.facts.outputs
    single = SingleLowering(lowering)
    needed = graph.ancestors(network, outputs)
    alive = _readers(network, needed, outputs)
    for step in network.steps[1:]:
        if step.name not in needed or isinstance(step.layer, InputLayer):
            continue
        lowering.where, found = step.name, rule(step)
        for name in () if found and found.places else step.inputs:
            rearrangement.settle(lowering, name)
        lowering.lanes = found.lanes(lowering, step) if found and found.lanes else lowering.program.lanes
        if found is None:
            single_forward(lowering, single, step)
        else:
            for name in () if found.reads_single or found.places else step.inputs:
                lowering.in_lanes(name)
            found.forward(lowering, step)
        _release(lowering, step, alive)
    lowering.lanes = lowering.program.lanes
    lowering.packs[0] += single.packs


def _readers(network: Network, needed: set[str], outputs: Sequence[str]) -> dict[str, int]:
    readers = graph.readers(network)
    return {name: sum(s.name in needed for s in steps) + (name in outputs) for name, steps in readers.items()}


def _release(lowering: ChannelLowering, step: Step, alive: dict[str, int]) -> None:
    """Free the buffers that nothing reads after ``step``."""
    for name in (*step.inputs, step.name):
        lowering.tenants.put(name, lowering.bases_of(name))
    for source in step.inputs:
        alive[source] -= 1
        if alive[source] == 0:
            lowering.tenants.remove(source)
            lowering.values.pop(source, None)
            lowering.places.pop(source, None)
    for buffer in lowering.tenants.empty():
        if buffer != lowering.stored:
            lowering.arena.free(buffer)


def _emit_load(lowering: ChannelLowering) -> None:
    """Emit the call that normalises a sample and puts it where the network's input lies."""
    buffer, network = lowering.stored, lowering.network
    lowering.where = network.steps[0].name
    inner, length = buffer.channel_runs()
    runs = (buffer.channels()[:, None] + inner[:, 0][None, :]).ravel()
    numbers = np.arange(len(runs))
    table = np.stack([numbers * length, runs, numbers // len(inner)], axis=1)
    arguments = {
        "x": Place(INPUTS),
        "index": Place(segments.SAMPLES, 0, INDEX),
        "out": lowering.place(buffer),
        "mean": Place(segments.MEAN),
        "scale": Place(segments.SCALE),
        "runs": lowering.program.table(table),
        "run_count": len(table),
        "length": length,
        "size": math.prod(network.input_shape),
    }
    kernel = "channels.load_bytes" if lowering.facts.dtype == np.uint8 else "channels.load_floats"
    lowering.works.append(lowering.call(kernel, (), arguments, len(table) * length))


def _emit_store(lowering: ChannelLowering, name: str, out: Place) -> None:
    """Append the call that stores a value at ``out`` in the order of its shape."""
    rearrangement.settle(lowering, name)
    buffer = as_floats(lowering, lowering.values[name])
    shape = (buffer.count, *buffer.shape[1:])
    flat = replace(buffer, offset=0, shape=shape, margin=NO_MARGIN, lanes=1, block_stride=0)
    moved = move_arguments(lowering.program, buffer, flat)
    lowering.emit("channels.move", x=lowering.place(buffer), out=out, **moved)


def _deal(lowering: ChannelLowering, most: int) -> None:
    """Cut the calls into at most so many tasks, over all samples, and append the phases."""
    program, samples = lowering.program, lowering.samples
    stride = -(-lowering.arena.size // 64) * 64 + 64  # so that samples do not collide in the caches
    program.segment(BUFFERS, 4 * stride * samples)
    outputs = math.prod(lowering.network.output_shape)
    tasks = [
        {ARENA: 4 * stride * s, INDEX: 8 * s, LANEWISE: 4 * s, OUTPUTS: 4 * outputs * s} for s in range(samples)
    ]
    for rows in lowering.packs:
        if rows:
            program.side_by_side(rows)
    alone: list[Work] = []
    for work in [*lowering.works, None]:
        together = isinstance(work, Work) and work.samples and samples > 1
        parts = [] if work is None else _parts(program, work, samples, stride, most)
        if len(parts) == 1 and not together:
            alone += parts[0]
            continue
        if alone:
            program.phases.append(_phase([alone], tasks))
            alone = []
        if parts:
            program.phases.append(_phase(parts, [] if together else tasks))
    _reuse_arena(program, tasks, 4 * stride)


def _reuse_arena(program: Program, tasks: list[dict[int, int]], size: int) -> None:
    """Let a thread use one arena, which stays in its cache, if each sample is a single task."""
    forward = [phase for phase in program.phases if phase.rows[0].section == FORWARD]
    if len(forward) == 1 and forward[0].each == 1:
        program.shared_arena = False
        program.segment(BUFFERS, size)
        for task in tasks:
            task[ARENA] = 0


def _phase(parts: list[list[Work]], tasks: list[dict[int, int]]) -> Phase:
    """Return the phase that runs all parts for each of ``tasks``, or where there are none, once for all samples."""
    rows: list[Row] = []
    spans = []
    for part in parts:
        spans.append((len(rows), len(rows) + len(part)))
        rows += [work.row for work in part]
    registers = [task for task in tasks or [{}] for _ in spans]
    return Phase(rows, registers, spans * len(tasks or [{}]), each=len(spans) if tasks else 0)


def _parts(program: Program, work: Work | Chain, samples: int, stride: int, most: int) -> list[list[Work]]:
    """Cut a call into calls for several threads."""
    if isinstance(work, Chain):
        products = sum(call.products for time in work.times for call in time)
        wanted = min(_tasks(products, -(-most // samples)), len(work.times))
        shares = np.array_split(np.arange(len(work.times)), max(1, wanted))
        return [[call for i in share for call in work.times[i]] for share in shares]
    row = work.row
    if work.samples:
        done = {key: value(stride) if callable(value) else value for key, value in row.arguments.items()}
        row, samples = replace(row, arguments=done), 1
    pieces = cut(program, row, _tasks(work.products, -(-most // samples)))
    return [[replace(work, row=piece)] for piece in pieces]


def _tasks(products: int, most: int) -> int:
    """Return how many tasks a call is worth; more than two are so many that 2 or 4 threads share them evenly."""
    wanted = round(products / PRODUCTS)
    return min(most, wanted if wanted <= 2 else 4 * max(1, round(wanted / 4)))
