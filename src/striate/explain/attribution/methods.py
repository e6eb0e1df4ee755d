"""All attribution methods by name, and their results."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.drawing.notebook import Readable
from striate.errors import UsageError, unknown_name
from striate.explain.attribution.gradients import gradient, gradient_times_input, integrated_gradients, smooth_grad
from striate.explain.attribution.regions import grad_cam, maps, occlusion
from striate.explain.attribution.scores import Score, score_of
from striate.losses import CLASSES
from striate.model import Model

if TYPE_CHECKING:
    from matplotlib.axes import Axes

METHODS: dict[str, Callable[..., np.ndarray]] = {
    "gradient": gradient,
    "gradient-x-input": gradient_times_input,
    "smoothgrad": smooth_grad,
    "integrated-gradients": integrated_gradients,
    "grad-cam": grad_cam,
    "occlusion": occlusion,
}


@dataclass(frozen=True, eq=False, repr=False)
class Attribution(Readable):
    """How much each input speaks for (above 0) or against a class or label, or raises or lowers a number.

    Parameters
    ----------
    method : str
    target : int
        The class, label or number.
    class_name : str
        Its name.
    values : float64[*input_shape] or float64[*space]
        Per input value, or per position for methods that look at regions.
    score, baseline_score : float
        The class score (before a softmax) of the picture and of the baseline.
    kind : {"classes", "labels", "numbers"}
        What the model predicts.
    """

    method: str
    target: int
    class_name: str
    values: np.ndarray
    score: float
    baseline_score: float
    kind: str = CLASSES

    def __str__(self) -> str:
        values, shape = self.values, " x ".join(map(str, self.values.shape))
        return (
            f"{self.method} for {self.class_name!r}: score {self.score:.6g}, {self.baseline_score:.6g} of nothing\n"
            f"{shape} values from {values.min():.4g} to {values.max():.4g}, which add up to {values.sum():.6g}"
        )

    def map(self, rank: int) -> np.ndarray:
        """Return the values summed over the channels, where there are ``rank`` axes of space.

        Of a table, whose space is a single position, the value of each feature.
        """
        if self.values.ndim > 1 and self.values[0].size == 1:
            return self.values.reshape(-1)
        return self.values.sum(axis=0) if self.values.ndim > max(rank, 1) else self.values

    def _drawn(self) -> Axes:
        from striate.explain.attribution.draw import draw_attribution

        return draw_attribution(self)


def attribute(
    model: Model,
    sample: Any,
    method: str = "integrated-gradients",
    target: int | str | None = None,
    *,
    baseline: Any = None,
    **options: Any,
) -> Attribution:
    """Return how much each input speaks for a class.

    Parameters
    ----------
    model : Model
    sample : array or path
        One raw sample, see ``trace``.
    method : {"gradient", "gradient-x-input", "smoothgrad", "integrated-gradients", "grad-cam", "occlusion"}
    target : int or str, optional
        The class; the one that the model chooses by default.
    baseline : float or array, optional
        The raw sample that holds nothing; see `usual_baseline` for the default.
    **options
        Of the method: ``samples, noise, seed`` (smoothgrad), ``steps, tolerance`` (integrated-gradients),
        ``layer`` (grad-cam), ``size, stride`` (occlusion).

    Raises
    ------
    UsageError
        If the method, its options, the class or the sample do not fit the model.
    """
    return _attribute(score_of(model, sample, target, baseline), method, options)


def _attribute(score: Score, method: str, options: dict[str, Any]) -> Attribution:
    if method not in METHODS:
        raise unknown_name("attribution", method, METHODS)
    try:
        values = METHODS[method](score, **options)
    except TypeError as error:
        if "unexpected keyword" not in str(error):
            raise
        raise UsageError(f"{method}: {str(error).split('() ')[-1]}. See the options of this method.") from None
    names, ends = score.model.output_names, score.ends[:, score.target]
    return Attribution(
        method, score.target, names[score.target], values, float(ends[0]), float(ends[1]), score.model.kind
    )


def attribute_all(
    model: Model, sample: Any, target: int | str | None = None, methods: Iterable[str] | None = None
) -> dict[str, Attribution]:
    """Return the attribution by every method that fits the model (or by ``methods``)."""
    score = score_of(model, sample, target)
    fitting = [name for name in METHODS if name != "grad-cam" or _has_maps(score.model)]
    return {name: _attribute(score, name, {}) for name in (fitting if methods is None else methods)}


def _has_maps(model: Model) -> bool:
    return any(max(model.network.step(name).shape[1:]) > 1 for name in maps(model.network))
