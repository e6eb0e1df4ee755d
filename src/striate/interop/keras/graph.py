"""A configuration of Keras as calls of layers: models within are taken apart, shared layers are called again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from striate.interop.keras.file import KerasError

MODELS = ("Sequential", "Functional", "Model")
DEEPEST = 20  # models within models

Source = tuple[str, int, int]
"""The name of a layer, which of its calls, and which of the values that the call returns."""


@dataclass(frozen=True)
class KerasLayer:
    """A layer of Keras.

    Parameters
    ----------
    kind, name : str
        Its class, and its own name.
    config : dict
        Its arguments.
    calls : tuple of tuples
        The operands of each call: values of other layers, or numbers.
    inner : KerasModel, optional
        What it holds, if it is a model.
    """

    kind: str
    name: str
    config: dict[str, Any]
    calls: tuple[tuple[Source | float, ...], ...] = ()
    inner: KerasModel | None = None


@dataclass(frozen=True)
class KerasModel:
    """Layers, and which of their values go in and out."""

    layers: list[KerasLayer]
    inputs: list[str] = field(default_factory=list)
    outputs: list[Source] = field(default_factory=list)

    def everything(self) -> Iterator[KerasLayer]:
        """Yield all layers, and those of models within."""
        for layer in self.layers:
            if layer.inner is None:
                yield layer
            else:
                yield from layer.inner.everything()


def model_of(config: dict[str, Any], depth: int = 0) -> KerasModel:
    """Return the layers of a model.

    Raises
    ------
    KerasError
        If it is neither a Sequential nor a functional model.
    """
    kind, inner = config.get("class_name"), config.get("config")
    if kind not in MODELS or not isinstance(inner, dict | list):
        raise KerasError(f"only Sequential and functional models are supported; got {str(kind)[:60]!r}")
    if depth > DEEPEST:
        raise KerasError(f"it has models within models, more than {DEEPEST} deep")
    items = inner["layers"] if isinstance(inner, dict) else inner
    if kind == "Sequential":
        return _chain(items, inner if isinstance(inner, dict) else {}, depth)
    layers = [_layer(item, depth, tuple(_calls(item.get("inbound_nodes", [])))) for item in items]
    assert isinstance(inner, dict)
    entries = [layer.name for layer in layers if layer.kind == "InputLayer"]
    inputs = [name for name, _, _ in _ends(inner.get("input_layers") or [[name, 0, 0] for name in entries])]
    return KerasModel(layers, inputs, _ends(inner["output_layers"]))


def _layer(item: dict[str, Any], depth: int, calls: tuple[tuple[Source | float, ...], ...]) -> KerasLayer:
    kind, name = str(item["class_name"]), str(item.get("name") or item["config"]["name"])
    if kind in MODELS:
        return KerasLayer(kind, name, {}, calls, model_of(item, depth + 1))
    return KerasLayer(kind, name, item["config"], calls)


def _chain(items: list[dict[str, Any]], config: dict[str, Any], depth: int) -> KerasModel:
    layers: list[KerasLayer] = []
    for item in items:
        if item["class_name"] != "InputLayer" and not layers:
            layers.append(KerasLayer("InputLayer", "input", {"batch_shape": _first_shape(item, config)}))
        before: tuple[tuple[Source | float, ...], ...] = (((layers[-1].name, 0, 0),),) if layers else ()
        layers.append(_layer(item, depth, before))
    if not layers:
        raise KerasError("it has no layers")
    return KerasModel(layers, [layers[0].name], [(layers[-1].name, 0, 0)])


def _first_shape(item: dict[str, Any], model: dict[str, Any]) -> list[int | None]:
    """Return the shape that the first layer of a Sequential takes, wherever the file states it."""
    own = item["config"]
    if item["class_name"] in MODELS:
        inner = own["layers"] if isinstance(own, dict) else own
        return _first_shape(inner[0], own if isinstance(own, dict) else {})
    places = [own.get("batch_shape"), own.get("batch_input_shape"), model.get("build_input_shape"),
              (item.get("build_config") or {}).get("input_shape")]  # fmt: skip
    found = next((shape for shape in places if shape), None)
    if not isinstance(found, list):
        raise KerasError("the shape of its input is missing")
    return found


def _ends(items: Any) -> list[Source]:
    """Return inputs or outputs: one [name, call, value], or a list of them."""
    if isinstance(items, dict):
        items = list(items.values())
    items = [items] if items and isinstance(items[0], str) else items
    return [(str(item[0]), int(item[1]), int(item[2])) for item in items]


def _calls(nodes: Any) -> Iterator[tuple[Source | float, ...]]:
    """Yield the operands of each call, in the forms of Keras 2 and 3."""
    for node in nodes:
        found: list[Source | float] = []
        _gather(node, found)
        yield tuple(found)


def _gather(here: Any, found: list[Source | float]) -> None:
    if isinstance(here, dict):
        history = here.get("keras_history") or (here.get("config") or {}).get("keras_history")
        if history:
            found.append((str(history[0]), int(history[1]), int(history[2])))
        elif "args" in here:
            _gather([here["args"], *(here.get("kwargs") or {}).values()], found)
    elif isinstance(here, list | tuple):
        if len(here) >= 3 and isinstance(here[0], str):
            found.append((here[0], int(here[1]), int(here[2])))
            _gather(list(here[3].values()) if len(here) > 3 and isinstance(here[3], dict) else [], found)
        else:
            for item in here:
                _gather(item, found)
    elif isinstance(here, int | float) and not isinstance(here, bool):
        found.append(float(here))
