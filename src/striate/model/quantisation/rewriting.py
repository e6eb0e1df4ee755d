"""The graph of a quantised network: integer layers, with conversions to and from float layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from striate import layers
from striate.engine.graph import readers
from striate.layers.base import Node, Quantisation
from striate.layers.convolution import Convolution
from striate.layers.quantised import QuantisedConvolution
from striate.layers.shape import Input, InputLayer
from striate.model.part import named
from striate.model.quantisation.choice import IDLE, Sums, moves
from striate.network import Network, Step


@dataclass
class Rewriting:
    """A network under construction.

    Parameters
    ----------
    source : Network
    chosen : mapping of str to Sums
        The layers that become whole numbers, by name.
    ranges : mapping of str to Quantisation
        What whole numbers stand for, for every value that chosen layers read or give.

    Attributes
    ----------
    floats, whole : dict of str to Node
        The values of the source that exist so far, as floats and as whole numbers.
    """

    source: Network
    chosen: Mapping[str, Sums]
    ranges: Mapping[str, Quantisation]
    floats: dict[str, Node] = field(default_factory=dict)
    whole: dict[str, Node] = field(default_factory=dict)

    def network(self) -> Network:
        """Return the quantised network."""
        self._readers = readers(self.source)
        gone = {step.name for sums in self.chosen.values() for step in (*sums.affine, sums.relu) if step}
        for step in self.source.steps:
            if step.name not in gone:
                self._add(step)
        return Network(self.floats[self.source.steps[-1].name], self.source.name)

    def _add(self, step: Step) -> None:
        if isinstance(step.layer, InputLayer):
            self.floats[step.name] = Input(step.shape, step.name)
        elif step.name in self.chosen:
            self._add_sums(self.chosen[step.name])
        elif isinstance(step.layer, IDLE):
            for values in (self.floats, self.whole):
                if step.inputs[0] in values:
                    values[step.name] = values[step.inputs[0]]
        elif step.layer.keeps_quantisation and step.inputs[0] in self.whole:
            self.whole[step.name] = named(step)(self.whole[step.inputs[0]])
        else:
            self.floats[step.name] = named(step)(*(self.floats[name] for name in step.inputs))

    def _add_sums(self, sums: Sums) -> None:
        x = self._as_whole(sums.step.inputs[0])
        assert x.quantisation is not None
        out = self.ranges[sums.end] if self._stays_whole(sums.end) else None
        options: dict[str, Any] = {
            "input_scale": x.quantisation.scale,
            "input_zero_point": x.quantisation.zero_point,
            "output_scale": None if out is None else out.scale,
            "output_zero_point": 0 if out is None else out.zero_point,
            "relu": sums.relu is not None,
            "name": sums.step.name,
        }
        node = _whole_layer(sums.step, options)(x)
        (self.floats if out is None else self.whole)[sums.end] = node

    def _stays_whole(self, name: str) -> bool:
        """Return whether all readers of a value, or of the same value moved, take integers."""
        following = self._readers[name]
        return bool(following) and all(
            step.name in self.chosen or (moves(step) and self._stays_whole(step.name)) for step in following
        )

    def _as_whole(self, name: str) -> Node:
        if name not in self.whole:
            found = self.ranges[name]
            self.whole[name] = layers.Quantise(found.scale, found.zero_point)(self.floats[name])
        return self.whole[name]


def _whole_layer(step: Step, options: dict[str, Any]) -> layers.Layer:
    layer: Any = step.layer
    if not isinstance(layer, Convolution):
        return layers.QuantisedLinear(layer.out_features, **options)
    kind: Any = getattr(layers, f"QuantisedConv{layer.rank}d")
    geometry = {key: getattr(layer, key) for key in QuantisedConvolution.geometry()}
    found: layers.Layer = kind(**geometry, **options)
    return found
