"""Why a value is what it is, and its path back to the pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.explain.board import write
from striate.explain.decompositions import Decomposition, Terms
from striate.explain.field import Field
from striate.explain.positions import place_text
from striate.layers.activation import Activation
from striate.layers.shape import InputLayer
from striate.network import Step

if TYPE_CHECKING:
    from striate.explain.tracing import Trace


@dataclass(frozen=True, eq=False)
class Why:
    """The numbers that one value came from; ``str()`` writes them as on a blackboard.

    Parameters
    ----------
    trace : Trace
    step : Step
        The layer.
    index : tuple of int
        Where in the layer.
    value : float
        What the network gave.
    decomposition : Decomposition
        The terms, constants and statistics that make it up.
    """

    trace: Trace
    step: Step
    index: tuple[int, ...]
    value: float
    decomposition: Decomposition

    @property
    def place(self) -> str:
        """The position in words."""
        return place_text(self.step.name, self.step.shape, self.index) + (f" ({self.label})" if self.label else "")

    @property
    def label(self) -> str:
        """The class whose score or probability this is; empty for other values and for classes without names."""
        named = self.trace.scored and self.step.name in self.trace.scored
        name = self.trace.model.classes[self.index[0]] if named else ""
        return "" if name == str(self.index[0]) else name

    def to_dict(self) -> dict[str, Any]:
        """Return place, value, rule and terms as JSON types."""
        terms = self.terms
        return {
            "layer": self.step.name,
            "index": self.index,
            "value": self.value,
            "rule": self.decomposition.rule,
            "sum": self.sum,
            "constants": dict(self.decomposition.constants),
            "statistics": self.statistics,
            "terms": [
                {
                    "source": self.sources[int(terms.inputs[t])] if self.sources else "raw",
                    "at": self.origin(t),
                    "value": float(terms.values[t]),
                    "factor": None if terms.factors is None else float(terms.factors[t]),
                    "product": float(terms.products[t]),
                }
                for t in range(len(terms))
            ],
        }

    @property
    def sources(self) -> tuple[str, ...]:
        """The layers that the terms come from."""
        return self.step.inputs

    @property
    def terms(self) -> Terms:
        """The summands, in the order of the window; ``terms.order`` sorts them by size."""
        return self.decomposition.terms

    @property
    def window(self) -> np.ndarray | None:
        """The input values in the window, float64[C, *kernel], for layers with a window."""
        return self.decomposition.window

    @property
    def kernel(self) -> np.ndarray | None:
        """The weights of the window, float64[C, *kernel], for convolutions."""
        return self.decomposition.kernel

    @property
    def products(self) -> np.ndarray:
        """What each term adds, float64[T]."""
        return self.decomposition.terms.products

    @property
    def bias(self) -> float:
        """The layer's bias; 0 where it has none."""
        return float(self.decomposition.constants.get("bias", 0.0))

    @property
    def sum(self) -> float:
        """The sum of all terms and constants."""
        return self.decomposition.total

    @property
    def statistics(self) -> dict[str, float]:
        """What the terms depend on, such as mean and variance of a normalisation."""
        return dict(self.decomposition.statistics)

    @property
    def activation(self) -> Why | None:
        """The value after the following activation, if exactly one layer follows and it is an activation."""
        followers = [step for step in self.trace.network.steps if self.step.name in step.inputs]
        if len(followers) != 1 or not isinstance(followers[0].layer, Activation):
            return None
        return self.trace.why_at(followers[0].name, self.index)

    @property
    def winner(self) -> tuple[int, ...] | None:
        """Where in the input the maximum came from, for layers that choose one."""
        return None if self.decomposition.winner is None else self.origin(self.decomposition.winner)

    @property
    def rivals(self) -> list[tuple[tuple[int, ...], float]]:
        """The other candidates of a maximum inside the input and their values, the nearest rival first."""
        if self.decomposition.winner is None:
            return []
        order = np.argsort(-self.terms.values, kind="stable")
        inside = [int(t) for t in order if t != self.decomposition.winner and self.terms.places[t] >= 0]
        return [(self.origin(t), float(self.terms.values[t])) for t in inside]

    def origin(self, term: int) -> tuple[int, ...]:
        """Return the index of a term in the layer it comes from; () where it is beyond the edge."""
        place = int(self.terms.places[term])
        if place < 0:
            return ()
        shape = self.trace[self._source(term)].shape if self.step.inputs else self.step.shape
        return tuple(int(i) for i in np.unravel_index(place, shape))

    def _source(self, term: int) -> str:
        return self.step.inputs[int(self.terms.inputs[term])]

    def back(self, largest: int = 5) -> list[Why]:
        """Return why the values behind the largest terms are what they are, at most ``largest`` of them."""
        if isinstance(self.step.layer, InputLayer):
            return []
        order = [int(t) for t in self.terms.order if self.terms.places[t] >= 0]
        if self.decomposition.winner is not None:
            order = [self.decomposition.winner]
        return [self.trace.why_at(self._source(t), self.origin(t)) for t in order[:largest]]

    def chain(self) -> list[Why]:
        """Return this value and, one layer after the other, the one behind the largest term, down to the pixel."""
        links = [self]
        while found := links[-1].back(1):
            links.append(found[0])
        return links

    def field(self) -> Field:
        """Return what the value sees of the input: size, stride and offset, and the gradient's support."""
        return self.trace.field(self.step.name, self.index)

    def __str__(self) -> str:
        return write(self)

    def _repr_html_(self) -> str:
        """Return the numbers as on a blackboard, for notebooks."""
        from striate.drawing.html import element
        from striate.drawing.notebook import shown

        return shown(element("pre", str(self)))

    def __repr__(self) -> str:
        return f"<Why {self.place} = {self.value:.6g}, {len(self.terms)} terms>"
