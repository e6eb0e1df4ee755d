"""Every intermediate value of a model for one sample, and the question why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from striate import reference
from striate.explain.decompositions import Cell, Decomposition, Terms, decompose
from striate.explain.field import Field, field_of
from striate.explain.positions import resolve
from striate.explain.reasons import Why
from striate.explain.samples import as_sample, normalised
from striate.layers.activation import SOFTMAXES
from striate.layers.shape import InputLayer
from striate.model import Model
from striate.network import Network, Step
from striate.reference.executor import Run, parameters_of


def trace(model: Model, sample: Any) -> Trace:
    """Return every intermediate value of ``model`` for ``sample``, computed in float64.

    Parameters
    ----------
    model : Model
    sample : array or path
        One raw sample (the model's normalisation is applied to it), or the path of an image.

    Raises
    ------
    ShapeError
        If the sample is not of the model's input shape.
    UsageError
        If it is no finite numbers.
    DataError
        If a file cannot be read.

    Examples
    --------
    >>> from striate import Model
    >>> from striate.models import lenet5
    >>> network = lenet5()
    >>> found = trace(Model(network, np.full(network.parameter_count, 0.01)), np.ones((1, 28, 28)))
    >>> print(round(found.why("conv1", channel=3, row=0, column=0).value, 6))
    0.1
    """
    raw = as_sample(model, sample)
    states = model.states.astype(np.float64)
    theta = model.theta.astype(np.float64)  # once, not in every function that asks for float64
    run = reference.forward(model.network, theta, normalised(model, raw[None]), states=states)
    return Trace(model, raw, run)


class Trace:
    """The values of every layer for one sample; ``trace["conv1"]`` is float64[C, *space].

    Attributes
    ----------
    model : Model
    raw : float64[*input_shape]
        The sample before the model's normalisation.
    run : Run
        What the reference computed, with a batch axis of 1.
    """

    def __init__(self, model: Model, raw: np.ndarray, run: Run) -> None:
        self.model = model
        self.raw = raw
        self.run = run
        self._parameters = parameters_of(model.network, run.theta)

    @property
    def network(self) -> Network:
        """The model's network."""
        return self.model.network

    def __getitem__(self, layer: str) -> np.ndarray:
        return np.asarray(self.run.values[self.network.step(layer).name][0])

    def __iter__(self) -> Iterator[str]:
        return (step.name for step in self.network.steps)

    def __len__(self) -> int:
        return len(self.network.steps)

    @property
    def output(self) -> np.ndarray:
        """The output of the network, float64[*output_shape]."""
        return np.asarray(self.run.output[0])

    @property
    def scores(self) -> np.ndarray:
        """The class scores before a final softmax (or the outputs), float64[K]."""
        return self[score_step(self.network)].ravel()

    @property
    def scored(self) -> tuple[str, ...]:
        """The layers with one value for each class of the model: scores, and the output."""
        return self._answering(len(self.model.classes)) if self.model.classes else ()

    @property
    def answers(self) -> tuple[str, ...]:
        """The layers with one value for each class, label or number that the model predicts."""
        return self._answering(len(self.model.output_names))

    def _answering(self, count: int) -> tuple[str, ...]:
        found = (score_step(self.network), self.network.steps[-1].name)
        return tuple(name for name in found if self.network.step(name).shape[0] == count)

    def why(
        self,
        layer: str,
        *,
        channel: int | None = None,
        depth: int | None = None,
        row: int | None = None,
        column: int | None = None,
        position: int | None = None,
        feature: int | None = None,
    ) -> Why:
        """Return the numbers that one value of a layer came from.

        Parameters
        ----------
        layer : str
        channel, depth, row, column, position, feature : int
            One for each axis: (feature,), (channel, position), (channel, row, column) or
            (channel, depth, row, column).

        Raises
        ------
        UsageError
            If there is no such layer or place.
        """
        step = self.network.step(layer)
        given = {"channel": channel, "depth": depth, "row": row, "column": column}
        given |= {"position": position, "feature": feature}
        return self.why_at(layer, resolve(layer, step.shape, given))

    def why_at(self, layer: str, index: tuple[int, ...]) -> Why:
        """Return the numbers that the value at ``index``, one number for each axis, came from."""
        step = self.network.step(layer)
        return Why(self, step, index, float(self[layer][index]), self._decompose(step, index))

    def _decompose(self, step: Step, index: tuple[int, ...]) -> Decomposition:
        if isinstance(step.layer, InputLayer):
            return self._input_decomposition(index)
        return decompose(self.cell(step, index))

    def cell(self, step: Step, index: tuple[int, ...]) -> Cell:
        """Return one value of a layer and all that it can depend on."""
        inputs = tuple(self[source] for source in step.inputs)
        states = self.run.contexts[step.name].states
        return Cell(step.layer, self._parameters[step.name], inputs, index, states, self[step.name])

    def _input_decomposition(self, index: tuple[int, ...]) -> Decomposition:
        """Return how the model's normalisation made an input of a raw value."""
        raw, made = float(self.raw[index]), self.model.normalisation
        place = np.array([np.ravel_multi_index(index, self.raw.shape)])
        mean, scale = (0.0, 1.0) if made is None else (made.mean[index[0]], made.scale[index[0]])
        one = np.array([raw])
        terms = Terms(np.zeros(1, np.int64), place, one, np.array([1.0 / scale]), one / scale)
        if made is None:
            return Decomposition(terms, "the raw value", factor_name="factor")
        constants = {"-mean / scale": -mean / scale}
        statistics = {"raw value": raw, "mean": mean, "scale": scale}
        return Decomposition(
            terms, "(raw - mean) / scale", constants, statistics=statistics, factor_name="1 / scale"
        )

    def field(self, layer: str, index: tuple[int, ...]) -> Field:
        """Return what the value at ``index`` sees of the input, in theory and by its gradient."""
        return field_of(self, layer, index)

    def _repr_html_(self) -> str:
        """Return the sample and the first maps of every layer, for notebooks."""
        from striate.drawing.html import element, join, table
        from striate.drawing.images import picture
        from striate.drawing.notebook import shown

        sample = picture(self.raw, float(self.raw.min()), float(self.raw.max()), 84, "sample")
        rows = []
        for step in self.network.steps:
            values = self[step.name]
            low, high = float(values.min()), float(values.max())
            some = [values] if values.ndim == 1 else [one[None] for one in values[:8]]
            maps = join(picture(one, low, high, 42, step.name) for one in some)
            rows.append((step.name, " x ".join(map(str, step.shape)), low, high, maps))
        return shown(element("p", sample), table(("layer", "shape", "least", "largest", "maps"), rows))

    def __repr__(self) -> str:
        return f"<Trace of {self.network.name!r}, {len(self)} layers>"


def score_step(network: Network) -> str:
    """Return the name of the step that holds the class scores: what a final softmax takes, else the output."""
    last = network.steps[-1]
    return last.inputs[0] if isinstance(last.layer, SOFTMAXES) else last.name
