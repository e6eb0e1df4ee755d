"""A network as the few parts that are drawn."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from striate.layers.base import Shape
from striate.layers.shape import InputLayer
from striate.network import Network, Step

MOST_PARTS = 120  # of a drawing whose folding was left open

COLOURS = {
    "input": ("#ffffff", "#1a1a1a"),
    "convolution": ("#cfe3f2", "#2f6ea8"),
    "pooling": ("#fbe0c8", "#c2570c"),
    "dense": ("#d9ecd0", "#3f7d20"),
    "join": ("#e6dbf0", "#7b3fa0"),
    "group": ("#dde3ea", "#4f5d75"),
    "other": ("#eeeeee", "#6b6b6b"),
}
"""Face and edge of what is drawn, by the kind of a part."""


@dataclass(frozen=True)
class Part:
    """Some steps that are drawn as one: a layer with the activation that follows it, or a whole block.

    Parameters
    ----------
    name : str
        Of its first step, or what the names of its steps begin with.
    kind : str
        A key of `COLOURS`.
    steps : tuple of Step
    inputs : tuple of str
        Names of the parts that it reads.
    """

    name: str
    kind: str
    steps: tuple[Step, ...]
    inputs: tuple[str, ...]

    @property
    def shape(self) -> Shape:
        """The shape of its output, before it is flattened."""
        rank = len(self.steps[0].shape)
        return next((step.shape for step in reversed(self.steps) if len(step.shape) == rank), self.steps[-1].shape)

    @property
    def parameters(self) -> int:
        """The number of its parameters."""
        return sum(slot.spec.size for step in self.steps for slot in step.parameters)

    @property
    def lines(self) -> tuple[str, ...]:
        """What it computes: the layer, and what is applied to its output."""
        if self.kind == "group":
            return self.name, f"{len(self.steps)} layers, {self.parameters:,} parameters"
        first, *rest = (_words(step) for step in self.steps)
        return (first, ", ".join(rest)) if rest else (first,)


def parts_of(network: Network, fold: int | None = None) -> tuple[Part, ...]:
    """Return the parts of a network in topological order.

    A step that changes neither the number of values nor looks at neighbours, such as an activation, becomes part of
    the layer before it.

    Parameters
    ----------
    network : Network
    fold : int, optional
        Join steps whose names have the same first ``fold`` components, as in ``stage1/block1/conv1``; 0 joins none.
        By default as few as needed for at most 120 parts.

    Examples
    --------
    >>> from striate.models import lenet5
    >>> [part.name for part in parts_of(lenet5())]
    ['input', 'conv1', 'pool1', 'conv2', 'pool2', 'linear1', 'linear2', 'linear3']
    """
    single = _singles(network)
    if fold is not None:
        return _folded(single, fold) if fold else single
    parts, depth = single, max(part.name.count("/") for part in single)
    while len(parts) > MOST_PARTS and depth > 0:
        parts, depth = _folded(single, depth), depth - 1
    return parts


def is_chain(parts: Sequence[Part]) -> bool:
    """Return whether every part reads the one before it and no other."""
    return all(part.inputs == (before.name,) for before, part in itertools.pairwise(parts))


def _singles(network: Network) -> tuple[Part, ...]:
    readers = Counter(source for step in network.steps for source in step.inputs)
    owner: dict[str, str] = {}
    parts: dict[str, Part] = {}
    for step in network.steps:
        before = step.inputs[0] if step.inputs else ""
        if follows(step) and readers[before] == 1 and owner[before] != "input":
            joined = parts[owner[before]]
            parts[joined.name] = replace(joined, steps=(*joined.steps, step))
            owner[step.name] = joined.name
        else:
            inputs = tuple(owner[source] for source in step.inputs)
            parts[step.name] = Part(step.name, _kind(step), (step,), inputs)
            owner[step.name] = step.name
    return tuple(parts.values())


def follows(step: Step) -> bool:
    """Return whether a step only changes the values of the layer before it, one by one or as a whole."""
    if len(step.inputs) != 1 or step.layer.window(*step.input_shapes) is not None:
        return False
    matrix = any(len(slot.spec.shape) > 1 for slot in step.parameters)
    return not matrix and math.prod(step.shape) == math.prod(step.input_shapes[0])


def _folded(parts: Sequence[Part], depth: int) -> tuple[Part, ...]:
    """Return the parts with those of one prefix joined, unless that would create a cycle."""
    groups: dict[str, list[Part]] = {}
    for part in parts:
        prefix = "/".join(part.name.split("/")[:depth]) if part.name.count("/") >= depth else part.name
        groups.setdefault(prefix, []).append(part)
    place = {part.name: n for n, part in enumerate(parts)}
    owner: dict[str, str] = {}
    for prefix, members in groups.items():
        first, last = place[members[0].name], place[members[-1].name]
        whole = last - first + 1 == len(members)  # others between them could depend on some and feed others
        owner |= {part.name: prefix if whole and len(members) > 1 else part.name for part in members}
    found: dict[str, Part] = {}
    for part in parts:
        name = owner[part.name]
        inputs = tuple(dict.fromkeys(owner[source] for source in part.inputs if owner[source] != name))
        if name in found:
            joined = found[name]
            more = tuple(source for source in inputs if source not in joined.inputs)
            found[name] = replace(joined, steps=joined.steps + part.steps, inputs=joined.inputs + more)
        else:
            found[name] = replace(part, name=name, inputs=inputs, kind="group" if name != part.name else part.kind)
    return tuple(found.values())


def _kind(step: Step) -> str:
    if isinstance(step.layer, InputLayer):
        return "input"
    if len(step.inputs) > 1:
        return "join"
    if step.layer.window(*step.input_shapes) is not None or "pool" in step.layer.kind:
        return "convolution" if step.parameters else "pooling"
    return "dense" if any(len(slot.spec.shape) > 1 for slot in step.parameters) else "other"


def _words(step: Step) -> str:
    """Return what a step does, in a few words."""
    layer = step.layer
    text = type(layer).__name__.removesuffix("Layer")
    window = layer.window(*step.input_shapes)
    if window is not None and hasattr(layer, "kernel_size"):
        text += " " + " × ".join(map(str, window.kernel))
        stride = set(window.stride)
        text += f" /{stride.pop()}" if len(stride) == 1 and stride != {1} else ""
    count = getattr(layer, "out_channels", None) or getattr(layer, "out_features", None)
    groups = getattr(layer, "groups", 1)
    return ", ".join([text, *([str(count)] if count else []), *([f"{groups} groups"] if groups > 1 else [])])
