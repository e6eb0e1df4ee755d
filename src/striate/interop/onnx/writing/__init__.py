"""Models written as ONNX."""

from striate.interop.onnx.writing import activations, normalisation, recurrent, values, windows
from striate.interop.onnx.writing.graph import GraphWriter, translation, writes
from striate.interop.onnx.writing.save import save

__all__ = [
    "GraphWriter",
    "activations",
    "normalisation",
    "recurrent",
    "save",
    "translation",
    "values",
    "windows",
    "writes",
]
