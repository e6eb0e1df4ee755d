"""Layers that only move numbers: no kernel at all."""

from __future__ import annotations

from striate.engine.lowering.context import RULES, Lowering, Rule
from striate.layers.shape import Flatten
from striate.network import Step


def _forward(lowering: Lowering, step: Step) -> None:
    lowering.values[step.name] = lowering.values[step.inputs[0]]


def _backward(lowering: Lowering, step: Step) -> None:
    """Hand the gradient on; where others have written to the input's gradient, add it."""
    source = step.inputs[0]
    if source not in lowering.needed:
        return
    grad = lowering.gradients[step.name]
    if source not in lowering.gradients:
        lowering.gradients[source] = grad
        return
    target = lowering.gradients[source]
    runs, length = grad.same_runs(target)
    lowering.emit(
        "elementwise.copy",
        x=lowering.place(grad),
        out=lowering.place(target),
        runs=lowering.program.table(runs),
        run_count=len(runs),
        length=length,
        blocks=grad.blocks,
        x_block=grad.block,
        out_block=target.block,
        accumulate=1,
    )


RULES[Flatten] = Rule(_forward, _backward)
