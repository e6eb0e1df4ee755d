"""The closed list of layers that a model file may name."""

from __future__ import annotations

from typing import Any

from striate import layers
from striate.errors import ModelFileError, UsageError
from striate.layers.base import Layer
from striate.layers.shape import InputLayer

LAYERS: dict[str, type[Layer]] = {
    name: getattr(layers, name) for name in layers.__all__ if name not in ("Input", "Layer", "Node")
}
LAYERS["InputLayer"] = InputLayer


def register(cls: type[Layer]) -> type[Layer]:
    """Register a layer of your own, so that model files can name it; use it as a decorator.

    Raises
    ------
    UsageError
        If another layer has the name already.
    """
    if LAYERS.setdefault(cls.__name__, cls) is not cls:
        raise UsageError(f"{cls.__name__}: a registered layer needs a unique name; this one is taken. Rename it.")
    return cls


def to_dict(layer: Layer) -> dict[str, Any]:
    """Return a layer as JSON types: its type and the arguments that differ from the defaults.

    Examples
    --------
    >>> to_dict(layers.Conv2d(6, 5))
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
