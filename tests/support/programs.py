"""Programs of small networks, and their rows run one by one in memory that is poisoned."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from striate.engine.analysis import analyse
from striate.engine.binding import ENTRY, Bound
from striate.engine.channels import plan as channels
from striate.engine.footprint import Use, uses
from striate.engine.memory import Sizes
from striate.engine.plan import lower
from striate.engine.program import ARENA, BUFFERS, CONSTANTS, TABLES, Place, Program, Row
from striate.engine.segments import FILLED, KEYS, SAMPLES
from striate.engine.workers import UNUSED
from striate.kernels import library
from striate.layers import Flatten, Input, Linear, Reshape
from striate.losses import Loss
from striate.network import Network
from striate.testing.draws import Case

EXACT = (TABLES, CONSTANTS, SAMPLES, KEYS, FILLED)
"""Segments whose contents must make sense."""


def network_of(case: Case) -> Network:
    """Return a network in which every input of the operation comes from a layer, and its output goes to one."""
    x = Input((6,))
    inputs = [Reshape(shape)(Linear(math.prod(shape))(x)) for shape in case.shapes]
    return Network(Linear(3)(Flatten()(case.layer(*inputs))))


def training_program(
    network: Network,
    lanes: int,
    batch: int = 40,
    loss: str | Loss = "mean_squared_error",
    optimizer: str = "adam",
    threads: int = 1,
) -> Program:
    """Return the program of a training step for floats."""
    sizes = Sizes.of(batch, lanes, network.parameter_count)
    facts = analyse(network, sizes, np.dtype(np.float32), loss=Loss.of(loss), optimizer=optimizer)
    return lower(facts, threads)


def inference_program(network: Network, lanes: int, batch: int = 40, threads: int = 1) -> Program:
    """Return the program of inference for floats."""
    return lower(analyse(network, Sizes.of(batch, lanes), np.dtype(np.float32)), threads)


def channel_program(
    network: Network, lanes: int, batch: int = 40, threads: int = 1, byte_products: str | None = None
) -> Program:
    """Return the program of inference for floats with channels in the lanes."""
    facts = analyse(network, Sizes(1, 1, batch), np.dtype(np.float32))
    return channels.lower(facts, lanes, threads, byte_products)[0]


def changed(program: Program, kernel: str, **arguments: Any) -> Program:
    """Return the program with other arguments in the first row of a kernel."""
    for phase in program.phases:
        for i, row in enumerate(phase.rows):
            if row.request is not None and row.request.name == kernel:
                phase.rows[i] = dataclasses.replace(row, arguments={**row.arguments, **arguments})
                return program
    raise AssertionError(kernel)


class Alone:
    """Runs rows of a program one by one, each in memory of its own.

    Parameters
    ----------
    program : Program
    seed : int
        Of what stands in memory.
    """

    def __init__(self, program: Program, seed: int) -> None:
        self.program, self.bound = program, Bound(program)
        self.shards = program.shards
        self.memory = self.bound.memory.arrays
        self._external = {name for name, segment in program.segments.items() if segment.external}
        self.rng = np.random.default_rng(seed)
        for name, segment in program.segments.items():
            if name not in self.memory:
                self.memory[name] = np.zeros(segment.size // 4 + 64, np.float32)
        self.memory[FILLED][:2] = 1, self.shards
        self._rows = {id(row): number for number, row in enumerate(program.rows)}

    def tasks(self) -> Iterator[tuple[Row, dict[int, int]]]:
        """Yield every row with the registers of the last task that runs it."""
        for phase in self.program.phases:
            last = {i: task for task, span in zip(phase.tasks, phase.spans, strict=True) for i in range(*span)}
            for i, row in enumerate(phase.rows):
                if row.request is not None:
                    yield row, last[i]

    def uses(self, row: Row, registers: dict[int, int]) -> list[Use]:
        """Return what the row is said to read and write."""
        return list(uses(self.program, row, registers, self.shards, {}))

    def masks(self, found: list[Use], *modes: str) -> dict[str, np.ndarray]:
        """Return the words that uses of these modes are about, by segment."""
        masks = {name: np.zeros(array.size, bool) for name, array in self.memory.items()}
        for use in found:
            if use.mode in modes:
                first, cells = (use.place.offset + use.first) // 4, use.cells()
                masks[use.place.segment][first : first + len(cells)] |= cells
        return masks

    def fill(self, keep: dict[str, np.ndarray] | None = None) -> None:
        """Put random numbers from 0.5 to 1.5 everywhere but where ``keep`` says so, or where they make no sense."""
        for name, array in self.memory.items():
            if name not in EXACT:
                fresh = self.rng.uniform(0.5, 1.5, array.size).astype(np.float32)
                array[:] = fresh if keep is None else np.where(keep[name], array, fresh)

    def run(self, row: Row, registers: dict[int, int]) -> None:
        """Run a row once."""
        code = self.bound.rows[self._rows[id(row)]]
        count = int(code[1])
        held = [registers.get(register, 0) for register in range(64)]
        held[ARENA] += self.memory[BUFFERS].ctypes.data
        arguments = code[2 : 2 + count] + np.array([held[r] for r in code[2 + count : 2 + 2 * count]], np.int64)
        for place, name in enumerate(_names(row)):
            value = row.arguments[name]
            if isinstance(value, Place) and value.segment in self._external:
                arguments[place] = self.memory[value.segment].ctypes.data + value.offset
        ENTRY(int(code[0]))(UNUSED.ctypes.data, UNUSED.ctypes.data, arguments.ctypes.data)


def _names(row: Row) -> list[str]:
    assert row.request is not None
    return [name for name, _ in library.load([row.request])[row.request].signature]
