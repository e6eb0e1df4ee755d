"""A model as an ES module with its kernels as WebAssembly: one file, for web pages and Node."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from striate.engine.program import FORWARD, PACK
from striate.losses import CLASSES, NUMBERS
from striate.model import Model
from striate.storage.atomic import write_atomically
from striate.targets.image import contents_of, program_of
from striate.targets.parcel import Part, parcel_of
from striate.targets.webassembly import LANES
from striate.web.bundle import bundle

RUNS = {"pack": (PACK,), "forward": (FORWARD,)}
EXPORT = "\nexport { load };\n"


def write(model: Model, path: str | Path) -> Path:
    """Write a model as an ES module that exports ``load``; return where it is.

    Raises
    ------
    UsageError
        If a layer has no kernels.
    CapacityError
        If the model needs more memory than a page has.
    DataError
        If the file cannot be written.
    """
    return write_atomically(Path(path), source(model, Path(path).name).encode())


def source(model: Model, name: str = "model.js") -> str:
    """Return the text of the module called ``name``."""
    part = Part(program_of(model, LANES), contents_of(model), RUNS)
    parcel = parcel_of(model.network.name, {"forward": part})
    data = {
        "model": description(model),
        "parcel": parcel.describe(),
        "bytes": base64.b64encode(parcel.data).decode(),
    }
    text = bundle("module.js")
    return text.replace("NAME", name).replace("/*DATA*/ null", json.dumps(data, ensure_ascii=True)) + EXPORT


def description(model: Model) -> dict[str, Any]:
    """Return what JavaScript knows of a model beside its programs, as JSON types."""
    network, units = model.network, model.target_normalisation
    return {
        "name": network.name,
        "classes": list(model.classes),
        "kind": model.kind,
        "reading": reading_of(model),
        "units": {
            "mean": [0.0] if units is None else np.ravel(units.mean).tolist(),
            "scale": [1.0] if units is None else np.ravel(units.scale).tolist(),
        },
        "inputShape": list(model.input_shape),
        "outputShape": list(network.output_shape),
        "parameters": {slot.name: [slot.offset, list(slot.spec.shape)] for slot in network.parameters},
    }


def _softmax(y: np.ndarray) -> np.ndarray:
    powers = np.exp(y - y.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


READINGS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "probabilities": lambda y: y,
    "softmax": _softmax,
    "sigmoid": lambda y: 1.0 / (1.0 + np.exp(-y)),
    "exponentials": np.exp,
    "clipped": lambda y: np.clip(y, 0.0, 1.0),
}
"""What may stand between outputs and probabilities; ``readings`` in ``web/reading.js`` are the same functions."""


def reading_of(model: Model) -> str:
    """Return which of ``READINGS`` turns outputs into probabilities: the one that agrees with the model."""
    if model.kind == NUMBERS:
        return "numbers"
    outputs = math.prod(model.network.output_shape)
    probe = np.random.default_rng(0).normal(size=(16, outputs)).astype(np.float32)
    expected = model.interpret(probe.reshape(-1, *model.network.output_shape)).probabilities
    expected = np.asarray(expected).reshape(len(probe), -1)
    for name, function in READINGS.items():
        found = function(probe)
        if outputs == 1 and model.kind == CLASSES:
            found = np.concatenate([1.0 - found, found], axis=1)
        if found.shape == expected.shape and np.allclose(found, expected, atol=1e-5):
            return name
    raise AssertionError(f"{model.network.name}: its probabilities are none of {', '.join(READINGS)}")
