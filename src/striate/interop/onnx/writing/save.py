"""A model as one ONNX file: opset 17, IR version 8, any batch size."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import striate
from striate.errors import ModelFileError
from striate.interop.onnx.messages import (
    Dimension,
    Graph,
    OperatorSet,
    TensorShape,
    TensorType,
    Text,
    Type,
    ValueInfo,
)
from striate.interop.onnx.messages import (
    Model as ModelMessage,
)
from striate.interop.onnx.writing.graph import GraphWriter, translation
from striate.interop.protobuf import encode
from striate.layers.base import Shape
from striate.layers.shape import InputLayer
from striate.model import Model
from striate.storage.atomic import write_atomically

OPSET, IR_VERSION = 17, 8
LARGEST = 2**31 - 1  # bytes of a protocol buffer


def save(model: Model, path: str | Path, *, preprocessing: bool = True) -> Path:
    """Write ``model`` as an ONNX file, atomically; return where it is.

    The graph takes float32 samples [batch, C, *space] and gives what ``Model.outputs`` gives, for a regression
    in the unit of the targets. An operation that ONNX does not have is written as its parts.

    Parameters
    ----------
    preprocessing : bool
        Whether normalisation is part of the graph; without it, the graph takes normalised samples.

    Raises
    ------
    ModelFileError
        If the model is quantised, a layer of your own has no translation, the file would be larger than 2 GB, or
        cannot be written.
    """
    message = encode(to_message(model, preprocessing=preprocessing))
    if len(message) > LARGEST:
        raise ModelFileError(f"{path}: an ONNX file holds at most 2 GB; got {len(message):,} bytes.")
    return write_atomically(path, message)


def to_message(model: Model, *, preprocessing: bool = True) -> ModelMessage:
    """Return ``model`` as the message that an ONNX file holds.

    Raises ModelFileError if a layer has no translation.
    """
    if model.network.is_quantised:
        raise ModelFileError(
            f"{model.network.name}: ONNX export takes float32 models; got a quantised one. Export the model that "
            "it came from."
        )
    graph = GraphWriter(model.network, model.theta, model.states)
    output = _write_steps(graph, model, preprocessing)
    graph.prefix = "output"
    output = graph.add("Identity", output) if output == "input" else output
    _rename(graph, output, "output")
    body = Graph(
        node=graph.nodes,
        name=model.network.name,
        initializer=list(graph.constants.values()),
        input=[_value("input", model.input_shape)],
        output=[_value("output", model.network.output_shape)],
    )
    return ModelMessage(
        ir_version=IR_VERSION,
        producer_name="striate",
        producer_version=striate.__version__,
        graph=body,
        opset_import=[OperatorSet(domain="", version=OPSET)],
        metadata_props=_metadata(model, preprocessing),
    )


def _write_steps(graph: GraphWriter, model: Model, preprocessing: bool) -> str:
    """Write every step that the output depends on; return the name of the output."""
    network = model.network
    needed = {network.steps[-1].name}
    for step in reversed(network.steps):
        if step.name in needed:
            needed.update(step.inputs)
    for step in network.steps:
        if step.name not in needed:
            continue
        graph.prefix = step.name
        if isinstance(step.layer, InputLayer):
            graph.values[step.name] = _normalised(graph, model) if preprocessing else "input"
            continue
        write = translation(step.layer)
        if write is None:
            raise ModelFileError(
                f"{step.name}: every layer needs a translation to ONNX; got {type(step.layer).__name__}. "
                "Register one with striate.interop.onnx.writing.writes."
            )
        graph.values[step.name] = write(graph, step)
    return _in_user_units(graph, model, graph.values[network.steps[-1].name])


def _normalised(graph: GraphWriter, model: Model) -> str:
    """Return ``(x - mean) / scale`` for every channel."""
    if model.normalisation is None:
        return "input"
    rank = len(model.input_shape)
    mean, scale = (np.asarray(values) for values in (model.normalisation.mean, model.normalisation.scale))
    centred = graph.add("Sub", "input", graph.per_channel(mean, rank))
    return graph.add("Div", centred, graph.per_channel(scale, rank))


def _in_user_units(graph: GraphWriter, model: Model, output: str) -> str:
    """Return the output of a regression in the unit of its targets."""
    units = model.output_units
    if units is None:
        return output
    scale, shift = (graph.per_channel(values, len(model.network.output_shape)) for values in units)
    return graph.add("Add", graph.add("Mul", output, scale), shift)


def _rename(graph: GraphWriter, name: str, wanted: str) -> None:
    """Let the value ``name`` be called ``wanted``."""
    for node in graph.nodes:
        if name in node.output:
            node.output = [wanted if output == name else output for output in node.output]
        node.input = [wanted if source == name else source for source in node.input]


def _value(name: str, shape: Shape) -> ValueInfo:
    sides = [Dimension(dim_param="batch"), *(Dimension(dim_value=side) for side in shape)]
    return ValueInfo(name=name, type=Type(tensor_type=TensorType(elem_type=1, shape=TensorShape(dim=sides))))


def _metadata(model: Model, preprocessing: bool) -> list[Text]:
    described = {"preprocessing": "in the graph" if preprocessing else "left out"}
    if model.normalisation is not None and not preprocessing:
        described["normalisation"] = json.dumps(model.normalisation.to_dict())
    if model.classes:
        described["classes"] = json.dumps(list(model.classes))
    if model.metadata.get("preparation"):
        described["preparation"] = json.dumps(model.metadata["preparation"])
    return [Text(key=f"striate.{key}", value=value) for key, value in described.items()]
