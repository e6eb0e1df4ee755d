"""The losses that files and the command line can name."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any, cast

from striate.errors import UsageError, unknown_name
from striate.losses.base import Loss
from striate.losses.binary import BinaryCrossEntropy
from striate.losses.cross_entropy import CrossEntropy
from striate.losses.expression import ExpressionLoss
from striate.losses.function import Function, loss_of
from striate.losses.hinge import Hinge
from striate.losses.likelihood import GaussianNegativeLogLikelihood, PoissonNegativeLogLikelihood
from striate.losses.regression import Huber, MeanAbsoluteError, MeanSquaredError
from striate.losses.shares import KLDivergence, SoftCrossEntropy

LOSSES: dict[str, type[Loss]] = {
    cls.name: cls
    for cls in (
        CrossEntropy,
        SoftCrossEntropy,
        KLDivergence,
        BinaryCrossEntropy,
        Hinge,
        MeanSquaredError,
        MeanAbsoluteError,
        Huber,
        GaussianNegativeLogLikelihood,
        PoissonNegativeLogLikelihood,
        ExpressionLoss,
    )
}


def register(loss: type[Loss] | Function) -> type[Loss]:
    """Register a loss of your own for files and the command line; use it as a decorator.

    Parameters
    ----------
    loss : class that derives from Loss, or function
        A function takes outputs and targets, both float64[N, *shape], and returns the loss of each sample,
        float64[N], and its gradient, float64[N, *shape]. Targets are numbers; a class becomes 1 for itself and 0
        for the others.

    Raises
    ------
    UsageError
        If another loss has the name already, or a function has none.
    """
    cls = cast("type[Loss]", loss) if isinstance(loss, type) else loss_of(loss)
    if LOSSES.setdefault(cls.name, cls) is not cls:
        raise UsageError(f"{cls.name}: this name belongs to another loss. Choose another name.")
    return cls


def by_name(name: str, **options: Any) -> Loss:
    """Return the loss of that name with these options.

    Raises
    ------
    UsageError
        If there is no such loss, or an option means nothing.

    Examples
    --------
    >>> by_name("huber", delta=2)
    Huber(reduction='mean', delta=2.0)
    """
    if name not in LOSSES:
        raise unknown_name("loss", name, LOSSES)
    fields = {field.name: field for field in dataclasses.fields(LOSSES[name])}
    for key in options:
        if key not in fields:
            raise unknown_name(f"{name}: option", key, list(fields))
    for key, field in fields.items():
        if field.default is dataclasses.MISSING and key not in options:
            raise UsageError(f"{name}: the loss needs the option {key}; got none. Give {key}=...")
    return LOSSES[name](**options) if options else _plain(LOSSES[name])


@cache
def _plain(cls: type[Loss]) -> Loss:
    """Return a loss without options, always the same; a model asks for it with every prediction."""
    return cls()
