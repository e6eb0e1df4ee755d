"""SIMD vectors and register tiles for Numba; the only place that speaks LLVM.

A ``Vec`` is ``lanes`` float32 values in machine registers. A ``Tile(K, X)`` is K*X of them, kept in
registers through a loop. The number of lanes is part of the type of the arrays (``Floats``), so the same
kernel source compiles for 4, 8 or 16 lanes. LLVM keeps both out of memory, so a kernel is written in
plain Python loops and still runs near the peak of the machine.

Floating-point contraction (a*b + c in one rounding) is the only freedom given to the compiler: sums keep
their order, and NaN stays NaN.

    types      pointers, vectors, masks and tiles     pointers   scalars behind pointers
    build      pieces of LLVM code                    lanes      one vector
    tiles      register tiles                         squares    samples into lanes
    random     random bits in the lanes               threads    calls, atomic steps, waiting
    integers   bytes and words                        rounding   sums that become bytes
    byte_products   tiles of sums of bytes
"""

from __future__ import annotations

from striate.kernels.vector.lanes import (
    exponent,
    fma,
    mask_and,
    mask_not,
    power_of_two,
    select,
    splat,
    vabs,
    vload,
    vmax,
    vround,
    vsqrt,
    vstore,
    vsum,
)
from striate.kernels.vector.pointers import high_half, lanes_of, low_half, shift
from striate.kernels.vector.random import at_least, random_bits, sample_keys, second_keys, upper_bits
from striate.kernels.vector.squares import present, square_load, square_spread, square_store, square_turn
from striate.kernels.vector.threads import (
    atomic_add,
    call_kernel,
    call_system,
    compare_exchange,
    flush_to_zero,
    relax,
    restore_mode,
    unpack,
)
from striate.kernels.vector.tiles import (
    neighbours,
    offsets,
    tile_add,
    tile_columns,
    tile_dot,
    tile_dot_run,
    tile_load,
    tile_map,
    tile_outer,
    tile_outer_run,
    tile_rows,
    tile_store,
    tile_sum_add,
    tile_zero,
)
from striate.kernels.vector.types import (
    Bytes,
    BytesType,
    Floats,
    FloatsType,
    Ints,
    IntsType,
    IntVecType,
    MaskType,
    OffsetsType,
    TileType,
    VecType,
)

__all__ = [
    "Bytes",
    "BytesType",
    "Floats",
    "FloatsType",
    "IntVecType",
    "Ints",
    "IntsType",
    "MaskType",
    "OffsetsType",
    "TileType",
    "VecType",
    "at_least",
    "atomic_add",
    "call_kernel",
    "call_system",
    "compare_exchange",
    "exponent",
    "flush_to_zero",
    "fma",
    "high_half",
    "lanes_of",
    "low_half",
    "mask_and",
    "mask_not",
    "neighbours",
    "offsets",
    "power_of_two",
    "present",
    "random_bits",
    "relax",
    "restore_mode",
    "sample_keys",
    "second_keys",
    "select",
    "shift",
    "splat",
    "square_load",
    "square_spread",
    "square_store",
    "square_turn",
    "tile_add",
    "tile_columns",
    "tile_dot",
    "tile_dot_run",
    "tile_load",
    "tile_map",
    "tile_outer",
    "tile_outer_run",
    "tile_rows",
    "tile_store",
    "tile_sum_add",
    "tile_zero",
    "unpack",
    "upper_bits",
    "vabs",
    "vload",
    "vmax",
    "vround",
    "vsqrt",
    "vstore",
    "vsum",
]
