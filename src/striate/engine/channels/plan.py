"""From a network to calls with channels in the lanes, dealt out to threads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from striate.engine import graph
from striate.engine.channels import pointwise, sums  # noqa: F401  (they fill the table of rules)
from striate.engine.channels.context import Chain, ChannelLowering, Work, common_runs, rule
from striate.engine.channels.folding import folds
from striate.engine.channels.single import forward as single_forward
from striate.engine.channels.single import single_lowering
from striate.engine.memory import Vectors
from striate.engine.program import ARENA, INDEX, LANEWISE, OUTPUTS, REGISTERS, Phase, Place, Program, Row
from striate.layers.shape import InputLayer
from striate.network import Network

PRODUCTS = 500_000  # of a task: some 10 microseconds, ten times what it costs to hand it out
TASKS = 64  # that a call is cut into at most, over all samples


def lower(
    network: Network,
    program: Program,
    samples: int,
    outputs: Sequence[str],
    vectors: Vectors,
    winograd: bool = True,
) -> ChannelLowering:
    """Return the calls that compute ``outputs``, all steps they depend on included."""
    fused, _ = graph.fusions(network, outputs)
    folded = folds(network, outputs)
    margins = graph.margins(network, {**fused, **folded}, training=False)
    lowering = ChannelLowering(network, program, samples, fused, folded, margins, tuple(outputs), winograd=winograd)
    single = single_lowering(lowering, vectors)
    first = network.steps[0]
    lowering.stored = lowering.arena.of_channels(first.shape, margins[first.name], lanes=1)
    lowering.values[first.name] = lowering.stored
    needed = graph.ancestors(network, outputs)
    alive = _readers(network, needed, outputs)
    for step in network.steps[1:]:
        if step.name not in needed or isinstance(step.layer, InputLayer):
            continue
        found = rule(step)
        if found is None:
            single_forward(lowering, single, step)
        else:
            for name in () if found.reads_single else step.inputs:
                lowering.in_lanes(name)
            found.forward(lowering, step)
        _release(lowering, step.inputs, alive)
    lowering.pack_rows = single.packs
    return lowering


def _readers(network: Network, needed: set[str], outputs: Sequence[str]) -> dict[str, int]:
    readers = graph.readers(network)
    return {name: sum(s.name in needed for s in steps) + (name in outputs) for name, steps in readers.items()}


def _release(lowering: ChannelLowering, sources: tuple[str, ...], alive: dict[str, int]) -> None:
    """Free the buffers that nothing reads any more."""
    for source in sources:
        alive[source] -= 1
        buffer = lowering.values[source]
        shared = [n for n, b in lowering.values.items() if b.offset == buffer.offset and alive[n] > 0]
        if alive[source] == 0 and not shared and buffer != lowering.stored:
            lowering.arena.free(buffer)


def emit_load(lowering: ChannelLowering, index: Place, mean: Any, scale: Any, dtype: np.dtype) -> Row:
    """Put first, and return, the call that puts a sample where the network's input lies; its ``x`` is set later."""
    buffer = lowering.stored
    inner, length = buffer.channel_runs()
    runs = (buffer.channels()[:, None] + inner[:, 0][None, :]).ravel()
    numbers = np.arange(len(runs))
    table = np.stack([numbers * length, runs, numbers // len(inner)], axis=1)
    arguments = {
        "x": Place(0),
        "index": index,
        "out": lowering.place(buffer),
        "mean": mean,
        "scale": scale,
        "runs": lowering.program.table(table),
        "run_count": len(table),
        "length": length,
        "size": math.prod(lowering.network.input_shape),
    }
    kernel = "channels.load_bytes" if dtype == np.uint8 else "channels.load_floats"
    work = lowering.call(kernel, (), arguments, len(table) * length)
    lowering.works.insert(0, work)
    return work.row


def emit_store(lowering: ChannelLowering, name: str, out: Place) -> None:
    """Append the call that stores a value in the order of its shape."""
    buffer = lowering.values[name]
    shape = (buffer.count, *buffer.shape[1:])
    flat = replace(buffer, offset=0, shape=shape, margin=((0, 0),) * 3, lanes=1, block_stride=0)  # type: ignore[arg-type]
    runs, length, (x_step, out_step) = common_runs(buffer, flat)
    lowering.emit(
        "channels.move",
        x=lowering.place(buffer),
        out=out,
        runs=lowering.program.table(runs),
        run_count=len(runs),
        length=length,
        x_step=x_step,
        out_step=out_step,
    )


def deal(lowering: ChannelLowering, room: np.ndarray, stride: int, output_count: int) -> list[tuple[int, int]]:
    """Cut the calls into tasks and append the phases.

    Returns the numbers of the phases whose tasks are those of each sample, and how many tasks a sample has.

    Parameters
    ----------
    room : float32[samples * stride]
        The buffers of all samples.
    stride : int
        Floats from one sample's buffers to the next's.
    output_count : int
        Numbers of a sample's output.
    """
    tasks = [
        {ARENA: room.ctypes.data + 4 * stride * s, INDEX: 8 * s, LANEWISE: 4 * s, OUTPUTS: 4 * output_count * s}
        for s in range(lowering.samples)
    ]
    phases: list[tuple[int, int]] = []
    alone: list[Work] = []
    for work in [*lowering.works, None]:
        together = isinstance(work, Work) and work.samples and lowering.samples > 1
        parts = [] if work is None else _parts(work, lowering.samples, stride)
        if len(parts) == 1 and not together:
            alone += parts[0]
            continue
        if alone:
            phases.append(_phase(lowering.program, [alone], tasks))
            alone = []
        if together:
            _phase(lowering.program, parts, tasks[:1])
        elif parts:
            phases.append(_phase(lowering.program, parts, tasks))
    return phases


def _phase(program: Program, parts: list[list[Work]], tasks: list[dict[int, int]]) -> tuple[int, int]:
    rows: list[Row] = []
    spans = []
    for part in parts:
        spans.append((len(rows), len(rows) + len(part)))
        rows += [work.row for work in part]
    registers = [[task.get(register, 0) for register in range(REGISTERS)] for task in tasks]
    program.phases.append(Phase(rows, [r for r in registers for _ in spans], spans * len(tasks)))
    return len(program.phases) - 1, len(spans)


def _parts(work: Work | Chain, samples: int, stride: int) -> list[list[Work]]:
    """Cut a call into calls for several threads."""
    if isinstance(work, Chain):
        products = sum(call.products for time in work.times for call in time)
        wanted = min(-(-TASKS // samples), products // PRODUCTS, len(work.times))
        shares = np.array_split(np.arange(len(work.times)), max(1, wanted))
        return [[call for i in share for call in work.times[i]] for share in shares]
    if work.samples:
        done = {key: value(stride) if callable(value) else value for key, value in work.row.arguments.items()}
        work, samples = replace(work, row=replace(work.row, arguments=done)), 1
    arguments = work.row.arguments
    wanted = min(-(-TASKS // samples), work.products // PRODUCTS)
    if wanted <= 1 or not work.shared:
        return [[work]]
    shared = max(work.shared, key=lambda s: arguments[s.count] // s.tile)
    count, table = arguments[shared.count], arguments[shared.table]
    pieces = np.array_split(np.arange(0, count, shared.tile), min(wanted, count // shared.tile))
    width = table.size // count
    found = []
    for piece in pieces:
        first, end = int(piece[0]), int(piece[-1]) + shared.tile
        own = table.reshape(-1)[first * width : end * width]
        part = {**arguments, shared.table: own, shared.count: end - first}
        found.append([replace(work, row=replace(work.row, arguments=part))])
    return found
