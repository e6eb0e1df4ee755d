"""A model as a folder with a C library: header, archive, an example and its Makefile."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from striate.errors import DataError, UsageError
from striate.losses import CLASSES
from striate.model import Model
from striate.storage.atomic import write_atomically
from striate.targets.answers import answering
from striate.targets.image import program_of
from striate.targets.library.archive import archive
from striate.targets.library.compile import MARK, Compiled, Job, compile_library
from striate.targets.library.driver import exported
from striate.targets.library.memory import Contents, contents
from striate.targets.library.processors import NATIVE, Processor, processor
from striate.targets.library.texts import texts

LOADS = {"": "load_floats", "_bytes": "load_bytes"}
"""The kernel that reads the samples of a function, by the ending of the function's name."""


def write(model: Model, folder: str | Path, target: str = NATIVE, name: str = "model") -> list[Path]:
    """Write a model as a C library for a processor; return the files.

    Parameters
    ----------
    model : Model
    folder : path
        Made where it does not exist.
    target : str
        One of ``PROCESSORS``, "native" for this processor, or a triple such as ``aarch64-linux-android``.
    name : str
        What all files and functions are named after.

    Raises
    ------
    UsageError
        If the target or the name is not possible, or a layer has no kernels.
    DataError
        If the folder cannot be written.
    StriateError
        If LLVM cannot compile the library.
    """
    if not re.fullmatch(r"[A-Za-z_]\w{0,63}", name, re.ASCII):
        raise UsageError(f"--name: must be a name of C, letters, digits and _; got {name!r}. Choose another.")
    cpu, folder = processor(target), Path(folder)
    program_of(model, cpu.lanes)  # refuses layers without kernels
    model = answering(model)
    held, job = _job(model, cpu, name)
    made = compile_library(job)
    files = _objects(job, made, held.data) | texts(model, target, job, made)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be created; {error.strerror}. Choose another folder.") from None
    return [write_atomically(folder / file, data) for file, data in files.items()]


def _job(model: Model, cpu: Processor, prefix: str) -> tuple[Contents, Job]:
    program = program_of(model, cpu.lanes)
    held = contents(model, program)
    first, *others = held.rows
    assert first.request is not None
    loads = {ending: replace(first, request=replace(first.request, name=name)) for ending, name in LOADS.items()}
    requests = list(dict.fromkeys(row.request for row in [*loads.values(), *others] if row.request is not None))
    numbers: dict[Any, int] = {request: number for number, request in enumerate(requests)}
    outputs = math.prod(model.network.output_shape)
    one_class = model.kind == CLASSES and len(model.network.output_shape) == 1
    job = Job(
        prefix,
        cpu,
        requests,
        {ending: replace(held, rows=[row]).calls(numbers) for ending, row in loads.items()},
        replace(held, rows=others).calls(numbers),
        {"workspace": held.workspace, "data": len(held.data) + len(MARK), "outputs": outputs, "elf": cpu.is_elf},
        list(model.output_names) if one_class else [],
    )
    return held, job


def _objects(job: Job, made: Compiled, data: bytes) -> dict[str, bytes]:
    """Return the archive, or where its format is another one, the object files."""
    name = job.name
    begin = made.data.index(MARK)
    constants = made.data[:begin] + data + made.data[begin + len(data) :]
    if not job.processor.is_elf:
        return {f"{name}.o": made.code, f"{name}_data.o": constants}
    symbols = exported(name, job.loads, job.classes)
    return {f"lib{name}.a": archive([("code.o", made.code, symbols), ("data.o", constants, [f"{name}_data"])])}
