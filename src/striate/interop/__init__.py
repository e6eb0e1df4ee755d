"""Import and export of models: ONNX, PyTorch, Keras, scikit-learn."""
