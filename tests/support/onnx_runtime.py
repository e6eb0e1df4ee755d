"""ONNX Runtime as the judge of models that are written or read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest


def run_onnx(message: bytes, *inputs: np.ndarray) -> np.ndarray:
    """Return the first output of a model for ``inputs``, computed without rewriting the graph."""
    return run_all(message, *inputs)[0]


def run_all(message: bytes, *inputs: np.ndarray) -> list[np.ndarray]:
    """Return all outputs of a model."""
    runtime: Any = pytest.importorskip("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(message, options, providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_inputs()]
    found: list[np.ndarray] = session.run(None, dict(zip(names, inputs, strict=True)))
    return found


def agree(found: np.ndarray, wanted: np.ndarray, tolerance: float) -> None:
    """Demand the same shape and values within ``tolerance`` of the largest."""
    assert found.shape == wanted.shape
    finite = np.isfinite(wanted)
    np.testing.assert_array_equal(np.isfinite(found), finite)
    largest = float(np.abs(wanted[finite]).max(initial=0.0))
    error = float(np.abs(found.astype(np.float64) - wanted)[finite].max(initial=0.0))
    assert error <= tolerance * max(largest, 1e-30), f"{error:.3g} of {largest:.3g}"
