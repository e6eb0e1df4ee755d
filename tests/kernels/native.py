"""Small kernels of the tests, compiled as the real ones are, and callable with arrays."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from striate.kernels import library
from striate.kernels.compiler import compile_kernel
from striate.kernels.functions import vexp, vexpm1, vlog, vlog1p, vsigmoid, vtanh
from striate.kernels.vector import Floats, flush_to_zero, lanes_of, restore_mode, vload, vstore, vsum

LANES = (4, 8, 16)
FUNCTIONS = ("exp", "expm1", "log", "log1p", "tanh", "sigmoid")
_ENTRY = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


def every_function(
    x: Floats, exp: Floats, expm1: Floats, log: Floats, log1p: Floats, tanh: Floats, sigmoid: Floats, count: int
) -> None:
    """Evaluate every function of ``functions.py`` at ``count`` values, a multiple of the lanes."""
    for i in range(0, count, lanes_of(x)):
        value = vload(x, i)
        vstore(exp, i, vexp(value))
        vstore(expm1, i, vexpm1(value))
        vstore(log, i, vlog(value))
        vstore(log1p, i, vlog1p(value))
        vstore(tanh, i, vtanh(value))
        vstore(sigmoid, i, vsigmoid(value))


def arithmetic(x: Floats, y: Floats, z: Floats, out: Floats, sums: Floats, count: int) -> None:
    """``out = x * y + z``, where the compiler may round once or twice, and the sums of the lanes of x."""
    for i in range(0, count, lanes_of(x)):
        vstore(out, i, vload(x, i) * vload(y, i) + vload(z, i))
        sums[i // lanes_of(x)] = vsum(vload(x, i))


def flushed(x: Floats, out: Floats, count: int) -> None:
    """``out = x + x`` with denormal numbers as zeros, and then without."""
    mode = flush_to_zero()
    for i in range(0, count, lanes_of(x)):
        vstore(out, i, vload(x, i) + vload(x, i))
    restore_mode(mode)
    for i in range(0, count, lanes_of(x)):
        vstore(out, count + i, vload(x, i) + vload(x, i))


@functools.cache
def native(name: str, lanes: int, module: str = "native_for_tests") -> Callable[..., None]:
    """Return a kernel, of this module or one of ours, as a function of arrays and whole numbers, in order."""
    sys.modules["striate.kernels.native_for_tests"] = sys.modules[__name__]
    code, symbol, signature = compile_kernel(module, name, lanes, ())
    entry = _ENTRY(library._link(code, symbol))

    def call(*arguments: Any) -> None:
        assert len(arguments) == len(signature)
        values = [a.ctypes.data if isinstance(a, np.ndarray) else int(a) for a in arguments]
        table, unused = np.array(values, np.int64), np.zeros(8, np.int64)
        entry(unused.ctypes.data, unused.ctypes.data, table.ctypes.data)

    return call
