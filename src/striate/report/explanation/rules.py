"""The rules of the layers of one trace, and the weights that they need, as far as the page has room."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from striate.explain.tracing import Trace
from striate.network import Step
from striate.pages.packing import exact, pack
from striate.pages.rules import Rule, rule_of
from striate.targets.image import normalisation_of

MOST_WEIGHTS = 450_000
"""Weights of all layers together that a page holds."""
LETTERS = 6
"""Letters that hold a weight in single precision."""
MOST_TEXTS = 3000
"""Values of a layer for which finished texts are stored, where the page cannot compute them."""


class Rules:
    """Makes the rules of one trace; weights are taken as long as the page has room."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.room = MOST_WEIGHTS

    def of(self, step: Step) -> dict[str, Any]:
        """Return the ``rule`` of a layer as JSON types, with the ``weights`` that it names."""
        size = sum(slot.spec.size for slot in step.parameters)
        if size > self.room:
            text = f"the {size:,} weights of this layer are not part of the page"
            return {"rule": {"kind": "none", "formula": text}}
        rule = rule_of(self.trace.model, step, self.room)
        self.room -= size + len(rule.get("weight", {}).get("data", "")) // LETTERS
        if rule["kind"] == "given":
            mean, scale = normalisation_of(self.trace.model, np.float64)
            own = {"mean": mean.tolist(), "scale": scale.tolist(), "raw": pack(self.trace.raw, "f8")}
            return {"rule": rule | own}  # in the precision of the trace
        return {"rule": self._texts(step, rule) if rule["kind"] == "none" else rule, **self._weights(step)}

    def _weights(self, step: Step) -> dict[str, Any]:
        """Return the parameters of a layer, and where they begin in those of the network."""
        if not step.parameters:
            return {}
        begin, last = step.parameters[0].offset, step.parameters[-1]
        values = self.trace.model.theta[begin : last.offset + last.spec.size]
        return {"weights": {"begin": begin, "values": exact(values)}}

    def _texts(self, step: Step, rule: Rule) -> Rule:
        """Return finished texts for a layer that the page does not compute, if it is small."""
        count = math.prod(step.shape)
        if count > MOST_TEXTS:
            return rule
        whys = [
            self.trace.why_at(step.name, tuple(map(int, np.unravel_index(n, step.shape)))) for n in range(count)
        ]
        return {
            "kind": "text",
            "texts": [str(why) for why in whys],
            "sums": [why.decomposition.result for why in whys],
        }
