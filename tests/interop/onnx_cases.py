"""The ONNX project's cases: run one, whatever of its inputs can be samples and constants."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from striate import reference
from striate.errors import StriateError
from striate.interop.onnx import load
from striate.model import Model


@dataclass
class Case:
    """A graph with what goes in and what has to come out, by name."""

    path: Path
    inputs: dict[str, np.ndarray]
    outputs: dict[str, np.ndarray]
    tolerance: float = 1e-4


def rows_of(model: Model, data: dict[str, np.ndarray], samples: bool) -> np.ndarray:
    """Return the inputs of a case as samples of the model."""
    entries = model.metadata["origin"]["inputs"]
    count = data[entries[0]["name"]].shape[_axis(model)] if samples else 1
    rows = []
    for item in entries:
        array = np.moveaxis(np.asarray(data[item["name"]], np.float32), item.get("samples_axis", 0), 0)
        array = np.moveaxis(array, -1, 1) if item["layout"] == "channels last" else array
        rows.append(array.reshape(count, -1))
    return np.concatenate(rows, axis=1).reshape(count, *model.input_shape)


def _axis(model: Model) -> int:
    """Return the axis of samples of the first input."""
    axis: int = model.metadata["origin"]["inputs"][0].get("samples_axis", 0)
    return axis


def check(case: Case, samples: bool, fixed: set[str], meaning: bool = True) -> None:
    """Compare every output of a case, with the inputs ``fixed`` as constants; raises if it cannot be.

    The first axis counts ``samples``, or the whole input is one; with ``meaning`` the reference is compared too.
    """
    arrays = {name: np.asarray(array) for name, array in case.inputs.items()}
    constants = {name: arrays.pop(name) for name in fixed}
    for name, wanted in case.outputs.items():
        model = load(case.path, constants=constants, output=name, samples=samples)
        x, truth = rows_of(model, arrays, samples), np.asarray(wanted).astype(np.float64)
        if _axis(model):  # series come first, then directions, where there are any, and samples
            truth = np.moveaxis(truth, truth.ndim - 2, 0)
        largest = float(np.abs(truth[np.isfinite(truth)]).max(initial=1e-6))
        results = [model.outputs(x)]
        if meaning:
            states = model.states.astype(np.float64)
            results.append(reference.forward(model.network, model.theta, x, states=states).output)
        for found in results:
            assert found.size == truth.size
            rounding = 2.0**-8 if np.asarray(wanted).dtype.name == "bfloat16" else 1e-4
            np.testing.assert_allclose(
                found.reshape(truth.shape), truth, rtol=max(case.tolerance, rounding), atol=1e-5 * largest
            )


def passes(case: Case, meaning: bool = True) -> bool:
    """Return whether a case agrees in one of the ways in which its inputs can be samples and constants."""
    names = list(case.inputs)
    arrays = {name: np.asarray(array) for name, array in case.inputs.items()}
    floats = {name for name, array in arrays.items() if array.dtype.kind in "fV" and array.ndim}
    for samples in (True, False):
        for fixed in (set(names) - floats, set(names[1:])):
            try:
                with np.errstate(all="ignore"):
                    check(case, samples, fixed, meaning)
                return True
            except (StriateError, AssertionError, IndexError, TypeError, ValueError):
                continue
    return False
