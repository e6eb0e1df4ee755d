"""OpenVINO: inference of the PyTorch twin, exported."""

from __future__ import annotations

import numpy as np
import openvino

from benchmarks.networks import Case
from benchmarks.peers.onnx_runtime import exported, ready
from benchmarks.timing import Work, fastest
from striate.machine import available_threads


def inference(case: Case, x: np.ndarray, batch: int) -> Work:
    """Return the work of inference on float arrays that are ready, on one thread or all, whichever is faster."""
    data = ready(x, batch)
    core = openvino.Core()
    model = core.read_model(exported(case, data[0]))
    return fastest([_work(core, model, data, threads) for threads in sorted({1, available_threads()})])


def _work(core: openvino.Core, model: openvino.Model, data: list[np.ndarray], threads: int) -> Work:
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request = core.compile_model(model, "CPU", settings).create_infer_request()

    def work(repetitions: int) -> None:
        for i in range(repetitions):
            request.infer([data[i % len(data)]])

    return work
