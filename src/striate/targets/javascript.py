"""A model as an ES module with its kernels as WebAssembly: one file, for web pages and Node."""

from __future__ import annotations

import base64
import json
import math
import struct
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import CapacityError
from striate.losses import CLASSES, NUMBERS
from striate.model import Model
from striate.storage.atomic import write_atomically
from striate.targets.image import Image, image_of, program_of
from striate.targets.webassembly import LANES, compile_modules

STACK, BASE = 60_000, 65_536  # bytes: where the stack of the kernels begins, and where our memory does
MOST_BYTES = 2**31


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
    program = program_of(model, LANES)
    needed = BASE + sum(segment.size for segment in program.segments.values())
    if needed > MOST_BYTES:
        raise CapacityError(
            f"{model.network.name}: a page has {MOST_BYTES / 2**30:.0f} GB of memory; this model needs "
            f"{needed / 2**30:.1f} GB. Use a smaller input or fewer channels."
        )
    requests = list(dict.fromkeys(program.requests()))
    modules = dict(zip(requests, compile_modules(requests), strict=True))
    image = image_of(model, program, {request: module.signature for request, module in modules.items()}, BASE)
    data = _description(model, image)
    data["kernels"] = [_base64(modules[request].code) for request in image.requests]
    text = (resources.files("striate.targets") / "module.js").read_text("utf-8")
    return text.replace("NAME", name).replace("/*DATA*/ null", json.dumps(data, ensure_ascii=True))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _description(model: Model, image: Image) -> dict[str, Any]:
    """Return all that the module needs beside the kernels; arguments of calls stand behind the memory."""
    arguments, at = bytearray(), image.size
    calls: dict[str, list[list[int]]] = {}
    for section, found in image.calls.items():
        calls[section] = []
        for kernel, values in found:
            calls[section].append([kernel, at + len(arguments)])
            arguments += struct.pack(f"<{len(values)}q", *values)
    contents = {**image.contents, image.size: bytes(arguments)}
    network, units = model.network, model.target_normalisation
    outputs = math.prod(network.output_shape)
    return {
        "name": network.name,
        "classes": list(model.classes),
        "kind": model.kind,
        "reading": _reading(model, outputs),
        "units": {
            "mean": [0.0] if units is None else np.ravel(units.mean).tolist(),
            "scale": [1.0] if units is None else np.ravel(units.scale).tolist(),
        },
        "inputShape": list(model.input_shape),
        "outputShape": list(network.output_shape),
        "inputCount": math.prod(model.input_shape),
        "outputCount": outputs,
        "parameters": {slot.name: [slot.offset, list(slot.spec.shape)] for slot in network.parameters},
        "places": {name: image.places[name] for name in ("inputs", "outputs", "parameters")},
        "size": image.size + len(arguments),
        "stack": STACK,
        "calls": calls,
        "memory": [[place, _base64(piece)] for place, piece in contents.items()],
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
"""What may stand between outputs and probabilities; ``readings`` in ``module.js`` are the same functions."""


def _reading(model: Model, outputs: int) -> str:
    """Return which of ``READINGS`` turns outputs into probabilities: the one that agrees with the model."""
    if model.kind == NUMBERS:
        return "numbers"
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
