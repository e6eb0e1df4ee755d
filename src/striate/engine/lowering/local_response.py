"""Local response normalisation, with kernels of their own for the usual powers."""

from __future__ import annotations

from typing import Any

from striate.engine.layout import Buffer
from striate.engine.lowering.context import Lowering, Rule
from striate.engine.rules import RULES, SAMPLES
from striate.layers.normalisation import LocalResponseNorm
from striate.network import Step

PIECE = 8  # positions that the kernels take at once
_POWERS = {0.5: "half", 0.75: "three_quarters", 1.0: "one"}


def _arguments(lowering: Lowering, step: Step, *buffers: Buffer) -> dict[str, Any]:
    layer: LocalResponseNorm = step.layer  # type: ignore[assignment]
    runs, length = buffers[0].channel_runs(*buffers[1:])
    return {
        "channel_count": buffers[0].shape[0],
        "runs": lowering.program.table(runs),
        "run_count": len(runs),
        "length": length,
        "blocks": buffers[0].blocks,
        "before": layer.size // 2,
        "after": (layer.size - 1) // 2,
        "alpha": layer.alpha / layer.size,
        "beta": layer.beta,
        "k": layer.k,
    }


def _buffers(lowering: Lowering, **buffers: Buffer) -> dict[str, Any]:
    """Return where each buffer begins, and how far its channels and blocks are apart."""
    places = {name: lowering.place(buffer) for name, buffer in buffers.items()}
    channels = {f"{name}_channel": buffer.strides[0] for name, buffer in buffers.items()}
    return places | channels | {f"{name}_block": buffer.block for name, buffer in buffers.items()}


def _constants(step: Step) -> tuple[str, int]:
    return _POWERS.get(step.layer.beta, "any"), PIECE  # type: ignore[attr-defined]


def _forward(lowering: Lowering, step: Step) -> None:
    x = lowering.compact(step.inputs[0])
    out = lowering.allocate(step, like=x)
    arguments = _arguments(lowering, step, x, out)
    lowering.emit(
        "local_response.local_response", _constants(step), **_buffers(lowering, x=x, out=out), **arguments
    )


def _backward(lowering: Lowering, step: Step) -> None:
    if step.inputs[0] not in lowering.needed:
        return
    x, grad = lowering.compact(step.inputs[0]), lowering.gradients[step.name]
    grad_x, accumulate = lowering.compact_gradient(step.inputs[0])
    scratch = lowering.scratch(2 * PIECE * x.shape[0] * x.lanes)
    lowering.emit(
        "local_response.local_response_gradient",
        _constants(step),
        **_buffers(lowering, x=x, grad_out=grad, grad_x=grad_x),
        **_arguments(lowering, step, x, grad, grad_x),
        scratch=lowering.place(scratch),
        accumulate=accumulate,
    )
    lowering.arena.free(scratch)


RULES[SAMPLES, LocalResponseNorm] = Rule(_forward, _backward)
