"""Peers that are measured when they are installed; none of them is needed."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

PEERS = {"ONNX Runtime": "onnxruntime", "OpenVINO": "openvino", "Keras/TensorFlow": "keras", "JAX": "jax"}
MODULES = {
    "onnxruntime": "onnx_runtime",
    "openvino": "open_vino",
    "keras": "keras_tensorflow",
    "jax": "jax_network",
}
NEEDED = {
    "onnxruntime": ("onnxruntime", "onnx"),
    "openvino": ("openvino", "onnx"),
    "keras": ("keras", "tensorflow"),
    "jax": ("jax", "jaxlib"),
}


class NotTranslated(Exception):
    """A network that the peer's translator cannot write."""


def installed() -> dict[str, ModuleType]:
    """Return the modules of the peers that are installed, by their names for people."""
    found = {}
    for name, package in PEERS.items():
        if all(importlib.util.find_spec(part) for part in NEEDED[package]):
            found[name] = importlib.import_module(f"benchmarks.peers.{MODULES[package]}")
    return found
