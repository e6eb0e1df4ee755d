"""A Keras file as a model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import ModelFileError
from striate.interop.keras.file import KerasError, KerasFile, read
from striate.interop.keras.graph import KerasLayer, layers_of
from striate.interop.keras.translate import TRANSLATIONS, Builder
from striate.interop.onnx.messages import Dimension, Graph, TensorShape, TensorType, Type, ValueInfo
from striate.interop.onnx.reading.file import File
from striate.interop.onnx.reading.load import load_file
from striate.model import Model

OPSET = 20


def load(path: str | Path) -> Model:
    """Return the model of a ``.keras``, ``.h5`` or ``.hdf5`` file: Sequential and functional networks.

    The model takes samples with channels first, as everywhere in striate. Nothing in the file is run.

    Raises
    ------
    UsageError
        If h5py is not installed.
    ModelFileError
        If the file is damaged, or has layers that striate does not have: all of them at once.
    """
    path = Path(path)
    file = read(path)
    try:
        layers, outputs = layers_of(file.config)
        unknown = sorted({layer.kind for layer in layers} - {*TRANSLATIONS, "InputLayer"})
        if unknown:
            raise KerasError(f"the layers {', '.join(kind[:40] for kind in unknown[:8])} are not supported")
        graph, constants = _graph(layers, outputs, file)
    except (KerasError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else " ".join(str(error).split())[:300]
        raise ModelFileError(f"{path}: must be a model of Keras that striate can read; {reason}.") from None
    model = load_file(File(path, graph, OPSET, constants, {}, "keras"))
    model.metadata["origin"] = {"format": "keras", "layout": "channels first, where Keras had them last"}
    return model


def _graph(layers: list[KerasLayer], outputs: list[str], file: KerasFile) -> tuple[Graph, dict[str, np.ndarray]]:
    builder, values = Builder(), dict[str, str]()
    weights = _weights(layers, file)
    inputs = []
    for layer in _ordered(layers):
        builder.layer = layer.name
        if layer.kind == "InputLayer":
            inputs.append(_input(layer, builder))
            values[layer.name] = layer.name
        else:
            sources = [values[name] for name in layer.inputs]
            values[layer.name] = TRANSLATIONS[layer.kind](builder, layer, sources, weights.get(layer.name, []))
    ends = [ValueInfo(name=values[name]) for name in outputs]
    return Graph(node=builder.nodes, name="keras", input=inputs, output=ends), builder.constants


def _ordered(layers: list[KerasLayer]) -> list[KerasLayer]:
    """Return the layers so that each comes after what it reads."""
    waiting, done, order = list(layers), set[str](), []
    while waiting:
        ready = [layer for layer in waiting if done.issuperset(layer.inputs)]
        if not ready:
            raise KerasError("its layers form a cycle, or one of them is missing")
        order += ready
        done.update(layer.name for layer in ready)
        waiting = [layer for layer in waiting if layer.name not in done]
    return order


def _input(layer: KerasLayer, builder: Builder) -> ValueInfo:
    shape = layer.config.get("batch_shape") or layer.config.get("batch_input_shape")
    if not isinstance(shape, list | tuple) or None in shape[1:]:
        raise KerasError(f"{layer.name}: every side of the input must be a number; got {shape}")
    sides = shape[1:] if len(shape) < 3 else (shape[-1], *shape[1:-1])
    builder.ranks[layer.name] = len(shape)
    dims = [Dimension(dim_param="batch"), *(Dimension(dim_value=int(side)) for side in sides)]
    return ValueInfo(name=layer.name, type=Type(tensor_type=TensorType(elem_type=1, shape=TensorShape(dim=dims))))


def _weights(layers: list[KerasLayer], file: KerasFile) -> dict[str, list[np.ndarray]]:
    """Return the arrays of each layer, by its name or, in files of Keras 3, by its class and number."""
    counts: dict[str, int] = {}
    found: dict[str, list[np.ndarray]] = {}
    for layer in layers:
        stem = _snake(layer.kind)
        number = counts.get(stem, 0)
        counts[stem] = number + 1
        numbered = stem if number == 0 else f"{stem}_{number}"
        arrays: Any = file.weights.get(numbered) if _by_class(layers, file) else file.weights.get(layer.name)
        found[layer.name] = arrays or []
    return found


def _by_class(layers: list[KerasLayer], file: KerasFile) -> bool:
    """Return whether the weights are filed under classes: not all layers with weights are there by name."""
    names = {layer.name for layer in layers}
    return any(arrays and name not in names for name, arrays in file.weights.items())


def _snake(name: str) -> str:
    """Return the name that Keras makes of a class.

    Examples
    --------
    >>> [_snake(name) for name in ("Conv2D", "MaxPooling2D", "BatchNormalization")]
    ['conv2d', 'max_pooling2d', 'batch_normalization']
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
