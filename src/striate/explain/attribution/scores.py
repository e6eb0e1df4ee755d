"""The score of one class as a function of the raw input, with its gradient, for many inputs at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from striate import reference
from striate.errors import StriateError, UsageError
from striate.explain.attribution.input_gradient import InputGradient, input_gradient
from striate.explain.class_maps import with_mean_scores
from striate.explain.samples import as_sample, class_number, normalised, raw_scale
from striate.explain.tracing import score_step
from striate.explain.words import behind, embedding_of, vectors
from striate.losses import Loss
from striate.model import Model
from striate.reference.executor import Run
from striate.summary import summarize

MOST_EXACT = 2_000_000
"""Multiply-adds of a network up to which attribution is computed by the reference, in float64."""
AT_ONCE = 16
"""Samples of a batch in the engine: few sizes, because each takes a session of its own."""


@dataclass(frozen=True, eq=False)
class Score:
    """A class of a model, and the picture that is asked about.

    Parameters
    ----------
    model : Model
    raw : float64[*input_shape]
    baseline : float64[*input_shape]
        The picture that holds nothing.
    chosen : int or str, optional
        The class; the one with the highest score by default.
    words : bool
        Whether ``raw`` holds the vectors of words, each a place to cover by itself.
    """

    model: Model
    raw: np.ndarray
    baseline: np.ndarray
    chosen: int | str | None = None
    words: bool = False

    @cached_property
    def ends(self) -> np.ndarray:
        """The scores of all classes for the picture and for the baseline, float64[2, K]."""
        return self.all_scores(np.stack([self.raw, self.baseline]))

    @cached_property
    def target(self) -> int:
        """The number of the class."""
        return class_number(self.model, self.chosen, self.ends[0])

    @cached_property
    def step(self) -> str:
        """The layer that holds the scores, before a final softmax."""
        return score_step(self.model.network)

    @cached_property
    def theta(self) -> np.ndarray:
        """The model's parameters in float64."""
        return self.model.theta.astype(np.float64)

    @cached_property
    def multiply_adds(self) -> int:
        """Those of a forward pass of one sample."""
        return summarize(self.model.network).multiply_adds

    @cached_property
    def engine(self) -> InputGradient | None:
        """Computes gradients in float32 for networks whose reference is slow; None for small ones."""
        if self.multiply_adds <= MOST_EXACT:
            return None
        try:
            return input_gradient(self.model.network, self.step)
        except StriateError:  # a layer without this gradient, or too little memory
            return None

    def run(self, raw: np.ndarray) -> Run:
        """Return everything that the reference computes for raw samples [N, *input_shape]."""
        states = self.model.states.astype(np.float64)
        return reference.forward(self.model.network, self.theta, normalised(self.model, raw), states=states)

    def scores(self, raw: np.ndarray) -> np.ndarray:
        """Return the score of each raw sample, float64[N]."""
        return self.all_scores(raw)[:, self.target]

    def all_scores(self, raw: np.ndarray) -> np.ndarray:
        """Return the scores of all classes for each raw sample, float64[N, K]."""
        if self.engine is None:
            return np.asarray(self.run(raw).values[self.step]).reshape(len(raw), -1)
        before_softmax = Loss.of("cross_entropy")
        found = self.model.scores(np.asarray(raw, np.float32), AT_ONCE, before_softmax)
        return found.reshape(len(raw), -1).astype(np.float64)

    def on_the_way(self, shares: np.ndarray) -> np.ndarray:
        """Return the samples at these shares of the way from the baseline to the picture, float[N, *input_shape].

        They are float32 if the engine computes them.
        """
        dtype = np.float64 if self.engine is None else np.float32
        way, baseline = (self.raw - self.baseline).astype(dtype), self.baseline.astype(dtype)
        found = shares.astype(dtype).reshape(-1, *(1,) * way.ndim) * way
        found += baseline
        return np.asarray(found)

    @cached_property
    def own_gradient(self) -> np.ndarray:
        """The gradient at the picture, float64[*input_shape]."""
        return self.gradient(self.raw[None], np.ones(1))

    def gradient(self, raw: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return ``sum over n of weights[n] * d score / d raw[n]``, float64[*input_shape]."""
        if self.engine is None:
            found = np.tensordot(weights, self.gradients(self.run(raw), self.model.network.steps[0].name), axes=1)
        else:
            found = self.engine.sum(self.model, raw, weights, self.target)
        return np.asarray(found / raw_scale(self.model))

    def gradients(self, run: Run, at: str) -> np.ndarray:
        """Return the derivative of the score by the value of layer ``at``, float64[N, ...], by the reference."""
        scores = run.values[self.step]
        grad = np.zeros((len(scores), int(np.prod(scores.shape[1:]))))
        grad[:, self.target] = 1.0
        _, found = reference.backward(run, grad.reshape(scores.shape), at=self.step, until=at)
        return found.get(at, np.zeros_like(run.values[at]))


def score_of(model: Model, sample: object, target: int | str | None, baseline: object = None) -> Score:
    """Return the score of a class for a sample, its mean over positions if it has any; by default the highest one.

    Of a model of symbols, such as words, the score is a function of their vectors, and 0 stands for the padding
    behind a text.

    Raises
    ------
    UsageError
        If the sample, the class or the baseline does not fit the model.
    """
    model = with_mean_scores(model)
    raw = as_sample(model, sample)
    nothing = _baseline(model, baseline)
    embedding = embedding_of(model.network)
    if embedding is not None:
        raw, nothing = vectors(model, embedding, raw), vectors(model, embedding, nothing)
        model = behind(model, embedding)
    score = Score(model, raw, nothing, target, words=embedding is not None)
    _ = score.target  # raises for an unknown class
    return score


def usual_baseline(model: Model) -> np.ndarray:
    """Return the raw sample that holds nothing, float64[*input_shape]: black, or the mean of the training data.

    Of pictures it is black, of texts padding. In a column of a table or a channel of a series, such as a year or a
    temperature, zero is a value like others: there it is the mean.
    """
    known, rank = model.normalisation, len(model.input_shape) - 1
    if known is None or rank > 1 or embedding_of(model.network) is not None:
        return np.zeros(model.input_shape)
    return np.broadcast_to(np.reshape(known.mean, (-1, *(1,) * rank)), model.input_shape).astype(float)


def _baseline(model: Model, baseline: object) -> np.ndarray:
    if baseline is None:
        return usual_baseline(model)
    if isinstance(baseline, int | float):
        if not np.isfinite(baseline):
            raise UsageError(f"baseline: must be finite; got {baseline}. Use 0 for black.")
        return np.full(model.input_shape, float(baseline))
    return as_sample(model, baseline)
