"""A Keras file as a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from striate.errors import ModelFileError
from striate.interop.keras.builder import Builder
from striate.interop.keras.file import KerasError, KerasFile, read
from striate.interop.keras.graph import KerasLayer, KerasModel, Source, model_of
from striate.interop.keras.translations import TRANSLATIONS
from striate.interop.keras.weights import Weights
from striate.interop.onnx.messages import Dimension, Graph, TensorShape, TensorType, Type, ValueInfo
from striate.interop.onnx.reading.file import File
from striate.interop.onnx.reading.load import load_file
from striate.model import Model

OPSET = 21
MISFITS = (
    KerasError, KeyError, TypeError, ValueError, IndexError, AttributeError, AssertionError, ArithmeticError,
    RecursionError,
)  # fmt: skip


def load(path: str | Path, *, input_shape: Sequence[int] | None = None) -> Model:
    """Return the model of a ``.keras``, ``.h5`` or ``.hdf5`` file: Sequential and functional networks.

    The model takes samples with channels first, as everywhere in striate. Models within the model are taken
    apart; the weights of a layer that is called twice are there twice. Nothing in the file is run.

    Parameters
    ----------
    path : path
    input_shape : sequence of int, optional
        The shape of a sample, channels first, where the file leaves sides open.

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
        model = model_of(file.config)
        unknown = sorted({layer.kind for layer in model.everything()} - {*TRANSLATIONS, "InputLayer"})
        if unknown:
            raise KerasError(f"the layers {', '.join(kind[:40] for kind in unknown[:8])} are not supported")
        builder = Builder(channels_first=_channels_first(model), version=file.version)
        graph = _graph(model, builder, file, None if input_shape is None else tuple(input_shape))
    except MISFITS as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else " ".join(str(error).split())[:300]
        raise ModelFileError(f"{path}: must be a model of Keras that striate can read; {reason}.") from None
    found = load_file(File(path, graph, OPSET, builder.constants, {}, "keras"))
    layout = "as is" if builder.channels_first else "channels last"
    inputs = [item | {"layout": layout if len(item["shape"]) > 1 else "as is"}
              for item in found.metadata["origin"]["inputs"]]  # fmt: skip
    found.metadata["origin"] = {"format": "keras", "inputs": inputs}
    return found


def _channels_first(model: KerasModel) -> bool:
    """Return the order of axes of a model; raises KerasError if it has both."""
    found = {str(layer.config["data_format"]) for layer in model.everything() if layer.config.get("data_format")}
    if len(found - {"channels_last"}) and len(found) > 1:
        raise KerasError("it mixes channels_first and channels_last")
    return found == {"channels_first"}


def _graph(model: KerasModel, builder: Builder, file: KerasFile, shape: tuple[int, ...] | None) -> Graph:
    entries = {layer.name: layer for layer in model.layers if layer.kind == "InputLayer"}
    inputs = [_input(entries[name], builder, shape) for name in model.inputs]
    outputs = _run(model, builder, Weights(file.weights, file.filed), model.inputs)
    ends = [ValueInfo(name=name) for name in outputs]
    return Graph(node=builder.nodes, name="keras", input=inputs, output=ends)


def _run(model: KerasModel, builder: Builder, weights: Weights, inputs: list[str]) -> list[str]:
    """Append the nodes of ``model`` for the values ``inputs``; return the names of its outputs."""
    values: dict[Source, str] = {(name, 0, 0): value for name, value in zip(model.inputs, inputs, strict=True)}
    own = weights.of(model)
    waiting = [(layer, number) for layer in model.layers for number in range(len(layer.calls))]
    while waiting:
        late = []
        for layer, number in waiting:
            operands = [item if isinstance(item, float) else values.get(item) for item in layer.calls[number]]
            if None in operands:
                late.append((layer, number))
                continue
            results = _call(layer, builder, own[layer.name], [item for item in operands if item is not None])
            values.update({(layer.name, number, place): name for place, name in enumerate(results)})
        if len(late) == len(waiting):
            raise KerasError("its layers form a cycle, or one of them is missing")
        waiting = late
    return [values[source] for source in model.outputs]


def _call(layer: KerasLayer, builder: Builder, weights: Weights, operands: list[Any]) -> list[str]:
    if layer.inner is not None:
        return _run(layer.inner, builder, weights, operands)
    builder.layer = layer.name
    return [TRANSLATIONS[layer.kind](builder, layer, operands, weights.list())]


def _input(layer: KerasLayer, builder: Builder, given: tuple[int, ...] | None) -> ValueInfo:
    shape = layer.config.get("batch_shape") or layer.config.get("batch_input_shape")
    if not isinstance(shape, list | tuple) or len(shape) < 2:
        raise KerasError(f"{layer.name}: the input has no shape")
    last = not builder.channels_first and len(shape) > 2
    sides = (shape[-1], *shape[1:-1]) if last else tuple(shape[1:])
    if given is not None and len(given) == len(sides):
        sides = tuple(own if side is None else side for side, own in zip(sides, given, strict=True))
    if None in sides:
        shown = "x".join("?" if side is None else str(side) for side in sides)
        raise KerasError(f"the input has open sides ({shown}); give the shape of a sample: --input 3x224x224")
    builder.ranks[layer.name] = len(shape)
    dims = [Dimension(dim_param="batch"), *(Dimension(dim_value=int(side)) for side in sides)]
    return ValueInfo(name=layer.name, type=Type(tensor_type=TensorType(elem_type=1, shape=TensorShape(dim=dims))))
