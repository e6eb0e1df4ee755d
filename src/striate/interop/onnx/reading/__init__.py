"""Models of other programs, read from ONNX."""

from striate.interop.onnx.reading.load import load

__all__ = ["load"]
