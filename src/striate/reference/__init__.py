"""The meaning of every layer in plain NumPy float64."""

from striate.reference import (
    activation,
    arithmetic,
    convolution,
    dense,
    embedding,
    global_pooling,
    loss,
    normalisation,
    padding,
    pooling,
    random,
    regularisation,
    shape,
    transposed,
)
from striate.reference.executor import Run, backward, forward
from striate.reference.registry import Context, Operation, define, operation

__all__ = [
    "Context",
    "Operation",
    "Run",
    "activation",
    "arithmetic",
    "backward",
    "convolution",
    "define",
    "dense",
    "embedding",
    "forward",
    "global_pooling",
    "loss",
    "normalisation",
    "operation",
    "padding",
    "pooling",
    "random",
    "regularisation",
    "shape",
    "transposed",
]
