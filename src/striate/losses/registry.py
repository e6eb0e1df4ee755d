"""The losses that files and the command line may name."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

from striate.errors import UsageError, unknown_name
from striate.losses.base import Loss
from striate.losses.binary import BinaryCrossEntropy
from striate.losses.cross_entropy import CrossEntropy
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
    )
}


def register(cls: type[Loss]) -> type[Loss]:
    """Let files and the command line name a loss of your own; use it as a decorator.

    Raises
    ------
    UsageError
        If another loss has the name already.
    """
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
    Huber(delta=2.0, reduction='mean')
    """
    if name not in LOSSES:
        raise unknown_name("loss", name, LOSSES)
    if not options:
        return _plain(LOSSES[name])
    known = [field.name for field in dataclasses.fields(LOSSES[name])]
    for key in options:
        if key not in known:
            raise unknown_name(f"{name}: option", key, known)
    return LOSSES[name](**options)


@cache
def _plain(cls: type[Loss]) -> Loss:
    """Return a loss without options, always the same; a model asks for it with every prediction."""
    return cls()
