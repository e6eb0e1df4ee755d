"""A program for one sample as a flat piece of memory and a list of calls: what a machine without Python runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.engine import segments
from striate.engine.analysis import analyse
from striate.engine.channels.plan import lower
from striate.engine.memory import Sizes
from striate.engine.program import FORWARD, PACK, Place, Program, Row
from striate.errors import UsageError
from striate.kernels.library import Request, float_bits
from striate.model import Model

ALIGNMENT = 64


@dataclass(frozen=True)
class Image:
    """Memory, and the calls that work on it.

    Parameters
    ----------
    contents : dict of int to bytes
        What the memory holds at the start, by address; the rest is zero.
    size : int
        Where the memory ends.
    places : dict of str to int
        Where each segment begins.
    requests : list of Request
        The kernels.
    calls : dict of str to list of (kernel, arguments)
        For each section, the number of the kernel and its arguments as 64-bit integers.
    """

    contents: dict[int, bytes]
    size: int
    places: dict[str, int]
    requests: list[Request]
    calls: dict[str, list[tuple[int, list[int]]]]


def program_of(model: Model, lanes: int) -> Program:
    """Return the program that computes one float32 sample with channels in the lanes.

    Raises
    ------
    UsageError
        If a layer has no kernels.
    """
    network = model.network
    facts = analyse(network, Sizes(1, 1, 1), np.dtype(np.float32), winograd=model.winograd)
    program, _ = lower(facts, lanes)
    without = sorted({row.where for row in program.rows if row.function is not None})
    if without:
        layers = ", ".join(f"{name} ({type(network.step(name).layer).__name__})" for name in without)
        raise UsageError(f"{network.name}: these layers have no kernels and run in Python alone: {layers}.")
    return program


def image_of(
    model: Model, program: Program, signatures: dict[Request, tuple[tuple[str, str], ...]], base: int
) -> Image:
    """Put a program and the parameters of a model into memory from ``base`` on."""
    places, at = {}, base
    for name, segment in program.segments.items():
        places[name] = at
        at += -(-segment.size // ALIGNMENT) * ALIGNMENT + ALIGNMENT  # a vector beyond the end may be read
    contents = {places[name]: values.tobytes() for name, values in _contents(model, program).items()}
    requests = list(dict.fromkeys(program.requests()))
    numbers = {request: number for number, request in enumerate(requests)}
    calls: dict[str, list[tuple[int, list[int]]]] = {PACK: [], FORWARD: []}
    for row in program.rows:
        assert row.request is not None
        calls[row.section].append((numbers[row.request], _arguments(row, signatures[row.request], places)))
    return Image(contents, at, places, requests, calls)


def _contents(model: Model, program: Program) -> dict[str, np.ndarray]:
    """Return what segments hold at the start."""
    found = {name: s.contents for name, s in program.segments.items() if s.contents is not None}
    network, channels = model.network, model.input_shape[0]
    mean, scale = np.zeros(channels), np.ones(channels)
    if model.normalisation is not None:
        mean, scale = np.asarray(model.normalisation.mean), np.asarray(model.normalisation.scale)
    theta, states = np.zeros(network.parameter_count, np.float32), np.zeros(network.state_count, np.float32)
    theta[:], states[:] = model.theta, model.states
    found |= {segments.PARAMETERS: theta, segments.STATES: states}
    found |= {segments.MEAN: np.resize(mean, channels).astype(np.float32)}
    found |= {segments.SCALE: np.resize(1.0 / scale.astype(np.float64), channels).astype(np.float32)}
    return found | {segments.PRESENT: np.ones(1, np.float32), segments.FILLED: np.ones(2, np.float32)}


def _arguments(row: Row, signature: tuple[tuple[str, str], ...], places: dict[str, int]) -> list[int]:
    return [
        float_bits(row.arguments[name]) if kind == "float" else _number(row.arguments[name], places)
        for name, kind in signature
    ]


def _number(value: object, places: dict[str, int]) -> int:
    if isinstance(value, Place):
        return value.offset + places.get(value.segment, 0)
    return int(value)  # type: ignore[call-overload]
