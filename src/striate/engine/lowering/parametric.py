"""The ReLU whose slope is learnt."""

from __future__ import annotations

from typing import Any

from striate.engine.lowering.context import Lowering, Rule
from striate.engine.lowering.normalisation import channel_tables
from striate.engine.rules import RULES, SAMPLES
from striate.layers.activation import PReLU
from striate.network import Step


def _slopes(lowering: Lowering, step: Step) -> dict[str, Any]:
    shared: bool = step.layer.shared  # type: ignore[attr-defined]
    return {"weight": lowering.parameter(step, "weight"), "weight_step": 0 if shared else 1}


def _forward(lowering: Lowering, step: Step) -> None:
    x = lowering.compact(step.inputs[0])
    out = lowering.allocate(step, like=x)
    lowering.emit(
        "parametric.parametric_relu",
        x=lowering.place(x),
        out=lowering.place(out),
        **_slopes(lowering, step),
        **channel_tables(lowering, x, out),
        out_block=out.block,
    )


def _backward(lowering: Lowering, step: Step) -> None:
    x, grad = lowering.compact(step.inputs[0]), lowering.gradients[step.name]
    spread = step.inputs[0] in lowering.needed
    grad_x, accumulate = lowering.compact_gradient(step.inputs[0]) if spread else (grad, 0)
    lowering.emit(
        "parametric.parametric_relu_gradient",
        x=lowering.place(x),
        grad_out=lowering.place(grad),
        grad_x=lowering.place(grad_x),
        **_slopes(lowering, step),
        grad_weight=lowering.parameter_gradient(step, "weight"),
        **channel_tables(lowering, x, grad, grad_x),
        grad_out_block=grad.block,
        grad_x_block=grad_x.block,
        spread=int(spread),
        accumulate=accumulate,
    )


RULES[SAMPLES, PReLU] = Rule(_forward, _backward)
