"""Compiled kernels: from the cache folder when they are there, compiled once per machine when not.

A cache entry is an object file with a small header. The folder's name is a hash of the processor, the
versions of the compilers and the text of all kernel sources, so nothing stale can be found. An entry
that is damaged is compiled again. Where the folder cannot be written, kernels live in memory only, and
one warning says so.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import struct
import sys
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

Signature = tuple[tuple[str, str], ...]
_MAGIC = b"striate kernel 1\n"


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
        return "-".join([self.module, self.name, f"{self.lanes}lanes", *map(str, self.constants)]) + ".kernel"


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
_lock = threading.RLock()


def load(requests: Sequence[Request]) -> dict[Request, Kernel]:
    """Return the kernels, compiling those that this machine has never compiled.

    Compiling says what it does in one line on standard error.
    """
    with _lock:
        missing = [r for r in dict.fromkeys(requests) if r not in _loaded and not _load_cached(r)]
        if missing:
            _announce(f"striate: compiling {len(missing)} kernels for this processor (once per machine) ...")
            for request in missing:
                _compile(request)
        return {request: _loaded[request] for request in requests}


def float_bits(value: float) -> int:
    """Return the bits of ``value`` as float32, the form in which a table holds it.

    Examples
    --------
    >>> hex(float_bits(1.0))
    '0x3f800000'
    """
    return int(struct.unpack("<i", struct.pack("<f", value))[0])


def cache_folder() -> Path:
    """Return the folder for this processor, these compilers and these sources.

    It lies in ``$STRIATE_CACHE_DIR``, or in the user's cache folder.
    """
    root = os.environ.get("STRIATE_CACHE_DIR")
    if root is None:
        base = os.environ.get("XDG_CACHE_HOME") or {
            "win32": os.environ.get("LOCALAPPDATA", "~/AppData/Local"),
            "darwin": "~/Library/Caches",
        }.get(sys.platform, "~/.cache")
        root = os.path.join(base, "striate")
    return Path(root).expanduser() / "kernels" / _fingerprint()


@functools.cache
def _fingerprint() -> str:
    import llvmlite.binding as llvm

    parts = [llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), llvm.get_default_triple()]
    parts += [version(name) for name in ("numba", "llvmlite")] + [sys.version]
    digest = hashlib.sha256("\n".join(parts).encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:20]


def _compile(request: Request) -> None:
    from striate.kernels.compiler import compile_kernel

    code, symbol, signature = compile_kernel(request.module, request.name, request.lanes, request.constants)
    _loaded[request] = Kernel(_link(code, symbol), signature)
    header = json.dumps({"symbol": symbol, "signature": signature}).encode()
    body = struct.pack("<I", len(header)) + header + code
    _write(cache_folder() / request.file_name, _MAGIC + hashlib.sha256(body).digest() + body)


def _load_cached(request: Request) -> bool:
    try:
        data = (cache_folder() / request.file_name).read_bytes()
    except OSError:
        return False
    start = len(_MAGIC) + 32
    body = data[start:]
    if data[:start] != _MAGIC + hashlib.sha256(body).digest():
        return False
    size = struct.unpack_from("<I", body)[0]
    header = json.loads(body[4 : 4 + size])
    signature = tuple((name, kind) for name, kind in header["signature"])
    _loaded[request] = Kernel(_link(body[4 + size :], header["symbol"]), signature)
    return True


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True) if temporary.parent.is_dir() else None
        _warn_once(str(path.parent), error.strerror or str(error))


@functools.cache
def _warn_once(folder: str, reason: str) -> None:
    warnings.warn(
        f"kernel cache {folder}: cannot be written ({reason}); kernels are compiled again in every process. "
        "Set STRIATE_CACHE_DIR to a folder that can.",
        stacklevel=2,
    )


def _announce(line: str) -> None:
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
