"""ONNX files: models written for other programs, and models of other programs read."""

from striate.interop.onnx.reading.load import load
from striate.interop.onnx.writing.save import save

__all__ = ["load", "save"]
