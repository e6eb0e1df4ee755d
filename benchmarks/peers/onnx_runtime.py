"""ONNX Runtime: inference of the PyTorch twin, exported."""

from __future__ import annotations

import io
import warnings

import numpy as np
import onnxruntime
import torch

from benchmarks.networks import Case, initial_parameters
from benchmarks.timing import Work
from benchmarks.twin import twin
from striate.machine import available_threads


def inference(case: Case, x: np.ndarray, batch: int) -> Work:
    """Return the work of inference on float arrays that are ready."""
    network = case.network()
    model = twin(network, initial_parameters(network), logits=False).eval()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = available_threads()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    data = [x[first : first + batch].astype(np.float32) / 255 for first in range(0, len(x) - batch + 1, batch)]
    session = onnxruntime.InferenceSession(_export(model, data[0]), options, providers=["CPUExecutionProvider"])

    def work(repetitions: int) -> None:
        for i in range(repetitions):
            session.run(None, {"x": data[i % len(data)]})

    return work


def _export(model: torch.nn.Module, example: np.ndarray) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, (torch.from_numpy(example),), file, input_names=["x"], output_names=["y"], dynamo=False
        )
    return file.getvalue()
