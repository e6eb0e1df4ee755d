"""Values of normalisations taken apart: the statistics, and what they make of the value."""

from __future__ import annotations

import math

import numpy as np

from striate.explain.decompositions.terms import Cell, Decomposition, decomposes, flat_index, terms_at
from striate.layers.normalisation import (
    BatchNorm,
    LocalResponseNorm,
    Normalisation,
    SampleNormalisation,
)


@decomposes(BatchNorm)
def batch_norm(cell: Cell) -> Decomposition:
    """``(x - running mean) / sqrt(running variance + epsilon) * weight + bias``."""
    channel = cell.index[0]
    mean = float(cell.states["running_mean"][channel])
    variance = float(cell.states["running_variance"][channel])
    return _standardised(cell, mean, variance, "running ")


@decomposes(SampleNormalisation)
def sample_norm(cell: Cell) -> Decomposition:
    """``(x - mean) / sqrt(variance + epsilon) * weight + bias`` with the statistics of this sample."""
    members = _members(cell)
    mean = float(members.mean())
    decomposition = _standardised(cell, mean, float(((members - mean) ** 2).mean()), "")
    return Decomposition(
        decomposition.terms,
        decomposition.rule,
        decomposition.constants,
        statistics={**decomposition.statistics, "values in the statistics": float(members.size)},
        factor_name=decomposition.factor_name,
    )


def _members(cell: Cell) -> np.ndarray:
    """Return the values that the statistics are taken over."""
    x, index = cell.x, cell.index
    size = cell.layer.channels_together(len(x))
    if size is None:
        return np.asarray(x.reshape(len(x), -1)[:, flat_index(index[1:], x.shape[1:])])
    first = index[0] // size * size
    return np.asarray(x[first : first + size])


def _standardised(cell: Cell, mean: float, variance: float, kind: str) -> Decomposition:
    layer: Normalisation = cell.layer
    deviation = math.sqrt(variance + layer.epsilon)
    weight, constants = 1.0, {}
    if layer.affine:
        learnt = cell.parameters["weight"]
        place = cell.index[: learnt.ndim]
        weight = float(learnt[place])
        constants = {"bias": float(cell.parameters["bias"][place])}
    terms = terms_at(cell, np.array([flat_index(cell.index, cell.x.shape)]), weight / deviation)
    statistics = {
        f"{kind}mean": mean,
        f"{kind}variance": variance,
        "epsilon": layer.epsilon,
        "deviation": deviation,
    }
    if layer.affine:
        statistics["weight"] = weight
    centre = {"-mean * weight / deviation" if layer.affine else "-mean / deviation": -mean * weight / deviation}
    return Decomposition(
        terms,
        layer.formula,
        {**centre, **constants},
        statistics=statistics,
        factor_name="weight / deviation" if layer.affine else "1 / deviation",
    )


@decomposes(LocalResponseNorm)
def response_norm(cell: Cell) -> Decomposition:
    """``x[c] * (k + alpha / size * sum of x[d]^2)^-beta`` over the neighbouring channels."""
    layer: LocalResponseNorm = cell.layer
    channel, *position = cell.index
    first, end = max(0, channel - layer.size // 2), min(len(cell.x), channel + (layer.size - 1) // 2 + 1)
    places = [flat_index((c, *position), cell.x.shape) for c in range(first, end)]
    values = cell.x.ravel()[places]
    share = layer.alpha / layer.size
    x = float(cell.x[cell.index])
    return Decomposition(
        terms_at(cell, np.array(places), None, share * values**2),
        f"x * s^-{layer.beta:g} with s = k + {share:g} * sum of the neighbours' squares",
        {"k": layer.k},
        finish=lambda total: x * total**-layer.beta,
        finish_rule=f"{x:.6g} * s^-{layer.beta:g}",
        statistics={"x": x, "alpha / size": share, "beta": layer.beta, "k": layer.k},
    )
