"""The score of one class as a function of the raw input, with its gradient, for many inputs at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from striate import reference
from striate.errors import UsageError
from striate.explain.samples import as_sample, class_number, normalised, raw_scale
from striate.explain.tracing import score_step
from striate.model import Model
from striate.reference.executor import Run


@dataclass(frozen=True, eq=False)
class Score:
    """A class of a model, and the picture that is asked about.

    Parameters
    ----------
    model : Model
    raw : float64[*input_shape]
    baseline : float64[*input_shape]
        The picture that holds nothing.
    target : int
        The class.
    """

    model: Model
    raw: np.ndarray
    baseline: np.ndarray
    target: int

    @cached_property
    def step(self) -> str:
        """The layer that holds the scores, before a final softmax."""
        return score_step(self.model.network)

    @cached_property
    def theta(self) -> np.ndarray:
        """The model's parameters in float64."""
        return self.model.theta.astype(np.float64)

    def run(self, raw: np.ndarray) -> Run:
        """Return everything that the network computes for raw samples [N, *input_shape]."""
        states = self.model.states.astype(np.float64)
        return reference.forward(self.model.network, self.theta, normalised(self.model, raw), states=states)

    def of(self, run: Run) -> np.ndarray:
        """Return the score of each sample of a run, float64[N]."""
        scores = run.values[self.step]
        return np.asarray(scores.reshape(len(scores), -1)[:, self.target])

    def scores(self, raw: np.ndarray) -> np.ndarray:
        """Return the score of each raw sample, float64[N]."""
        return self.of(self.run(raw))

    def gradients(self, run: Run, at: str | None = None) -> np.ndarray:
        """Return the derivative of the score by the raw input, or by the value of layer ``at``, float64[N, ...]."""
        scores = run.values[self.step]
        grad = np.zeros((len(scores), int(np.prod(scores.shape[1:]))))
        grad[:, self.target] = 1.0
        _, found = reference.backward(run, grad.reshape(scores.shape), at=self.step)
        first = self.model.network.steps[0].name
        name = at or first
        gradient = found.get(name, np.zeros_like(run.values[name]))
        return gradient / raw_scale(self.model) if at is None else gradient


def score_of(model: Model, sample: object, target: int | str | None, baseline: object = 0.0) -> Score:
    """Return the score of a class for a sample; the class the model chooses by default.

    Raises
    ------
    UsageError
        If the sample, the class or the baseline does not fit the model.
    """
    raw = as_sample(model, sample)
    nothing = _baseline(model, baseline)
    unaimed = Score(model, raw, nothing, 0)
    scores = unaimed.run(raw[None]).values[unaimed.step][0].ravel()
    return Score(model, raw, nothing, class_number(model, target, scores))


def _baseline(model: Model, baseline: object) -> np.ndarray:
    if isinstance(baseline, int | float):
        if not np.isfinite(baseline):
            raise UsageError(f"baseline: must be finite; got {baseline}. Use 0 for black.")
        return np.full(model.input_shape, float(baseline))
    return as_sample(model, baseline)
