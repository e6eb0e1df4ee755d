"""What each ONNX operator is in layers."""

from striate.interop.onnx.reading.operators import (
    activations,
    arithmetic,
    dense,
    normalisation,
    reductions,
    resizing,
    shapes,
    windows,
)

__all__ = [
    "activations",
    "arithmetic",
    "dense",
    "normalisation",
    "reductions",
    "resizing",
    "shapes",
    "windows",
]
