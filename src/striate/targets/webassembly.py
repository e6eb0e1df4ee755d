"""Kernels as WebAssembly modules, compiled by the LLVM that Numba brings; no linker.

LLVM ends the process where it meets something that it cannot write, so this runs in a process of its own:
``python -m striate.targets.webassembly`` reads requests as JSON from standard input.

References
----------
WebAssembly Core Specification 2.0, section 5.5 (modules); the "linking" custom section of the tool conventions,
https://github.com/WebAssembly/tool-conventions/blob/main/Linking.md.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from striate.errors import StriateError
from striate.interpreter import environment, python
from striate.kernels import cache
from striate.kernels.library import Request
from striate.targets.assembly import translated

LANES = 4  # of the 128 bits of its vectors
MOST_SUMS = 8  # that a browser on x86-64 keeps in its 16 registers
TRIPLE = "wasm32-unknown-unknown"
FEATURES = "+simd128,+bulk-memory,+nontrapping-fptoint,+sign-ext"
ORDER = (1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11)  # in which sections stand
EXPORTS, LINKING, SYMBOLS = 7, "linking", 8
EXPORT = "kernel"  # what every module exports
FUNCTION, DATA, GLOBAL, SECTION, EVENT, TABLE = range(6)
_IN_ORDER = re.compile(r'(asm sideeffect "", "=)[wx](,0,~\{memory\}")')  # a processor's vector registers
UNDEFINED, EXPLICIT_NAME = 0x10, 0x40


@dataclass(frozen=True)
class Module:
    """A kernel as a WebAssembly module that exports ``kernel``, and the names and types of its arguments."""

    code: bytes
    signature: tuple[tuple[str, str], ...]


def compile_modules(requests: Sequence[Request]) -> list[Module]:
    """Return the kernels as modules, from the folder of compiled kernels where they are there already.

    Raises
    ------
    StriateError
        If LLVM cannot compile one.
    """
    folder = cache.open_folder()
    found = {} if folder is None else {request: cache.read(folder / _file_name(request)) for request in requests}
    missing = [request for request in dict.fromkeys(requests) if found.get(request) is None]
    for request, module in zip(missing, _compiled(missing), strict=True):
        found[request] = module.code, EXPORT, module.signature
        if folder is not None:
            cache.write(folder / _file_name(request), (module.code, EXPORT, module.signature))
    return [Module(entry[0], entry[2]) for entry in (found[request] for request in requests) if entry]


def _file_name(request: Request) -> str:
    """Return the name of a kernel in the folder of compiled kernels, which changes with this file."""
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    return f"{request.file_name}-wasm32-{digest}"


def _compiled(requests: Sequence[Request]) -> list[Module]:
    """Compile kernels in a process of their own."""
    if not requests:
        return []
    text = json.dumps([[r.module, r.name, r.lanes, list(r.constants)] for r in requests])
    command = python("-m", "striate.targets.webassembly")
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, env=environment())
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise StriateError(f"WebAssembly: LLVM cannot compile a kernel ({last}).")
    return [
        Module(base64.b64decode(code), tuple((name, kind) for name, kind in signature))
        for code, signature in json.loads(done.stdout)
    ]


def main() -> None:
    """Compile the kernels that standard input names."""
    made = []
    for module, name, lanes, constants in json.load(sys.stdin):
        code, signature = _compile(Request(module, name, lanes, tuple(constants)))
        made.append([base64.b64encode(code).decode(), signature])
    json.dump(made, sys.stdout)


def _compile(request: Request) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    import llvmlite.binding as llvm

    from striate.kernels.compiler import kernel_source

    source, symbol, signature = kernel_source(request.module, request.name, request.lanes, request.constants)
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(TRIPLE).create_target_machine(
        cpu="generic", features=FEATURES, opt=3, reloc="static", codemodel="default"
    )
    source = _IN_ORDER.sub(r"\1r\2", source)
    module = llvm.parse_assembly(
        translated(source, TRIPLE, str(machine.target_data), fused=False)  # not outside its relaxed instructions
    )
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return exported(machine.emit_object(module), symbol), signature


def exported(code: bytes, symbol: str) -> bytes:
    """Return a module from an object file: its standard sections, and ``symbol`` as the export "kernel"."""
    sections, linking = [], b""
    for kind, body in _sections(code):
        if kind:
            sections.append((kind, body))
        else:
            size, begin = _read(body, 0)
            if body[begin : begin + size] == LINKING.encode():
                linking = body[begin + size :]
    export = (
        _number(1)
        + _number(len(EXPORT))
        + EXPORT.encode()
        + bytes([FUNCTION])
        + _number(_index_of(linking, symbol))
    )
    sections = [(kind, body) for kind, body in sections if kind != EXPORTS] + [(EXPORTS, export)]
    sections.sort(key=lambda section: ORDER.index(section[0]))
    return code[:8] + b"".join(bytes([kind]) + _number(len(body)) + body for kind, body in sections)


def _sections(code: bytes) -> Iterator[tuple[int, bytes]]:
    at = 8
    while at < len(code):
        size, begin = _read(code, at + 1)
        yield code[at], code[begin : begin + size]
        at = begin + size


def _index_of(linking: bytes, symbol: str) -> int:
    """Return the number of the function called ``symbol``."""
    _, at = _read(linking, 0)
    while at < len(linking):
        size, begin = _read(linking, at + 1)
        if linking[at] == SYMBOLS:
            return _function_number(linking[begin : begin + size], symbol)
        at = begin + size
    raise ValueError("an object file without symbols")


def _function_number(table: bytes, symbol: str) -> int:
    count, at = _read(table, 0)
    for _ in range(count):
        kind = table[at]
        flags, at = _read(table, at + 1)
        defined = not flags & UNDEFINED
        if kind in (FUNCTION, GLOBAL, EVENT, TABLE):
            number, at = _read(table, at)
            if defined or flags & EXPLICIT_NAME:
                name, at = _name(table, at)
                if kind == FUNCTION and name == symbol:
                    return number
        elif kind == DATA:
            _, at = _name(table, at)
            for _ in range(3 if defined else 0):
                _, at = _read(table, at)
        else:
            _, at = _read(table, at)
    raise ValueError(f"no function {symbol} in the object file")


def _name(data: bytes, at: int) -> tuple[str, int]:
    size, at = _read(data, at)
    return data[at : at + size].decode(), at + size


def _number(value: int) -> bytes:
    """Return an unsigned integer in LEB128."""
    out = bytearray()
    while True:
        value, low = value >> 7, value & 127
        out.append(low | (128 if value else 0))
        if not value:
            return bytes(out)


def _read(data: bytes, at: int) -> tuple[int, int]:
    """Return the LEB128 integer at ``at`` and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            return value, at


if __name__ == "__main__":
    main()
