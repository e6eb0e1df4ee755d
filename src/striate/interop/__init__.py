"""Models come in and go out: ONNX, PyTorch, Keras."""
