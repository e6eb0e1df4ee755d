"""A library as object files, compiled by the LLVM that Numba brings.

LLVM ends the process where it meets something that it cannot write, so this runs in a process of its own,
whose ``main`` reads a ``Job`` as JSON from standard input.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

from striate.errors import StriateError
from striate.interpreter import environment, python
from striate.kernels.library import Request
from striate.targets.assembly import standing_alone, translated
from striate.targets.library.driver import driver
from striate.targets.library.memory import Call
from striate.targets.library.processors import Processor

MARK = b"striate: what follows is replaced by the data of the library...."  # 64 bytes
_FRAME = re.compile(r"stack frame size \((\d+)\) exceeds limit \(0\) in function '([^']+)'")


@dataclass(frozen=True)
class Job:
    """What is compiled; see ``driver`` for most of it.

    Parameters
    ----------
    requests : list of Request
        The kernels, in the order of their numbers.
    """

    name: str
    processor: Processor
    requests: list[Request]
    loads: dict[str, list[Call]]
    calls: list[Call]
    sizes: dict[str, int]
    classes: list[str]


@dataclass(frozen=True)
class Compiled:
    """Object files, without the data, and what running them takes.

    Parameters
    ----------
    code, data : bytes
        Object files; ``data`` has ``MARK`` where the constants belong.
    stack : int
        Bytes, at most.
    """

    code: bytes
    data: bytes
    stack: int


def compile_library(job: Job) -> Compiled:
    """Return the library of a job.

    Raises
    ------
    StriateError
        If LLVM cannot compile it.
    """
    command = python("-c", "from striate.targets.library import compile; compile.main()")
    text = json.dumps(asdict(job))
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, env=environment())
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise StriateError(f"{job.processor.triple}: LLVM cannot compile the library ({last}).")
    frames = {name: int(size) for size, name in _FRAME.findall(done.stderr)}
    made = json.loads(done.stdout)
    code, data = (base64.b64decode(made[part]) for part in ("code", "data"))
    return Compiled(code, data, _deepest(made["calls"], frames))


def _deepest(calls: dict[str, list[str]], frames: dict[str, int]) -> int:
    """Return the bytes of the longest chain of calls; each takes a return address of at most 8 bytes too."""

    def depth(name: str) -> int:
        return frames.get(name, 0) + 8 + max(map(depth, calls.get(name, ())), default=0)

    return max(map(depth, calls))


def main() -> None:
    """Compile the job of standard input."""
    import llvmlite.binding as llvm

    asked = json.load(sys.stdin)
    processor = Processor(**asked.pop("processor"))
    requests = [Request(**{**r, "constants": tuple(r["constants"])}) for r in asked.pop("requests")]
    job = Job(processor=processor, requests=requests, **asked)
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(processor.triple).create_target_machine(
        cpu=processor.cpu,
        features=processor.features,
        opt=3,
        reloc="static" if processor.is_bare else "pic",
        codemodel="default",
        abiname=processor.interface,
    )
    module = _module(job, machine)
    code = machine.emit_object(module)
    data = machine.emit_object(llvm.parse_assembly(_heading(machine) + _data(job)))
    made = {"code": _base64(code), "data": _base64(data), "calls": _calls(module)}
    json.dump(made, sys.stdout)


def _module(job: Job, machine: Any) -> Any:
    """Return the whole library but its data, optimised."""
    import llvmlite.binding as llvm

    from striate.kernels.compiler import kernel_source

    signatures, kernels = [], []
    for number, request in enumerate(job.requests):
        source, symbol, signature = kernel_source(request.module, request.name, request.lanes, request.constants)
        own = source.replace(f"@{symbol}(", f"@kernel_{number}(")
        kernels.append(_translated(own, job.processor, machine))
        signatures.append(signature)
    text = driver(job.name, job.loads, job.calls, signatures, job.sizes, job.classes)
    module = llvm.parse_assembly(_heading(machine) + text)
    for number, kernel in enumerate(kernels):
        module.link_in(llvm.parse_assembly(kernel))
        module.get_function(f"kernel_{number}").linkage = "internal"
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return module


def _translated(source: str, processor: Processor, machine: Any) -> str:
    text = translated(
        source, processor.triple, str(machine.target_data), fused=processor.fused, rounds=processor.rounds
    )
    return standing_alone(text)


def _heading(machine: Any) -> str:
    return f'target datalayout = "{machine.target_data}"\ntarget triple = "{machine.triple}"\n'


def _data(job: Job) -> str:
    """Return a constant of zeros behind a mark, in a section that keeps zeros."""
    size = job.sizes["data"] - len(MARK)
    section = f', section ".rodata.{job.name}"' if job.sizes["elf"] else ""
    return (
        f"@{job.name}_data = hidden constant <{{ [{len(MARK)} x i8], [{size} x i8] }}> "
        f'<{{ [{len(MARK)} x i8] c"{MARK.decode()}", [{size} x i8] zeroinitializer }}>{section}, align 64\n'
    )


def _calls(module: Any) -> dict[str, list[str]]:
    """Return the functions that each function calls."""
    found = {}
    for function in module.functions:
        if not function.is_declaration:
            instructions = (i for block in function.blocks for i in block.instructions if i.opcode == "call")
            found[function.name] = sorted({list(i.operands)[-1].name for i in instructions})
    return found


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
