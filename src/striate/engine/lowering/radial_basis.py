"""Squared distances from centres, fixed or learnt."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.engine.layout import Buffer
from striate.engine.lowering.context import Lowering, Rule
from striate.engine.rules import RULES, SAMPLES
from striate.layers.dense import RadialBasis
from striate.network import Step
from striate.reference.dense import centres


def _centres(lowering: Lowering, step: Step) -> Any:
    place = lowering.parameter(step, "weight")
    if place is not None:
        return place
    return lowering.program.array(centres(step.layer, {}))  # type: ignore[arg-type]


def _tables(lowering: Lowering, features: list[Buffer], rows: Buffer) -> dict[str, Any]:
    table = lowering.program.table
    columns = np.stack([buffer.features() for buffer in features], axis=1)
    return {
        "features": table(columns),
        "feature_count": len(columns),
        "rows": table(rows.features()),
        "row_count": rows.shape[0],
        "blocks": rows.blocks,
    }


def _forward(lowering: Lowering, step: Step) -> None:
    x, out = lowering.values[step.inputs[0]], lowering.allocate(step)
    lowering.emit(
        "radial_basis.radial_basis",
        x=lowering.place(x),
        out=lowering.place(out),
        weight=_centres(lowering, step),
        **_tables(lowering, [x], out),
        x_block=x.block,
        out_block=out.block,
    )


def _backward(lowering: Lowering, step: Step) -> None:
    x, grad = lowering.values[step.inputs[0]], lowering.gradients[step.name]
    common = {
        "x": lowering.place(x),
        "grad_out": lowering.place(grad),
        "weight": _centres(lowering, step),
        "x_block": x.block,
        "grad_out_block": grad.block,
    }
    if step.parameters:
        lowering.emit(
            "radial_basis.radial_basis_weight_gradient",
            **common,
            grad_weight=lowering.parameter_gradient(step, "weight"),
            **_tables(lowering, [x], grad),
        )
    if step.inputs[0] in lowering.needed:
        grad_x, accumulate = lowering.gradient_into(step.inputs[0])
        lowering.emit(
            "radial_basis.radial_basis_gradient",
            **common,
            grad_x=lowering.place(grad_x),
            **_tables(lowering, [x, grad_x], grad),
            grad_x_block=grad_x.block,
            accumulate=accumulate,
        )


RULES[SAMPLES, RadialBasis] = Rule(_forward, _backward)
