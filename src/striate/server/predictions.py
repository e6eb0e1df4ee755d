"""Predictions as JSON types."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.errors import DataError
from striate.losses import labels_on
from striate.model import Model

Described = dict[str, Any]


def described(model: Model, names: list[str], outputs: np.ndarray) -> list[Described]:
    """Return what the model says about each sample.

    Raises
    ------
    DataError
        If an output is not finite.
    """
    for name, row in zip(names, outputs, strict=True):
        if not np.isfinite(row).all():
            raise DataError(
                f"{name}: the model's outputs must be finite; got NaN or infinity. Check the sample, or the model."
            )
    meaning = model.interpret(outputs)
    own, found = model.output_names, []
    for number, (name, values, answer) in enumerate(zip(names, meaning.values, meaning.predictions, strict=True)):
        item: Described = {"name": name}
        if model.kind == "classes" and values.ndim > 1:
            item["map"] = answer.tolist()
        elif model.kind == "classes":
            best = int(answer)
            item |= {"class": own[best], "index": best, "probability": float(values[best])}
            item["probabilities"] = _named(own, values)
        elif model.kind == "labels":
            item |= {"labels": labels_on(own, values)}
            item["probabilities"] = _named(own, values)
        else:
            item["values"] = _named(own, values)
            if meaning.variances is not None:
                item["standard_deviations"] = _named(own, meaning.variances[number] ** 0.5)
        found.append(item)
    return found


def _named(names: tuple[str, ...], values: np.ndarray) -> Any:
    """Return numbers by name, or as they are nested where there are more of them than names."""
    if values.size != len(names):
        return values.tolist()
    return dict(zip(names, values.ravel().tolist(), strict=True))
