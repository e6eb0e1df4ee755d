"""ONNX files: models written for other programs, and models of other programs read."""
