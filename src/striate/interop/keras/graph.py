"""A configuration of Keras as a graph of layers with their inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from striate.interop.keras.file import KerasError


@dataclass(frozen=True)
class KerasLayer:
    """A layer of Keras: its class, name and arguments, and the layers that it reads."""

    kind: str
    name: str
    config: dict[str, Any]
    inputs: tuple[str, ...]


def layers_of(config: dict[str, Any]) -> tuple[list[KerasLayer], list[str]]:
    """Return the layers of a model, and the names of those that are its outputs.

    Raises
    ------
    KerasError
        If it is neither a Sequential nor a functional model, or has models within.
    """
    kind, inner = config.get("class_name"), config.get("config")
    if kind not in ("Sequential", "Functional", "Model") or not isinstance(inner, dict | list):
        raise KerasError(f"only Sequential and functional models are supported; got {str(kind)[:60]!r}")
    items = inner["layers"] if isinstance(inner, dict) else inner
    if kind == "Sequential":
        return _chain(items)
    layers = []
    for item in items:
        sources = tuple(_sources(item.get("inbound_nodes", [])))
        layers.append(KerasLayer(str(item["class_name"]), _name(item), item["config"], sources))
    outputs = inner["output_layers"]  # type: ignore[call-overload]
    names = [outputs[0]] if isinstance(outputs[0], str) else [item[0] for item in outputs]
    return layers, [str(name) for name in names]


def _chain(items: list[dict[str, Any]]) -> tuple[list[KerasLayer], list[str]]:
    layers: list[KerasLayer] = []
    for item in items:
        if item["class_name"] != "InputLayer" and not layers:
            shape = item["config"].get("batch_input_shape") or item["config"].get("batch_shape")
            if shape is None:
                raise KerasError("it does not say the shape of its input")
            layers.append(KerasLayer("InputLayer", "input", {"batch_shape": shape}, ()))
        before = (layers[-1].name,) if layers else ()
        layers.append(KerasLayer(str(item["class_name"]), _name(item), item["config"], before))
    if not layers:
        raise KerasError("it has no layers")
    return layers, [layers[-1].name]


def _name(item: dict[str, Any]) -> str:
    return str(item.get("name") or item["config"]["name"])


def _sources(nodes: Any) -> list[str]:
    """Return the names of the layers that are read, in the forms of Keras 2 and 3."""
    if not nodes:
        return []
    if len(nodes) > 1:
        raise KerasError("a layer is used more than once")
    found: list[str] = []
    stack = [nodes[0]]
    while stack:
        here = stack.pop(0)
        if isinstance(here, dict):
            history = here.get("keras_history") or here.get("config", {}).get("keras_history")
            if history:
                found.append(str(history[0]))
            else:
                stack = [here.get("args", []), *stack] if "args" in here else stack
        elif isinstance(here, list):
            if len(here) >= 3 and isinstance(here[0], str):
                found.append(here[0])
            else:
                stack = [*here, *stack]
    return found
