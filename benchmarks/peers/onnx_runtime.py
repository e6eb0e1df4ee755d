"""ONNX Runtime: inference of the PyTorch twin, exported."""

from __future__ import annotations

import io
import warnings

import numpy as np
import onnxruntime
import torch

from benchmarks.networks import Case, initial_parameters
from benchmarks.timing import Work, fastest
from benchmarks.twin import twin
from striate.machine import available_threads


def inference(case: Case, x: np.ndarray, batch: int) -> Work:
    """Return the work of inference on float arrays that are ready, on one thread or all, whichever is faster."""
    data = ready(x, batch)
    model = exported(case, data[0])
    return fastest([work_of(model, data, threads) for threads in sorted({1, available_threads()})])


def work_of(model: bytes, data: list[np.ndarray], threads: int) -> Work:
    """Return the work of running a model of one input on batches in turn."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (entry,) = session.get_inputs()

    def work(repetitions: int) -> None:
        for i in range(repetitions):
            session.run(None, {entry.name: data[i % len(data)]})

    return work


def ready(x: np.ndarray, batch: int) -> list[np.ndarray]:
    """Return batches of float32 from 0 to 1."""
    return [x[first : first + batch].astype(np.float32) / 255 for first in range(0, len(x) - batch + 1, batch)]


def exported(case: Case, example: np.ndarray) -> bytes:
    """Return the network as ONNX."""
    network = case.network()
    return _export(twin(network, initial_parameters(network), logits=False).eval(), example)


def _export(model: torch.nn.Module, example: np.ndarray) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, (torch.from_numpy(example),), file, input_names=["x"], output_names=["y"], dynamo=False
        )
    return file.getvalue()
