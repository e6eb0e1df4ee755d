"""Calls of kernels that treat each value by itself, in buffers of the same shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from striate.engine.layout import Buffer
from striate.engine.lowering.context import Lowering


def emit_elementwise(
    lowering: Lowering,
    kernel: str,
    constants: tuple[Any, ...],
    buffers: Mapping[str, Buffer],
    /,
    **arguments: Any,
) -> None:
    """Append a call of ``elementwise.kernel`` for buffers, by the names of its arguments."""
    first, *others = buffers.values()
    runs, length = first.same_runs(*others)
    lowering.emit(
        f"elementwise.{kernel}",
        constants,
        **{name: lowering.place(buffer) for name, buffer in buffers.items()},
        runs=lowering.program.table(runs),
        run_count=len(runs),
        length=length,
        blocks=first.blocks,
        **{f"{name}_block": buffer.block for name, buffer in buffers.items()},
        **arguments,
    )
