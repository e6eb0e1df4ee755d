"""Embeddings: table look-ups, and the check that the numbers looked up are symbols."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.engine.layout import Buffer
from striate.engine.lowering.context import Lowering, Rule
from striate.engine.program import LANEWISE, Check, Place
from striate.engine.rules import RULES, SAMPLES
from striate.engine.segments import PRESENT, PROBLEMS
from striate.layers.embedding import Embedding
from striate.network import Step


def _arguments(lowering: Lowering, step: Step, x: Buffer, values: Buffer) -> dict[str, Any]:
    layer: Embedding = step.layer  # type: ignore[assignment]
    positions = np.stack([x.features(), values.positions()], axis=1)
    return {
        "x": lowering.place(x),
        "entries": layer.entries,
        "dimensions": layer.dimensions,
        "positions": lowering.program.table(positions),
        "position_count": len(positions),
        "channel": values.strides[0],
        "blocks": x.blocks,
        "x_block": x.block,
    }


def _forward(lowering: Lowering, step: Step) -> None:
    layer: Embedding = step.layer  # type: ignore[assignment]
    x, out = lowering.values[step.inputs[0]], lowering.allocate(step)
    wrong = lowering.program.room(PROBLEMS, 2)
    lowering.emit(
        "embedding.look_up",
        **_arguments(lowering, step, x, out),
        out=lowering.place(out),
        weight=lowering.parameter(step, "weight"),
        out_block=out.block,
        present=Place(PRESENT, 0, LANEWISE),
        wrong=wrong,
    )

    rule = f"{step.name}: symbols are whole numbers from 0 to {layer.entries - 1}; got ".replace("{", "{{")
    lowering.program.checks.append(
        Check(wrong, rule.replace("}", "}}") + "{1:g}. Map unknown symbols to one of them.")
    )


def _backward(lowering: Lowering, step: Step) -> None:
    x, grad = lowering.values[step.inputs[0]], lowering.gradients[step.name]
    lowering.emit(
        "embedding.look_up_gradient",
        **_arguments(lowering, step, x, grad),
        grad_out=lowering.place(grad),
        grad_weight=lowering.parameter_gradient(step, "weight"),
        grad_out_block=grad.block,
    )


RULES[SAMPLES, Embedding] = Rule(_forward, _backward)
