"""The closed list of layers that a model file may name."""

from __future__ import annotations

from typing import Any

from striate.errors import ModelFileError, UsageError
from striate.layers import activation, convolution, dense, pooling, shape
from striate.layers.base import Layer

LAYERS: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (
        shape.InputLayer,
        shape.Flatten,
        convolution.Conv1d,
        convolution.Conv2d,
        convolution.Conv3d,
        pooling.MaxPool1d,
        pooling.MaxPool2d,
        pooling.MaxPool3d,
        pooling.AvgPool1d,
        pooling.AvgPool2d,
        pooling.AvgPool3d,
        dense.Linear,
        activation.ReLU,
        activation.Sigmoid,
        activation.Tanh,
        activation.Softmax,
    )
}


def to_dict(layer: Layer) -> dict[str, Any]:
    """Return a layer as JSON types: its type and the arguments that are not the default.

    Examples
    --------
    >>> to_dict(convolution.Conv2d(6, 5))
    {'type': 'Conv2d', 'out_channels': 6, 'kernel_size': [5, 5]}
    """
    return {"type": type(layer).__name__, **layer.config()}


def from_dict(description: dict[str, Any], name: str | None = None) -> Layer:
    """Return the layer that ``to_dict`` described.

    Raises
    ------
    ModelFileError
        If the type is not in the list or the arguments are not its own.
    """
    arguments = dict(description)
    kind = arguments.pop("type", None)
    if not isinstance(kind, str) or kind not in LAYERS:
        raise ModelFileError(f"{name}: layers of this file must be known to striate; got type {kind!r}.")
    try:
        return LAYERS[kind](**arguments, name=name)
    except (TypeError, UsageError) as error:
        raise ModelFileError(f"{name}: the arguments do not describe a {kind}; {error}") from None
