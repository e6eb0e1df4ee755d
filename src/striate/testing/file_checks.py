"""Checks that a layer survives being written down: as JSON, as Python, and in a model file."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np

from striate import layers
from striate.layers import Layer
from striate.layers.registry import from_dict, to_dict
from striate.model.core import Model
from striate.model.files import load
from striate.network import Network
from striate.testing.draws import Case
from striate.testing.experiments import behind_one_hot
from striate.testing.operations import Operation


def check_description(entry: Operation, case: Case, batch: int, seed: int) -> None:
    """JSON and the text of ``repr`` give the same layer again."""
    layer: Layer = case.layer
    again = from_dict(json.loads(json.dumps(to_dict(layer))))
    if again != layer or hash(again) != hash(layer):
        raise AssertionError(f"from_dict(to_dict(layer)) is {again!r}. Keep arguments in canonical form.")
    typed = eval(repr(layer), {**vars(layers), type(layer).__name__: type(layer)})
    if typed != layer:
        raise AssertionError(f"repr is {layer!r}, which Python reads as {typed!r}")


def check_file(entry: Operation, case: Case, batch: int, seed: int) -> None:
    """A model with the layer gives the same numbers after it was saved and loaded."""
    network, rng = Network(behind_one_hot(entry, case, batch)), np.random.default_rng(seed)
    samples = np.eye(batch, dtype=np.float32)
    if entry.indices:
        samples = rng.integers(0, case.layer.entries, (batch, *case.shapes[0])).astype(np.float32)
    theta = rng.normal(size=network.parameter_count).astype(np.float32)
    states = rng.uniform(0.5, 2.0, network.state_count).astype(np.float32)
    model = Model(network, theta, states)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        model.save(path)
        again = load(path)
    if again.network.describe() != network.describe():
        raise AssertionError("the network of the file is not the one that was saved")
    if again.outputs(samples).tobytes() != model.outputs(samples).tobytes():
        raise AssertionError("the model of the file gives other numbers")
