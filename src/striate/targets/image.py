"""A program as one block of memory and lists of calls, to be run without Python on one thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.engine import segments
from striate.engine.analysis import analyse
from striate.engine.channels.plan import lower
from striate.engine.memory import Sizes
from striate.engine.program import ARENA, BUFFERS, INPUTS, ZERO, ByCount, Place, Program, Row
from striate.errors import UsageError
from striate.kernels.library import Request, float_bits
from striate.model import Model
from striate.network import Network

ALIGNMENT = 64
Signatures = Mapping[Request, tuple[tuple[str, str], ...]]
"""The names and types of the arguments of each kernel."""


@dataclass(frozen=True)
class Image:
    """Memory, and the calls that work on it.

    Parameters
    ----------
    contents : dict of int to bytes
        What the memory holds at the start, by address; the rest is zero.
    size : int
        Where the memory ends.
    places : dict of str to (address, bytes)
        Where each segment lies.
    runs : dict of str to list of (kernel, arguments)
        The calls of each run in order; arguments are 64-bit integers.
    """

    contents: dict[int, bytes]
    size: int
    places: dict[str, tuple[int, int]]
    runs: dict[str, list[tuple[Request, list[int]]]]


def program_of(model: Model, lanes: int, observed: tuple[str, ...] = (), most_sums: int | None = None) -> Program:
    """Return the program that computes one float32 sample with channels in the lanes.

    Parameters
    ----------
    model : Model
    lanes : int
    observed : tuple of str
        Layers whose values are stored too.
    most_sums : int, optional
        See ``Facts``.

    Raises
    ------
    UsageError
        If a layer has no kernels.
    """
    facts = analyse(
        model.network,
        Sizes(1, 1, 1),
        np.dtype(np.float32),
        winograd=model.winograd,
        observed=observed,
        most_sums=most_sums,
    )
    program, _ = lower(facts, lanes, byte_products="plain")  # what every processor has
    check_kernels(model.network, program)
    return program


def check_kernels(network: Network, program: Program) -> None:
    """Raise UsageError if a program calls Python functions, with the layers that have no kernels."""
    without = sorted({row.where for row in program.rows if row.function is not None})
    if without:
        layers = ", ".join(f"{name} ({type(network.step(name).layer).__name__})" for name in without)
        raise UsageError(
            f"{network.name}: these layers have no kernels and run only in Python: {layers}. "
            "Use striate serve, which runs them."
        )


def contents_of(model: Model) -> dict[str, np.ndarray]:
    """Return what the segments hold that a model fills: parameters, states, normalisation."""
    mean, scale = normalisation_of(model)
    contents = {segments.PARAMETERS: model.theta, segments.STATES: model.states}
    contents |= {segments.MEAN: mean, segments.SCALE: scale}
    return {name: np.asarray(values, np.float32) for name, values in contents.items()}


def normalisation_of(model: Model, dtype: type = np.float32) -> tuple[np.ndarray, np.ndarray]:
    """Return what is subtracted from each channel of a sample and what it is then multiplied by, dtype[C]."""
    channels = model.input_shape[0]
    mean, scale = np.zeros(channels), np.ones(channels)
    if model.normalisation is not None:
        mean = np.resize(np.asarray(model.normalisation.mean), channels)
        scale = np.resize(1.0 / np.asarray(model.normalisation.scale, np.float64), channels)
    return mean.astype(dtype), scale.astype(dtype)


def image_of(
    program: Program,
    contents: Mapping[str, np.ndarray],
    runs: Mapping[str, tuple[str, ...]],
    signatures: Signatures,
    base: int,
    inputs: int = 1,
) -> Image:
    """Put a program into memory.

    Parameters
    ----------
    program : Program
        Finished, for full batches.
    contents : mapping of str to array
        What segments hold at the start, beside the program's own tables.
    runs : mapping of str to tuple of str
        The sections of each run.
    signatures : Signatures
    base : int
        The first address.
    inputs : int
        Samples that lie in memory.
    """
    places, at = dict[str, tuple[int, int]](), base
    for name, segment in program.segments.items():
        size = segment.size * (inputs if name == INPUTS else 1)
        places[name] = at, size
        at += -(-size // ALIGNMENT) * ALIGNMENT + ALIGNMENT  # a vector beyond the end may be read
    held = {name: s.contents for name, s in program.segments.items() if s.contents is not None}
    held |= {name: values for name, values in full_batch(program).items() if name in places}
    held |= {name: values for name, values in contents.items() if name in places}
    memory = {places[name][0]: values.tobytes() for name, values in held.items()}
    encoder = _Encoder(program, places, signatures)
    return Image(memory, at, places, {name: encoder.run(sections) for name, sections in runs.items()})


def full_batch(program: Program) -> dict[str, np.ndarray]:
    """Return what the segments of a batch hold when every place of it is filled."""
    samples = program.segments[segments.PRESENT].size // 4
    return {
        segments.SAMPLES: np.arange(samples, dtype=np.int64),
        segments.PRESENT: np.ones(samples, np.float32),
        segments.FILLED: np.array([samples, program.shards], np.float32),
    }


@dataclass
class _Encoder:
    """Resolves the arguments of calls: places, registers of tasks, numbers of shards."""

    program: Program
    places: dict[str, tuple[int, int]]
    signatures: Signatures

    def run(self, sections: tuple[str, ...]) -> list[tuple[Request, list[int]]]:
        """Return the calls of some sections, task by task."""
        calls = []
        for phase in self.program.phases:
            for registers, span in zip(phase.tasks, phase.spans, strict=True):
                for row in phase.rows[slice(*span)]:
                    if row.section in sections:
                        calls.append(self._call(row, registers))
        return calls

    def _call(self, row: Row, registers: dict[int, int]) -> tuple[Request, list[int]]:
        assert row.request is not None
        return row.request, [
            float_bits(row.arguments[name]) if kind == "float" else self._number(row.arguments[name], registers)
            for name, kind in self.signatures[row.request]
        ]

    def _number(self, value: Any, registers: dict[int, int]) -> int:
        if isinstance(value, ByCount):
            return self._number(value.values[self.program.shards - 1], registers)
        if not isinstance(value, Place):
            return int(value)
        register = ARENA if value.segment == BUFFERS and value.register == ZERO else value.register
        begin = self.places[value.segment][0] if value.segment else 0
        return begin + value.offset + registers.get(register, 0)
