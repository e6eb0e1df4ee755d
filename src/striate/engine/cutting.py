"""Cut a row of a program into rows that each compute a part, with the same bits.

``kernels.access.CUTS`` says which counts may be cut; how far each argument of a part moves follows from what the
kernel reads and writes (``kernels.access.ACCESS``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from striate.engine.footprint import ELEMENT_BYTES, Scope, declared, signature_of
from striate.engine.program import Place, Program, Row
from striate.kernels.access import CUTS

SUMS = {
    "correlation.correlate": "taps",
    "correlation.correlate_runs": "taps",
    "correlation.weight_gradient": "places",
    "correlation.weight_gradient_runs": "places",
}
"""Kernels of sums of products, and the table of the terms of a sum, or of runs of terms."""
FLAT = {
    "batch.swap": "outer*rows*columns",
    "elementwise.fill": "count",
    "winograd.winograd_filters": "filter_count",
    "winograd.winograd_gradient": "channels*patch_count",
    "winograd.winograd_input": "channels*patch_count",
    "winograd.winograd_output": "channels*patch_count",
}
"""Kernels whose cost is that of so many times the same."""
VECTORS_OF = dict.fromkeys([name for name in FLAT if name.startswith("winograd.")], 400)
"""What transforming a patch or a filter costs, in operations on vectors."""
COUNTS = (
    "blocks",
    "channel_count",
    "count",
    "element_count",
    "feature_count",
    "length",
    "pair_count",
    "place_count",
    "run_count",
)
"""Arguments whose product is how many vectors any other kernel computes."""
PASS_VECTORS = 4  # what reading, changing and writing a vector costs, in multiplications of one by another
TRANSPOSED = ("batch.load_bytes", "batch.load_floats", "batch.store_rows")  # samples in rows, values in lanes


@dataclass(frozen=True)
class Axis:
    """A count of independent results.

    Parameters
    ----------
    count : str
        The argument.
    tile : int
        What stays together.
    table : str or None
        The argument whose table has an entry for each.
    """

    count: str
    tile: int
    table: str | None


def kernel_of(row: Row) -> str:
    """Return "module.name" of what a row calls; empty for Python."""
    return "" if row.request is None else f"{row.request.module}.{row.request.name}"


def axes(row: Row) -> list[Axis]:
    """Return what a row may be cut along."""
    if row.request is None:
        return []
    found = []
    for part in CUTS.get(kernel_of(row), "").split():
        count, _, tile = part.partition("*")
        table = count.removesuffix("_count") + "s"
        constants = {f"constant{i}": value for i, value in enumerate(row.request.constants)}
        size = int({"": 1, "lanes": row.request.lanes, **constants}[tile])
        found.append(Axis(count, size, table if isinstance(row.arguments.get(table), Place) else None))
    return found


def cut(program: Program, row: Row, wanted: int) -> list[Row]:
    """Cut a row into up to ``wanted`` rows along the axis that gives the most even parts."""
    best: tuple[float, list[np.ndarray], Axis] | None = None
    for axis in axes(row) if wanted > 1 else ():
        units = row.arguments[axis.count] // axis.tile
        parts = np.array_split(np.arange(units), min(wanted, max(1, units)))
        longest = math.ceil(units / len(parts)) / max(1, units)
        if len(parts) > 1 and (best is None or longest < best[0]) and _apart(program, row, axis, parts):
            best = longest, parts, axis
    if best is None:
        return [row]
    _, parts, axis = best
    ends = [axis.tile * (int(part[-1]) + 1) for part in parts]
    ends[-1] = row.arguments[axis.count]
    begins = [0, *ends[:-1]]
    return [_part(program, row, axis, i, *span) for i, span in enumerate(zip(begins, ends, strict=True))]


def _apart(program: Program, row: Row, axis: Axis, parts: list[np.ndarray]) -> bool:
    """Return whether entries of a table that belong to different parts lead to different vectors."""
    if axis.table is None:
        return True
    assert row.request is not None
    entries = _entries(program, row, axis)
    owner = np.repeat(np.arange(len(parts)), [len(part) * axis.tile for part in parts])
    for mode, _, terms, _ in declared(kernel_of(row)):
        columns = [term.partition(".")[2] for term in terms if term.startswith(f"{axis.table}.")]
        if mode == "read" or "lanes" not in terms or not columns:
            continue
        places = entries[: len(owner), int(columns[0])]
        order = np.argsort(places, kind="stable")
        near = np.diff(places[order]) < _extent(row, terms)
        if (near & (np.diff(owner[order]) != 0)).any():
            return False
    return True


def _extent(row: Row, terms: list[str]) -> int:
    """Return how many values from an entry of a table on are used: a vector, or equally distant ones."""
    assert row.request is not None
    constants = {f"constant{i}": value for i, value in enumerate(row.request.constants)}
    pairs = [term.split(":") for term in terms if ":" in term]
    steps = [(constants[n], constants[step]) for n, step in pairs if n in constants and step in constants]
    return row.request.lanes + sum((int(n) - 1) * int(step) for n, step in steps)


def _entries(program: Program, row: Row, axis: Axis) -> np.ndarray:
    """Return the table of an axis, int64[entries, columns]."""
    assert axis.table is not None
    entries = program.entries(row.arguments[axis.table])
    return entries.reshape(len(entries), -1)


def _part(program: Program, row: Row, axis: Axis, number: int, first: int, end: int) -> Row:
    """Return the row that computes the results ``first`` to ``end``."""
    arguments: dict[str, Any] = {**row.arguments, axis.count: end - first}
    if axis.table is not None:
        entries = _entries(program, row, axis)
        last = end >= row.arguments[axis.count]  # what fills up the last tile belongs to it
        arguments[axis.table] = program.table(entries[first : None if last else end])
    for argument, elements in _moves(program, row, axis, number, first):
        place = row.arguments[argument]
        arguments[argument] = replace(place, offset=place.offset + _element_bytes(row, argument) * elements)
    return replace(row, arguments=arguments)


def _moves(program: Program, row: Row, axis: Axis, number: int, first: int) -> Iterator[tuple[str, int]]:
    """Yield by how many elements each argument moves from the whole to a part; every part has its own scratch."""
    assert row.request is not None
    scope = Scope(program, row.arguments, row.request, 1)
    done = set()
    for mode, argument, terms, condition in declared(kernel_of(row)):
        if argument in done or (condition is not None and not scope.number(condition)):
            continue
        if mode == "scratch":
            done.add(argument)
            yield argument, number * scope.number(terms[0])
            continue
        for term in terms:
            stride = _stride(term, axis.count)
            if stride is not None:
                done.add(argument)
                yield argument, first * scope.number(stride)


@cache
def _stride(term: str, count: str) -> str | None:
    """Return the distance of two results in a term such as ``blocks:x_block`` or ``9*count``."""
    if term == count:
        return "1"
    if term.startswith(f"{count}:"):
        return term.partition(":")[2]
    factors = term.split("*")
    if count in factors and "(" not in term.partition(count)[0]:
        factors.remove(count)
        return "*".join(factors)
    return None


def _element_bytes(row: Row, argument: str) -> int:
    assert row.request is not None
    return ELEMENT_BYTES[signature_of(row.request)[argument]]


def vectors(program: Program, row: Row) -> int:
    """Return what a row costs, roughly, in operations on vectors."""
    if row.request is None:
        return 0
    a, kernel = row.arguments, kernel_of(row)
    if kernel in SUMS:
        run = row.request.constants[2] if kernel.endswith("_runs") else 1
        terms = len(program.entries(a[SUMS[kernel]])) * a.get("outer_count", 1) * int(run)
        counts = (a[axis.count] for axis in axes(row) if axis.count != "blocks")
        return int(a["blocks"] * math.prod(counts) * terms)
    if kernel in FLAT:
        return int(math.prod(a[name] for name in FLAT[kernel].split("*"))) * VECTORS_OF.get(kernel, 1)
    passes = int(math.prod(a[name] for name in COUNTS if isinstance(a.get(name), int)))
    taps = int(a.get("tap_count", 1)) if kernel.startswith(("pooling", "norm_pooling")) else 1
    return passes * taps * PASS_VECTORS * (2 if kernel in TRANSPOSED else 1)
