"""Models written as ONNX."""

from striate.interop.onnx.writing import activations, normalisation, values, windows
from striate.interop.onnx.writing.graph import GraphWriter, translation, writes
from striate.interop.onnx.writing.save import save

__all__ = ["GraphWriter", "activations", "normalisation", "save", "translation", "values", "windows", "writes"]
