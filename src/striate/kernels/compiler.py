"""Turn a kernel written in Python into native code.

A kernel is a function whose annotated arguments are pointers (Floats, Ints, Bytes) and numbers (int,
float), or a factory of such functions whose arguments are constants of the compiled code (tile sizes).
Every compiled kernel has the same entry, ``int32 kernel(void **, void **, int64 *arguments)`` (the first two
are Numba's places for a result and an exception, which no kernel has), so a whole program can be run from
a table without the interpreter.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

from numba import njit, types

from striate.kernels import vector

OPTIONS: dict[str, Any] = {"error_model": "numpy", "boundscheck": False}

Signature = tuple[tuple[str, str], ...]


def compile_kernel(
    module: str, name: str, lanes: int, constants: tuple[int | str, ...]
) -> tuple[bytes, str, Signature]:
    """Compile one kernel for this processor.

    Parameters
    ----------
    module, name : str
        ``striate.kernels.<module>.<name>``.
    lanes : int
        Samples in one vector: 4, 8 or 16.
    constants : tuple of int
        Arguments of the factory; empty for a plain kernel.

    Returns
    -------
    code : bytes
        A relocatable object file.
    symbol : str
        The name of the entry in it.
    signature : tuple of (name, type)
        The arguments, in the order of the table.
    """
    source, symbol, signature = kernel_source(module, name, lanes, constants)
    return _object_code(source), symbol, signature


def kernel_source(
    module: str, name: str, lanes: int, constants: tuple[int | str, ...]
) -> tuple[str, str, Signature]:
    """Return the LLVM code of a kernel, the name of its entry, and its arguments; see ``compile_kernel``."""
    _initialize()
    function = getattr(importlib.import_module(f"striate.kernels.{module}"), name)
    if constants:
        function = function(*constants)
    signature = tuple((p.name, str(p.annotation)) for p in inspect.signature(function).parameters.values())
    entry = _entry(function, signature, lanes)
    table = (vector.IntsType(),)
    compiled = njit(types.void(*table), no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPTIONS)(entry)
    symbol = compiled.overloads[table].fndesc.llvm_func_name
    return compiled.inspect_llvm(table), symbol, signature


def _entry(function: Callable[..., None], signature: Signature, lanes: int) -> Callable[..., None]:
    """Return the entry that reads the arguments of ``function`` from a table."""
    kinds = {
        "Floats": vector.FloatsType(lanes),
        "Ints": vector.IntsType(),
        "Bytes": vector.BytesType(),
        "int": types.int64,
        "float": types.float32,
    }
    spec = types.Tuple([kinds[kind] for _, kind in signature])
    unpack = vector.unpack
    kernel = njit(**OPTIONS)(function)

    def entry(arguments: Any) -> None:
        kernel(*unpack(arguments, spec))

    return entry


def _initialize() -> None:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    llvm.initialize_native_asmparser()  # for the pause instruction of waiting threads


def _object_code(source: str) -> bytes:
    import llvmlite.binding as llvm

    module = llvm.parse_assembly(source)
    return bytes(target_machine().emit_object(module))


def target_machine() -> Any:
    """Return LLVM's description of this processor, with all of its vector instructions."""
    import llvmlite.binding as llvm

    target = llvm.Target.from_default_triple()
    features = llvm.get_host_cpu_features().flatten()
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=3, reloc="default", codemodel="jitdefault", jit=True
    )
