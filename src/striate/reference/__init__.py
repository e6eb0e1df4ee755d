"""The meaning of every layer in plain NumPy float64."""

from striate.reference import activation, convolution, dense, pooling, shape
from striate.reference.executor import Run, backward, forward
from striate.reference.registry import Context, Operation, define, operation

__all__ = [
    "Context",
    "Operation",
    "Run",
    "activation",
    "backward",
    "convolution",
    "define",
    "dense",
    "forward",
    "operation",
    "pooling",
    "shape",
]
