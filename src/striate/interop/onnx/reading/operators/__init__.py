"""What each ONNX operator is in layers."""

from striate.interop.onnx.reading.operators import (
    activations,
    arithmetic,
    before_7,
    control,
    dense,
    indexing,
    logic,
    machine_learning,
    normalisation,
    quantisation,
    recurrent,
    reductions,
    resizing,
    sampling,
    shapes,
    windows,
)

__all__ = [
    "activations",
    "arithmetic",
    "before_7",
    "control",
    "dense",
    "indexing",
    "logic",
    "machine_learning",
    "normalisation",
    "quantisation",
    "recurrent",
    "reductions",
    "resizing",
    "sampling",
    "shapes",
    "windows",
]
