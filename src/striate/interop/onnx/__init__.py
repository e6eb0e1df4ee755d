"""ONNX files: export for other programs, and import of their models."""

from striate.interop.onnx.reading.load import load
from striate.interop.onnx.writing.save import save

__all__ = ["load", "save"]
