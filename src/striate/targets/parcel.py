"""Programs with their kernels as WebAssembly in one piece: a description as JSON, and bytes."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from striate.engine.program import INPUTS, Program
from striate.errors import CapacityError
from striate.kernels.library import Request
from striate.targets.image import Image, image_of
from striate.targets.webassembly import Module, compile_modules

STACK, BASE = 60_000, 65_536  # bytes: where the stack of the kernels begins, and where our memory does
MOST_BYTES = 2**31


@dataclass(frozen=True)
class Part:
    """A program to be put into a parcel.

    Parameters
    ----------
    program : Program
    contents : mapping of str to array
        What segments hold at the start, beside the program's own tables.
    runs : mapping of str to tuple of str
        The sections of each run.
    inputs : int
        Samples that lie in memory, from which a batch takes its own by number.
    """

    program: Program
    contents: Mapping[str, np.ndarray]
    runs: Mapping[str, tuple[str, ...]]
    inputs: int = 1


@dataclass
class Parcel:
    """Bytes, and where things lie in them.

    Attributes
    ----------
    kernels : list of (begin, bytes)
        WebAssembly modules.
    programs : dict of str to dict
        See ``web/program.js``, which runs them.
    """

    data: bytearray = field(default_factory=bytearray)
    kernels: list[tuple[int, int]] = field(default_factory=list)
    programs: dict[str, dict[str, Any]] = field(default_factory=dict)
    _known: dict[bytes, tuple[int, int]] = field(default_factory=dict)

    def add(self, piece: bytes) -> tuple[int, int]:
        """Return where ``piece`` begins and its length; equal pieces are kept once."""
        if piece not in self._known:
            self._known[piece] = len(self.data), len(piece)
            self.data += piece
        return self._known[piece]

    def describe(self) -> dict[str, Any]:
        """Return everything but the bytes, as JSON types."""
        return {"stack": STACK, "kernels": self.kernels, "programs": self.programs}


def check_size(name: str, part: Part) -> None:
    """Raise CapacityError if a program needs more memory than a page has."""
    segments = part.program.segments
    needed = BASE + sum(s.size for s in segments.values()) + (part.inputs - 1) * segments[INPUTS].size
    if needed > MOST_BYTES:
        raise CapacityError(
            f"{name}: a page has {MOST_BYTES / 2**30:.0f} GB of memory; this model needs "
            f"{needed / 2**30:.1f} GB. Use a smaller input or fewer channels."
        )


def parcel_of(name: str, parts: Mapping[str, Part]) -> Parcel:
    """Return programs by name with all their kernels.

    Raises
    ------
    CapacityError
        If a program needs more memory than a page has.
    StriateError
        If LLVM cannot compile a kernel.
    """
    for part in parts.values():
        check_size(name, part)
    requests = list(dict.fromkeys(request for part in parts.values() for request in _requests(part)))
    modules = dict(zip(requests, compile_modules(requests), strict=True))
    signatures = {request: module.signature for request, module in modules.items()}
    parcel = Parcel()
    numbers = _add_kernels(parcel, modules)
    for key, part in parts.items():
        image = image_of(part.program, part.contents, part.runs, signatures, BASE, part.inputs)
        parcel.programs[key] = _described(parcel, image, numbers)
    return parcel


def _requests(part: Part) -> list[Request]:
    wanted = {section for sections in part.runs.values() for section in sections}
    return [row.request for row in part.program.rows if row.request is not None and row.section in wanted]


def _add_kernels(parcel: Parcel, modules: Mapping[Request, Module]) -> dict[Request, int]:
    for module in modules.values():
        parcel.kernels.append(parcel.add(module.code))
    return {request: number for number, request in enumerate(modules)}


def _described(parcel: Parcel, image: Image, numbers: Mapping[Request, int]) -> dict[str, Any]:
    """Return what ``web/program.js`` needs of an image; arguments of calls stand behind its memory."""
    arguments, runs = bytearray(), dict[str, list[int]]()
    for name, calls in image.runs.items():
        runs[name] = []
        for request, values in calls:
            runs[name] += [numbers[request], image.size + len(arguments)]
            arguments += struct.pack(f"<{len(values)}q", *values)
    contents = {**image.contents, image.size: bytes(arguments)}
    return {
        "size": image.size + len(arguments),
        "places": image.places,
        "memory": [[address, *parcel.add(piece)] for address, piece in contents.items()],
        "runs": runs,
    }
