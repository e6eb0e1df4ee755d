"""Values of layers of whole numbers taken apart: products of whole numbers, their sum, and how it is rounded."""

from __future__ import annotations

import dataclasses

import numpy as np

from striate.explain.decompositions.linear import linear
from striate.explain.decompositions.terms import Cell, Decomposition, decomposes
from striate.layers.quantised_sums import QuantisedSums
from striate.reference.quantised import finished, parts_of, whole_parameters


@decomposes(QuantisedSums)
def sums(cell: Cell) -> Decomposition:
    """``bias + sum of weight * (q - zero point)`` in whole numbers, then one multiplication and rounding."""
    layer: QuantisedSums = cell.layer
    weight, bias = whole_parameters(dict(cell.parameters))
    plain = {"weight": weight, "bias": bias}
    inputs = (cell.x - layer.input_zero_point,)
    found = linear(Cell(layer.plain, plain, inputs, cell.index, {}, cell.output))
    multiplier = np.asarray(cell.parameters["multiplier"][cell.index[0]])
    whole, power = parts_of(multiplier)
    statistics = {
        "input scale": layer.input_scale,
        "input zero point": float(layer.input_zero_point),
        "weight scale": float(layer.weight_scales(multiplier)),
        "multiplier": float(multiplier),
        "multiplier * 2^shift": float(whole),
        "shift": float(power),
    }
    if layer.output_scale is not None:
        statistics |= {"output scale": layer.output_scale, "output zero point": float(layer.output_zero_point)}
    return dataclasses.replace(
        found,
        rule=f"sum of weight * (q - {layer.input_zero_point}) + bias",
        finish=lambda total: float(finished(layer, np.array(round(total), np.int64), multiplier)),
        finish_rule=layer.rule_of_sum,
        statistics=statistics,
    )
