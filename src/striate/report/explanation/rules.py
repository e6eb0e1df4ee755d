"""How each layer computes a value, in the few forms that the page can compute too: sums, maxima, functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from striate.explain.decompositions.linear import constants, kernels, slopes
from striate.explain.tracing import Trace
from striate.layers.base import Layer
from striate.layers.pooling import MaxPooling
from striate.layers.shape import InputLayer
from striate.network import Step
from striate.pages.packing import exact, matrix, pack, shortest, tables

MOST_TERMS = 450_000
"""Weights of all layers together that a page holds."""
MOST_GRADIENT = 100_000_000
"""Numbers of a layer's whole matrix up to which its rows are read from the gradient."""
MOST_TEXTS = 3000
"""Values of a layer for which finished texts are stored, where the page cannot compute them."""


class Rules:
    """Makes the rules of one trace; weights are taken as long as the page has room."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.room = MOST_TERMS

    def of(self, step: Step) -> dict[str, Any]:
        """Return the rule of a layer as JSON types, with ``kind`` naming the function of the page."""
        layer = step.layer
        if isinstance(layer, InputLayer):
            mean, scale = self._normalisation(step.shape[0])
            given = {"kind": "given", "formula": "(raw - mean) * scale", "raw": pack(self.trace.raw, "f8")}
            return {**given, "mean": mean.tolist(), "scale": scale.tolist()}
        rule = self._computed(step, layer)
        if rule is None:
            return self._texts(step)
        biased = any(slot.spec.name == "bias" for slot in step.parameters)
        return {"formula": layer.formula, "constantName": "bias" if biased else "constant", **rule}

    def _normalisation(self, channels: int) -> tuple[np.ndarray, np.ndarray]:
        """Return what is subtracted from each channel, and the factor after that."""
        made = self.trace.model.normalisation
        if made is None:
            return np.zeros(channels), np.ones(channels)
        return np.resize(made.mean, channels), np.resize(1.0 / np.asarray(made.scale, np.float64), channels)

    def _computed(self, step: Step, layer: Layer) -> dict[str, Any] | None:
        if layer.pointwise:
            return self._pointwise(step) if layer.linear else {"kind": "function"}
        if isinstance(layer, MaxPooling):
            shape = step.input_shapes[0]
            return {"kind": "maximum", "axes": tables(layer.window(shape), shape, step.shape)}
        if not layer.linear:
            return None
        size = sum(slot.spec.size for slot in step.parameters)
        if size > self.room:
            return {"kind": "none", "formula": f"the {size:,} weights of this layer are not part of the page"}
        unpadded = layer.unpadded()
        return self._rows(step) if unpadded is None else self._windows(step, unpadded)

    def _pointwise(self, step: Step) -> dict[str, Any]:
        """Return a factor and a constant for each value, or one of them for all."""
        cell = self.trace.cell(step, (0,) * len(step.shape))
        factor, shift = slopes(cell, np.ones((1, *step.shape)))[0].ravel(), constants(cell).ravel()
        return {
            "kind": "pointwise",
            "factor": shortest(factor, step.shape[0]),
            "constant": {"values": shortest(shift, step.shape[0])},
        }

    def _windows(self, step: Step, unpadded: Layer) -> dict[str, Any]:
        """Return the kernel of each output channel, and where the taps of each position lie."""
        window, shape = step.layer.window(*step.input_shapes), step.input_shapes[0]
        assert window is not None
        parameters = self.trace.cell(step, (0,) * len(step.shape)).parameters
        found = kernels(unpadded, parameters, shape[0], window, range(step.shape[0]))
        self.room -= sum(kernel.size for _, kernel, _ in found)
        return {
            "kind": "windows",
            "axes": tables(window, shape, step.shape),
            "channels": [seen.tolist() for seen, _, _ in found],
            "group": list(range(len(found))),
            "weight": exact(np.concatenate([kernel.ravel() for _, kernel, _ in found])),
            "constant": {"values": [constant for _, _, constant in found]},
        }

    def _rows(self, step: Step) -> dict[str, Any] | None:
        """Return the terms of every value, row by row of the layer's matrix."""
        count, entering = math.prod(step.shape), sum(map(math.prod, step.input_shapes))
        if count * entering > MOST_GRADIENT:
            return None
        cell = self.trace.cell(step, (0,) * len(step.shape))
        rows = matrix(cell, count)
        at = [np.flatnonzero(row) for row in rows]
        total = sum(map(len, at))
        if total > self.room:
            return {"kind": "none", "formula": f"the {total:,} terms of this layer are not part of the page"}
        self.room -= total
        return {
            "kind": "rows",
            "starts": pack(np.cumsum([0, *map(len, at)]), "i4"),
            "places": pack(np.concatenate(at), "i4"),
            "weight": exact(np.concatenate([row[here] for row, here in zip(rows, at, strict=True)])),
            "constant": {"values": constants(cell).ravel().tolist()},
        }

    def _texts(self, step: Step) -> dict[str, Any]:
        """Return finished texts for a layer that the page does not compute."""
        count = math.prod(step.shape)
        if count > MOST_TEXTS:
            return {"kind": "none", "formula": step.layer.formula}
        whys = [
            self.trace.why_at(step.name, tuple(map(int, np.unravel_index(n, step.shape)))) for n in range(count)
        ]
        return {
            "kind": "text",
            "texts": [str(why) for why in whys],
            "sums": [why.decomposition.result for why in whys],
        }
