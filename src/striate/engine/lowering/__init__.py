"""How each layer becomes rows of kernel calls, forward and backward."""

from striate.engine.lowering import (
    activation,
    arithmetic,
    convolution,
    dense,
    global_pooling,
    local_response,
    norm_pooling,
    normalisation,
    parametric,
    pooling,
    radial_basis,
    regularisation,
    sample_normalisation,
    shape,
    subsampling,
    transposed,
)
from striate.engine.lowering.context import RULES, Lowering, Rule, rule
from striate.engine.lowering.fallback import FALLBACK

__all__ = [
    "FALLBACK",
    "RULES",
    "Lowering",
    "Rule",
    "activation",
    "arithmetic",
    "convolution",
    "dense",
    "global_pooling",
    "local_response",
    "norm_pooling",
    "normalisation",
    "parametric",
    "pooling",
    "radial_basis",
    "regularisation",
    "rule",
    "sample_normalisation",
    "shape",
    "subsampling",
    "transposed",
]
