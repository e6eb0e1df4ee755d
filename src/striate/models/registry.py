"""Models by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from striate.errors import UsageError, unknown_name
from striate.models.classic import logistic_regression, mlp
from striate.models.digit_recogniser import digit_recogniser
from striate.models.lenet import lenet5
from striate.network import Network

MODELS: dict[str, Callable[..., Network]] = {
    "digit_recogniser": digit_recogniser,
    "lenet5": lenet5,
    "logistic_regression": logistic_regression,
    "mlp": mlp,
}
"""Functions ``f(classes, input_shape, **options) -> Network`` by the name users type."""


def build(name: str, classes: int, input_shape: int | Sequence[int], **options: Any) -> Network:
    """Return the model called ``name`` for ``classes`` and samples of ``input_shape``.

    Raises
    ------
    UsageError
        If there is no such model, or it has no such option.
    ShapeError
        If the model cannot take samples of this shape.

    Examples
    --------
    >>> build("lenet5", 10, (1, 32, 32)).output_shape
    (10,)
    """
    if name not in MODELS:
        raise unknown_name("model", name, MODELS)
    function = MODELS[name]
    known = [key for key in inspect.signature(function).parameters if key not in ("classes", "input_shape")]
    for key in options:
        if key not in known:
            if not known:
                raise UsageError(f"{name}: the model has no options; got {key!r}. Leave it out.")
            raise unknown_name(f"{name}: option", key, known)
    return function(classes, input_shape, **options)
