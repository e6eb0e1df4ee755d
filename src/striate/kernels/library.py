"""Compiled kernels: from the cache folder when they are there, compiled once per machine when not."""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.kernels import cache
from striate.kernels.cache import Signature


@dataclass(frozen=True, order=True)
class Request:
    """A kernel that a plan needs: ``striate.kernels.<module>.<name>`` with its constants."""

    module: str
    name: str
    lanes: int
    constants: tuple[int | str, ...] = ()

    @property
    def file_name(self) -> str:
        """The name of its entry in the cache folder."""
        constants = (str(c) if isinstance(c, int) or c.isidentifier() else _digest(c) for c in self.constants)
        return "-".join([self.module, self.name, f"{self.lanes}lanes", *constants]) + ".kernel"


def _digest(text: str) -> str:
    """Return what stands for a text that is no file name."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Kernel:
    """A kernel in memory: where its code lies, and the names and types of its arguments."""

    address: int
    signature: Signature

    def pack(self, **arguments: Any) -> list[Any]:
        """Return the values of ``arguments`` in the order of the table, floats as their bits."""
        names = [name for name, _ in self.signature]
        if set(names) != set(arguments):
            raise TypeError(f"arguments must be {names}; got {sorted(arguments)}.")
        return [float_bits(arguments[n]) if kind == "float" else arguments[n] for n, kind in self.signature]


_loaded: dict[Request, Kernel] = {}
_announced: list[int] = []
_lock = threading.RLock()
if hasattr(os, "register_at_fork"):  # no process is forked in the middle of a compilation
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


def load(requests: Sequence[Request]) -> dict[Request, Kernel]:
    """Return the kernels, compiling those that this machine has never compiled.

    Compiling says what it does in one line on standard error.
    """
    with _lock:
        missing = [request for request in dict.fromkeys(requests) if request not in _loaded]
        if missing:
            folder = cache.open_folder()
            missing = [request for request in missing if folder is None or not _load_cached(request, folder)]
        if missing:
            _announce(len(missing))
            for request in missing:
                _compile(request, folder)
        return {request: _loaded[request] for request in requests}


def float_bits(value: float) -> int:
    """Return the bits of ``value`` as float32, the form in which a table holds it.

    Examples
    --------
    >>> hex(float_bits(1.0))
    '0x3f800000'
    """
    return int(struct.unpack("<i", struct.pack("<f", value))[0])


def _compile(request: Request, folder: Path | None) -> None:
    from striate.kernels.compiler import compile_kernel

    entry = compile_kernel(request.module, request.name, request.lanes, request.constants)
    _keep(request, entry)
    if folder is not None:
        cache.write(folder / request.file_name, entry)


def _load_cached(request: Request, folder: Path) -> bool:
    entry = cache.read(folder / request.file_name)
    if entry is not None:
        _keep(request, entry)
    return entry is not None


def _keep(request: Request, entry: cache.Entry) -> None:
    code, symbol, signature = entry
    _loaded[request] = Kernel(_link(code, symbol), signature)


def _announce(count: int) -> None:
    """Say what is compiled and, the first time, why."""
    kernels = f"kernel{'s' * (count > 1)}"
    if _announced:
        line = f"striate: compiling {count} more {kernels} ..."
    else:
        line = f"striate: compiling {count} {kernels} for this processor (once per machine) ..."
    _announced.append(count)
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(line, file=sys.stderr, flush=True)


_engines: list[Any] = []


def _link(code: bytes, symbol: str) -> int:
    """Put an object file into memory and return the address of ``symbol``."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(codemodel="jitdefault", jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _engines.append(engine)
    return int(engine.get_function_address(symbol))
