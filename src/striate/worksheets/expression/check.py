"""Derivatives of an expression by central differences, to check back-propagation with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from striate.expression.parse import parse
from striate.numbers import as_numbers


def finite_differences(
    text: str, values: Mapping[str, Any] | None = None, /, *, step: float = 1e-5, **named: Any
) -> dict[str, np.ndarray]:
    """Return ``(f(v + h) - f(v - h))/2h`` for every element of every value, with h = step*max(1, abs(v)).

    Parameters are those of `backprop`, and `step` the relative step.

    Examples
    --------
    >>> slope = finite_differences("w**2", w=3.0)["w"]
    >>> abs(float(slope) - 6.0) < 1e-8
    True
    """
    graph = parse(text)
    given = {name: as_numbers("backprop", name, value) for name, value in {**(values or {}), **named}.items()}
    graph.forward(given)  # says what is missing or does not fit
    slopes = {}
    for name in graph.inputs:
        point = given[name]
        slopes[name] = np.empty_like(point)
        for index in np.ndindex(point.shape):
            width = step * max(1.0, abs(float(point[index])))
            ends = []
            for sign in (1, -1):
                moved = point.copy()
                moved[index] += sign * width
                ends.append(graph.forward({**given, name: moved})[graph.output].item())
            slopes[name][index] = (ends[0] - ends[1]) / (2 * width)
    return slopes
